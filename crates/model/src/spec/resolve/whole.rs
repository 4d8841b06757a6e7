//! The whole spec: what its sections mean together, and what is to be said of
//! it. Pools, names, machines and scripts have modules of their own.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::resolved::{HEAD_ROLE, Network, OnFailure, Pool, ProviderKind, Resolved};
use crate::span::Spanned;
use crate::spec::load::Loaded;
use crate::spec::provider_map::AliasTable;
use crate::spec::read::Field;
use crate::spec::section::{ClusterSpec, Spec};

use super::script::Files;
use super::{names, pool};

/// An accepted spec, and what is to be said of it.
#[derive(Debug, Clone)]
pub struct Resolution {
    /// The spec.
    pub spec: Resolved,
    /// What its reader should know: warnings and notes.
    pub notes: Diagnostics,
    /// What it asks for that this build cannot do. `create` and `update` show
    /// these and stop; `plan` shows them beside the plan.
    pub not_yet: Diagnostics,
}

/// Resolves a spec for its provider. `files` holds what became of every file
/// in [`Loaded::files`], by path as written.
///
/// # Errors
/// Everything that is wrong with the spec, in the order of its places.
pub fn resolve(loaded: Loaded, files: &Files) -> Result<Resolution, Diagnostics> {
    let Loaded { spec, aliases, found, present, written_for, has_tree, files: named } = loaded;
    let Diagnostics { sources, list } = found;
    let provider = spec.cloud.value().and_then(|cloud| cloud.provider.value()).copied();
    let mut frame =
        Frame { provider, written_for, aliases, files, found: list, not_yet: Vec::new() };
    let resolved = if has_tree { frame.spec(&spec) } else { None };
    if has_tree {
        frame.presence(&present);
        frame.public_keys(&named);
    }
    let mut all = Diagnostics { sources: sources.clone(), list: frame.found };
    all.sort();
    let mut not_yet = Diagnostics { sources, list: frame.not_yet };
    not_yet.sort();
    match resolved.filter(|_| !all.has_errors()) {
        Some(spec) => Ok(Resolution { spec, notes: all, not_yet }),
        None => Err(all),
    }
}

/// What resolving needs at hand, and what it finds.
pub(super) struct Frame<'a> {
    pub(super) provider: Option<ProviderKind>,
    pub(super) written_for: Option<ProviderKind>,
    pub(super) aliases: AliasTable,
    pub(super) files: &'a Files,
    pub(super) found: Vec<Diagnostic>,
    pub(super) not_yet: Vec<Diagnostic>,
}

impl Frame<'_> {
    fn spec(&mut self, spec: &Spec) -> Option<Resolved> {
        let no_cluster = ClusterSpec::default();
        let cluster = spec.cluster.value().unwrap_or(&no_cluster);
        self.required(spec);
        let on_failure = self.once("on_failure", &spec.on_failure, &cluster.on_failure).cloned();
        if on_failure.as_ref().is_some_and(|way| way.value == OnFailure::ReplaceNode) {
            self.later(on_failure.as_ref().map(|way| way.span), "replace a node that fails");
        }
        let expires =
            self.once("expires", &spec.expires, &cluster.expires).map(|expiry| expiry.value);
        let tags = self.once("tags", &spec.tags, &cluster.tags);
        let tags = tags.map(|tags| tags.value.0.clone()).unwrap_or_default();
        let network = self.network(spec, cluster);
        let pools = self.pools(spec, cluster, &tags);
        let cloud = spec.cloud.value();
        let named = |field: Option<&Field<String>>| field.and_then(Field::value).cloned();
        let provider = self.provider?;
        let (region, profile) = match provider {
            ProviderKind::Local | ProviderKind::Fake => (Some(provider.as_str().to_owned()), None),
            ProviderKind::Ec2 | ProviderKind::Openstack => {
                (named(cloud.map(|cloud| &cloud.region)), named(cloud.map(|cloud| &cloud.profile)))
            }
        };
        Some(Resolved {
            cluster: cluster.name.value().cloned()?,
            provider,
            region,
            profile,
            network,
            on_failure: on_failure.map_or(OnFailure::Rollback, |way| way.value),
            expires,
            tags,
            pools: pools?,
        })
    }

    /// What every spec must say.
    fn required(&mut self, spec: &Spec) {
        let says_provider = match &spec.cloud {
            Field::Absent => false,
            Field::Bad => true,
            Field::Is(cloud, _) => !cloud.value.provider.is_absent(),
        };
        if !says_provider {
            let problem =
                Diagnostic::error("missing-key", "the spec does not say where its nodes come from");
            let problem =
                spec.cloud.key_span().map_or(problem.clone(), |span| problem.at(span, ""));
            self.found
                .push(problem.help("add `cloud: {provider: local}`, or give --provider local"));
        }
        let says_name = match &spec.cluster {
            Field::Absent => false,
            Field::Bad => true,
            Field::Is(cluster, _) => !cluster.value.name.is_absent(),
        };
        if !says_name {
            let problem = Diagnostic::error("missing-key", "the cluster has no name");
            let problem =
                spec.cluster.key_span().map_or(problem.clone(), |span| problem.at(span, ""));
            self.found.push(problem.help("add `cluster: {name: demo}`, or give --name demo"));
        }
        if let Some(kind @ (ProviderKind::Ec2 | ProviderKind::Openstack)) = self.provider {
            let span =
                spec.cloud.value().and_then(|cloud| cloud.provider.get()).map(|kind| kind.span);
            self.later(span, &format!("make nodes on {kind}"));
        }
    }

    fn network(&mut self, spec: &Spec, cluster: &ClusterSpec) -> Network {
        let ssh_from = self.once("ssh_from", &spec.ssh_from, &cluster.ssh_from);
        let ssh_from: Vec<String> = ssh_from
            .map(|list| list.value.0.iter().map(|cidr| cidr.value.0.clone()).collect())
            .unwrap_or_default();
        let created = cluster.create_vpc.get().filter(|create| create.value);
        for (key, existing) in [("vpc_id", &cluster.vpc_id), ("subnet_id", &cluster.subnet_id)] {
            if let (Some(created), Some(existing)) = (created, existing.get()) {
                let message =
                    format!("`create_vpc` makes a network and `{key}` names an existing one");
                let problem = Diagnostic::error("twice", message)
                    .at(existing.span, "")
                    .at(created.span, "the other");
                self.found.push(problem.help("keep one of them"));
            }
        }
        let pair = [
            ("vpc_id", &cluster.vpc_id, "subnet_id", &cluster.subnet_id),
            ("subnet_id", &cluster.subnet_id, "vpc_id", &cluster.vpc_id),
        ];
        for (key, field, other, other_field) in pair {
            if let (Some(there), true, None) = (field.get(), other_field.is_absent(), created) {
                let message = format!("`{key}` is of no use without `{other}`");
                self.found.push(Diagnostic::error("missing-key", message).at(there.span, ""));
            }
        }
        if matches!(self.provider, Some(ProviderKind::Local)) {
            return Network::default();
        }
        Network {
            use_placement_group: cluster.use_placement_group.value().is_some_and(|on| *on),
            create_vpc: created.is_some(),
            vpc_id: cluster.vpc_id.value().cloned(),
            subnet_id: cluster.subnet_id.value().cloned(),
            ssh_from,
        }
    }

    fn pools(
        &mut self,
        spec: &Spec,
        cluster: &ClusterSpec,
        tags: &BTreeMap<String, String>,
    ) -> Option<Vec<Pool>> {
        let list = spec.nodes.get()?;
        if list.value.is_empty() {
            let problem = Diagnostic::error("missing-key", "`nodes` has no pool").at(list.span, "");
            self.found.push(problem.help("add one, as in `- nodename: master`"));
        }
        let roles = pool::roles(&list.value);
        let unsure =
            list.value.is_empty() || list.value.iter().any(|pool| pool.value.role.is_bad());
        if !unsure && !roles.iter().any(|role| role == HEAD_ROLE) {
            let message = "no pool has the role `head`, so no node is meant by the cluster's name";
            let span = spec.nodes.key_span().unwrap_or(list.span);
            let problem = Diagnostic::warning("no-head", message).at(span, "");
            self.found.push(problem.help("add `role: head` to the pool that you log in to"));
        }
        names::check(&list.value, self.provider, &mut self.found);
        let mut pools = Vec::new();
        for (entry, role) in list.value.iter().zip(roles) {
            pools.push(self.pool(entry, cluster, tags, role));
        }
        pools.into_iter().collect()
    }

    /// A value that may be written at the top or under `cluster`.
    fn once<'a, T>(
        &mut self,
        key: &str,
        top: &'a Field<T>,
        cluster: &'a Field<T>,
    ) -> Option<&'a Spanned<T>> {
        if let (Some(first), Some(second)) = (top.key_span(), cluster.key_span()) {
            let message = format!("`{key}` is written at the top and under `cluster`");
            let problem = Diagnostic::error("twice", message).at(second, "").at(first, "the other");
            self.found.push(problem.help("keep one of them"));
        }
        top.get().or(cluster.get())
    }

    /// Keys that have no meaning on this machine, and keys that this build
    /// cannot do.
    fn presence(&mut self, present: &[(&'static crate::spec::read::About, crate::span::Span)]) {
        for (about, span) in present {
            match (about.not_local, about.later) {
                (Some(why), _) if self.provider == Some(ProviderKind::Local) => {
                    let message = format!("`{}` has no meaning on local: {why}", about.name);
                    self.found.push(Diagnostic::note("no-meaning-here", message).at(*span, ""));
                }
                (_, Some(what)) => self.later(Some(*span), what),
                (_, None) => {}
            }
        }
    }

    pub(super) fn later(&mut self, span: Option<crate::span::Span>, what: &str) {
        let problem =
            Diagnostic::new(Severity::Error, "not-yet", format!("this build cannot {what} yet"));
        self.not_yet.push(match span {
            Some(span) => problem.at(span, ""),
            None => problem,
        });
    }
}
