//! A user's home for one test, with a fake cloud in it, and the built binary.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on ends where it stands"
)]

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use providers::fake::{FakeClock, FakeProvider};

/// A cluster of three.
pub(crate) const HELLO: &str = "\
cloud: {provider: fake}
cluster: {name: Hello}
nodes:
- {nodename: master, instance_type: small, image: linux}
- {nodename: worker, instance_type: nano, image: linux, count: 2}
";

/// A home that goes away with the test.
pub(crate) struct Home {
    directory: tempfile::TempDir,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file and answers with its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Makes a named pipe and answers with its path.
    pub(crate) fn pipe(&self, name: &str) -> String {
        let path = self.path(name);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path.display().to_string()
    }

    /// The command with an environment of its own.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_squall"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("USER", "ada")
            .env("TZ", "UTC")
            .env("SQUALL_HOME", self.path("home"))
            .env("SQUALL_FAKE", self.path("fake.json"))
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs the command to its end.
    pub(crate) fn squall(&self, arguments: &[&str]) -> Done {
        done(self.command(arguments).output().unwrap())
    }

    /// The cloud, to tamper with.
    pub(crate) fn fake(&self) -> FakeProvider {
        let clock = FakeClock::starting_at(jiff::Timestamp::UNIX_EPOCH);
        FakeProvider::in_file(self.path("fake.json"), clock)
    }

    /// A home with the cluster `Hello` in it.
    pub(crate) fn with_hello() -> Self {
        let home = Self::new();
        home.file("hello.yaml", HELLO);
        home.squall(&["create", "hello.yaml", "--yes"]).ends(0);
        home
    }
}

pub(crate) fn done(output: Output) -> Done {
    Done {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Done {
    /// The command, having ended with a code.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "out:\n{}\nerr:\n{}", self.out, self.err);
        self
    }

    /// The command, having said this on standard error.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.err.contains(text), "no {text:?} in\n{}", self.err);
        self
    }

    /// The command, having written this to standard output.
    #[track_caller]
    pub(crate) fn shows(self, text: &str) -> Self {
        assert!(self.out.contains(text), "no {text:?} in\n{}", self.out);
        self
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in\n{}", self.out))
    }
}
