//! The dialler that knows bastions. sshd counts connections before log-in
//! (`MaxStartups`, 10 by default), so a connection per node would be turned
//! away; channels for forwarding are not counted by `MaxSessions` either.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use model::Endpoint;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

use super::{command, forward};
use crate::dial::{Dial, DialError, Dialled, ForwardProblem};
use crate::fanout::Target;
use crate::limits;
use crate::session::{Session, SessionError, Timeouts};

/// Dials nodes behind bastions through them, and every other node as the
/// dialler beneath does. A bastion may itself be behind another one.
pub struct JumpDial {
    beneath: Arc<dyn Dial>,
    ways: BTreeMap<String, Way>,
}

/// What is behind the name of a bastion.
pub enum Way {
    /// A host that forwards connections.
    Bastion(Box<Bastion>),
    /// A command whose input and output are the connection (`ProxyCommand`).
    /// Its place is named in errors.
    Command {
        /// The command, for the shell.
        line: String,
        /// Where it is written.
        place: String,
    },
}

/// A host that forwards connections.
pub struct Bastion {
    target: Target,
    timeouts: Timeouts,
    /// How often it was tried, so that those who waited for a try that failed
    /// do not each make another one.
    tries: AtomicU64,
    live: Mutex<Live>,
}

#[derive(Default)]
struct Live {
    session: Option<Session>,
    failure: Option<DialError>,
}

impl Bastion {
    /// A bastion that nothing is connected to yet.
    #[must_use]
    pub fn new(target: Target, timeouts: Timeouts) -> Self {
        Self { target, timeouts, tries: AtomicU64::new(0), live: Mutex::default() }
    }

    /// The one session, made if there is none or it has died.
    async fn session(&self, dial: &dyn Dial, within: Duration) -> Result<Session, DialError> {
        let tries_before = self.tries.load(Ordering::Acquire);
        let mut live = self.live.lock().await;
        if let Some(session) = live.session.as_ref().filter(|session| !session.is_closed()) {
            return Ok(session.clone());
        }
        if let Some(failure) = &live.failure
            && self.tries.load(Ordering::Acquire) > tries_before
        {
            return Err(failure.clone());
        }
        live.session = None;
        let connected = self.connect(dial, within).await;
        self.tries.fetch_add(1, Ordering::AcqRel);
        match connected {
            Ok(session) => {
                live.failure = None;
                Ok(live.session.insert(session).clone())
            }
            Err(error) => {
                live.failure = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Connects, again if the bastion is only busy.
    async fn connect(&self, dial: &dyn Dial, within: Duration) -> Result<Session, DialError> {
        let deadline = Instant::now() + within;
        let timeouts = Timeouts { connect: within.min(self.timeouts.connect), ..self.timeouts };
        let target = &self.target;
        let mut pauses = limits::BASTION_PAUSES.iter();
        loop {
            let connecting = Session::connect(
                dial,
                &target.endpoint,
                &target.login,
                &target.host_keys,
                timeouts,
            );
            let error = match Box::pin(connecting).await {
                Ok(session) => return Ok(session),
                Err(error) => error,
            };
            let pause = pauses.next().filter(|_| error.is_passing()).map(|&pause| jittered(pause));
            match pause {
                Some(pause) if Instant::now() + pause < deadline => sleep(pause).await,
                _ => {
                    return Err(DialError::Bastion {
                        bastion: target.name.to_string(),
                        text: error.text(),
                        mend: error.mend(),
                        passing: error.is_passing(),
                    });
                }
            }
        }
    }
}

/// Up to half as much again, so that many who were turned away together do not
/// come back together.
fn jittered(pause: Duration) -> Duration {
    let mut byte = [0; 1];
    let _ = getrandom::fill(&mut byte);
    let [byte] = byte;
    pause + pause.mul_f32(f32::from(byte) / 512.0)
}

impl JumpDial {
    /// A dialler that knows these bastions by their names in
    /// [`Endpoint::Jump`].
    #[must_use]
    pub const fn new(beneath: Arc<dyn Dial>, ways: BTreeMap<String, Way>) -> Self {
        Self { beneath, ways }
    }
}

#[async_trait]
impl Dial for JumpDial {
    async fn dial(&self, endpoint: &Endpoint, within: Duration) -> Result<Dialled, DialError> {
        let Endpoint::Jump { bastion: name, host, port } = endpoint else {
            return self.beneath.dial(endpoint, within).await;
        };
        let bastion = match self.ways.get(name) {
            Some(Way::Bastion(bastion)) => bastion,
            Some(Way::Command { line, place }) => return command::run(line, place),
            None => {
                return Err(DialError::Unreachable(format!(
                    "nothing is known of the bastion {name}"
                )));
            }
        };
        let dialling = async {
            let session = Box::pin(bastion.session(self, within)).await?;
            forward::open(&session, host, *port)
                .await
                .map_err(|error| match error {
                    SessionError::Refused(_) | SessionError::Cancelled => DialError::Forward {
                        bastion: name.clone(),
                        problem: ForwardProblem::NoConnection,
                    },
                    error => DialError::Bastion {
                        bastion: name.clone(),
                        text: error.to_string(),
                        mend: "it may have been restarted; try again".to_owned(),
                        passing: true,
                    },
                })?
                .map_err(|problem| DialError::Forward { bastion: name.clone(), problem })
        };
        match timeout(within, Box::pin(dialling)).await {
            Ok(dialled) => dialled,
            Err(_) => Err(DialError::Forward {
                bastion: name.clone(),
                problem: ForwardProblem::Timeout(within),
            }),
        }
    }
}
