//! The reading half of the client: takes every answer as it comes and hands it
//! to whoever asked. Always reads, so that a connection never stands still
//! because of us.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::{Instant, timeout};

use super::error::SftpError;
use super::frame::Frames;
use super::reply::Reply;
use crate::session::SubsystemOutput;

/// Who waits for which answer.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last_id: u32,
    asked: BTreeMap<u32, Asked>,
    ended: Option<SftpError>,
}

#[derive(Debug)]
struct Asked {
    at: Instant,
    answer: oneshot::Sender<Result<Reply, SftpError>>,
    _place: Option<OwnedSemaphorePermit>,
}

/// Where an answer will come.
pub(super) type Answer = oneshot::Receiver<Result<Reply, SftpError>>;

impl Waiting {
    /// A number for a request, and where its answer will come. The place is
    /// given back then.
    pub(super) fn ask(
        &self,
        place: Option<OwnedSemaphorePermit>,
    ) -> Result<(u32, Answer), SftpError> {
        let mut state = self.lock();
        if let Some(error) = &state.ended {
            return Err(error.clone());
        }
        let (answer, receiver) = oneshot::channel();
        state.last_id = state.last_id.wrapping_add(1);
        let id = state.last_id;
        state.asked.insert(id, Asked { at: Instant::now(), answer, _place: place });
        Ok((id, receiver))
    }

    /// Nothing will be answered any more, for this reason.
    pub(super) fn end(&self, error: &SftpError) {
        let mut state = self.lock();
        state.ended.get_or_insert_with(|| error.clone());
        let asked = std::mem::take(&mut state.asked);
        drop(state);
        for (_, asked) in asked {
            let _ = asked.answer.send(Err(error.clone()));
        }
    }

    /// Why nothing is answered any more.
    pub(super) fn ended(&self) -> Option<SftpError> {
        self.lock().ended.clone()
    }

    fn answer(&self, id: u32, reply: Reply) -> Result<(), SftpError> {
        match self.lock().asked.remove(&id) {
            // Whoever asked may have gone.
            Some(asked) => {
                let _ = asked.answer.send(Ok(reply));
                Ok(())
            }
            None => Err(SftpError::Nonsense("it answers what was not asked".into())),
        }
    }

    /// Whether something has been waiting for an answer for so long.
    fn is_overdue(&self, after: Duration) -> bool {
        self.lock().asked.first_key_value().is_some_and(|(_, asked)| asked.at.elapsed() >= after)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A map cannot be left half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands out answers until there are none.
pub(super) async fn run(
    mut output: SubsystemOutput,
    mut frames: Frames,
    waiting: Arc<Waiting>,
    silence_max: Duration,
) {
    let error = loop {
        if let Err(error) = hand_out(&mut frames, &waiting) {
            break error;
        }
        match timeout(silence_max, output.next()).await {
            Ok(Some(bytes)) => frames.push(&bytes),
            Ok(None) => break SftpError::Lost(output.end()),
            Err(_) if waiting.is_overdue(silence_max) => break SftpError::Silent(silence_max),
            Err(_) => {}
        }
    };
    waiting.end(&error);
}

fn hand_out(frames: &mut Frames, waiting: &Waiting) -> Result<(), SftpError> {
    while let Some(packet) = frames.next()? {
        let (id, reply) = Reply::decode(packet)?;
        waiting.answer(id, reply)?;
    }
    Ok(())
}
