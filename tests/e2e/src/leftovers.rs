//! What a cluster left on the machine: processes, mounts, directories. Looks
//! only for things of the directory it is given, so that tests may run beside
//! each other and beside a developer's own clusters.

use std::path::Path;

/// Everything that still points into `directory`, in words; empty when there
/// is nothing.
#[must_use]
pub fn leftovers(directory: &Path) -> Vec<String> {
    let mut found = processes(directory);
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let needle = directory.to_string_lossy();
    found.extend(
        mounts.lines().filter(|line| line.contains(&*needle)).map(|line| format!("mount: {line}")),
    );
    for kind in ["clusters", "trash"] {
        let folder = directory.join("data/local").join(kind);
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        found.extend(entries.map(|entry| format!("directory: {}", entry.path().display())));
    }
    found
}

/// Processes whose program or arguments lie in the directory, or that have a
/// mount of it in their namespace.
fn processes(directory: &Path) -> Vec<String> {
    let needle = directory.to_string_lossy().into_owned();
    let own = std::process::id().to_string();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_string_lossy().into_owned();
        if pid == own || !pid.chars().all(|character| character.is_ascii_digit()) {
            continue;
        }
        let read = |name: &str| std::fs::read(entry.path().join(name)).unwrap_or_default();
        let arguments = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
        let program = std::fs::read_link(entry.path().join("exe"))
            .map(|path| path.to_string_lossy().into_owned())
            .unwrap_or_default();
        let mounts = String::from_utf8_lossy(&read("mountinfo")).into_owned();
        if [&arguments, &program, &mounts].iter().any(|text| text.contains(&needle)) {
            found.push(format!("process {pid}: {program} {arguments}"));
        }
    }
    found
}
