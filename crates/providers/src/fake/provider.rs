//! The fake's side of the provider contract, and what a test can do to it.

use std::path::PathBuf;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use model::Diagnostic;
use model::event::{Level, TimelineEvent, word};
use model::inventory::{ClusterSummary, Inventory, ObservedNode};
use model::name::{ClusterName, NodeName};
use model::plan::{Plan, Receipt, Step};
use model::resolved::{ProviderKind, Resolved};

use super::clock::FakeClock;
use super::fault::{Call, Fault, FaultEffect};
use super::machine::{Latencies, Machine};
use super::state::{REGION, State};
use super::step::{Execution, NODES_PER_CLUSTER_MAX};
use super::store::Store;
use crate::error::{ErrorKind, ProviderError};
use crate::lower::lower_direct;
use crate::provider::{Capabilities, ClusterLock, LogIn, NodeMaterial, Provider};

/// Steps that the fake is happy to take at once.
const STEPS_AT_ONCE_MAX: usize = 16;

/// The fake provider. A clone is another handle on the same cloud, as another
/// process would have.
#[derive(Debug, Clone)]
pub struct FakeProvider {
    store: Store,
    clock: FakeClock,
}

impl FakeProvider {
    /// A cloud that ends with the process.
    #[must_use]
    pub fn in_memory(clock: FakeClock) -> Self {
        Self { store: Store::in_memory(), clock }
    }

    /// A cloud in a JSON file, for several processes in turn or at once. Lock
    /// files are made beside it. The clock is moved on to the file's last
    /// virtual time with each call.
    #[must_use]
    pub fn in_file(path: PathBuf, clock: FakeClock) -> Self {
        Self { store: Store::in_file(path), clock }
    }

    /// The clock it lives by.
    #[must_use]
    pub const fn clock(&self) -> &FakeClock {
        &self.clock
    }

    /// Adds a fault to the script.
    ///
    /// # Errors
    /// When the state file cannot be read or written, as with all below.
    pub fn script(&self, fault: Fault) -> Result<(), ProviderError> {
        self.tamper(|state, _| state.script.add(fault))
    }

    /// Forgets all faults that are still to come.
    ///
    /// # Errors
    /// When the state file cannot be read or written.
    pub fn clear_faults(&self) -> Result<(), ProviderError> {
        self.tamper(|state, _| state.script.clear())
    }

    /// Sets how long things take from now on.
    ///
    /// # Errors
    /// When the state file cannot be read or written.
    pub fn set_latencies(&self, latencies: Latencies) -> Result<(), ProviderError> {
        self.tamper(|state, _| state.latencies = latencies)
    }

    /// A machine is gone by itself.
    ///
    /// # Errors
    /// When the state file cannot be read or written.
    pub fn vanish(&self, cluster: &ClusterName, node: &NodeName) -> Result<(), ProviderError> {
        self.tamper(|state, now| {
            let record = state.cluster(cluster).map(|found| found.record.clone());
            if let Some(at) = record.and_then(|record| state.find(&record, node)) {
                state.machines.remove(at);
                state.note(cluster, Some(node), now, (Level::Warning, word::LOST, None));
            }
        })
    }

    /// A machine powers itself off.
    ///
    /// # Errors
    /// When the state file cannot be read or written.
    pub fn power_off(&self, cluster: &ClusterName, node: &NodeName) -> Result<(), ProviderError> {
        let why = Some("powered off from inside");
        self.tamper(|state, now| {
            let record = state.cluster(cluster).map(|found| found.record.clone());
            let at = record.and_then(|record| state.find(&record, node));
            if let Some(machine) = at.and_then(|at| state.machines.get_mut(at)) {
                machine.power_off(why);
                state.note(cluster, Some(node), now, (Level::Warning, word::STOPPED, why));
            }
        })
    }

    /// Puts a machine into the cloud that nobody ordered, with whatever tags it
    /// carries.
    ///
    /// # Errors
    /// When the state file cannot be read or written.
    pub fn place(&self, node: ObservedNode) -> Result<(), ProviderError> {
        self.tamper(|state, _| {
            state.machines.push(Machine { seen: node, due: None, console: String::new() });
        })
    }

    fn tamper(&self, act: impl FnOnce(&mut State, Timestamp)) -> Result<(), ProviderError> {
        self.store.with(|state| {
            let now = self.catch_up(state, SignedDuration::ZERO);
            act(state, now);
            Ok(())
        })
    }

    /// One call: time passes, what is due happens, a fault may strike, and
    /// otherwise `act` answers.
    fn call<T>(
        &self,
        (call, node): (Call, Option<&NodeName>),
        act: impl FnOnce(&mut State, Timestamp, Option<&FaultEffect>) -> Result<T, ProviderError>,
    ) -> Result<T, ProviderError> {
        self.store.with(|state| {
            let latency = SignedDuration::from_millis(i64::from(state.latencies.call_ms));
            let now = self.catch_up(state, latency);
            let effect = state.script.take(call, node);
            if let Some(FaultEffect::Refuse(kind)) = effect {
                return Err(scripted(call, node, kind));
            }
            let answer = act(state, now, effect.as_ref())?;
            match effect {
                Some(FaultEffect::LoseAnswer(kind)) => Err(scripted(call, node, kind)),
                _ => Ok(answer),
            }
        })
    }

    /// Lets `latency` pass since the later of clock and state, and everything
    /// happen that is due by then.
    fn catch_up(&self, state: &mut State, latency: SignedDuration) -> Timestamp {
        if let Some(last) = state.now {
            self.clock.advance_to(last);
        }
        self.clock.advance(latency);
        let now = self.clock.now();
        state.settle(now);
        now
    }
}

fn scripted(call: Call, node: Option<&NodeName>, kind: ErrorKind) -> ProviderError {
    let doing = match node {
        Some(node) => format!("{call} {node}"),
        None => call.to_string(),
    };
    ProviderError::new(kind, doing, format!("{kind} (scripted)"))
}

#[async_trait]
impl Provider for FakeProvider {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Fake
    }

    fn region(&self) -> String {
        REGION.to_owned()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            nodes_per_cluster_max: NODES_PER_CLUSTER_MAX,
            steps_at_once_max: STEPS_AT_ONCE_MAX,
            log_in: LogIn::Nothing,
        }
    }

    fn lower(&self, plan: &Plan, owner: &str) -> Vec<Step> {
        lower_direct(plan, owner, None)
    }

    async fn preflight(&self, _spec: &Resolved) -> Result<Vec<Diagnostic>, ProviderError> {
        self.call((Call::Preflight, None), |_, _, _| Ok(Vec::new()))
    }

    async fn clusters(&self) -> Result<Vec<ClusterSummary>, ProviderError> {
        self.call((Call::Clusters, None), |state, _, _| Ok(state.summaries()))
    }

    async fn observe(&self, cluster: &ClusterName) -> Result<Inventory, ProviderError> {
        self.call((Call::Observe, None), |state, now, effect| {
            Ok(state.inventory(cluster, now, effect))
        })
    }

    async fn execute(
        &self,
        cluster: &ClusterName,
        step: &Step,
        material: Option<&NodeMaterial>,
    ) -> Result<Receipt, ProviderError> {
        self.call((Call::of(&step.kind), step.kind.node()), |state, now, effect| {
            Execution { state, cluster, now, effect }.run(step, material)
        })
    }

    async fn events(&self, cluster: &ClusterName) -> Result<Vec<TimelineEvent>, ProviderError> {
        self.call((Call::Events, None), |state, _, _| {
            Ok(state.cluster(cluster).map(|found| found.events.clone()).unwrap_or_default())
        })
    }

    async fn console(
        &self,
        cluster: &ClusterName,
        node: &NodeName,
    ) -> Result<Vec<u8>, ProviderError> {
        self.call((Call::Console, Some(node)), |state, _, _| {
            state
                .machines_of(cluster)
                .find(|machine| machine.seen.name == *node && machine.seen.state.exists())
                .map(|machine| machine.console.clone().into_bytes())
                .ok_or_else(|| {
                    let doing = format!("read the console of {node}");
                    ProviderError::new(ErrorKind::NotFound, doing, "there is no such node")
                })
        })
    }

    async fn lock(
        &self,
        cluster: &ClusterName,
        purpose: &str,
    ) -> Result<Box<dyn ClusterLock>, ProviderError> {
        self.call((Call::Lock, None), |_, _, _| Ok(()))?;
        self.store.hold(cluster, purpose)
    }
}
