//! Specs and what is said of them, as text in `tests/cases`. A case is
//!
//! ```text
//! === title
//! > --provider local          (or --name, --set; any number of lines)
//! > file setup.sh: #!/bin/sh  (a file that is there; `unreadable` for one that is not)
//! > aliases: {image: {…}}
//! > spec binary               (bytes that no text here can hold)
//! the spec
//! --- what is said: errors, or notes and then what this build cannot do
//! ```
//!
//! When a case differs, the failure prints the whole file as it should be.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Files, LoadOptions, NamedText, Resolution, load, resolve};
use crate::diagnostic::{CODES, Diagnostics};

mod examples;
mod properties;
mod schema;

const CASES: &[(&str, &str)] = &[
    ("yaml", include_str!("../../tests/cases/yaml.txt")),
    ("keys", include_str!("../../tests/cases/keys.txt")),
    ("values", include_str!("../../tests/cases/values.txt")),
    ("names", include_str!("../../tests/cases/names.txt")),
    ("local", include_str!("../../tests/cases/local.txt")),
    ("clouds", include_str!("../../tests/cases/clouds.txt")),
    ("overrides", include_str!("../../tests/cases/overrides.txt")),
    ("files", include_str!("../../tests/cases/files.txt")),
    ("later", include_str!("../../tests/cases/later.txt")),
];

/// Reads and resolves a text with no flags and no files.
pub(super) fn accept(text: &str) -> Resolution {
    try_accept(text).unwrap_or_else(|problems| panic!("{}", problems.to_plain()))
}

/// Reads and resolves a text with no flags and no files.
pub(super) fn try_accept(text: &str) -> Result<Resolution, Diagnostics> {
    resolve(load("spec.yaml", text.as_bytes(), &LoadOptions::default()), &Files::new())
}

#[test]
fn every_case_is_said_as_written() {
    let mut wrong = String::new();
    for (name, text) in CASES {
        let mut actual = String::new();
        for case in text.split("=== ").skip(1) {
            let (title, rest) = case.split_once('\n').unwrap();
            let (input, _) = rest.split_once("\n---\n").expect(title);
            let said = say(&input.replace("\\r", "\r").replace("\\t", "\t"));
            let _ = write!(actual, "=== {title}\n{input}\n---\n{said}\n\n");
        }
        if actual.trim() != text.trim() {
            let _ = write!(wrong, "<<<<<<<< {name}\n{actual}>>>>>>>>\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_code_is_documented_and_produced_by_some_case() {
    let mut said: BTreeSet<&str> = CASES
        .iter()
        .flat_map(|(_, text)| text.lines())
        .filter_map(|line| line.split_once('[')?.1.split_once("]: ").map(|(code, _)| code))
        .collect();
    let many = try_accept(&"k: 1\n".repeat(200)).unwrap_err();
    said.extend(many.list.last().map(|last| last.code));
    for (code, meaning) in CODES.iter().filter(|(code, _)| !of_no_spec(code)) {
        assert!(said.contains(code), "no case produces {code}: {meaning}");
    }
    let codes: Vec<&str> = CODES.iter().map(|(code, _)| *code).collect();
    assert!(codes.is_sorted(), "{codes:?}");
    for (code, _) in CODES.iter().filter(|(code, _)| code.starts_with("target-")) {
        assert!(target_codes().contains(code), "no target produces {code}");
    }
}

/// Codes of what is typed on the command line; `target-` is seen to here, and
/// `substitute-` and `hosts-` in the tests beside them.
fn of_no_spec(code: &str) -> bool {
    ["target-", "substitute-", "hosts-"].iter().any(|start| code.starts_with(start))
}

fn target_codes() -> BTreeSet<&'static str> {
    use crate::target::{Scope, parse, select};
    let member = crate::target::Member {
        cluster: "other".to_owned(),
        name: "demo".to_owned(),
        ..crate::target::Member::default()
    };
    let scope = Scope::new(vec![member], ["demo".to_owned()].into());
    let mut codes = BTreeSet::new();
    let texts =
        ["a,,b", "demo", "cluster=none", "colour=red", "7", "none", "@ok", "@none", "name>1"];
    for text in texts {
        let (expr, problems) = parse(crate::span::SourceId::default(), text);
        codes.extend(problems.iter().map(|problem| problem.code));
        if problems.is_empty() {
            let found = select(&expr, crate::span::SourceId::default(), &scope).err();
            codes.extend(found.into_iter().flatten().map(|problem| problem.code));
        }
    }
    codes
}

fn say(input: &str) -> String {
    let mut options = LoadOptions::default();
    let mut files = Files::new();
    let mut spec = String::new();
    let mut raw = None;
    for line in input.split_inclusive('\n') {
        match line.strip_prefix("> ").map(str::trim_end) {
            None => spec.push_str(line),
            Some("spec binary") => raw = Some(b"a: b\nc: \xff\0".to_vec()),
            Some("spec utf-16") => raw = Some(b"\xff\xfea\0".to_vec()),
            Some("spec large") => raw = Some(vec![b' '; super::SPEC_BYTES_MAX + 1]),
            Some(line) => option(line, &mut options, &mut files),
        }
    }
    let loaded = load("spec.yaml", raw.as_deref().unwrap_or(spec.as_bytes()), &options);
    match resolve(loaded, &files) {
        Err(problems) => {
            for problem in &problems.list {
                assert!(CODES.iter().any(|(code, _)| *code == problem.code), "{}", problem.code);
            }
            assert!(problems.has_errors());
            problems.to_plain()
        }
        Ok(Resolution { spec, notes, not_yet }) => {
            let nodes: Vec<String> = spec.nodes().map(|node| node.name.to_string()).collect();
            let mut said = vec![format!(
                "accepted: {}",
                crate::target::fold(nodes.iter().map(String::as_str))
            )];
            said.extend((!notes.is_empty()).then(|| notes.to_plain()));
            said.extend((!not_yet.is_empty()).then(|| not_yet.to_plain()));
            said.join("\n")
        }
    }
}

fn option(line: &str, options: &mut LoadOptions, files: &mut Files) {
    let (word, rest) = line.split_once(' ').unwrap();
    match word {
        "--provider" => options.provider = Some(rest.to_owned()),
        "--name" => options.name = Some(rest.to_owned()),
        "--set" => options.sets.push(rest.to_owned()),
        "aliases:" => {
            options.aliases =
                Some(NamedText { name: "aliases.yaml".to_owned(), text: rest.to_owned() });
        }
        "file" => {
            let (path, text) = rest.split_once(": ").unwrap();
            let bytes = match text {
                "unreadable" => Err("permission denied".to_owned()),
                "binary" => Ok(vec![b'#', b'!', 0, 0xff]),
                "large" => Ok(format!("#!/bin/sh\n{}", "x".repeat(20 << 10)).into_bytes()),
                "huge" => Ok(format!("#!/bin/sh\n{}", "x".repeat(300 << 10)).into_bytes()),
                text => Ok(text.replace("\\n", "\n").into_bytes()),
            };
            files.insert(path.to_owned(), bytes);
        }
        other => panic!("{other}"),
    }
}
