//! What a run of the tests left on the machine: anything that still points
//! into the directory that all of them had as their temporary directory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

/// Accounts that tests make begin so.
const ACCOUNT_PREFIX: &str = "sqe2e-";
/// How often and how long a process that is just ending is waited for.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// The temporary directory of one run, and the accounts there were before.
#[derive(Debug)]
pub(crate) struct Watch {
    directory: PathBuf,
    accounts: Vec<String>,
}

impl Watch {
    /// Makes the directory; open to all users, because tests make some.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn new() -> Result<Self> {
        use std::os::unix::fs::PermissionsExt;
        // Short, because paths of Unix sockets are bounded by about 100 bytes.
        let directory = std::env::temp_dir().join(format!("sq-{}", std::process::id()));
        std::fs::create_dir(&directory).with_context(|| format!("make {}", directory.display()))?;
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o1777))?;
        Ok(Self { directory, accounts: accounts() })
    }

    /// The directory, for `TMPDIR`.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Everything that is left, in words. Removes the directory when that is
    /// nothing.
    pub(crate) fn finish(&self) -> Vec<String> {
        let mut found = self.look();
        for _ in 0..TRIES {
            if found.is_empty() {
                break;
            }
            std::thread::sleep(PAUSE);
            found = self.look();
        }
        if found.is_empty() {
            let _ = std::fs::remove_dir(&self.directory);
        }
        found
    }

    fn look(&self) -> Vec<String> {
        let mut found = processes_in(&self.directory);
        let needle = self.directory.to_string_lossy().into_owned();
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        found.extend(
            mounts.lines().filter(|line| line.contains(&needle)).map(|l| format!("mount: {l}")),
        );
        let entries = std::fs::read_dir(&self.directory).into_iter().flatten().flatten();
        found.extend(entries.map(|entry| format!("file: {}", entry.path().display())));
        let new = accounts().into_iter().filter(|name| !self.accounts.contains(name));
        found.extend(new.map(|name| format!("account: {name}")));
        found
    }
}

/// Processes whose program, arguments, directory or mounts lie in the directory.
fn processes_in(directory: &Path) -> Vec<String> {
    let needle = directory.to_string_lossy().into_owned();
    let own = std::process::id().to_string();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_string_lossy().into_owned();
        if pid == own || !pid.chars().all(|character| character.is_ascii_digit()) {
            continue;
        }
        let text = |name: &str| {
            let bytes = std::fs::read(entry.path().join(name)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).replace('\0', " ")
        };
        let link = |name: &str| {
            let target = std::fs::read_link(entry.path().join(name)).unwrap_or_default();
            target.to_string_lossy().into_owned()
        };
        let (arguments, program) = (text("cmdline"), link("exe"));
        let places = [&arguments, &program, &link("cwd"), &text("mountinfo")];
        if places.iter().any(|place| place.contains(&needle)) {
            found.push(format!("process {pid}: {program} {arguments}"));
        }
    }
    found
}

fn accounts() -> Vec<String> {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let names = passwd.lines().filter_map(|line| line.split(':').next());
    names.filter(|name| name.starts_with(ACCOUNT_PREFIX)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_and_a_process_are_found_until_they_are_gone() {
        let watch = Watch::new().expect("a temporary directory");
        let file = watch.directory().join("left");
        std::fs::write(&file, "").expect("a file");
        let mut child = std::process::Command::new("cat")
            .current_dir(watch.directory())
            .stdin(std::process::Stdio::piped())
            .spawn()
            .expect("cat runs");
        let found = watch.look();
        assert!(found.iter().any(|line| line.ends_with("/left")), "{found:?}");
        let process = format!("process {}", child.id());
        assert!(found.iter().any(|line| line.starts_with(&process)), "{found:?}");

        drop(child.stdin.take());
        child.wait().expect("cat ends");
        std::fs::remove_file(&file).expect("the file");
        assert_eq!(watch.finish(), Vec::<String>::new());
        assert!(!watch.directory().exists());
    }
}
