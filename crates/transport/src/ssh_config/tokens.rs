//! What stands for something else in the paths of a configuration: `~`, `%h`
//! and its like, `${VARIABLE}`. Pure.

use std::path::PathBuf;

use super::config::Environment;

/// What `%` and a letter mean for one host.
pub(super) struct Tokens<'a> {
    pub(super) environment: &'a Environment,
    pub(super) original: &'a str,
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) user: &'a str,
    pub(super) alias: Option<&'a str>,
    pub(super) jump: &'a str,
}

impl Tokens<'_> {
    /// Paths; the word `none` alone means that there is none.
    pub(super) fn paths(&self, words: &[String]) -> Vec<PathBuf> {
        words.iter().filter(|word| *word != "none").map(|word| self.path(word)).collect()
    }

    /// A path with everything replaced.
    pub(super) fn path(&self, word: &str) -> PathBuf {
        let text = variables(&self.percent(word), self.environment);
        home(&text, self.environment)
    }

    fn percent(&self, word: &str) -> String {
        let mut text = String::new();
        let mut letters = word.chars();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                text.push(letter);
                continue;
            }
            let environment = self.environment;
            match letters.next() {
                Some('%') => text.push('%'),
                Some('d') => text.push_str(&environment.home.display().to_string()),
                Some('h') => text.push_str(self.host),
                Some('i') => text.push_str(&environment.uid.to_string()),
                Some('j') => text.push_str(self.jump),
                Some('k') => text.push_str(self.alias.unwrap_or(self.original)),
                Some('l') => text.push_str(&environment.host),
                Some('L') => {
                    text.push_str(environment.host.split('.').next().unwrap_or_default());
                }
                Some('n') => text.push_str(self.original),
                Some('p') => text.push_str(&self.port.to_string()),
                Some('r') => text.push_str(self.user),
                Some('u') => text.push_str(&environment.user),
                Some(other) => {
                    text.push('%');
                    text.push(other);
                }
                None => text.push('%'),
            }
        }
        text
    }
}

/// Replaces `${NAME}`; one that is not set stays as it is.
pub(super) fn variables(text: &str, environment: &Environment) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        match after.split_once('}') {
            Some((name, after)) => {
                match environment.variables.get(name) {
                    Some(value) => out.push_str(value),
                    None => {
                        out.push_str("${");
                        out.push_str(name);
                        out.push('}');
                    }
                }
                rest = after;
            }
            None => {
                out.push_str("${");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Replaces a leading `~`.
pub(super) fn home(text: &str, environment: &Environment) -> PathBuf {
    match text.strip_prefix("~/") {
        Some(rest) => environment.home.join(rest),
        None if text == "~" => environment.home.clone(),
        None => PathBuf::from(text),
    }
}
