//! The page of the guide: a section per benchmark, each written by itself.

use anyhow::{Context, Result};

use crate::command::top;
use crate::say::say;

/// The page.
const PAGE: &str = "docs/src/benchmarks.md";
/// Its title.
const TITLE: &str = "# Benchmarks\n";

/// Writes one section and leaves the others as they are.
///
/// # Errors
/// When the page cannot be read or written.
pub(crate) fn write_section(heading: &str, text: &str) -> Result<()> {
    let path = top().join(PAGE);
    let page = std::fs::read_to_string(&path).context("read the page")?;
    std::fs::write(&path, with_section(&page, heading, text)).context("write the page")?;
    say(format!("written: {PAGE}"));
    Ok(())
}

/// The page with a section in the place of the one of this heading, or at the
/// end.
fn with_section(page: &str, heading: &str, text: &str) -> String {
    let mut sections: Vec<(String, String)> = Vec::new();
    for line in page.lines() {
        match (line.strip_prefix("## "), sections.last_mut()) {
            (Some(heading), _) => sections.push((heading.to_owned(), String::new())),
            (None, Some((_, body))) => body.extend([line, "\n"]),
            (None, None) => {}
        }
    }
    match sections.iter_mut().find(|section| section.0 == heading) {
        Some(section) => text.clone_into(&mut section.1),
        None => sections.push((heading.to_owned(), text.to_owned())),
    }
    let mut page = TITLE.to_owned();
    for (heading, body) in sections {
        page.extend(["\n## ", &heading, "\n\n", body.trim(), "\n"]);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_replaced_and_others_stay() {
        let page = "# Benchmarks\n\n## One\n\na\n\n### Sub\n\nb\n\n## Two\n\nc\n";
        let expected = "# Benchmarks\n\n## One\n\nnew\n\n## Two\n\nc\n";
        assert_eq!(with_section(page, "One", "new\n"), expected);
        assert_eq!(with_section(page, "Two", "c\n"), page);
        assert!(with_section(page, "Three", "d\n").ends_with("c\n\n## Three\n\nd\n"));
    }
}
