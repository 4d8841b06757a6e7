//! What of it to measure.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

/// The kinds of measurement, in their order.
pub(super) const CASES: [&str; 4] = ["cold", "warm", "flood", "put"];

/// What of it to measure.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// Which kinds.
    pub(super) cases: Vec<String>,
    /// Rounds of each; the tools take turns within a round.
    pub(super) rounds: u32,
    /// Fewer hosts and rounds, to see whether it works at all.
    pub(super) quick: bool,
    /// Whether the page of the guide is written.
    pub(super) write: bool,
    /// A binary to measure in place of a release build of this checkout.
    pub(super) binary: Option<PathBuf>,
    /// Whether to measure what was built before, whatever has changed since.
    pub(super) built: bool,
}

impl Options {
    /// Reads the command line.
    ///
    /// # Errors
    /// Names what is not understood.
    pub(super) fn parse(words: &[&str]) -> Result<Self> {
        let cases = CASES.map(str::to_owned).into();
        let (quick, write, binary, built) = (false, false, None, false);
        let mut options = Self { cases, rounds: 5, quick, write, binary, built };
        let mut rest = words.iter();
        while let Some(option) = rest.next() {
            let mut value = || rest.next().with_context(|| format!("{option} needs a value"));
            match *option {
                "--cases" => options.cases = value()?.split(',').map(str::to_owned).collect(),
                "--rounds" => options.rounds = value()?.parse().context("--rounds")?,
                "--quick" => options.quick = true,
                "--binary" => options.binary = Some(value()?.into()),
                "--built" => options.built = true,
                "--write" => options.write = true,
                other => bail!("no such option: {other}"),
            }
        }
        for case in &options.cases {
            ensure!(CASES.contains(&case.as_str()), "no such case: {case}");
        }
        ensure!(options.rounds > 0, "at least one round");
        if options.quick {
            options.rounds = options.rounds.min(2);
        }
        Ok(options)
    }

    /// Whether a kind is to be measured.
    pub(super) fn has(&self, case: &str) -> bool {
        self.cases.iter().any(|one| one == case)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_typing_errors_named() {
        let options = Options::parse(&["--cases", "cold,put", "--quick"]).expect("right");
        assert!(options.has("cold") && !options.has("warm"));
        assert_eq!((options.rounds, options.write), (2, false));
        for wrong in [&["--cases", "hot"][..], &["--rounds", "0"], &["--x"], &["--binary"]] {
            assert!(Options::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
