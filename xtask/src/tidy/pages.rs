//! Pages of the user guide and at the top of the repository: every page can be
//! reached, every link leads somewhere.

use super::finding::{Finding, Rule};
use super::tree::{File, Tree};

/// Where the user guide is.
const GUIDE: &str = "docs/src/";
/// Its table of contents.
const CONTENTS: &str = "docs/src/SUMMARY.md";

/// Links that lead nowhere and pages that nothing leads to.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let pages: Vec<&File> = tree.files.iter().filter(|f| f.path.ends_with(".md")).collect();
    let mut listed = Vec::new();
    for page in &pages {
        for (line, target) in links(&page.text) {
            let place = resolve(&page.path, &target);
            if page.path == CONTENTS {
                listed.push(place.clone());
            }
            let folder = format!("{place}/");
            let exists = tree.files.iter().any(|f| f.path == place || f.path.starts_with(&folder));
            if !exists {
                let message = format!("the link to {target} leads nowhere");
                found.push(Finding::new(Rule::Page, &page.path, line, message));
            }
        }
    }
    for page in pages.iter().filter(|page| page.path.starts_with(GUIDE) && page.path != CONTENTS) {
        if !listed.contains(&page.path) {
            let message = format!("is not in {CONTENTS}");
            found.push(Finding::new(Rule::Page, &page.path, 0, message));
        }
    }
    found
}

/// Relative links with their lines; what is shown as code is not a link.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut fenced = false;
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect();
        for rest in prose.split("](").skip(1) {
            let target = rest.split([')', '#', ' ']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains(':') {
                found.push((number + 1, target.to_owned()));
            }
        }
    }
    found
}

/// A path relative to the page, relative to the top.
fn resolve(page: &str, target: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn pages_that_are_listed_and_links_that_lead_somewhere_pass() {
        let found = messages(&[
            (CONTENTS, "- [A](a.md)\n- [B](./sub/b.md)\n"),
            ("docs/src/a.md", "[b](sub/b.md#part) [x](https://example.org) [c](#here)\n"),
            ("docs/src/sub/b.md", "[map](../../../ARCHITECTURE.md) [all](../../../docs/)\n"),
            ("ARCHITECTURE.md", "```\n[no](link.md)\n```\n`[no](link.md)`\n"),
        ]);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn dead_links_and_lost_pages_fail() {
        let found = messages(&[
            (CONTENTS, "- [A](a.md)\n"),
            ("docs/src/a.md", "text\n[b](b.md)\n"),
            ("docs/src/lost.md", ""),
        ]);
        assert_eq!(
            found,
            [
                "docs/src/a.md:2: the link to b.md leads nowhere [Page]",
                "docs/src/lost.md: is not in docs/src/SUMMARY.md [Page]",
            ]
        );
    }
}
