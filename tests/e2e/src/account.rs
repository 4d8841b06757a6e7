//! Who runs the binary: root, or an ordinary user that exists only during the
//! test. A user whose test was killed is removed by the next one.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail};

/// First letters of every account the tests make; the test's pid and a number
/// follow.
const PREFIX: &str = "sqe2e-";

/// Accounts made by this process so far: without nextest many tests share one.
static MADE: AtomicU32 = AtomicU32::new(0);

/// The two kinds of people who run squall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Real root: nodes with the host's sshd.
    Root,
    /// An ordinary user: user namespaces and the embedded server.
    User,
}

/// An account to run the binary as.
#[derive(Debug)]
pub struct Account {
    /// Its name; none: whoever runs the tests.
    pub name: Option<String>,
    made: bool,
}

impl Account {
    /// The account for a kind of people, or the reason why there is none here.
    ///
    /// # Errors
    /// Why this machine cannot run such a test.
    pub fn new(who: Who) -> Result<Self> {
        let root = rustix::process::geteuid().is_root();
        match (who, root) {
            (Who::Root, true) | (Who::User, false) => Ok(Self { name: None, made: false }),
            (Who::Root, false) => bail!("needs root"),
            (Who::User, true) => {
                remove_stale();
                let number = MADE.fetch_add(1, Ordering::Relaxed);
                let name = format!("{PREFIX}{}-{number}", std::process::id());
                account_tool("useradd", &["--no-create-home", "--shell", "/bin/sh", &name])?;
                Ok(Self { name: Some(name), made: true })
            }
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if let (true, Some(name)) = (self.made, &self.name) {
            let _ = account_tool("userdel", &[name]);
        }
    }
}

/// Runs an account tool; tries again while another test holds its lock.
fn account_tool(tool: &str, arguments: &[&str]) -> Result<()> {
    testkit::until("the lock of the accounts", || {
        let output = Command::new(format!("/usr/sbin/{tool}"))
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("start {tool}"));
        let said = match &output {
            Ok(output) if output.status.success() => return Some(Ok(())),
            Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
            Err(error) => error.to_string(),
        };
        let failed = Err(anyhow::anyhow!("{tool} {}: {said}", arguments.join(" ")));
        (!said.contains("lock")).then_some(failed)
    })
}

/// Removes accounts whose test is gone.
fn remove_stale() {
    let Ok(passwd) = std::fs::read_to_string("/etc/passwd") else { return };
    for line in passwd.lines() {
        let Some(name) = line.split(':').next() else { continue };
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        let pid = rest.split('-').next().unwrap_or(rest);
        if !std::path::Path::new(&format!("/proc/{pid}")).exists() {
            let _ = account_tool("userdel", &[name]);
        }
    }
}
