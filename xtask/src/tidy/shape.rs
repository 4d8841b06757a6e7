//! How a module begins, what `lib.rs` and `mod.rs` may hold, and where unsafe
//! code may be.

use super::finding::{Finding, Rule};
use super::scan::{Scan, has_word};
use super::tree::Tree;

/// The one folder of unsafe code, and the crate that it makes unable to forbid
/// it as a whole.
const UNSAFE_FOLDER: &str = "crates/providers/src/local/sys";
const UNSAFE_CRATE_ROOT: &str = "crates/providers/src/lib.rs";

/// Checks the shape of every Rust file.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (file, scan) in tree.rust() {
        let path = file.path.as_str();
        // `mod tests;` beside a module is about that module.
        let named_tests = path.ends_with("/tests.rs") || path.ends_with("_tests.rs");
        if !named_tests && !file.text.starts_with("//! ") {
            let message = "begin with `//!`: what it is for and what it must not know";
            found.push(Finding::new(Rule::ModuleDoc, path, 1, message));
        }
        let declares = path.ends_with("/lib.rs") || path.ends_with("/mod.rs");
        if declares && path.contains("/src/") {
            // Once a file: the first line says where to look.
            found.extend(other_items(scan).take(1).map(|line| {
                let message = "only declares and re-exports; move this into a module";
                Finding::new(Rule::OnlyDeclares, path, line, message)
            }));
        }
        found.extend(unsafe_findings(path, scan));
    }
    found
}

/// Lines on which something begins that is neither `mod` nor `use`.
fn other_items(scan: &Scan) -> impl Iterator<Item = usize> {
    let mut inside = false;
    let mut attribute_depth = 0_i32;
    scan.code_lines().filter_map(move |(number, line, _)| {
        let line = line.trim();
        if line.is_empty() {
            return None;
        }
        if attribute_depth > 0 || line.starts_with("#[") || line.starts_with("#![") {
            attribute_depth += count(line, '[') - count(line, ']');
            // An attribute and its item on one line do not survive rustfmt.
            return None;
        }
        if inside {
            inside = !line.ends_with(';');
            return None;
        }
        let item = line.strip_prefix("pub").map_or(line, |rest| match rest.split_once(')') {
            Some((_, after)) if rest.starts_with('(') => after,
            _ => rest,
        });
        let item = item.trim_start();
        let declares = item.starts_with("mod ") && line.ends_with(';');
        if item.starts_with("use ") {
            inside = !line.ends_with(';');
        }
        (!declares && !item.starts_with("use ")).then_some(number)
    })
}

fn count(line: &str, character: char) -> i32 {
    i32::try_from(line.matches(character).count()).unwrap_or(i32::MAX)
}

fn unsafe_findings(path: &str, scan: &Scan) -> Vec<Finding> {
    let mut found = Vec::new();
    let root = path.ends_with("src/lib.rs") || path.ends_with("src/main.rs");
    if root && path != UNSAFE_CRATE_ROOT && !scan.code.contains("#![forbid(unsafe_code)]") {
        found.push(Finding::new(Rule::Unsafe, path, 1, "must say #![forbid(unsafe_code)]"));
    }
    if !path.starts_with(UNSAFE_FOLDER) {
        let lines = scan.code_lines().filter(|(_, line, _)| has_word(line, "unsafe"));
        found.extend(lines.map(|(number, _, _)| {
            Finding::new(
                Rule::Unsafe,
                path,
                number,
                format!("unsafe code lives in {UNSAFE_FOLDER}"),
            )
        }));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<(Rule, usize)> {
        let found = check(&Tree::of(&[(path, text)]));
        found.into_iter().map(|finding| (finding.rule, finding.line)).collect()
    }

    #[test]
    fn a_module_without_its_purpose_fails() {
        assert_eq!(findings("crates/cli/src/a.rs", "//! Ages.\nfn a() {}\n"), []);
        assert_eq!(findings("crates/cli/src/a.rs", "fn a() {}\n"), [(Rule::ModuleDoc, 1)]);
        assert_eq!(findings("crates/cli/src/a/tests.rs", "fn a() {}\n"), []);
    }

    #[test]
    fn a_lib_that_declares_and_re_exports_passes() {
        let text = "//! A.\n\n#![forbid(unsafe_code)]\n#![cfg_attr(\n    test,\n    x\n)]\n\n/// Doc.\n\
                    pub mod a;\n#[cfg(test)]\nmod tests;\npub(crate) use a::{\n    B,\n    C,\n};\n";
        assert_eq!(findings("crates/cli/src/lib.rs", text), []);
    }

    #[test]
    fn a_lib_with_anything_else_fails_on_its_line() {
        let rows =
            [("const A: u8 = 1;", 3), ("fn a() {}", 3), ("mod a {", 3), ("pub struct B;", 3)];
        for (item, line) in rows {
            let text = format!("//! A.\n#![forbid(unsafe_code)]\n{item}\n");
            let found = findings("crates/cli/src/lib.rs", &text);
            assert_eq!(found, [(Rule::OnlyDeclares, line)], "{item}");
        }
    }

    #[test]
    fn unsafe_code_has_one_folder() {
        let text = "//! A.\nunsafe { a() }\n";
        assert_eq!(findings("crates/cli/src/a.rs", text), [(Rule::Unsafe, 2)]);
        assert_eq!(findings("crates/providers/src/local/sys/process.rs", text), []);
    }

    #[test]
    fn a_crate_root_forbids_unsafe_code() {
        assert_eq!(findings("crates/cli/src/main.rs", "//! A.\n"), [(Rule::Unsafe, 1)]);
        assert_eq!(findings("crates/providers/src/lib.rs", "//! A.\n"), []);
    }
}
