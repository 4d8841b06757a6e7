//! A fake cloud, and controllers on it as so many processes would be.

use std::sync::Arc;

use jiff::Timestamp;
use model::event::Progress;
use model::inventory::{Condition, Inventory};
use model::name::NodeName;
use model::node::{NodeState, NodeVerb};
use model::plan::Intent;
use model::resolved::{OnFailure, Resolved};
use providers::fake::{Call, FakeClock, FakeProvider, Fault, FaultEffect};
use providers::{ErrorKind, Provider};
use testkit::build::{PoolBuilder, SpecBuilder, cluster, epoch, node};
use tokio::sync::mpsc;

use crate::{
    Cancel, CarryOut, Clock, Controller, Journal, Keys, NodeDial, OperationError, Outcome, Parts,
    Planned, Random, Timing,
};

pub(super) type Answer = Result<Outcome, Box<OperationError>>;

pub(super) struct World {
    pub(super) cloud: FakeProvider,
    pub(super) home: tempfile::TempDir,
}

impl World {
    pub(super) fn new() -> Self {
        Self::starting_at(epoch())
    }

    pub(super) fn starting_at(start: Timestamp) -> Self {
        let cloud = FakeProvider::in_memory(FakeClock::starting_at(start));
        Self { cloud, home: tempfile::tempdir().unwrap() }
    }

    /// Another process of the same user.
    pub(super) fn controller(&self) -> Controller {
        self.controller_with(
            Arc::new(self.cloud.clone()),
            Clock::Virtual(self.cloud.clock().clone()),
        )
    }

    pub(super) fn controller_with(&self, provider: Arc<dyn Provider>, clock: Clock) -> Controller {
        Controller::new(Parts {
            provider,
            dial: Arc::new(NodeDial),
            journal: Journal::open(&self.home.path().join("state/journal.sqlite")),
            clock,
            random: Random::system(),
            keys: Keys {
                path: self.home.path().join("data/keys/id_ed25519"),
                comment: "ada@desk".to_owned(),
            },
            owner: "ada@desk".to_owned(),
            timing: Timing {
                refused_grace: std::time::Duration::from_secs(2),
                ..Timing::default()
            },
        })
    }

    /// Plans and carries out, as one command does.
    pub(super) async fn apply(&self, intent: Intent, spec: Option<&Resolved>) -> Answer {
        self.apply_with(intent, spec, CarryOut::default(), Watch::default()).await.0
    }

    /// As `apply`; the answer and what was told meanwhile.
    pub(super) async fn apply_with(
        &self,
        intent: Intent,
        spec: Option<&Resolved>,
        how: CarryOut,
        watch: Watch<'_>,
    ) -> (Answer, Vec<Progress>) {
        let controller = self.controller();
        match controller.plan(intent, spec, &cluster("demo")).await {
            Ok(planned) => carry_out(&controller, planned, how, watch).await,
            Err(error) => (Err(error), Vec::new()),
        }
    }

    pub(super) async fn create(&self, spec: &Resolved) -> Answer {
        self.apply(Intent::Create, Some(spec)).await
    }

    pub(super) async fn update(&self, spec: &Resolved) -> Answer {
        self.apply(Intent::Update, Some(spec)).await
    }

    pub(super) async fn delete(&self) -> Answer {
        self.apply(Intent::Delete, None).await
    }

    pub(super) async fn verb(&self, names: &[&str], verb: NodeVerb) -> Answer {
        let names: Vec<NodeName> = names.iter().map(|name| node(name)).collect();
        let (events, _reader) = mpsc::channel(1024);
        let controller = self.controller();
        controller.verb(&cluster("demo"), &names, verb, true, events, Cancel::default()).await
    }

    pub(super) fn fault(&self, call: Call, name: Option<&str>, effect: FaultEffect, times: u32) {
        self.cloud.script(Fault { call, node: name.map(node), effect, times }).unwrap();
    }

    pub(super) fn refuse(&self, call: Call, name: Option<&str>, kind: ErrorKind) {
        self.fault(call, name, FaultEffect::Refuse(kind), 1);
    }

    pub(super) async fn look(&self) -> Inventory {
        self.cloud.clear_faults().unwrap();
        self.cloud.observe(&cluster("demo")).await.unwrap()
    }

    /// What is there, in one line: condition, generation, nodes.
    pub(super) async fn sight(&self) -> String {
        let inventory = self.look().await;
        let mut nodes: Vec<String> = inventory
            .nodes()
            .iter()
            .map(|node| match node.state {
                NodeState::Running => node.name.to_string(),
                other => format!("{}({other})", node.name),
            })
            .collect();
        nodes.sort();
        let record = inventory.record().map_or_else(
            || "nothing".to_owned(),
            |record| {
                let word = match record.condition() {
                    Condition::Complete => "complete",
                    Condition::Deleting => "deleting",
                    Condition::Incomplete | Condition::Unreadable => "incomplete",
                };
                format!("{word} {}", record.accepted)
            },
        );
        format!("{record}: {}", nodes.join(" "))
    }

    /// The cluster's timeline as this machine wrote it, a line each.
    pub(super) async fn story(&self) -> Vec<String> {
        let timeline = self.controller().timeline(&cluster("demo"), None).await;
        assert_eq!(timeline.missing, [""; 0]);
        let ours = timeline.events.into_iter();
        ours.filter(|event| event.source == model::event::EventSource::Squall)
            .map(|event| {
                let node = event.node.map(|node| format!("{node}: ")).unwrap_or_default();
                let why = event.why.map(|why| format!(" ({why})")).unwrap_or_default();
                format!("{node}{}{why}", event.what)
            })
            .collect()
    }
}

/// Called with the number of each event, from 1, and the event.
pub(super) type OnEvent<'a> = dyn FnMut(usize, &Progress) + 'a;

/// What happens while an operation runs.
#[derive(Default)]
pub(super) struct Watch<'a> {
    pub(super) on_event: Option<&'a mut OnEvent<'a>>,
    /// After so many events the process dies.
    pub(super) killed_after: Option<usize>,
    pub(super) cancel: Cancel,
}

/// Carries out beside a reader; a killed process answers with an interruption
/// that nobody hears.
pub(super) async fn carry_out(
    controller: &Controller,
    planned: Planned,
    how: CarryOut,
    mut watch: Watch<'_>,
) -> (Answer, Vec<Progress>) {
    let (events, mut reader) = mpsc::channel(1);
    let mut told = Vec::new();
    let dead = || OperationError::new(crate::FailureKind::Interrupted, "killed");
    if watch.killed_after == Some(0) {
        return (Err(dead()), told);
    }
    let running = controller.carry_out(planned, how, events, watch.cancel.clone());
    tokio::pin!(running);
    loop {
        tokio::select! {
            biased;
            Some(event) = reader.recv() => {
                if let Some(on_event) = &mut watch.on_event {
                    on_event(told.len() + 1, &event);
                }
                told.push(event);
                if watch.killed_after == Some(told.len()) {
                    return (Err(dead()), told);
                }
            }
            answer = &mut running => {
                while let Ok(event) = reader.try_recv() {
                    told.push(event);
                }
                return (answer, told);
            }
        }
    }
}

/// A head and so many workers of an image.
pub(super) fn spec(workers: u32, image: &str) -> Resolved {
    on_failure(workers, image, "rollback")
}

pub(super) fn on_failure(workers: u32, image: &str, word: &str) -> Resolved {
    SpecBuilder::new("demo")
        .on_failure(word)
        .pool(PoolBuilder::head("head"))
        .pool(PoolBuilder::new("worker").first(1).count(workers).image(image))
        .build()
}

pub(super) const KEEP: CarryOut =
    CarryOut { on_failure: Some(OnFailure::Keep), ready_timeout: None };

/// Everything that an error tells, a line each.
pub(super) fn told(error: &OperationError) -> String {
    let mut lines = vec![format!("{:?}: {}", error.kind, error.what)];
    lines.extend(error.causes.iter().map(|cause| format!("cause: {cause}")));
    lines.extend(error.diagnostics.iter().map(|one| format!("{}: {}", one.code, one.message)));
    lines.extend(
        error.consoles.iter().map(|tail| format!("{}: {}", tail.node, tail.lines.join("|"))),
    );
    lines.extend(error.stands.iter().map(|stands| format!("stands: {stands}")));
    lines.extend(error.hints.iter().map(|hint| format!("hint: {hint}")));
    lines.join("\n")
}
