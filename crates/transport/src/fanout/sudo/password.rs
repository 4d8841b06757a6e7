//! The one password of a run: asked for once, when the first node's sudo wants
//! it, and tried on one node before it goes to the others. A wrong one that is
//! tried everywhere locks accounts.

use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use model::secret::SecretText;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};

/// Whom commands run as, and the password for it.
#[derive(Debug)]
pub struct Sudo {
    user: Option<String>,
    answer: watch::Sender<Answer>,
    proof: Arc<Mutex<Proof>>,
}

/// Where the password stands.
#[derive(Debug, Clone)]
enum Answer {
    /// Somebody could be asked.
    Unasked,
    /// Some node's sudo wants it.
    Wanted,
    /// Here it is; none if nobody can be asked.
    Given(Option<Arc<SecretText>>),
}

/// What is known of the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proof {
    Unknown,
    /// Some node took it.
    Right,
    /// This node refused it, and none took it before.
    Wrong(Arc<str>),
}

/// What a node is to do about a prompt.
pub(super) enum Turn {
    /// Send this.
    Send(Bytes),
    /// Send this as the first node of all, and tell what comes of it.
    Try(Bytes, OwnedMutexGuard<Proof>),
    /// There is no password.
    None,
    /// That node refused it.
    WrongOn(Arc<str>),
}

impl Sudo {
    /// Commands run as `user`, or as root. Without a password only nodes whose
    /// sudo wants none run them.
    #[must_use]
    pub fn with_password(user: Option<String>, password: Option<SecretText>) -> Self {
        Self::new(user, Answer::Given(password.map(Arc::new)))
    }

    /// The same; the password is [`answer`](Self::answer)ed once it is
    /// [`wanted`](Self::wanted).
    #[must_use]
    pub fn asking(user: Option<String>) -> Self {
        Self::new(user, Answer::Unasked)
    }

    fn new(user: Option<String>, answer: Answer) -> Self {
        let proof = Arc::new(Mutex::new(Proof::Unknown));
        Self { user, answer: watch::Sender::new(answer), proof }
    }

    /// Whom the commands run as; none is root.
    pub(super) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Waits until some node's sudo wants the password that nobody gave yet.
    pub async fn wanted(&self) {
        let mut answer = self.answer.subscribe();
        // The sender is ours, so this only ends when it is wanted.
        let _ = answer.wait_for(|answer| matches!(answer, Answer::Wanted)).await;
    }

    /// The password, or that there is none to be had.
    pub fn answer(&self, password: Option<SecretText>) {
        self.answer.send_replace(Answer::Given(password.map(Arc::new)));
    }

    /// Waits for the password and for this node's turn. Safe to drop and call
    /// again.
    pub(super) async fn turn(&self) -> Turn {
        self.answer.send_if_modified(|answer| {
            let unasked = matches!(answer, Answer::Unasked);
            if unasked {
                *answer = Answer::Wanted;
            }
            unasked
        });
        let mut answer = self.answer.subscribe();
        let given = answer.wait_for(|answer| matches!(answer, Answer::Given(_))).await;
        let Ok(Answer::Given(Some(password))) = given.map(|given| given.clone()) else {
            return Turn::None;
        };
        let proof = Arc::clone(&self.proof).lock_owned().await;
        match &*proof {
            Proof::Right => Turn::Send(line(&password)),
            Proof::Wrong(node) => Turn::WrongOn(Arc::clone(node)),
            Proof::Unknown => Turn::Try(line(&password), proof),
        }
    }
}

/// The password as sudo reads it. The copy that the connection encrypts is not
/// ours to wipe.
fn line(password: &SecretText) -> Bytes {
    let mut line = BytesMut::with_capacity(password.reveal().len() + 1);
    line.put_slice(password.reveal().as_bytes());
    line.put_u8(b'\n');
    line.freeze()
}

#[cfg(test)]
mod tests {
    use super::{Proof, Sudo, Turn};
    use model::secret::SecretText;
    use std::sync::Arc;

    fn secret() -> Option<SecretText> {
        Some(SecretText::new("hunter2".into()))
    }

    #[tokio::test]
    async fn a_password_is_wanted_once_and_tried_on_one_node_first() {
        let sudo = Arc::new(Sudo::asking(None));
        let turn = |sudo: &Arc<Sudo>| {
            let sudo = Arc::clone(sudo);
            tokio::spawn(async move { sudo.turn().await })
        };
        let first = turn(&sudo);
        sudo.wanted().await;
        sudo.answer(secret());
        let Turn::Try(line, mut proof) = first.await.unwrap() else { unreachable!("no try") };
        assert_eq!(&line[..], b"hunter2\n");
        let second = turn(&sudo);
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        *proof = Proof::Right;
        drop(proof);
        assert!(matches!(second.await.unwrap(), Turn::Send(_)));
    }

    #[tokio::test]
    async fn a_refused_password_goes_nowhere_else() {
        let sudo = Sudo::with_password(None, secret());
        let Turn::Try(_, mut proof) = sudo.turn().await else { unreachable!("no try") };
        *proof = Proof::Wrong(Arc::from("worker1"));
        drop(proof);
        assert!(matches!(sudo.turn().await, Turn::WrongOn(node) if &*node == "worker1"));
        let none = Sudo::with_password(None, None);
        assert!(matches!(none.turn().await, Turn::None));
    }

    #[test]
    fn the_password_is_not_shown() {
        let sudo = Sudo::with_password(Some("fred".into()), secret());
        assert!(!format!("{sudo:?}").contains("hunter2"));
    }
}
