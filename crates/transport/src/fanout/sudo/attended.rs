//! One command, with or without sudo before it: answers sudo's prompt, at most
//! once, and hands the command over once it has begun. Knows nothing of lines,
//! nor of where the password comes from.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::marks::{Found, Marks};
use super::password::{Proof, Sudo, Turn};
use super::refusal::{explain, is_wrong_password, refused, wrong_password};
use crate::executor::Lease;
use crate::session::{Exec, ExecEnd, ExecEvent, ExecOptions, OpenChannel, SessionError, Stdin};

/// The node that tries the password first holds the others up for no longer.
const TRY_TIMEOUT: Duration = Duration::from_secs(15);

/// sudo that says nothing to a password for so long waits for something that
/// never comes, such as a directory server.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// A command, with or without sudo before it.
#[derive(Debug)]
pub(crate) struct Attended {
    exec: Exec,
    /// sudo's side, until the command has begun.
    asking: Option<Asking>,
}

#[derive(Debug)]
struct Asking {
    sudo: Arc<Sudo>,
    node: Arc<str>,
    marks: Marks,
    stdin: Stdin,
    cancel: CancellationToken,
    stage: Stage,
    /// Held by the first node that tries the password.
    trial: Option<OwnedMutexGuard<Proof>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing has been asked.
    Quiet,
    /// The prompt has come, and no answer has gone.
    Asked,
    /// The password was sent then.
    Answered(Instant),
}

/// What one look at a command brought.
enum Step {
    /// Look again.
    Again,
    /// It printed something, on standard output.
    Tell(ExecEvent),
    /// It has begun, and printed this on standard error.
    Begun(Bytes),
    /// It is not to go on.
    End(ExecEnd),
    /// It ended.
    Ended(ExecEnd),
}

impl Attended {
    /// Begins `command` on the open channel, through sudo if it is there.
    pub(crate) async fn start(
        lease: &Lease,
        open: OpenChannel,
        node: &Arc<str>,
        command: &str,
        sudo: Option<&Arc<Sudo>>,
        options: ExecOptions,
    ) -> Result<Self, SessionError> {
        let Some(sudo) = sudo else {
            return Ok(Self { exec: lease.begin(open, command, options).await?, asking: None });
        };
        let (prompt, start) = (nonce("sudo")?, nonce("run")?);
        let asking = Asking {
            sudo: Arc::clone(sudo),
            node: Arc::clone(node),
            marks: Marks::new(&prompt, &start),
            stdin: options.stdin.clone(),
            cancel: options.cancel.clone(),
            stage: Stage::Quiet,
            trial: None,
        };
        let options = ExecOptions { stdin: Stdin::Later, ..options };
        let command = wrapped(command, sudo.user(), &prompt, &start);
        let mut exec = lease.begin(open, &command, options).await?;
        // A signal of ours would end sudo and its child, which leaves what that
        // began with nobody to find it by; `stop` ends them all as that user.
        exec.spare();
        Ok(Self { exec, asking: Some(asking) })
    }

    /// As [`Exec::left_open`].
    pub(crate) const fn left_open(&self) -> bool {
        self.exec.left_open()
    }

    /// The next thing that the command does; none after its end. Safe to drop
    /// and call again.
    pub(crate) async fn next(&mut self) -> Option<ExecEvent> {
        while let Some(asking) = self.asking.as_mut() {
            match asking.step(&mut self.exec).await {
                Step::Again => {}
                Step::Tell(event) => return Some(event),
                Step::Begun(printed) => {
                    self.begin();
                    if !printed.is_empty() {
                        return Some(ExecEvent::Stderr(printed));
                    }
                }
                Step::End(end) => {
                    self.asking = None;
                    return Some(self.exec.end_with(end).await);
                }
                Step::Ended(end) => {
                    self.asking = None;
                    return Some(ExecEvent::Ended(end));
                }
            }
        }
        self.exec.next().await
    }

    /// Hands the rest over to the command.
    fn begin(&mut self) {
        if let Some(asking) = self.asking.take() {
            self.exec.restart_clock();
            self.exec.feed(asking.stdin);
        }
    }
}

impl Asking {
    async fn step(&mut self, exec: &mut Exec) -> Step {
        if self.stage == Stage::Asked {
            return self.answer(exec).await;
        }
        let answered = match self.stage {
            Stage::Answered(at) => Some(at),
            Stage::Quiet | Stage::Asked => None,
        };
        let trial_ends = answered.filter(|_| self.trial.is_some()).map(|at| at + TRY_TIMEOUT);
        let gives_up = answered.map(|at| at + ANSWER_TIMEOUT);
        tokio::select! {
            biased;
            event = exec.next() => self.on_event(event),
            () = passed(trial_ends) => {
                self.trial = None;
                Step::Again
            }
            () = passed(gives_up) => Step::End(refused(
                format!("sudo said nothing to the password for {} s", ANSWER_TIMEOUT.as_secs()),
                "try it on the node",
            )),
        }
    }

    fn on_event(&mut self, event: Option<ExecEvent>) -> Step {
        match event {
            Some(ExecEvent::Stderr(bytes)) => self.on_said(&bytes),
            Some(event @ ExecEvent::Stdout(_)) => Step::Tell(event),
            Some(ExecEvent::Ended(ExecEnd::Exited(code))) => {
                let said = self.marks.said();
                if is_wrong_password(&said) {
                    self.settle(Proof::Wrong(Arc::clone(&self.node)));
                }
                Step::Ended(explain(code, &said))
            }
            Some(ExecEvent::Ended(end)) => Step::Ended(end),
            None => Step::Ended(ExecEnd::Lost("the command told no end".into())),
        }
    }

    fn on_said(&mut self, bytes: &[u8]) -> Step {
        let mut step = Step::Again;
        for found in self.marks.read(bytes) {
            step = match (found, self.stage) {
                (Found::Start(printed), Stage::Answered(_)) => {
                    self.settle(Proof::Right);
                    Step::Begun(printed)
                }
                (Found::Start(printed), _) => Step::Begun(printed),
                (Found::Prompt, Stage::Quiet) => {
                    self.stage = Stage::Asked;
                    Step::Again
                }
                (Found::Prompt, Stage::Asked | Stage::Answered(_)) => {
                    self.settle(Proof::Wrong(Arc::clone(&self.node)));
                    return Step::End(wrong_password());
                }
            };
        }
        step
    }

    /// Tells the other nodes what became of the password here.
    fn settle(&mut self, proof: Proof) {
        if let Some(mut trial) = self.trial.take() {
            *trial = proof;
        }
    }

    /// Waits for the password and sends it.
    async fn answer(&mut self, exec: &Exec) -> Step {
        let turn = tokio::select! {
            biased;
            () = self.cancel.cancelled() => return Step::End(ExecEnd::Cancelled),
            turn = self.sudo.turn() => turn,
        };
        let line = match turn {
            Turn::Send(line) => line,
            Turn::Try(line, trial) => {
                self.trial = Some(trial);
                line
            }
            Turn::None => {
                return Step::End(refused(
                    "sudo there wants a password",
                    "give one at a terminal, or with --sudo-password-file",
                ));
            }
            Turn::WrongOn(node) => {
                return Step::End(refused(
                    format!("sudo on {node} refused the password, so it was not tried here"),
                    "wrong passwords lock accounts",
                ));
            }
        };
        // Never twice: what comes after the password goes to the command.
        self.stage = Stage::Answered(Instant::now());
        exec.send_aside(line);
        Step::Again
    }
}

async fn passed(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Bytes of what [`Attended::start`] sends for a command.
pub(crate) fn sent_bytes(command: &str, sudo: Option<&Sudo>) -> usize {
    // Nonces are all as long as these.
    let (prompt, start) = (nonce_of("sudo", 0), nonce_of("run", 0));
    sudo.map_or(command.len(), |sudo| wrapped(command, sudo.user(), &prompt, &start).len())
}

/// A word that nobody on the node can know before.
fn nonce(what: &str) -> Result<String, SessionError> {
    let mut bytes = [0_u8; 16];
    let filled = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    if !matches!(filled, Ok(count) if count == bytes.len()) {
        return Err(SessionError::Refused("the system gives no random bytes".into()));
    }
    Ok(nonce_of(what, u128::from_ne_bytes(bytes)))
}

fn nonce_of(what: &str, number: u128) -> String {
    format!("squall-{what}-{number:032x}:")
}

/// The command line that begins `command` through sudo. The shell that the
/// user logs in with reads the command, as it does without sudo; a POSIX shell
/// reads what is around it. That shell's name is handed on for who wraps the
/// command further: sudo sets `SHELL` to the other user's.
fn wrapped(command: &str, user: Option<&str>, prompt: &str, start: &str) -> String {
    let begin = format!("printf %s {start} >&2; SQUALL_SHELL=\"$0\" exec \"$0\" -c \"$1\"");
    let user = user.map(|user| format!(" -u {}", quoted(user))).unwrap_or_default();
    let script = format!(
        "command -v sudo >/dev/null 2>&1 || exit 127; \
         exec sudo -S -p {prompt}{user} -- /bin/sh -c {} \"${{SHELL:-/bin/sh}}\" \"$1\"",
        quoted(&begin)
    );
    format!("exec /bin/sh -c {} squall {}", quoted(&script), quoted(command))
}

/// A word as a POSIX shell takes it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::{Sudo, nonce, sent_bytes, wrapped};

    #[test]
    fn sudo_gets_the_command_as_it_was_typed() {
        assert_eq!(
            wrapped("echo 'a b'", Some("bob"), "P:", "S:"),
            r#"exec /bin/sh -c 'command -v sudo >/dev/null 2>&1 || exit 127; exec sudo -S -p P: -u '\''bob'\'' -- /bin/sh -c '\''printf %s S: >&2; SQUALL_SHELL="$0" exec "$0" -c "$1"'\'' "${SHELL:-/bin/sh}" "$1"' squall 'echo '\''a b'\'''"#
        );
    }

    #[test]
    fn the_length_of_what_is_sent_is_known_before() {
        let sudo = Sudo::with_password(Some("bob".to_owned()), None);
        let sent = wrapped("it's", Some("bob"), &nonce("sudo").unwrap(), &nonce("run").unwrap());
        assert_eq!(sent_bytes("it's", Some(&sudo)), sent.len());
        assert_eq!(sent_bytes("it's", None), 4);
    }

    #[test]
    fn nonces_differ_and_need_no_quotes() {
        let (one, other) = (nonce("x").unwrap(), nonce("x").unwrap());
        assert_ne!(one, other);
        assert!(one.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-:".contains(&byte)));
    }
}
