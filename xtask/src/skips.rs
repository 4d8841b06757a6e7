//! What could not run here, listed with the reason. In CI a skip is a failure
//! unless the checked-in list has it.

use std::path::Path;

use anyhow::{Context, Result};

use crate::command::top;
use crate::say::say;

/// Skips that CI accepts: a name and a reason per line.
const ALLOWED: &str = ".ci/allowed-skips.txt";

/// Skips of a run, by name.
#[derive(Debug, Default)]
pub(crate) struct Skips {
    rows: Vec<(String, String)>,
}

/// Whether a skip that is not on the list fails.
pub(crate) fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

impl Skips {
    /// Adds one.
    pub(crate) fn add(&mut self, name: &str, reason: &str) {
        let row = (name.to_owned(), reason.to_owned());
        if !self.rows.contains(&row) {
            self.rows.push(row);
        }
    }

    /// Adds what tests wrote into the file, if they did.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn add_file(&mut self, path: &Path) -> Result<()> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        for (name, reason) in rows(&text) {
            self.add(&name, &reason);
        }
        Ok(())
    }

    /// Lists all, and answers whether one of them is unexpected. Without
    /// `strict` all are accepted.
    ///
    /// # Errors
    /// When the checked-in list cannot be read.
    pub(crate) fn list(&mut self, strict: bool) -> Result<bool> {
        let text = std::fs::read_to_string(top().join(ALLOWED))
            .with_context(|| format!("read {ALLOWED}"))?;
        let allowed = rows(&text);
        self.rows.sort();
        let unexpected = self.unexpected(&allowed);
        if !self.rows.is_empty() {
            say(format!("\nskipped: {}", self.rows.len()));
        }
        for (name, reason) in &self.rows {
            let mark = if strict && unexpected.contains(&name.as_str()) {
                format!("  FAILS: not in {ALLOWED}")
            } else {
                String::new()
            };
            say(format!("  {name}: {reason}{mark}"));
        }
        Ok(strict && !unexpected.is_empty())
    }

    fn unexpected(&self, allowed: &[(String, String)]) -> Vec<&str> {
        let listed = |name: &str| allowed.iter().any(|(other, _)| other == name);
        self.rows.iter().map(|(name, _)| name.as_str()).filter(|name| !listed(name)).collect()
    }
}

/// `name<TAB>reason` lines; what begins with `#` is a comment.
fn rows(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| match line.split_once('\t') {
            Some((name, reason)) => (name.trim().to_owned(), reason.trim().to_owned()),
            None => (line.trim().to_owned(), String::new()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skip_is_expected_when_the_list_names_it() {
        let mut skips = Skips::default();
        skips.add("check/deny", "not installed");
        skips.add("spine_as_root", "needs root");
        skips.add("spine_as_root", "needs root");
        let allowed = rows("# comment\n\ncheck/deny\tnot everywhere\n");
        assert_eq!(allowed, [("check/deny".to_owned(), "not everywhere".to_owned())]);
        assert_eq!(skips.unexpected(&allowed), ["spine_as_root"]);
    }
}
