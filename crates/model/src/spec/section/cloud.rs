//! `cloud`: where the nodes come from.

use crate::resolved::{ProviderKind, UpdatePolicy};
use crate::spec::read::{Context, Field, Fields, Key, Read, Section, Shape};
use crate::spec::tree::Node;

/// What `cloud` says.
#[derive(Debug, Clone, Default)]
pub(crate) struct CloudSpec {
    pub(crate) provider: Field<ProviderKind>,
    pub(crate) region: Field<String>,
    pub(crate) profile: Field<String>,
}

static PROVIDER: Key<ProviderKind> =
    Key::new("provider", "Where nodes come from; `--provider` says it for one command.")
        .policy(UpdatePolicy::Forbidden);
static REGION: Key<String> = Key::new("region", "Region of the cloud, or `closest`.")
    .not_local("this machine has no regions")
    .policy(UpdatePolicy::Forbidden);
static PROFILE: Key<String> = Key::new("profile", "Profile of your credentials for the cloud.")
    .not_local("this machine asks for no credentials");

pub(crate) static CLOUD: Section = Section {
    name: "`cloud`",
    doc: "Where the nodes come from.",
    keys: &[&PROVIDER.about, &REGION.about, &PROFILE.about],
    holder_prefix: None,
};

impl Read for CloudSpec {
    const SHAPE: Shape = Shape::Section(&CLOUD);

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let mut fields = Fields::open(node, &CLOUD, context)?;
        let spec = Self {
            provider: fields.take(&PROVIDER, context),
            region: fields.take(&REGION, context),
            profile: fields.take(&PROFILE, context),
        };
        fields.finish(context);
        Some(spec)
    }
}
