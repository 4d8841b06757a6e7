//! Running a test once more as an ordinary user, for code that behaves in
//! another way without root.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// A user that no file and no process of a machine belongs to.
pub const USER: u32 = 64_999;

/// How a test ended elsewhere.
#[derive(Debug, Clone)]
pub struct Elsewhere {
    /// Whether it ran and passed.
    pub passed: bool,
    /// What it printed.
    pub out: String,
    /// What it complained.
    pub err: String,
}

/// Runs this very test program once more as [`USER`], for one test. `helper`
/// is the path of a program that the test needs, handed over in an environment
/// variable; copies are made, since the build's directory may be closed to
/// others.
///
/// # Errors
/// When the run cannot be prepared or started.
pub fn run_as_user(test: &str, helper: (&str, &Path)) -> std::io::Result<Elsewhere> {
    let place = tempfile::Builder::new().prefix("squall-user-").tempdir()?;
    let open = |path: &Path| std::fs::set_permissions(path, PermissionsExt::from_mode(0o755));
    open(place.path())?;
    let copy = |from: &Path, name: &str| {
        let to = place.path().join(name);
        std::fs::copy(from, &to)?;
        open(&to).map(|()| to)
    };
    let program = copy(&std::env::current_exe()?, "test")?;
    let helper_copy = copy(helper.1, "helper")?;
    let own = place.path().join("tmp");
    std::fs::create_dir(&own)?;
    std::os::unix::fs::chown(&own, Some(USER), Some(USER))?;
    let output = Command::new(program)
        .args(["--exact", test, "--nocapture"])
        .env_clear()
        .env(helper.0, helper_copy)
        .env("TMPDIR", &own)
        .current_dir("/")
        .gid(USER)
        .uid(USER)
        .output()?;
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(Elsewhere { passed: output.status.success() && out.contains("1 passed"), out, err })
}
