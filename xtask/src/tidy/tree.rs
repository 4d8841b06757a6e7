//! The files of the repository: what is tracked, and what would be with the
//! next `git add`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::scan::Scan;

/// A file, with its text; empty when it is not text.
#[derive(Debug)]
pub(crate) struct File {
    /// Relative to the top of the repository, with slashes.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
    /// Its size in bytes.
    pub(crate) bytes: u64,
    /// Rust taken apart; none for other files.
    pub(crate) rust: Option<Scan>,
}

/// All files.
#[derive(Debug)]
pub(crate) struct Tree {
    /// Sorted by path.
    pub(crate) files: Vec<File>,
}

impl Tree {
    /// Reads the repository at `top`.
    ///
    /// # Errors
    /// When git does not answer or a file cannot be read.
    pub(crate) fn read(top: &Path) -> Result<Self> {
        let output = Command::new("git")
            // A checkout that belongs to somebody else is read all the same.
            .args(["-c", "safe.directory=*", "ls-files", "-z"])
            .args(["--cached", "--others", "--exclude-standard"])
            .current_dir(top)
            .output()
            .context("start git")?;
        ensure!(
            output.status.success(),
            "git ls-files: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let listing = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
        let mut paths: Vec<&str> = listing.split('\0').filter(|path| !path.is_empty()).collect();
        paths.sort_unstable();
        paths.dedup();
        let mut files = Vec::new();
        for path in paths {
            let place = top.join(path);
            // A link is not followed, a file deleted but not yet committed is gone.
            if place.is_symlink() || !place.is_file() {
                continue;
            }
            let content = std::fs::read(&place).with_context(|| format!("read {path}"))?;
            let bytes = content.len() as u64;
            files.push(File::new(path, String::from_utf8(content).unwrap_or_default(), bytes));
        }
        Ok(Self::assemble(files))
    }

    /// Spreads what a file says of its modules: one that only tests declare is
    /// a test, and so is what lies below it.
    fn assemble(mut files: Vec<File>) -> Self {
        let mut places = Vec::new();
        for file in &files {
            let modules = file.rust.iter().flat_map(|scan| &scan.test_modules);
            places.extend(modules.map(|name| format!("{}/{name}", module_folder(&file.path))));
        }
        for file in &mut files {
            let inside = |place: &String| {
                let rest = file.path.strip_prefix(place.as_str());
                rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            };
            if let Some(scan) = file.rust.as_mut().filter(|_| places.iter().any(inside)) {
                scan.make_test();
            }
        }
        Self { files }
    }

    /// The text of a file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
    }

    /// Files of Rust with their parts.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&File, &Scan)> {
        self.files.iter().filter_map(|file| file.rust.as_ref().map(|scan| (file, scan)))
    }

    /// A tree out of paths and texts, for tests of rules.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File::new(path, (*text).into(), text.len() as u64);
        Self::assemble(files.iter().map(file).collect())
    }
}

impl File {
    fn new(path: &str, text: String, bytes: u64) -> Self {
        let rust = path.ends_with(".rs").then(|| Scan::new(&text, is_test_path(path)));
        Self { path: path.to_owned(), text, bytes, rust }
    }
}

/// Where the modules lie that a file declares.
fn module_folder(path: &str) -> &str {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder,
        _ => path.strip_suffix(".rs").unwrap_or(path),
    }
}

/// Whether all of a file is for tests: by its folder, its name, or its crate.
pub(crate) fn is_test_path(path: &str) -> bool {
    let folder =
        path.starts_with("tests/") || path.contains("/tests/") || path.contains("/benches/");
    folder
        || path.ends_with("/tests.rs")
        || path.ends_with("_tests.rs")
        || path.starts_with("crates/testkit/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_only_tests_declare_is_a_test() {
        let tree = Tree::of(&[
            ("crates/cli/src/render/mod.rs", "mod plan;\n#[cfg(test)]\nmod sample;\n"),
            ("crates/cli/src/render/plan.rs", "fn a() {}\n"),
            ("crates/cli/src/render/sample.rs", "fn a() {}\n"),
            ("crates/cli/src/render/sample/more.rs", "fn a() {}\n"),
            ("crates/cli/src/table.rs", "#[cfg(test)]\npub(crate) mod rows;\n"),
            ("crates/cli/src/table/rows.rs", "fn a() {}\n"),
        ]);
        let tests: Vec<bool> = tree.rust().map(|(_, scan)| scan.is_test(1)).collect();
        assert_eq!(tests, [false, false, true, true, true, true]);
    }

    #[test]
    fn tests_are_known_by_their_place() {
        let rows = [
            ("crates/model/src/name.rs", false),
            ("crates/model/src/target/select/tests.rs", true),
            ("crates/model/src/target/parse_tests.rs", true),
            ("crates/engine/tests/golden.rs", true),
            ("tests/e2e/src/home.rs", true),
            ("crates/testkit/src/world.rs", true),
            ("crates/cli/src/contests.rs", false),
        ];
        for (path, test) in rows {
            assert_eq!(is_test_path(path), test, "{path}");
        }
    }
}
