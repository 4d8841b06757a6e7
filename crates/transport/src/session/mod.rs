//! One live SSH connection to a node: made, verified, logged in, and used for
//! commands and terminals. Nothing here waits without a deadline.

mod connect;
mod drain;
mod exec;
mod exec_event;
mod pty;
#[expect(clippy::module_inception, reason = "the main type of the module")]
mod session;
mod stdin;
mod subsystem;

pub use connect::{
    ConnectError, ConnectErrorKind, ConnectStage, HostKeyProblem, HostKeys, Identity, Listed,
    Login, NewHost, Timeouts, Tried, UnknownHosts, Untrusted,
};
pub(crate) use exec::signal_name;
pub use exec::{Exec, ExecOptions};
pub use exec_event::{ExecEnd, ExecEvent, Output, TimeoutKind};
pub use pty::{PtyInput, PtyOptions, PtySession, PtySize};
pub(crate) use session::OpenChannel;
pub use session::{Session, SessionError};
pub use stdin::{Spool, SpoolWriter, Stdin};
pub(crate) use subsystem::{SubsystemInput, SubsystemOutput};
