//! Values for the tests of this folder.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use model::Diagnostic;
use model::Endpoint;
use model::event::{EventSource, Level, TimelineEvent};
use model::inventory::{ClusterRecord, ClusterSummary, Condition, Inventory, Known, ObservedNode};
use model::name::{ClusterName, NodeName, PoolName};
use model::node::{Generation, NodeId, NodeState};
use model::plan::{Action, Change, Intent, KeyChange, Plan, Reason, Subject};
use model::resolved::{ProviderKind, Resolved};
use model::span::{Sources, Span};
use model::spec::{Files, LoadOptions};

use crate::view::ClusterView;

pub(crate) const SPEC: &str = "\
cloud: {provider: local}
cluster: {name: Hello}
nodes:
- {nodename: master, instance_type: local.small}
- {nodename: worker, instance_type: local.nano, count: 3}
";

pub(crate) fn at(seconds: i64) -> Timestamp {
    let start: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    start + SignedDuration::from_secs(seconds)
}

pub(crate) fn cluster_name() -> ClusterName {
    ClusterName::parse("Hello").unwrap()
}

pub(crate) fn node_name(name: &str) -> NodeName {
    NodeName::parse(name).unwrap()
}

pub(crate) fn summaries() -> Vec<ClusterSummary> {
    let one = |name: &str, provider, created, condition, note: Option<&str>| ClusterSummary {
        name: ClusterName::parse(name).unwrap(),
        provider,
        region: provider_region(provider),
        owner: "ada@here".to_owned(),
        created_at: at(created),
        nodes: BTreeMap::new(),
        condition,
        note: note.map(String::from),
    };
    let mut hello = one("Hello", ProviderKind::Local, 0, Condition::Complete, None);
    hello.nodes = BTreeMap::from([(NodeState::Running, 3), (NodeState::Stopped, 1)]);
    vec![
        one("zoo", ProviderKind::Fake, -90_000, Condition::Deleting, None),
        hello,
        one(
            "broken",
            ProviderKind::Local,
            -100,
            Condition::Unreadable,
            Some("its record is no JSON"),
        ),
    ]
}

fn provider_region(provider: ProviderKind) -> String {
    provider.as_str().to_owned()
}

fn node(name: &str, pool: &str, state: NodeState, number: u8) -> ObservedNode {
    let address = format!("10.77.0.{number}");
    ObservedNode {
        name: node_name(name),
        pool: PoolName::parse(pool).unwrap(),
        role: if pool == "master" { "head" } else { "worker" }.to_owned(),
        id: NodeId(format!("l-00000000000{number}")),
        state,
        state_reason: (state == NodeState::Stopped).then(|| "powered off from inside".to_owned()),
        instance_type: if pool == "master" { "local.small" } else { "local.nano" }.to_owned(),
        image: "host".to_owned(),
        external_ip: None,
        internal_ip: Some(address.clone()),
        endpoint: (state == NodeState::Running).then(|| Endpoint::Namespace {
            relay: "/run/supervisor.sock".to_owned(),
            address: format!("{address}:22").parse().unwrap(),
        }),
        username: "root".to_owned(),
        host_key: Some("ssh-ed25519 AAAA".to_owned()),
        generation: Generation(1),
        digest: "d1".to_owned(),
        created_at: at(0),
        started_at: Some(at(2)),
        tags: BTreeMap::from([("team".to_owned(), "blue".to_owned())]),
        properties: BTreeMap::from([("pid".to_owned(), "4711".to_owned())]),
    }
}

pub(crate) fn view() -> ClusterView {
    let loaded = model::spec::load("hello.yaml", SPEC.as_bytes(), &LoadOptions::default());
    let spec: Resolved = model::spec::resolve(loaded, &Files::new()).unwrap().spec;
    ClusterView::new(Inventory {
        provider: ProviderKind::Local,
        region: "local".to_owned(),
        cluster: cluster_name(),
        observed_at: at(60),
        record: Known::Seen(Some(ClusterRecord {
            name: cluster_name(),
            id: "c-0123456789ab".to_owned(),
            owner: "ada@here".to_owned(),
            created_at: at(0),
            accepted: Generation(1),
            completed: Some(Generation(1)),
            spec: spec.to_stored().unwrap(),
            removed: BTreeSet::new(),
            deleting: false,
        })),
        nodes: Known::Seen(vec![
            node("worker2", "worker", NodeState::Stopped, 4),
            node("worker1", "worker", NodeState::Running, 3),
            node("master", "master", NodeState::Running, 2),
        ]),
    })
}

pub(crate) fn events() -> Vec<TimelineEvent> {
    let one =
        |seconds, node: Option<&str>, source, level, what: &str, why: Option<&str>| TimelineEvent {
            at: at(seconds),
            cluster: cluster_name(),
            node: node.map(node_name),
            source,
            level,
            what: what.to_owned(),
            why: why.map(String::from),
        };
    vec![
        one(0, None, EventSource::Squall, Level::Info, "create accepted", Some("4 nodes")),
        one(1, Some("worker1"), EventSource::Provider, Level::Info, "made", None),
        one(
            9,
            Some("worker2"),
            EventSource::Provider,
            Level::Warning,
            "stopped",
            Some("powered off from\u{1b} inside"),
        ),
        one(10, Some("worker3"), EventSource::Provider, Level::Error, "lost", None),
    ]
}

fn change(subject: Option<(&str, Option<&str>)>, action: Action, reason: &str) -> Change {
    Change {
        subject: match subject {
            None => Subject::Cluster,
            Some((name, id)) => {
                Subject::Node { name: node_name(name), id: id.map(|id| NodeId(id.to_owned())) }
            }
        },
        action,
        reason: Reason::new(reason),
        keys: Vec::new(),
    }
}

fn plan(intent: Intent, base: Option<u64>, changes: Vec<Change>) -> Plan {
    Plan {
        intent,
        cluster: cluster_name(),
        provider: ProviderKind::Local,
        region: "local".to_owned(),
        cluster_id: "c-0123456789ab".to_owned(),
        base: base.map(Generation),
        generation: Generation(base.map_or(1, |base| base + 1)),
        changes,
        notes: Vec::new(),
        wanted: Vec::new(),
        removed: BTreeSet::new(),
        spec: String::new(),
        record_changes: true,
        completes: true,
    }
}

pub(crate) fn create_plan() -> (Plan, Sources) {
    let new = "the spec has it, and it is not there";
    let mut made = plan(
        Intent::Create,
        None,
        vec![
            change(None, Action::Create, "there is no such cluster"),
            change(Some(("master", None)), Action::Create, new),
            change(Some(("worker1", None)), Action::Create, new),
            change(Some(("worker2", None)), Action::Create, new),
            change(Some(("worker3", None)), Action::Create, new),
        ],
    );
    let mut sources = Sources::default();
    let id = sources.add("hello.yaml", SPEC);
    let start = SPEC.find("count").unwrap();
    made.notes = vec![
        Diagnostic::warning("unheeded", "`vpc_id` means nothing on local"),
        Diagnostic::note("count-range", "the other nodes are made when there is work")
            .at(Span::new(id, start, start + 5), "")
            .help("write one number to have them all"),
    ];
    (made, sources)
}

pub(crate) fn update_plan() -> Plan {
    let mut replaced = change(
        Some(("worker1", Some("l-000000000003"))),
        Action::Replace,
        "its instance type differs",
    );
    replaced.keys = vec![
        KeyChange {
            key: "instance_type".to_owned(),
            from: "local.nano".to_owned(),
            to: "local.small".to_owned(),
        },
        KeyChange {
            key: "setup".to_owned(),
            from: String::new(),
            to: "setup.sh (ab12)".to_owned(),
        },
    ];
    plan(
        Intent::Update,
        Some(1),
        vec![
            change(None, Action::Update, "the spec differs"),
            change(Some(("worker9", None)), Action::Create, "the count is higher"),
            replaced,
            change(Some(("worker2", Some("l-000000000004"))), Action::Delete, "the count is lower"),
            change(Some(("master", Some("l-000000000002"))), Action::Keep, "as it should be"),
        ],
    )
}
