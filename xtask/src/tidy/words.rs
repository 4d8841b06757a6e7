//! What must not be written: in code, in tests, in comments, anywhere.

use super::finding::{Finding, Rule};
use super::scan::{Scan, has_word};
use super::tree::{File, Tree};

/// Marks of unfinished work; each names its issue, as in `TODO(#12)`.
const UNFINISHED: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];

/// Ends of type names that say nothing.
const EMPTY_NAMES: [&str; 7] = ["Manager", "Helper", "Helpers", "Util", "Utils", "Misc", "Stuff"];

/// Names of files that say nothing.
const EMPTY_FILES: [&str; 7] =
    ["util.rs", "utils.rs", "helper.rs", "helpers.rs", "misc.rs", "common.rs", "stuff.rs"];

/// Hosts of package registries: a mirror must be a matter of configuration.
/// In two parts, so that this file does not hold what it forbids.
const REGISTRY_HOSTS: [(&str, &str); 10] = [
    ("crates", ".io"),
    ("pypi", ".org"),
    ("pythonhosted", ".org"),
    ("npmjs", ".org"),
    ("registry.yarnpkg", ".com"),
    ("rubygems", ".org"),
    ("proxy.golang", ".org"),
    ("ghcr", ".io"),
    ("quay", ".io"),
    ("registry-1.docker", ".io"),
];

/// Words of one machine or one conversation, which mean nothing to a reader.
const LOCAL_WORDS: [(&str, &str); 6] = [
    ("/work/", "main"),
    ("/work/", "shared"),
    ("../", "shared/"),
    ("sub", "agent"),
    ("language ", "model"),
    ("as an ", "AI"),
];

/// Checks every text.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in &tree.files {
        found.extend(text_findings(file));
        if let Some(scan) = &file.rust {
            found.extend(code_findings(&file.path, scan));
            found.extend(unfinished(&file.path, &scan.comments));
        } else if !file.path.ends_with(".md") {
            found.extend(unfinished(&file.path, &file.text));
        }
    }
    found
}

fn text_findings(file: &File) -> Vec<Finding> {
    let mut found = Vec::new();
    let path = file.path.as_str();
    for (number, line) in file.text.lines().enumerate() {
        let mut find = |rule, message: String| {
            found.push(Finding::new(rule, path, number + 1, message));
        };
        for (start, end) in REGISTRY_HOSTS {
            let host = format!("{start}{end}");
            if path != "Cargo.lock" && line.contains(&host) {
                find(Rule::RegistryHost, format!("names {host}; only Cargo.lock does"));
            }
        }
        for (start, end) in LOCAL_WORDS {
            let word = format!("{start}{end}");
            if line.contains(&word) {
                find(Rule::BannedWord, format!("`{word}` means nothing to a reader elsewhere"));
            }
        }
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    if EMPTY_FILES.contains(&name) {
        let message = "a file is named after what it holds";
        found.push(Finding::new(Rule::BannedWord, path, 0, message));
    }
    found
}

fn code_findings(path: &str, scan: &Scan) -> Vec<Finding> {
    let mut found = Vec::new();
    for (number, line, test) in scan.code_lines() {
        let mut find = |rule, message: &str| {
            found.push(Finding::new(rule, path, number, message));
        };
        if line.contains("#[allow(") || line.contains("#![allow(") {
            find(Rule::Allow, "#[expect(lint, reason = …)] notices when it is no longer needed");
        }
        if !test && (line.contains(".unwrap()") || line.contains(".unwrap_err()")) {
            find(Rule::Unwrap, "return the error, or say with `unreachable` why there is none");
        }
        if test && (line.contains("thread::sleep(") || line.contains("nanosleep(")) {
            find(Rule::TestSleep, "wait for the event, or ask with testkit::until");
        }
        if line.contains("#[ignore") {
            find(Rule::IgnoredTest, "say why with testkit::skip, so that it is listed");
        }
        if let Some(name) = type_name(line)
            && EMPTY_NAMES.iter().any(|empty| name.ends_with(empty))
        {
            find(Rule::BannedWord, "name a type after what it is, in the words of the design");
        }
    }
    found
}

/// The name of the type that is declared on a line.
fn type_name(line: &str) -> Option<&str> {
    let mut words =
        line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty());
    words.find(|word| ["struct", "enum", "trait", "type"].contains(word))?;
    words.next()
}

fn unfinished(path: &str, text: &str) -> Vec<Finding> {
    let named = |line: &str| {
        line.split('#').skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    text.lines()
        .enumerate()
        .filter(|(_, line)| UNFINISHED.iter().any(|mark| has_word(line, mark)) && !named(line))
        .map(|(number, _)| {
            let message = "unfinished work names its issue: #NUMBER";
            Finding::new(Rule::Unfinished, path, number + 1, message)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<Rule> {
        check(&Tree::of(&[(path, text)])).into_iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn words_in_code_fail_where_they_are_forbidden_and_only_there() {
        let (product, test) = ("crates/cli/src/a.rs", "crates/cli/tests/a.rs");
        let rows = [
            (product, "let a = b.unwrap();", vec![Rule::Unwrap]),
            (product, "let a = b.unwrap_or(c);", vec![]),
            (product, "// b.unwrap() would end the program", vec![]),
            (test, "let a = b.unwrap();", vec![]),
            (product, "#[allow(dead_code)]", vec![Rule::Allow]),
            (product, "#[expect(dead_code, reason = \"x\")]", vec![]),
            (product, "std::thread::sleep(a);", vec![]),
            (test, "std::thread::sleep(a);", vec![Rule::TestSleep]),
            (test, "rustix::thread::nanosleep(&a);", vec![Rule::TestSleep]),
            (test, "#[ignore = \"slow\"]", vec![Rule::IgnoredTest]),
            (product, "pub(crate) struct NodeManager<'a> {", vec![Rule::BannedWord]),
            (product, "struct Managed;", vec![]),
            (product, "fn a() {} // TODO later", vec![Rule::Unfinished]),
            (product, "fn a() {} // TODO(#12) later", vec![]),
            (product, "let s = \"TODO\";", vec![]),
            ("Cargo.toml", "# FIXME", vec![Rule::Unfinished]),
        ];
        for (path, text, expected) in rows {
            assert_eq!(rules(path, text), expected, "{path}: {text}");
        }
    }

    #[test]
    fn a_registry_host_is_named_by_the_lock_file_only() {
        let line = REGISTRY_HOSTS.map(|(start, end)| format!("https://{start}{end}/")).join("\n");
        assert_eq!(rules("Cargo.lock", &line), []);
        assert_eq!(rules("README.md", &line), [Rule::RegistryHost; REGISTRY_HOSTS.len()]);
    }

    #[test]
    fn words_of_one_machine_fail_everywhere() {
        for (start, end) in LOCAL_WORDS {
            let text = format!("see {start}{end}");
            assert_eq!(rules("docs/src/a.md", &text), [Rule::BannedWord], "{text}");
        }
    }

    #[test]
    fn a_file_named_after_nothing_fails() {
        assert_eq!(rules("crates/cli/src/utils.rs", ""), [Rule::BannedWord]);
        assert_eq!(rules("crates/cli/src/unit.rs", ""), []);
    }
}
