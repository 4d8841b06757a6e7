//! Clippy takes the nearest `clippy.toml` and merges nothing, so a crate with
//! one of its own must repeat what holds for all; pure crates must ban the
//! clock, the environment, files, threads and hash order.

use super::finding::{Finding, Rule};
use super::tree::Tree;

/// Crates that only decide.
const PURE: [&str; 2] = ["crates/model", "crates/engine"];

/// What a pure crate must ban at the least.
const PURE_BANS: [&str; 9] = [
    "std::time::SystemTime::now",
    "std::time::Instant::now",
    "jiff::Timestamp::now",
    "std::env::var",
    "std::fs::read",
    "std::thread::spawn",
    "std::process::Command",
    "std::net::TcpStream",
    "std::collections::HashMap",
];

/// Bans and settings that are missing somewhere.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let finding = |path: &str, message: String| Finding::new(Rule::ClippyFile, path, 0, message);
    let Some(common) = tree.text("clippy.toml") else {
        return vec![finding("clippy.toml", "there is none".into())];
    };
    let mut found = Vec::new();
    for folder in PURE {
        let path = format!("{folder}/clippy.toml");
        let text = tree.text(&path).unwrap_or_default();
        found.extend(
            PURE_BANS
                .iter()
                .filter(|ban| !entries(text).contains(&format!("ban {ban}")))
                .map(|ban| finding(&path, format!("a pure crate must ban {ban}"))),
        );
    }
    for file in &tree.files {
        if file.path == "clippy.toml" || !file.path.ends_with("/clippy.toml") {
            continue;
        }
        let own = entries(&file.text);
        let missing = entries(common).into_iter().filter(|entry| !own.contains(entry));
        found.extend(missing.map(|entry| finding(&file.path, format!("must repeat: {entry}"))));
    }
    found
}

/// The settings and bans of a file: `key = value` lines and `path = "…"` rows.
fn entries(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            if let Some((_, rest)) = line.split_once("path = \"") {
                return rest.split_once('"').map(|(path, _)| format!("ban {path}"));
            }
            (line.contains(" = ") && !line.ends_with('[')).then(|| line.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMON: &str = "too-many-lines-threshold = 70\ndisallowed-methods = [\n    \
                          { path = \"std::env::set_var\", reason = \"races\" },\n]\n";

    fn pure(extra: &str) -> String {
        let bans: Vec<String> =
            PURE_BANS.iter().map(|ban| format!("{{ path = \"{ban}\" }},\n")).collect();
        format!("{extra}{}", bans.concat())
    }

    fn messages(model: &str, engine: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("clippy.toml", COMMON),
            ("crates/model/clippy.toml", model),
            ("crates/engine/clippy.toml", engine),
        ]);
        check(&tree).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn a_file_that_repeats_and_bans_everything_passes() {
        assert_eq!(messages(&pure(COMMON), &pure(COMMON)), Vec::<String>::new());
    }

    #[test]
    fn a_missing_common_ban_and_a_missing_pure_ban_fail() {
        let without_common = pure("too-many-lines-threshold = 70\n");
        assert_eq!(
            messages(&without_common, &pure(COMMON)),
            ["must repeat: ban std::env::set_var"]
        );
        let without_clock = pure(COMMON).replace("std::time::Instant::now", "x");
        assert_eq!(
            messages(&pure(COMMON), &without_clock),
            ["a pure crate must ban std::time::Instant::now"]
        );
    }
}
