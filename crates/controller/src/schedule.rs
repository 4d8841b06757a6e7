//! Which step may begin when. Pure: it is told what happened and answers with
//! what comes next; who carries steps out, and how, is none of its business.

use std::collections::{BTreeMap, BTreeSet};

use model::plan::{Step, StepId};

/// The steps of an operation and how far they are.
///
/// A step becomes ready when all it comes `after` have succeeded; one that
/// comes after a failed or skipped step is skipped. Of the ready ones, the
/// lowest number begins first.
#[derive(Debug)]
pub struct Schedule {
    /// Steps that have not begun, skipped ones excluded.
    waiting: BTreeMap<StepId, Waiting>,
    /// Those that come after a step.
    followers: BTreeMap<StepId, Vec<StepId>>,
    ready: BTreeSet<StepId>,
    running: BTreeMap<StepId, Step>,
    skipped: Vec<Step>,
    at_once_max: usize,
    stopped: bool,
}

#[derive(Debug)]
struct Waiting {
    step: Step,
    /// Number of steps before it that have not succeeded yet.
    before: usize,
}

impl Schedule {
    /// A schedule of these steps, at most `at_once_max` (at least one) of them
    /// at any moment. A step that comes after one which is not in the list
    /// takes that one as done.
    #[must_use]
    pub fn new(steps: Vec<Step>, at_once_max: usize) -> Self {
        let there: BTreeSet<StepId> = steps.iter().map(|step| step.id).collect();
        let mut schedule = Self {
            waiting: BTreeMap::new(),
            followers: BTreeMap::new(),
            ready: BTreeSet::new(),
            running: BTreeMap::new(),
            skipped: Vec::new(),
            at_once_max: at_once_max.max(1),
            stopped: false,
        };
        for step in steps {
            let before: BTreeSet<StepId> =
                step.after.iter().copied().filter(|id| there.contains(id)).collect();
            if before.is_empty() {
                schedule.ready.insert(step.id);
            }
            let waiting = Waiting { before: before.len(), step };
            for id in before {
                schedule.followers.entry(id).or_default().push(waiting.step.id);
            }
            schedule.waiting.insert(waiting.step.id, waiting);
        }
        schedule
    }

    /// The next step to begin now, which counts as running from here on.
    pub fn begin_next(&mut self) -> Option<Step> {
        if self.stopped || self.running.len() >= self.at_once_max {
            return None;
        }
        let id = self.ready.pop_first()?;
        let step = self.waiting.remove(&id)?.step;
        self.running.insert(id, step.clone());
        Some(step)
    }

    /// A running step succeeded.
    pub fn succeeded(&mut self, id: StepId) -> Option<Step> {
        let step = self.running.remove(&id)?;
        for follower in self.followers.remove(&id).unwrap_or_default() {
            if let Some(waiting) = self.waiting.get_mut(&follower) {
                waiting.before = waiting.before.saturating_sub(1);
                if waiting.before == 0 {
                    self.ready.insert(follower);
                }
            }
        }
        Some(step)
    }

    /// A running step failed: what comes after it is skipped.
    pub fn failed(&mut self, id: StepId) -> Option<Step> {
        let step = self.running.remove(&id)?;
        let mut gone = vec![id];
        while let Some(id) = gone.pop() {
            for follower in self.followers.remove(&id).unwrap_or_default() {
                if let Some(waiting) = self.waiting.remove(&follower) {
                    self.skipped.push(waiting.step);
                    gone.push(follower);
                }
            }
        }
        Some(step)
    }

    /// Begins no more steps.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// The steps that are under way.
    pub fn running(&self) -> impl Iterator<Item = &Step> {
        self.running.values()
    }

    /// The steps that were skipped because of a failure before them.
    #[must_use]
    pub fn skipped(&self) -> &[Step] {
        &self.skipped
    }

    /// The steps that have not begun and were not skipped: at the end, those
    /// that a stop kept from beginning.
    pub fn not_begun(&self) -> impl Iterator<Item = &Step> {
        self.waiting.values().map(|waiting| &waiting.step)
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
