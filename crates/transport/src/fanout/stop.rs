//! Ends a command that we gave up on. OpenSSH's server refuses to deliver
//! signals to commands of root, and a command that neither reads nor prints
//! does not notice that its pipes are closed. So a second command on the same
//! connection looks for the other children of its own server process, which are
//! ours and nobody else's, and sends their process groups SIGTERM.

use std::sync::Arc;
use std::time::Duration;

use super::run::Assignment;
use super::sudo::Attended;
use crate::executor::Lease;
use crate::session::{ExecEvent, ExecOptions};

/// Time for all of it. Who stops a run waits for it.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);

/// Finds the process of sshd above itself, its child on the way here, and the
/// other children. Only OpenSSH's server has a process for each connection; the
/// embedded one delivers signals itself.
const STOP_OTHERS: &str = r#"
parent() { while read -r key value; do [ "$key" = PPid: ] && echo "$value" && return; done < "/proc/$1/status"; }
own=$$; above=$(parent $own); depth=0
while [ "$depth" -lt 4 ]; do
  read -r name < "/proc/$above/comm" || exit 1
  case $name in sshd|sshd-session) break;; esac
  own=$above; above=$(parent "$above"); depth=$((depth + 1))
done
[ "$depth" -lt 4 ] || exit 1
for status in /proc/[0-9]*/status; do
  pid=${status#/proc/}; pid=${pid%/status}
  [ "$pid" != "$own" ] && [ "$(parent "$pid" 2>/dev/null)" = "$above" ] && kill -s TERM -- "-$pid"
done
exit 0
"#;

/// Stops what still runs on a session that nobody else has. Does what it can;
/// what it could not is told as "may go on" anyway.
pub(super) async fn stop_rest(lease: &Lease, assignment: &Assignment) {
    if !lease.is_exclusive() {
        return;
    }
    let stopping = async {
        let options = ExecOptions { total: Some(STOP_TIMEOUT), ..ExecOptions::default() };
        let command = format!("exec /bin/sh -c '{}'", STOP_OTHERS.replace('\'', r"'\''"));
        let (node, sudo) = (&assignment.target.name, assignment.sudo.as_ref());
        let open = lease.open(&options.cancel).await.ok()?;
        let begun = Attended::start(lease, open, node, &command, sudo, options).await;
        let mut exec = begun.ok()?;
        while let Some(event) = exec.next().await {
            if let ExecEvent::Ended(end) = event {
                tracing::debug!(node = &*Arc::clone(node), ?end, "stopped what went on");
            }
        }
        Some(())
    };
    let _ = tokio::time::timeout(STOP_TIMEOUT, Box::pin(stopping)).await;
}
