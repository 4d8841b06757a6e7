//! The spec as a whole.

use super::service::Entries;
use super::{CheckSpec, CloudSpec, ClusterSpec, PoolSpec, SchedulerSpec, StorageSpec, UserSpec};
use crate::resolved::{Expiry, OnFailure};
use crate::span::Spanned;
use crate::spec::quantity::Cidr;
use crate::spec::read::{Context, Field, Fields, Key, Read, Section, Shape};
use crate::spec::tags::Tags;
use crate::spec::tree::Node;
use crate::spec::value::OneOrMore;

/// What the spec says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spec {
    pub(crate) cloud: Field<CloudSpec>,
    pub(crate) cluster: Field<ClusterSpec>,
    pub(crate) nodes: Entries<PoolSpec>,
    pub(crate) tags: Field<Tags>,
    pub(crate) ssh_from: Field<OneOrMore<Cidr>>,
    pub(crate) on_failure: Field<OnFailure>,
    pub(crate) expires: Field<Expiry>,
    pub(crate) users: Entries<UserSpec>,
}

pub(super) const SSH_FROM_LOCAL: &str = "nodes on this machine are reached from this machine only";
pub(super) const EXPIRES_LATER: &str = "delete a cluster by itself when its time is over";

static CLOUD: Key<CloudSpec> = Key::new("cloud", "Where the nodes come from.");
static CLUSTER: Key<ClusterSpec> = Key::new("cluster", "The cluster's name and network.");
static NODES: Key<Vec<Spanned<PoolSpec>>> =
    Key::new("nodes", "The pools, at least one.").required();
static TAGS: Key<Tags> = Key::new("tags", "Tags of the cluster and of all its nodes.");
static SSH_FROM: Key<OneOrMore<Cidr>> =
    Key::new("ssh_from", "From where ssh is let in: addresses or CIDRs.").not_local(SSH_FROM_LOCAL);
static ON_FAILURE: Key<OnFailure> = Key::new(
    "on_failure",
    "When a change fails: `rollback` what it made (the default), or `keep` it for a look.",
);
static EXPIRES: Key<Expiry> = Key::new(
    "expires",
    "When the cluster is deleted by itself: after `8h`, or at a date with time.",
)
.later(EXPIRES_LATER);
static USERS: Key<Vec<Spanned<UserSpec>>> =
    Key::new("users", "People with an account on every node.").later("make accounts on nodes");
static SCHEDULER: Key<SchedulerSpec> =
    Key::new("scheduler", "Who shares out the nodes among jobs.").later("set up a scheduler");
static STORAGE: Key<Vec<Spanned<StorageSpec>>> =
    Key::new("storage", "Files that all nodes share.").later("share files among nodes");
static CHECKS: Key<Vec<Spanned<CheckSpec>>> =
    Key::new("checks", "What must hold before the cluster counts as ready.").later("run checks");

pub(crate) static TOP: Section = Section {
    name: "the spec",
    doc: "A cluster. Keys that begin with `x-` are yours, to hold anchors.",
    keys: &[
        &CLOUD.about,
        &CLUSTER.about,
        &NODES.about,
        &TAGS.about,
        &SSH_FROM.about,
        &ON_FAILURE.about,
        &EXPIRES.about,
        &USERS.about,
        &SCHEDULER.about,
        &STORAGE.about,
        &CHECKS.about,
    ],
    holder_prefix: Some("x-"),
};

impl Read for Spec {
    const SHAPE: Shape = Shape::Section(&TOP);

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let mut fields = Fields::open(node, &TOP, context)?;
        let spec = Self {
            cloud: fields.take(&CLOUD, context),
            cluster: fields.take(&CLUSTER, context),
            nodes: fields.take(&NODES, context),
            tags: fields.take(&TAGS, context),
            ssh_from: fields.take(&SSH_FROM, context),
            on_failure: fields.take(&ON_FAILURE, context),
            expires: fields.take(&EXPIRES, context),
            users: fields.take(&USERS, context),
        };
        fields.take(&SCHEDULER, context);
        fields.take(&STORAGE, context);
        fields.take(&CHECKS, context);
        fields.finish(context);
        Some(spec)
    }
}
