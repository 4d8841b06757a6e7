//! Limits: lines of a file, lines of a function, bytes of a tracked file.

use super::finding::{Finding, Rule};
use super::tree::Tree;

/// Lines of a file without its tests that should do. Counted, not enforced.
pub(crate) const FILE_LINES_TARGET: usize = 400;
/// Lines of a file without its tests that are too many.
const FILE_LINES_MAX: usize = 700;
/// Lines of a function that should do. Counted, not enforced.
pub(crate) const FUNCTION_LINES_TARGET: usize = 40;
/// Lines of a function, from `fn` to the closing brace, that are too many. No
/// more can be seen at once.
const FUNCTION_LINES_MAX: usize = 70;
/// What is larger than this is data or a build product, and has no place in
/// the history for ever.
const FILE_BYTES_MAX: u64 = 300_000;
/// A map that is longer is not read.
const MAP_LINES_MAX: usize = 250;
/// The map.
const MAP: &str = "ARCHITECTURE.md";

/// What is over a target but under the wall.
#[derive(Debug, Default)]
pub(crate) struct OverTarget {
    /// Path and lines of files.
    pub(crate) files: Vec<(String, usize)>,
    /// Path and line, name, and lines of functions.
    pub(crate) functions: Vec<(String, String, usize)>,
}

/// What is over the wall, and what is over the target only.
pub(crate) fn check(tree: &Tree) -> (Vec<Finding>, OverTarget) {
    let (mut found, mut over) = (Vec::new(), OverTarget::default());
    for file in &tree.files {
        if file.bytes > FILE_BYTES_MAX {
            let message =
                format!("{} bytes; a tracked file has at most {FILE_BYTES_MAX}", file.bytes);
            found.push(Finding::new(Rule::FileBytes, &file.path, 0, message));
        }
    }
    let map_lines = tree.text(MAP).map_or(0, |text| text.lines().count());
    if map_lines > MAP_LINES_MAX {
        let message = format!("{map_lines} lines; a map has at most {MAP_LINES_MAX}");
        found.push(Finding::new(Rule::FileLines, MAP, 0, message));
    }
    for (file, scan) in tree.rust() {
        let lines = scan.in_test.iter().filter(|test| !**test).count();
        if lines > FILE_LINES_MAX {
            let message =
                format!("{lines} lines without tests; the wall is {FILE_LINES_MAX}: split it");
            found.push(Finding::new(Rule::FileLines, &file.path, 0, message));
        } else if lines > FILE_LINES_TARGET {
            over.files.push((file.path.clone(), lines));
        }
        for function in scan.functions().into_iter().filter(|f| !scan.is_test(f.line)) {
            let (name, lines) = (function.name, function.lines);
            if lines > FUNCTION_LINES_MAX {
                let message =
                    format!("fn {name} has {lines} lines; the wall is {FUNCTION_LINES_MAX}");
                found.push(Finding::new(Rule::FunctionLines, &file.path, function.line, message));
            } else if lines > FUNCTION_LINES_TARGET {
                over.functions.push((format!("{}:{}", file.path, function.line), name, lines));
            }
        }
    }
    (found, over)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<Rule> {
        check(&Tree::of(&[(path, text)])).0.into_iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn a_file_is_measured_without_its_tests() {
        let code = "use a;\n".repeat(FILE_LINES_MAX);
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "use a;\n".repeat(900));
        assert_eq!(rules("crates/model/src/a.rs", &format!("{code}{tests}")), []);
        assert_eq!(rules("crates/model/src/a.rs", &format!("{code}use b;\n")), [Rule::FileLines]);
    }

    #[test]
    fn a_function_of_seventy_lines_passes_and_one_more_fails() {
        let function = |inside: usize| format!("fn f() {{\n{}}}\n", "    a();\n".repeat(inside));
        assert_eq!(rules("crates/model/src/a.rs", &function(68)), []);
        assert_eq!(rules("crates/model/src/a.rs", &function(69)), [Rule::FunctionLines]);
        assert_eq!(rules("crates/model/tests/a.rs", &function(69)), []);
    }

    #[test]
    fn what_is_over_the_target_only_is_counted() {
        let text = format!("fn f() {{\n{}}}\n", "    a();\n".repeat(50));
        let (found, over) = check(&Tree::of(&[("crates/model/src/a.rs", &text)]));
        assert_eq!(found, []);
        assert_eq!(over.functions, [("crates/model/src/a.rs:1".into(), "f".into(), 52)]);
    }

    #[test]
    fn large_files_and_a_long_map_fail() {
        assert_eq!(rules("docs/a.svg", &"x".repeat(300_001)), [Rule::FileBytes]);
        assert_eq!(rules(MAP, &"line\n".repeat(251)), [Rule::FileLines]);
        assert_eq!(rules(MAP, &"line\n".repeat(250)), []);
    }
}
