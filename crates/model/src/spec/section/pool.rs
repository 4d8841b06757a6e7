//! An entry of `nodes`: nodes that are alike.

use crate::name::PoolName;
use crate::resolved::{Count, UpdatePolicy};
use crate::span::{Span, Spanned};
use crate::spec::provider_map::{InstanceChoice, PerProvider};
use crate::spec::read::{Context, Field, Fields, Key, Read, Section, Shape};
use crate::spec::tags::Tags;
use crate::spec::tree::Node;
use crate::spec::value::{AccountName, First, OneOrMore, Role, Script};
use crate::unit::Memory;

/// What an entry of `nodes` says.
#[derive(Debug, Clone)]
pub(crate) struct PoolSpec {
    /// Where the entry begins.
    pub(crate) span: Span,
    pub(crate) nodename: Field<PoolName>,
    pub(crate) role: Field<Role>,
    pub(crate) count: Field<Count>,
    pub(crate) first: Field<First>,
    pub(crate) image: Field<PerProvider<String>>,
    pub(crate) instance_type: Field<PerProvider<InstanceChoice>>,
    pub(crate) username: Field<AccountName>,
    pub(crate) key: Field<String>,
    pub(crate) tags: Field<Tags>,
    pub(crate) user_data: Field<Script>,
    pub(crate) setup: Field<Script>,
    pub(crate) spot: Field<bool>,
}

static NODENAME: Key<PoolName> = Key::new(
    "nodename",
    "Name of the pool. One node keeps this name; several are numbered: `worker1`, `worker2`.",
)
.required();
static ROLE: Key<Role> = Key::new(
    "role",
    "What the nodes are for: `head`, `worker`, `login` or your own word. If no pool has one, the first is the head.",
);
static COUNT: Key<Count> = Key::new(
    "count",
    "Number of nodes, 1 if left out; `MIN..MAX` for a pool that grows with the work (this build makes MIN).",
);
static FIRST: Key<First> =
    Key::new("first", "Number of the first node; numbers the nodes even if there is one.")
        .policy(UpdatePolicy::Replace);
static IMAGE: Key<PerProvider<String>> =
    Key::new("image", "Image of the nodes; on `local` only `host`, the files of this machine.")
        .policy(UpdatePolicy::Replace);
static INSTANCE_TYPE: Key<PerProvider<InstanceChoice>> = Key::new(
    "instance_type",
    "Type of machine, or needs (`{cores: 2, memory: 4GiB}`); on `local` a size as `local.small`, or `host` for no limits.",
)
.policy(UpdatePolicy::Replace);
static USERNAME: Key<AccountName> =
    Key::new("username", "Account for log-in.").policy(UpdatePolicy::Replace);
static KEY: Key<String> = Key::new(
    "key",
    "Key pair that the provider knows by this name; `default` for your own default key, `new` for one of the cluster.",
)
.policy(UpdatePolicy::Replace);
static TAGS: Key<Tags> = Key::new("tags", "Tags of the nodes, over those of the cluster.");
static USER_DATA: Key<Script> = Key::new(
    "user_data",
    "Script of the first boot: a path relative to the spec, or text that begins with `#!`.",
)
.policy(UpdatePolicy::Replace);
static SETUP: Key<Script> = Key::new(
    "setup",
    "Script that sets the node up, after `user_data`, once: a path or text as there.",
)
.policy(UpdatePolicy::Replace);
static SPOT: Key<bool> = Key::new("spot", "Ask for cheaper machines that the cloud may take back.")
    .not_local("nobody takes nodes of this machine back")
    .policy(UpdatePolicy::Replace);
static ROOT_SIZE: Key<Memory> = Key::new("root_size", "Size of the root disk.")
    .later("size root disks")
    .policy(UpdatePolicy::Replace);
static VOLUMES: Key<Vec<Spanned<VolumeSpec>>> = Key::new("volumes", "Disks of the nodes.")
    .later("attach volumes")
    .policy(UpdatePolicy::Replace);
static IAM_POLICIES: Key<OneOrMore<String>> =
    Key::new("iam_policies", "Permissions that the nodes have at the cloud.")
        .later("give nodes permissions at a cloud")
        .policy(UpdatePolicy::Replace);
static SELECTOR: Key<String> =
    Key::new("selector", "The machine that this is, as a target; for clusters adopted.")
        .later("adopt machines that it did not make");
static KEYFILE: Key<String> = Key::new("keyfile", "Private key for log-in; for clusters adopted.")
    .later("adopt machines that it did not make");

pub(crate) static POOL: Section = Section {
    name: "`nodes`",
    doc: "A pool: nodes that are alike.",
    keys: &[
        &NODENAME.about,
        &ROLE.about,
        &COUNT.about,
        &FIRST.about,
        &IMAGE.about,
        &INSTANCE_TYPE.about,
        &USERNAME.about,
        &KEY.about,
        &TAGS.about,
        &USER_DATA.about,
        &SETUP.about,
        &SPOT.about,
        &ROOT_SIZE.about,
        &VOLUMES.about,
        &IAM_POLICIES.about,
        &SELECTOR.about,
        &KEYFILE.about,
    ],
    holder_prefix: None,
};

impl Read for PoolSpec {
    const SHAPE: Shape = Shape::Section(&POOL);

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let mut fields = Fields::open(node, &POOL, context)?;
        let spec = Self {
            span: node.span,
            nodename: fields.take(&NODENAME, context),
            role: fields.take(&ROLE, context),
            count: fields.take(&COUNT, context),
            first: fields.take(&FIRST, context),
            image: fields.take(&IMAGE, context),
            instance_type: fields.take(&INSTANCE_TYPE, context),
            username: fields.take(&USERNAME, context),
            key: fields.take(&KEY, context),
            tags: fields.take(&TAGS, context),
            user_data: fields.take(&USER_DATA, context),
            setup: fields.take(&SETUP, context),
            spot: fields.take(&SPOT, context),
        };
        // Read and checked; what they say is of use once they can be done.
        fields.take(&ROOT_SIZE, context);
        fields.take(&VOLUMES, context);
        fields.take(&IAM_POLICIES, context);
        fields.take(&SELECTOR, context);
        fields.take(&KEYFILE, context);
        fields.finish(context);
        Some(spec)
    }
}

/// What an entry of `volumes` says; nothing is done with it yet.
#[derive(Debug, Clone)]
pub(crate) struct VolumeSpec;

static VOLUME_MOUNT: Key<super::service::AbsolutePath> =
    Key::new("mount", "Where it is mounted.").required();
static VOLUME_SIZE: Key<Memory> = Key::new("size", "Size of a new volume.");
static VOLUME_ID: Key<String> = Key::new("volume", "Existing volume.");
static VOLUME_SNAPSHOT: Key<String> =
    Key::new("snapshot", "Snapshot that a new volume is made from.");

pub(crate) static VOLUME: Section = Section {
    name: "`volumes`",
    doc: "A disk of a pool's nodes.",
    keys: &[&VOLUME_MOUNT.about, &VOLUME_SIZE.about, &VOLUME_ID.about, &VOLUME_SNAPSHOT.about],
    holder_prefix: None,
};

impl Read for VolumeSpec {
    const SHAPE: Shape = Shape::Section(&VOLUME);

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let mut fields = Fields::open(node, &VOLUME, context)?;
        fields.take(&VOLUME_MOUNT, context);
        fields.take(&VOLUME_SIZE, context);
        fields.take(&VOLUME_ID, context);
        fields.take(&VOLUME_SNAPSHOT, context);
        fields.finish(context);
        Some(Self)
    }
}
