//! All rules on the repository as it lies on the disk.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::exemptions::{EXEMPTIONS, apply};
use super::finding::Finding;
use super::size::{FILE_LINES_TARGET, FUNCTION_LINES_TARGET, OverTarget};
use super::tree::Tree;
use super::{clippy_files, layers, pages, shape, size, words};
use crate::say::say;

/// Everything that breaks a rule, and what is over a target only.
fn findings(top: &Path) -> Result<(Vec<Finding>, OverTarget)> {
    let tree = Tree::read(top)?;
    let (mut found, over) = size::check(&tree);
    found.extend(layers::check(&layers::packages(&metadata(top)?)));
    found.extend(clippy_files::check(&tree));
    found.extend(shape::check(&tree));
    found.extend(words::check(&tree));
    found.extend(pages::check(&tree));
    Ok((apply(found, EXEMPTIONS), over))
}

fn metadata(top: &Path) -> Result<serde_json::Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(top)
        .output()
        .context("start cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("read the answer of cargo metadata")
}

/// Says what breaks a rule.
///
/// # Errors
/// When something does, or the repository cannot be read.
pub(crate) fn run(top: &Path) -> Result<()> {
    let (found, over) = findings(top)?;
    for finding in &found {
        say(finding);
    }
    say(format!(
        "tidy: {} broken rules; over the target but under the wall: {} files of more than \
         {FILE_LINES_TARGET} lines, {} functions of more than {FUNCTION_LINES_TARGET} \
         (`cargo xtask tidy --list` names them)",
        found.len(),
        over.files.len(),
        over.functions.len()
    ));
    ensure!(found.is_empty(), "the rules are in STYLE.md");
    Ok(())
}

/// Names what is over a target.
///
/// # Errors
/// When the repository cannot be read.
pub(crate) fn listed(top: &Path) -> Result<()> {
    let (_, over) = findings(top)?;
    for (path, lines) in over.files {
        say(format!("{path}: {lines} lines without tests"));
    }
    for (place, name, lines) in over.functions {
        say(format!("{place}: fn {name} has {lines} lines"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_repository_keeps_its_rules() {
        let (found, _) = findings(&crate::command::top()).expect("the repository is readable");
        let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(found.is_empty(), "\n{}", lines.join("\n"));
    }
}
