//! The client of a supervisor: blocking, with timeouts, no runtime. Async
//! callers put it on a blocking thread. Knows the protocol, not the kernel
//! side.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::connection::{Connection, ConnectionError};
use super::hosts::HostEntry;
use super::launch::NodeLaunch;
use super::protocol::{
    Answer, Call, Hello, Outcome, PROTOCOL_VERSION, RefusalKind, Request, Welcome,
};
use super::rung::Rung;
use super::status::NodeStatus;

/// The build that this is, for people; the protocol has its own number.
pub const BUILD: &str = concat!("squall ", env!("CARGO_PKG_VERSION"));
/// First argument of a process that is to become a supervisor.
pub const SUPERVISOR_ARGUMENT: &str = "__supervisor";
/// Exit code of a supervisor that found another one in its place.
pub const EXIT_ALREADY_RUNNING: u8 = 3;

/// How long a supervisor may take to come up.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// How long it may take to greet a client, or to answer what it answers at
/// once. Generous: the machine may be loaded.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long one node may take to be set up, many being launched at once.
const LAUNCH_TIMEOUT: Duration = Duration::from_secs(120);
/// Added to a time that the supervisor itself keeps.
const MARGIN: Duration = Duration::from_secs(15);
/// Pause before another try to connect to a supervisor that is coming up.
const RETRY_PAUSE: Duration = Duration::from_millis(20);

/// Why a supervisor could not be asked, or what it refused. Reads after
/// "failed to".
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No supervisor lives there.
    #[error("reach the supervisor of {}: none is running", .0.display())]
    NotRunning(PathBuf),
    /// It speaks another protocol.
    #[error(
        "talk to the supervisor: it is {build} with protocol {theirs}, this is {BUILD} with \
         protocol {PROTOCOL_VERSION}; stop the cluster with the build that started it"
    )]
    Version {
        /// Its protocol.
        theirs: u32,
        /// Its build.
        build: String,
    },
    /// It did not come up.
    #[error("start the supervisor: {0}")]
    Start(String),
    /// It would not, or could not.
    #[error("{text}")]
    Refused {
        /// Why, by kind.
        kind: RefusalKind,
        /// Why, in words.
        text: String,
    },
    /// The connection broke or could not be made.
    #[error("{doing}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// No answer in time.
    #[error("{doing}: no answer within {} s", .after.as_secs())]
    Timeout {
        /// What was being done.
        doing: &'static str,
        /// How long was waited.
        after: Duration,
    },
    /// It said something that makes no sense.
    #[error("understand the supervisor: {0}")]
    Nonsense(String),
}

/// A connection to the supervisor of one cluster.
#[derive(Debug)]
pub struct SupervisorClient {
    connection: Connection,
    welcome: Welcome,
    next_id: u64,
}

impl SupervisorClient {
    /// Connects to a supervisor that is running.
    ///
    /// # Errors
    /// `NotRunning` when there is none; `Version` when it speaks another
    /// protocol.
    pub fn connect(cluster_dir: &Path) -> Result<Self, ClientError> {
        let connection = Connection::open(cluster_dir).map_err(|error| match error {
            ConnectionError::NobodyListens => ClientError::NotRunning(cluster_dir.to_owned()),
            other => broken("connect to the supervisor", ANSWER_TIMEOUT, other),
        })?;
        Self::greet(connection)
    }

    /// Connects, starting the supervisor when none is running. `program` is
    /// the copy of the binary that the supervisor is to run, which must stay
    /// as long as nodes do.
    ///
    /// # Errors
    /// `Start` with the reason when it does not come up.
    pub fn start_or_connect(
        cluster_dir: &Path,
        rung: Rung,
        program: &Path,
    ) -> Result<Self, ClientError> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            match Self::connect(cluster_dir) {
                Err(ClientError::NotRunning(_)) => {}
                other => return other,
            }
            match start(cluster_dir, rung, program, deadline)? {
                Started::Ready => {}
                // Somebody else's is coming up, or one is just ending.
                Started::AnotherHoldsTheLock => std::thread::sleep(RETRY_PAUSE),
            }
            if Instant::now() >= deadline {
                return Err(ClientError::Timeout {
                    doing: "start the supervisor",
                    after: START_TIMEOUT,
                });
            }
        }
    }

    fn greet(mut connection: Connection) -> Result<Self, ClientError> {
        let doing = "greet the supervisor";
        let hello = Hello { protocol: PROTOCOL_VERSION, build: BUILD.to_owned() };
        let failed = |error| broken(doing, ANSWER_TIMEOUT, error);
        connection.send(&hello, Instant::now() + ANSWER_TIMEOUT).map_err(failed)?;
        let welcome: Welcome =
            connection.receive(Instant::now() + ANSWER_TIMEOUT).map_err(failed)?;
        if welcome.protocol != PROTOCOL_VERSION {
            return Err(ClientError::Version { theirs: welcome.protocol, build: welcome.build });
        }
        if let Some(text) = welcome.refused {
            return Err(ClientError::Refused { kind: RefusalKind::Other, text });
        }
        Ok(Self { connection, welcome, next_id: 1 })
    }

    /// What the supervisor said of itself.
    #[must_use]
    pub fn welcome(&self) -> &Welcome {
        &self.welcome
    }

    /// Boots a node unless it runs; returns when it is set up, which is before
    /// its ssh server answers.
    ///
    /// # Errors
    /// `Refused` with what failed.
    pub fn launch(&mut self, launch: NodeLaunch) -> Result<NodeStatus, ClientError> {
        let request = Request::Launch(Box::new(launch));
        node(self.call("launch a node", request, LAUNCH_TIMEOUT)?)
    }

    /// Boots many nodes, which set themselves up side by side. The results are
    /// in the order of the launches.
    ///
    /// # Errors
    /// When the supervisor itself is lost; what became of single nodes is in
    /// the results.
    pub fn launch_all(
        &mut self,
        launches: Vec<NodeLaunch>,
    ) -> Result<Vec<Result<NodeStatus, ClientError>>, ClientError> {
        let doing = "launch nodes";
        let deadline = Instant::now() + LAUNCH_TIMEOUT;
        let count = launches.len();
        let mut places = BTreeMap::new();
        for (place, launch) in launches.into_iter().enumerate() {
            let id = self.send(doing, Request::Launch(Box::new(launch)), deadline)?;
            places.insert(id, place);
        }
        let mut results: Vec<Option<Result<NodeStatus, ClientError>>> = Vec::new();
        results.resize_with(count, || None);
        while !places.is_empty() {
            let answer: Answer = self
                .connection
                .receive(deadline)
                .map_err(|error| broken(doing, LAUNCH_TIMEOUT, error))?;
            let slot = places.remove(&answer.id).and_then(|place| results.get_mut(place));
            if let Some(slot) = slot {
                *slot = Some(accepted(answer.outcome).and_then(node));
            }
        }
        Ok(results.into_iter().flatten().collect())
    }

    /// Ends a node in good order; returns when it is stopped. A node that is
    /// stopped already is left alone.
    ///
    /// # Errors
    /// `NotFound` for a node that the supervisor does not know.
    pub fn stop(&mut self, name: &str, grace: Duration) -> Result<NodeStatus, ClientError> {
        let request = Request::Stop { name: name.to_owned(), grace_ms: milliseconds(grace) };
        node(self.call("stop a node", request, grace + MARGIN)?)
    }

    /// Ends a node at once.
    ///
    /// # Errors
    /// `NotFound` for a node that the supervisor does not know.
    pub fn kill(&mut self, name: &str) -> Result<NodeStatus, ClientError> {
        node(self.call("kill a node", Request::Kill { name: name.to_owned() }, ANSWER_TIMEOUT)?)
    }

    /// Boots a running node again; returns when it is set up.
    ///
    /// # Errors
    /// `Conflict` when it does not run.
    pub fn reboot(&mut self, name: &str, grace: Duration) -> Result<NodeStatus, ClientError> {
        let request = Request::Reboot { name: name.to_owned(), grace_ms: milliseconds(grace) };
        node(self.call("reboot a node", request, grace + LAUNCH_TIMEOUT)?)
    }

    /// Every node.
    ///
    /// # Errors
    /// When the supervisor is lost.
    pub fn list(&mut self) -> Result<Vec<NodeStatus>, ClientError> {
        match self.call("list nodes", Request::List, ANSWER_TIMEOUT)? {
            Outcome::Nodes(nodes) => Ok(nodes),
            other => Err(unexpected(&other)),
        }
    }

    /// Ends a node, if it runs, and makes the supervisor forget it. Forgetting
    /// an unknown node is success. Its directory is the caller's to remove.
    ///
    /// # Errors
    /// When the supervisor is lost.
    pub fn forget(&mut self, name: &str) -> Result<(), ClientError> {
        let request = Request::Forget { name: name.to_owned() };
        self.call("remove a node", request, ANSWER_TIMEOUT).map(drop)
    }

    /// Replaces our part of `/etc/hosts` in one running node, or in all. Nodes
    /// that do not run have it at their next boot.
    ///
    /// # Errors
    /// When a node's file cannot be written, naming the node.
    pub fn set_hosts(
        &mut self,
        name: Option<&str>,
        entries: Vec<HostEntry>,
    ) -> Result<(), ClientError> {
        let request = Request::SetHosts { name: name.map(str::to_owned), entries };
        self.call("tell nodes of each other", request, ANSWER_TIMEOUT).map(drop)
    }

    /// Connects to a port of a node. The socket is non-blocking and closed on
    /// exec. With `wait`, a port that nobody listens on is tried again until
    /// the timeout: the way to wait for a booting node.
    ///
    /// # Errors
    /// `Refused` of kind `ConnectionRefused`, `Timeout` or `Unreachable`.
    pub fn dial(
        &mut self,
        address: Ipv4Addr,
        port: u16,
        timeout: Duration,
        wait: bool,
    ) -> Result<OwnedFd, ClientError> {
        let request = Request::Dial { address, port, timeout_ms: milliseconds(timeout), wait };
        match self.call("connect to a node", request, timeout + MARGIN)? {
            Outcome::Connected => self.connection.take_descriptor().ok_or_else(|| {
                ClientError::Nonsense("it said connected and sent no socket".to_owned())
            }),
            other => Err(unexpected(&other)),
        }
    }

    /// Stops every node and ends the supervisor.
    ///
    /// # Errors
    /// When the supervisor is lost before it says that it is done.
    pub fn shutdown(&mut self, grace: Duration) -> Result<(), ClientError> {
        let request = Request::Shutdown { grace_ms: milliseconds(grace) };
        self.call("shut down the cluster", request, grace + MARGIN).map(drop)
    }

    fn send(
        &mut self,
        doing: &'static str,
        request: Request,
        deadline: Instant,
    ) -> Result<u64, ClientError> {
        let id = self.next_id;
        self.next_id += 1;
        let after = deadline.saturating_duration_since(Instant::now());
        self.connection
            .send(&Call { id, request }, deadline)
            .map_err(|error| broken(doing, after, error))?;
        Ok(id)
    }

    fn call(
        &mut self,
        doing: &'static str,
        request: Request,
        timeout: Duration,
    ) -> Result<Outcome, ClientError> {
        let deadline = Instant::now() + timeout;
        let id = self.send(doing, request, deadline)?;
        loop {
            let answer: Answer =
                self.connection.receive(deadline).map_err(|error| broken(doing, timeout, error))?;
            if answer.id == id {
                return accepted(answer.outcome);
            }
            // A late answer to a call that was given up; its socket, if it
            // brought one, is closed.
            drop(self.connection.take_descriptor());
        }
    }
}

fn accepted(outcome: Outcome) -> Result<Outcome, ClientError> {
    match outcome {
        Outcome::Refused { kind, text } => Err(ClientError::Refused { kind, text }),
        other => Ok(other),
    }
}

fn node(outcome: Outcome) -> Result<NodeStatus, ClientError> {
    match outcome {
        Outcome::Node(status) => Ok(*status),
        other => Err(unexpected(&other)),
    }
}

fn unexpected(outcome: &Outcome) -> ClientError {
    ClientError::Nonsense(format!("an answer that does not fit the question: {outcome:?}"))
}

fn broken(doing: &'static str, after: Duration, error: ConnectionError) -> ClientError {
    match error {
        ConnectionError::NobodyListens => {
            ClientError::Io { doing, source: std::io::ErrorKind::ConnectionRefused.into() }
        }
        ConnectionError::Ended => {
            ClientError::Io { doing, source: std::io::ErrorKind::UnexpectedEof.into() }
        }
        ConnectionError::TimedOut => ClientError::Timeout { doing, after },
        ConnectionError::Io(source) => ClientError::Io { doing, source },
        ConnectionError::Nonsense(text) => ClientError::Nonsense(text),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What came of starting a supervisor.
enum Started {
    Ready,
    AnotherHoldsTheLock,
}

/// Starts a supervisor. The process started here waits for the real one,
/// which it leaves behind, and says on its standard error why there is none.
fn start(
    cluster_dir: &Path,
    rung: Rung,
    program: &Path,
    deadline: Instant,
) -> Result<Started, ClientError> {
    let doing = "start the supervisor";
    let mut command = Command::new(program);
    command
        .arg(SUPERVISOR_ARGUMENT)
        .arg(cluster_dir)
        .arg(rung.as_str())
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = loop {
        match command.spawn() {
            Ok(child) => break child,
            // The copy was made in this process a moment ago, and a fork in
            // another thread still holds it open for writing.
            Err(error)
                if error.kind() == std::io::ErrorKind::ExecutableFileBusy
                    && Instant::now() < deadline =>
            {
                std::thread::sleep(RETRY_PAUSE);
            }
            Err(source) => return Err(ClientError::Io { doing, source }),
        }
    };
    let mut said = String::new();
    if let Some(stderr) = child.stderr.take() {
        // The supervisor ends itself when it is not up in time, so that this
        // read ends too.
        let mut text = Vec::new();
        if stderr.take(64 * 1024).read_to_end(&mut text).is_ok() {
            said = String::from_utf8_lossy(&text).trim().to_owned();
        }
    }
    let status = child.wait().map_err(|source| ClientError::Io { doing, source })?;
    match status.code() {
        Some(0) => Ok(Started::Ready),
        Some(code) if code == i32::from(EXIT_ALREADY_RUNNING) => Ok(Started::AnotherHoldsTheLock),
        _ if said.is_empty() => Err(ClientError::Start(format!("it ended with {status}"))),
        _ => Err(ClientError::Start(said)),
    }
}
