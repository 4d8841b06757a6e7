//! `cluster`: its name, its network, and what its pools have in common.

use crate::name::ClusterName;
use crate::resolved::{Expiry, OnFailure, UpdatePolicy};
use crate::spec::provider_map::{InstanceChoice, PerProvider};
use crate::spec::quantity::Cidr;
use crate::spec::read::{Context, Field, Fields, Key, Read, Section, Shape};
use crate::spec::tags::Tags;
use crate::spec::tree::Node;
use crate::spec::value::{AccountName, OneOrMore};

/// What `cluster` says.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClusterSpec {
    pub(crate) name: Field<ClusterName>,
    pub(crate) use_placement_group: Field<bool>,
    pub(crate) create_vpc: Field<bool>,
    pub(crate) vpc_id: Field<String>,
    pub(crate) subnet_id: Field<String>,
    pub(crate) image: Field<PerProvider<String>>,
    pub(crate) instance_type: Field<PerProvider<InstanceChoice>>,
    pub(crate) username: Field<AccountName>,
    pub(crate) key: Field<String>,
    pub(crate) tags: Field<Tags>,
    pub(crate) ssh_from: Field<OneOrMore<Cidr>>,
    pub(crate) on_failure: Field<OnFailure>,
    pub(crate) expires: Field<Expiry>,
}

const OWN_NETWORK: &str = "a cluster on this machine has a network of its own";

static NAME: Key<ClusterName> =
    Key::new("name", "Name of the cluster; `--name` says it for one command.")
        .policy(UpdatePolicy::Forbidden);
static USE_PLACEMENT_GROUP: Key<bool> = Key::new(
    "use_placement_group",
    "Place nodes close to each other; only some instance types allow it.",
)
.not_local("all nodes are on this machine")
.policy(UpdatePolicy::Forbidden);
static CREATE_VPC: Key<bool> = Key::new(
    "create_vpc",
    "Make a network for the cluster: VPC, internet gateway, public subnet, routes.",
)
.not_local(OWN_NETWORK)
.policy(UpdatePolicy::Forbidden);
static VPC_ID: Key<String> = Key::new("vpc_id", "Existing network to use; with `subnet_id`.")
    .not_local(OWN_NETWORK)
    .policy(UpdatePolicy::Forbidden);
static SUBNET_ID: Key<String> = Key::new("subnet_id", "Existing subnet to use; with `vpc_id`.")
    .not_local(OWN_NETWORK)
    .policy(UpdatePolicy::Forbidden);
static IMAGE: Key<PerProvider<String>> =
    Key::new("image", "Image of pools that name none.").policy(UpdatePolicy::Replace);
static INSTANCE_TYPE: Key<PerProvider<InstanceChoice>> =
    Key::new("instance_type", "Instance type of pools that name none.")
        .policy(UpdatePolicy::Replace);
static USERNAME: Key<AccountName> =
    Key::new("username", "Log-in account of pools that name none.").policy(UpdatePolicy::Replace);
static KEY: Key<String> =
    Key::new("key", "Key of pools that name none.").policy(UpdatePolicy::Replace);
static TAGS: Key<Tags> = Key::new("tags", "As `tags` at the top; one of the two places.");
static SSH_FROM: Key<OneOrMore<Cidr>> =
    Key::new("ssh_from", "As `ssh_from` at the top; one of the two places.")
        .not_local(super::top::SSH_FROM_LOCAL);
static ON_FAILURE: Key<OnFailure> =
    Key::new("on_failure", "As `on_failure` at the top; one of the two places.");
static EXPIRES: Key<Expiry> =
    Key::new("expires", "As `expires` at the top; one of the two places.")
        .later(super::top::EXPIRES_LATER);
static FILTER: Key<String> = Key::new(
    "filter",
    "Machines that belong to the cluster without having been made for it, as a target.",
)
.later("adopt machines that it did not make");

pub(crate) static CLUSTER: Section = Section {
    name: "`cluster`",
    doc: "The cluster's name, its network, and what its pools have in common.",
    keys: &[
        &NAME.about,
        &USE_PLACEMENT_GROUP.about,
        &CREATE_VPC.about,
        &VPC_ID.about,
        &SUBNET_ID.about,
        &IMAGE.about,
        &INSTANCE_TYPE.about,
        &USERNAME.about,
        &KEY.about,
        &TAGS.about,
        &SSH_FROM.about,
        &ON_FAILURE.about,
        &EXPIRES.about,
        &FILTER.about,
    ],
    holder_prefix: None,
};

impl Read for ClusterSpec {
    const SHAPE: Shape = Shape::Section(&CLUSTER);

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let mut fields = Fields::open(node, &CLUSTER, context)?;
        let spec = Self {
            name: fields.take(&NAME, context),
            use_placement_group: fields.take(&USE_PLACEMENT_GROUP, context),
            create_vpc: fields.take(&CREATE_VPC, context),
            vpc_id: fields.take(&VPC_ID, context),
            subnet_id: fields.take(&SUBNET_ID, context),
            image: fields.take(&IMAGE, context),
            instance_type: fields.take(&INSTANCE_TYPE, context),
            username: fields.take(&USERNAME, context),
            key: fields.take(&KEY, context),
            tags: fields.take(&TAGS, context),
            ssh_from: fields.take(&SSH_FROM, context),
            on_failure: fields.take(&ON_FAILURE, context),
            expires: fields.take(&EXPIRES, context),
        };
        // Read and checked; of use once machines can be adopted.
        fields.take(&FILTER, context);
        fields.finish(context);
        Some(spec)
    }
}
