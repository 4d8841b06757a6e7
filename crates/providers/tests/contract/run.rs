//! Runs one scenario on one bed, and cleans up however it ends.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};

use crate::bed::{Bed, Made};
use crate::beds;
use crate::scenarios;
use crate::site::Site;

/// What a scenario does.
pub(crate) type Play = fn(Site) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// A scenario: a sentence that holds of every provider, and its proof.
pub(crate) type Scenario = (&'static str, Play);

/// Every scenario on every bed.
pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for row in beds::ALL {
        for (name, play) in scenarios::all() {
            let name = format!("{}::{name}", row.name);
            trials.push(Trial::test(name.clone(), move || try_out(row, &name, play)));
        }
    }
    trials
}

fn try_out(row: &beds::Row, name: &str, play: Play) -> Result<(), Failed> {
    if let Some(answer) = (row.run_elsewhere)(name) {
        return answer.map_err(Failed::from);
    }
    let bed = match (row.make)() {
        Made::Ready(bed) => bed,
        Made::Skipped(reason) => {
            testkit::skip(name, &reason);
            return Ok(());
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async move {
        let site = Site::new(Arc::clone(&bed));
        let made = site.made();
        // A task of its own, so that a panic does not keep us from cleaning up.
        let ended = tokio::spawn(play(site)).await;
        let left = made.wipe(&bed).await;
        bed.clean_up().await;
        ended.map_err(|cause| Failed::from(panic_text(cause)))?;
        left.map_err(Failed::from)
    })
}

fn panic_text(cause: tokio::task::JoinError) -> String {
    match cause.try_into_panic() {
        Ok(panic) => panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "panicked".to_owned()),
        Err(other) => other.to_string(),
    }
}

/// So that scenarios need not name the type.
pub(crate) type SharedBed = Arc<dyn Bed>;
