//! From the words on the command line to the text that each node is given.
//! Nothing runs before all of them are known.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueHint};
use model::Diagnostics;
use model::substitute::{self, Syntax, Template};
use model::target::{Member, fold};
use tokio_util::sync::CancellationToken;

use super::script::Script;
use super::wrap::{Surroundings, wrapped};
use crate::args::quoted;
use crate::exit::{CommandError, Exit};

/// Programs to which `%h` means something else.
const OWN_PERCENT_H: [&str; 5] = ["find", "git", "stat", "date", "rpm"];

/// What is to run, and where it finds itself.
#[derive(Debug, Clone, Args)]
pub(crate) struct CommandArgs {
    /// The command; with --script, the script's arguments
    #[arg(value_name = "COMMAND", required_unless_present = "script", trailing_var_arg = true)]
    pub(crate) command: Vec<String>,
    /// Run it in this directory of the node; `~` is the home there
    #[arg(long, value_name = "DIR", value_parser = NonEmptyStringValueParser::new())]
    dir: Option<String>,
    /// Set a variable for it, NAME=VALUE; NAME alone takes the value it has
    /// here; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<Variable>,
    /// Leave every `%` in it as it is
    #[arg(long)]
    literal: bool,
    /// Run this script, a file of this machine, which need not be on the nodes
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    script: Option<PathBuf>,
}

/// A variable as written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Variable {
    name: String,
    value: String,
    /// Whether it is a value of ours, which is no template.
    is_ours: bool,
}

/// What the nodes are given.
#[derive(Debug)]
pub(crate) struct Worded {
    /// The command line of each, in their order.
    pub(crate) commands: Vec<String>,
    /// What all of them read, if that is not our standard input.
    pub(crate) script: Option<Vec<u8>>,
    /// What the user may not expect.
    pub(crate) note: Option<String>,
}

impl CommandArgs {
    /// The command lines of `members`.
    ///
    /// # Errors
    /// A value that is asked for and not there, or a script that cannot be
    /// sent; `stop` while it was read.
    pub(crate) async fn word(
        &self,
        members: &[Member],
        stop: &CancellationToken,
    ) -> Result<Worded, CommandError> {
        let mut values = Values::new(self.literal, members);
        let script = match &self.script {
            Some(path) => Some(Script::read(path, stop).await?),
            None => None,
        };
        let (bare, note) = match &script {
            None => {
                let text = self.command.join(" ");
                let (bare, is_short) = values.put("COMMAND", &text, Syntax::Shell);
                (bare, self.note(is_short))
            }
            Some(script) => (values.arguments(&script.command, &self.command), None),
        };
        let directories = self.dir.as_ref().map(|dir| values.put("--dir", dir, Syntax::Plain).0);
        let variables: Vec<(&str, Vec<String>)> = self
            .env
            .iter()
            .map(|one| {
                let texts = match one.is_ours {
                    true => vec![one.value.clone(); members.len()],
                    false => values.put("--env", &one.value, Syntax::Plain).0,
                };
                (one.name.as_str(), texts)
            })
            .collect();
        values.complete()?;
        some_directory(directories.as_deref().unwrap_or_default(), members)?;
        let at = |texts: &[String], node: usize| texts.get(node).cloned().unwrap_or_default();
        let commands = (0..members.len()).map(|node| {
            let around = Surroundings {
                directory: directories.as_ref().map(|texts| at(texts, node)),
                variables: variables
                    .iter()
                    .map(|(name, texts)| ((*name).to_owned(), at(texts, node)))
                    .collect(),
            };
            wrapped(&at(&bare, node), &around)
        });
        Ok(Worded { commands: commands.collect(), script: script.map(|script| script.text), note })
    }

    /// A word of warning where a program would have meant something else.
    fn note(&self, is_short: bool) -> Option<String> {
        let words = self.command.iter().flat_map(|word| word.split_whitespace());
        let mut programs = words.filter_map(|word| {
            OWN_PERCENT_H.into_iter().find(|program| word.rsplit('/').next() == Some(program))
        });
        let program = programs.next().filter(|_| is_short)?;
        Some(format!(
            "note: `%h` became each node's name; write `%%h`, or --literal, to leave it to `{program}`"
        ))
    }
}

/// Puts values into texts and keeps what is wrong with them.
struct Values<'a> {
    literal: bool,
    members: &'a [Member],
    found: Diagnostics,
}

impl<'a> Values<'a> {
    fn new(literal: bool, members: &'a [Member]) -> Self {
        Self { literal, members, found: Diagnostics::default() }
    }

    /// Each node's text, and whether a placeholder in it was a short one.
    fn put(&mut self, name: &str, text: &str, syntax: Syntax) -> (Vec<String>, bool) {
        let source = self.found.sources.add(name, text);
        let template = match self.literal {
            true => Template::literal(source, text),
            false => Template::new(source, text, syntax),
        };
        match substitute::fill(&template, self.members) {
            Ok(texts) => (texts, template.has_short_placeholder()),
            Err(problems) => {
                self.found.list.extend(problems);
                (vec![String::new(); self.members.len()], false)
            }
        }
    }

    /// A command and its arguments, each of which stays one word.
    fn arguments(&mut self, command: &str, arguments: &[String]) -> Vec<String> {
        let mut lines = vec![command.to_owned(); self.members.len()];
        for argument in arguments {
            let (texts, _) = self.put("COMMAND", argument, Syntax::Plain);
            for (line, text) in lines.iter_mut().zip(texts) {
                line.push(' ');
                line.push_str(&quoted(&text));
            }
        }
        lines
    }

    fn complete(self) -> Result<(), CommandError> {
        if self.found.is_empty() {
            return Ok(());
        }
        let message = "nothing was run: a value for some node is missing";
        Err(CommandError { exit: Exit::Usage, ..CommandError::diagnostics(message, self.found) })
    }
}

/// An empty directory would be the home, which nobody asked for.
fn some_directory(directories: &[String], members: &[Member]) -> Result<(), CommandError> {
    let without = directories.iter().zip(members).filter(|(directory, _)| directory.is_empty());
    let without: Vec<&str> = without.map(|(_, member)| member.name.as_str()).collect();
    if without.is_empty() {
        return Ok(());
    }
    let message = format!("nothing was run: --dir is empty for {}", fold(without));
    Err(CommandError::new(Exit::Usage, message))
}

/// Reads `NAME=VALUE`, or `NAME` for the value that it has here; for clap.
fn variable(text: &str) -> Result<Variable, String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name {
        return Err("a name has letters, digits and `_`, and no digit first".to_owned());
    }
    let is_ours = value.is_none();
    let value = match value {
        Some(value) => value,
        None => std::env::var(name)
            .map_err(|_| format!("{name} has no value here; write {name}=VALUE"))?,
    };
    Ok(Variable { name: name.to_owned(), value, is_ours })
}

#[cfg(test)]
mod tests {
    use super::some_directory;
    use crate::exit::Exit;
    use model::target::Member;

    #[test]
    fn a_node_without_a_directory_is_not_sent_home() {
        let member = |name: &str| Member { name: name.into(), ..Member::default() };
        let members = [member("n1"), member("n2"), member("n3")];
        let directories = ["", "/tmp", ""].map(str::to_owned);
        let error = some_directory(&directories, &members).unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        assert_eq!(error.message, "nothing was run: --dir is empty for n[1,3]");
        assert!(some_directory(&[], &members).is_ok());
    }
}
