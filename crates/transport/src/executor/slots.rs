//! Places: how many nodes are dealt with at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits;

/// Places for so many at once, and the places of those that take long to let
/// us in.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    places: Arc<Semaphore>,
    slow: Arc<Semaphore>,
}

impl Slots {
    pub(crate) fn new(places_max: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places_max.clamp(1, Semaphore::MAX_PERMITS))),
            slow: Arc::new(Semaphore::new(limits::SLOW_CONNECTS_MAX)),
        }
    }

    /// A place; none only if the places are gone.
    pub(crate) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    /// A place among the slow ones, if there is any.
    fn slow_place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.slow).try_acquire_owned().ok()
    }

    /// Does it in a place. When it takes longer than
    /// [`limits::SLOT_GRACE`], the place is given back meanwhile: the dead must
    /// not hold up the living.
    pub(crate) async fn hold<T>(&self, doing: impl Future<Output = T>) -> T {
        self.hold_for(limits::SLOT_GRACE, doing).await
    }

    /// Does it in a place that is had already, and keeps the place. When it
    /// takes longer than [`limits::SLOT_GRACE`], the place is given back
    /// meanwhile and another one waited for.
    pub(crate) async fn keep<T, E>(
        &self,
        place: OwnedSemaphorePermit,
        doing: impl Future<Output = Result<T, E>>,
    ) -> Result<(T, Option<OwnedSemaphorePermit>), E> {
        tokio::pin!(doing);
        if let Ok(done) = tokio::time::timeout(limits::SLOT_GRACE, &mut doing).await {
            return Ok((done?, Some(place)));
        }
        let Some(slow) = self.slow_place() else { return Ok((doing.await?, Some(place))) };
        drop(place);
        let done = doing.await?;
        drop(slow);
        Ok((done, self.place().await))
    }

    async fn hold_for<T>(&self, grace: Duration, doing: impl Future<Output = T>) -> T {
        let place = self.place().await;
        tokio::pin!(doing);
        if let Ok(done) = tokio::time::timeout(grace, &mut doing).await {
            return done;
        }
        let slow = self.slow_place();
        if slow.is_some() {
            drop(place);
        }
        doing.await
    }
}

#[cfg(test)]
mod tests {
    use super::Slots;
    use std::time::Duration;
    use tokio::sync::mpsc;

    #[tokio::test]
    async fn a_place_is_held_for_the_grace_and_no_longer() {
        let slots = Slots::new(2);
        let (begun, mut begins) = mpsc::unbounded_channel();
        let mut tasks = tokio::task::JoinSet::new();
        for (grace, number) in [(3600, 0), (3600, 1), (0, 2), (0, 3), (3600, 4), (3600, 5)] {
            let (slots, begun) = (slots.clone(), begun.clone());
            tasks.spawn(async move {
                let doing = async {
                    let _ = begun.send(number);
                    if number != 0 {
                        std::future::pending::<()>().await;
                    }
                };
                slots.hold_for(Duration::from_secs(grace), doing).await;
            });
            tokio::task::yield_now().await;
        }
        // The first one ends and makes room; 1 holds the other place for good,
        // 2 and 3 give theirs back, 4 keeps it.
        let mut seen = Vec::new();
        for _ in 0..5 {
            seen.extend(begins.recv().await);
        }
        assert_eq!(seen, [0, 1, 2, 3, 4]);
        assert!(begins.try_recv().is_err());
    }
}
