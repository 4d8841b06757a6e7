//! What to measure.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::command::is_root;

/// Who runs squall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runner {
    /// Real root.
    Root,
    /// An ordinary user: ourselves, or one made for the benchmark when we are
    /// root.
    User,
}

impl Runner {
    /// As it is written in options and tables.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::User => "user",
        }
    }
}

/// What to measure.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Sizes of clusters.
    pub(crate) nodes: Vec<u32>,
    /// Rounds of each size.
    pub(crate) rounds: u32,
    /// Who runs it.
    pub(crate) runners: Vec<Runner>,
    /// Whether the page of the guide is written.
    pub(crate) write: bool,
    /// A binary to measure in place of a release build of this checkout.
    pub(crate) binary: Option<PathBuf>,
}

impl Options {
    /// Reads the command line.
    ///
    /// # Errors
    /// Names what is not understood.
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let runners = if is_root() { vec![Runner::Root, Runner::User] } else { vec![Runner::User] };
        let nodes = vec![1, 16, 64, 128];
        let mut options = Self { nodes, rounds: 3, runners, write: false, binary: None };
        let mut rest = words.iter();
        while let Some(option) = rest.next() {
            let mut value = || rest.next().with_context(|| format!("{option} needs a value"));
            match *option {
                "--nodes" => options.nodes = list(value()?, |word| Ok(word.parse::<u32>()?))?,
                "--rounds" => options.rounds = value()?.parse().context("--rounds")?,
                "--as" => options.runners = list(value()?, runner)?,
                "--binary" => options.binary = Some(value()?.into()),
                "--write" => options.write = true,
                other => bail!("no such option: {other}"),
            }
        }
        if options.rounds == 0 || options.nodes.contains(&0) {
            bail!("at least one node and one round");
        }
        Ok(options)
    }
}

fn list<T>(text: &str, read: impl Fn(&str) -> Result<T>) -> Result<Vec<T>> {
    text.split(',').map(|word| read(word).with_context(|| format!("`{word}`"))).collect()
}

fn runner(word: &str) -> Result<Runner> {
    match word {
        "root" if !is_root() => bail!("needs root"),
        "root" => Ok(Runner::Root),
        "user" => Ok(Runner::User),
        _ => bail!("either root or user"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_typing_errors_named() {
        let options =
            Options::parse(&["--nodes", "2,8", "--as", "user", "--write"]).expect("right");
        assert_eq!((options.nodes, options.rounds, options.write), (vec![2, 8], 3, true));
        assert_eq!(options.runners, [Runner::User]);
        for wrong in [&["--node", "2"][..], &["--nodes", "x"], &["--nodes"], &["--rounds", "0"]] {
            assert!(Options::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
