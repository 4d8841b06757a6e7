//! The sessions that exist, by node. Decides which one a command gets; makes
//! none itself.
//!
//! A command has a connection to itself as long as there are few on a node: a
//! command whose output nobody takes then holds up nobody else. Further
//! commands share one connection, and their output is taken off it whether
//! somebody reads or not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::Endpoint;
use tokio::time::Instant;

use crate::limits;
use crate::session::{HostKeys, Session};

/// What makes two sessions the same: where they lead and as whom.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) endpoint: Endpoint,
    pub(super) user: String,
}

/// A session that somebody had before.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) session: Session,
    /// Who the node had to be when it was connected.
    pub(super) host_keys: HostKeys,
    /// Commands that it has served.
    pub(super) commands: usize,
    /// Since when nobody has it.
    pub(super) since: Instant,
}

/// The one session that further commands on a node share.
pub(super) type Shared = Arc<tokio::sync::Mutex<Option<Kept>>>;

/// How somebody who wants a session gets it.
#[derive(Debug)]
pub(super) enum Way {
    /// This one is free.
    Free(Kept),
    /// One of their own is to be made.
    Make,
    /// They share this one.
    Share(Shared),
}

#[derive(Debug, Default)]
struct Node {
    free: Vec<Kept>,
    /// Sessions that somebody has to themselves.
    own: usize,
    shared: Option<Shared>,
}

/// The sessions of an executor.
#[derive(Debug)]
pub(super) struct Pool {
    /// Sessions that may be kept while nobody has them.
    free_max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    nodes: HashMap<Key, Node>,
    /// Sessions that nobody has, of all nodes together.
    free: usize,
}

impl Pool {
    pub(super) fn new(free_max: usize) -> Self {
        Self { free_max, state: Mutex::default() }
    }

    /// How to get a session. `Free` and `Make` count as given until
    /// [`give_back`](Self::give_back).
    pub(super) fn ask(&self, key: &Key, host_keys: &HostKeys) -> Way {
        let mut state = self.lock();
        let State { nodes, free } = &mut *state;
        let Some(node) = nodes.get_mut(key) else {
            nodes.insert(key.clone(), Node { own: 1, ..Node::default() });
            return Way::Make;
        };
        if node.own >= limits::OWN_SESSIONS_MAX {
            return Way::Share(Arc::clone(node.shared.get_or_insert_default()));
        }
        node.own = node.own.saturating_add(1);
        while let Some(kept) = node.free.pop() {
            *free = free.saturating_sub(1);
            if kept.host_keys.is_same(host_keys) && is_good(&kept) {
                return Way::Free(kept);
            }
        }
        Way::Make
    }

    /// Takes back what [`ask`](Self::ask) gave; a session is kept for the next
    /// one.
    pub(super) fn give_back(&self, key: &Key, kept: Option<Kept>) {
        let mut state = self.lock();
        let State { nodes, free } = &mut *state;
        let Some(node) = nodes.get_mut(key) else { return };
        node.own = node.own.saturating_sub(1);
        if let Some(kept) = kept.filter(|kept| *free < self.free_max && is_good(kept)) {
            *free = free.saturating_add(1);
            node.free.push(kept);
        }
        if node.free.is_empty() && node.own == 0 && node.shared.is_none() {
            nodes.remove(key);
        }
    }

    /// Takes all sessions that nobody has to themselves.
    pub(super) fn drain(&self) -> Vec<Session> {
        let mut sessions = Vec::new();
        let State { nodes, .. } = std::mem::take(&mut *self.lock());
        for node in nodes.into_values() {
            sessions.extend(node.free.into_iter().map(|kept| kept.session));
            if let Some(shared) = node.shared
                && let Ok(mut shared) = shared.try_lock()
            {
                sessions.extend(shared.take().map(|kept| kept.session));
            }
        }
        sessions
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No operation on the state is left half done by a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a session is to be used again.
fn is_good(kept: &Kept) -> bool {
    !kept.session.is_closed()
        && kept.session.is_idle()
        && kept.commands < limits::COMMANDS_PER_CONNECTION_MAX
}
