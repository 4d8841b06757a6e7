//! Images and instance types on the provider that was chosen.

use std::collections::BTreeMap;

use super::Frame;
use super::pool::own_or_common;
use crate::diagnostic::Diagnostic;
use crate::plan::NodeLimits;
use crate::resolved::ProviderKind;
use crate::span::{Span, Spanned};
use crate::spec::complain::nearest;
use crate::spec::provider_map::{InstanceChoice, Needs, PerProvider};
use crate::spec::read::Field;
use crate::spec::section::{ClusterSpec, PoolSpec};
use crate::spec::tree::shorten;
use crate::unit::{Cores, Memory};

/// The image of local nodes, and the instance type without limits.
const HOST: &str = "host";

/// Least memory of a local node: its first process, sshd and a shell.
const LOCAL_MEMORY_MIN: Memory = Memory { bytes: 32 << 20 };

/// Processes and threads of a local node with limits: room for any daemon, and
/// a fork bomb ends long before the host's own limit (32,768 by default).
const LOCAL_PROCESSES_MAX: u32 = 4096;

/// Sizes of local nodes: name, memory in MiB, cores.
pub(crate) const LOCAL_SIZES: [(&str, u64, u32); 6] = [
    ("local.nano", 512, 1),
    ("local.micro", 1024, 1),
    ("local.small", 2048, 1),
    ("local.medium", 4096, 2),
    ("local.large", 8192, 2),
    ("local.xlarge", 16_384, 4),
];

/// A value for the provider at hand.
struct Chosen<T> {
    value: T,
    span: Span,
    /// Whether it was written for this provider by name, in the spec or in the
    /// alias table, rather than for whatever provider there is.
    for_provider: bool,
}

/// The value for a provider, or `Err` with the place of a map that has none.
fn choose<T: Clone>(
    value: &Spanned<PerProvider<T>>,
    provider: ProviderKind,
    alias: impl FnOnce(&T) -> Option<Spanned<T>>,
) -> Result<Chosen<T>, Span> {
    let chosen = |found: &Spanned<T>, for_provider| Chosen {
        value: found.value.clone(),
        span: found.span,
        for_provider,
    };
    match &value.value {
        PerProvider::Each(each) => {
            each.get(&provider).map(|one| chosen(one, true)).ok_or(value.span)
        }
        PerProvider::One(one) => Ok(match alias(&one.value) {
            Some(found) => chosen(&found, true),
            None => chosen(one, false),
        }),
    }
}

fn alias_of<T: Clone>(
    table: &BTreeMap<String, BTreeMap<ProviderKind, Spanned<T>>>,
    literal: &str,
    provider: ProviderKind,
) -> Option<Spanned<T>> {
    table.get(literal)?.get(&provider).cloned()
}

impl Frame<'_> {
    pub(super) fn image(&mut self, pool: &PoolSpec, cluster: &ClusterSpec) -> Option<String> {
        let provider = self.provider?;
        let field = own_or_common(&pool.image, &cluster.image);
        let table = self.aliases.image.value();
        let chosen = match field {
            Field::Bad => return None,
            Field::Absent => None,
            Field::Is(value, _) => Some(choose(value, provider, |literal: &String| {
                table.and_then(|table| alias_of(&table.0, literal, provider))
            })),
        };
        match provider {
            ProviderKind::Local => self.local_image(chosen),
            ProviderKind::Fake => {
                Some(chosen.and_then(Result::ok).map_or("fake".to_owned(), |c| c.value))
            }
            ProviderKind::Ec2 | ProviderKind::Openstack => {
                let help = format!("`image`, or `{provider}:` in the map of images");
                let Some(Ok(chosen)) = chosen else {
                    self.missing(pool, "image", &help);
                    return None;
                };
                self.not_of_local(&chosen.value, chosen.span, chosen.value == HOST)
            }
        }
    }

    fn local_image(&mut self, chosen: Option<Result<Chosen<String>, Span>>) -> Option<String> {
        let host = || Some(HOST.to_owned());
        let own_files = "nodes here have the files of this machine";
        match chosen {
            None => host(),
            Some(Err(span)) => {
                let message = format!("no image is named for local: {own_files}");
                self.note(span, message);
                host()
            }
            Some(Ok(Chosen { value, .. })) if value == HOST => host(),
            Some(Ok(Chosen { value, span, for_provider })) => {
                let text = shorten(&value);
                if for_provider || (!is_cloud_id(&value) && !self.written_for_cloud()) {
                    let message = format!("local has no image `{text}`");
                    let problem = Diagnostic::error("bad-value", message).at(span, "");
                    self.found.push(problem.help(format!("the only one is `host`: {own_files}")));
                    return None;
                }
                let message = format!("the image `{text}` has no meaning on local: {own_files}");
                if is_cloud_id(&value) {
                    self.note(span, message);
                } else {
                    // The name promises a system that this machine may not be.
                    let problem = Diagnostic::warning("no-meaning-here", message).at(span, "");
                    self.found.push(problem);
                }
                host()
            }
        }
    }

    pub(super) fn instance_type(
        &mut self,
        pool: &PoolSpec,
        cluster: &ClusterSpec,
    ) -> Option<(String, NodeLimits)> {
        let provider = self.provider?;
        let field = own_or_common(&pool.instance_type, &cluster.instance_type);
        let table = self.aliases.instance_type.value();
        let chosen = match field {
            Field::Bad => return None,
            Field::Absent => None,
            Field::Is(value, _) => Some(choose(value, provider, |literal| match literal {
                InstanceChoice::Named(name) => {
                    table.and_then(|table| alias_of(&table.0, name, provider))
                }
                InstanceChoice::Needs(_) => None,
            })),
        };
        match provider {
            ProviderKind::Local => self.local_type(chosen),
            ProviderKind::Fake => match chosen.and_then(Result::ok) {
                Some(chosen) => self.any_type(chosen),
                None => Some(("fake".to_owned(), NodeLimits::default())),
            },
            ProviderKind::Ec2 | ProviderKind::Openstack => {
                let help = format!("`instance_type`, or `{provider}:` in the map of types");
                let Some(Ok(chosen)) = chosen else {
                    self.missing(pool, "instance_type", &help);
                    return None;
                };
                self.any_type(chosen)
            }
        }
    }

    fn any_type(&mut self, chosen: Chosen<InstanceChoice>) -> Option<(String, NodeLimits)> {
        match chosen.value {
            InstanceChoice::Named(name) => {
                let local = name == HOST || name.starts_with("local.");
                self.not_of_local(&name, chosen.span, local)
                    .map(|name| (name, NodeLimits::default()))
            }
            InstanceChoice::Needs(needs) => self.needs(&needs, chosen.span),
        }
    }

    fn not_of_local(&mut self, name: &str, span: Span, is_local: bool) -> Option<String> {
        let elsewhere = self.provider.filter(|kind| *kind != ProviderKind::Fake);
        if let Some(provider) = elsewhere.filter(|_| is_local) {
            let message = format!("`{}` is of this machine, not of {provider}", shorten(name));
            let problem = Diagnostic::error("not-on-provider", message).at(span, "");
            self.found.push(
                problem.help(format!("write a map: {{local: {}, {provider}: …}}", shorten(name))),
            );
            return None;
        }
        Some(name.to_owned())
    }

    fn local_type(
        &mut self,
        chosen: Option<Result<Chosen<InstanceChoice>, Span>>,
    ) -> Option<(String, NodeLimits)> {
        let free = |name: &str| Some((name.to_owned(), NodeLimits::default()));
        let (name, span, for_provider) = match chosen {
            None => return free(HOST),
            Some(Err(span)) => {
                self.note(span, "no type is named for local: the node is not limited".to_owned());
                return free(HOST);
            }
            Some(Ok(chosen)) => match chosen.value {
                InstanceChoice::Needs(needs) => return self.needs(&needs, chosen.span),
                InstanceChoice::Named(name) => (name, chosen.span, chosen.for_provider),
            },
        };
        if name == HOST {
            return free(HOST);
        }
        if let Some((name, mib, cores)) = LOCAL_SIZES.iter().find(|(size, _, _)| *size == name) {
            let limits = local_limits(
                Some(Memory { bytes: mib << 20 }),
                Some(Cores { milli: cores * 1000 }),
            );
            return Some(((*name).to_owned(), limits));
        }
        let text = shorten(&name);
        if has_gpu(&name) {
            let message = format!("`{text}` has accelerators, nodes on this machine get none");
            let problem = Diagnostic::error("not-on-provider", message).at(span, "");
            self.found.push(problem.help(
                "name another type for local: `instance_type: {ec2: …, local: local.large}`",
            ));
            return None;
        }
        let cloud_type = name.contains('.') && !name.starts_with("local.");
        if for_provider || !(cloud_type || self.written_for_cloud()) || name.starts_with("local.") {
            let known = LOCAL_SIZES.iter().map(|(size, _, _)| *size).chain([HOST]);
            let problem =
                Diagnostic::error("bad-value", format!("local has no type `{text}`")).at(span, "");
            self.found.push(problem.help(match nearest(&name, known.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "there are {}, or `{{cores: 2, memory: 4GiB}}`",
                    known.collect::<Vec<_>>().join(", ")
                ),
            }));
            return None;
        }
        self.note(span, format!("{text} has no meaning on local; the node is not limited"));
        free(&name)
    }

    fn needs(&mut self, needs: &Needs, span: Span) -> Option<(String, NodeLimits)> {
        if let Some(gpus) = needs.gpus.get().filter(|gpus| gpus.value.0 > 0)
            && self.provider == Some(ProviderKind::Local)
        {
            let problem = Diagnostic::error(
                "not-on-provider",
                "nodes on this machine get no graphics processors",
            );
            self.found.push(problem.at(gpus.span, ""));
        }
        if needs.cores.is_absent() && needs.memory.is_absent() {
            let problem =
                Diagnostic::error("missing-key", "say how many `cores` or how much `memory`")
                    .at(span, "");
            self.found.push(problem);
        }
        if let Some(memory) = needs.memory.get().filter(|memory| memory.value < LOCAL_MEMORY_MIN) {
            let message = format!(
                "{} is too little for a node, the least is {LOCAL_MEMORY_MIN}",
                memory.value
            );
            self.found.push(Diagnostic::error("bad-value", message).at(memory.span, ""));
        }
        let (memory, cores) = (needs.memory.value().copied(), needs.cores.value().copied());
        let gpus =
            needs.gpus.value().filter(|gpus| gpus.0 > 0).map(|gpus| format!("{} gpus", gpus.0));
        let parts =
            [cores.map(|cores| cores.to_string()), memory.map(|memory| memory.to_string()), gpus];
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let limits = match self.provider {
            Some(ProviderKind::Local) => local_limits(memory, cores),
            Some(_) | None => NodeLimits::default(),
        };
        Some((text, limits))
    }

    fn written_for_cloud(&self) -> bool {
        matches!(self.written_for, Some(ProviderKind::Ec2 | ProviderKind::Openstack))
    }

    fn note(&mut self, span: Span, message: String) {
        self.found.push(Diagnostic::note("no-meaning-here", message).at(span, ""));
    }
}

fn local_limits(memory: Option<Memory>, cores: Option<Cores>) -> NodeLimits {
    NodeLimits {
        memory_bytes: memory.map(|memory| memory.bytes),
        cores_milli: cores.map(|cores| cores.milli),
        processes: Some(LOCAL_PROCESSES_MAX),
    }
}

/// Whether an image is named by an id that only a cloud can know.
fn is_cloud_id(image: &str) -> bool {
    let hexadecimal = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_hexdigit());
    let uuid =
        image.len() == 36 && image.split('-').count() == 5 && image.split('-').all(hexadecimal);
    uuid || image.strip_prefix("ami-").is_some_and(hexadecimal)
}

/// Whether an instance type of EC2 has graphics processors or other
/// accelerators, by its family.
fn has_gpu(name: &str) -> bool {
    let Some((family, _)) = name.split_once('.') else { return false };
    let letters = family.trim_end_matches(|c: char| !c.is_ascii_digit());
    let letters = letters.trim_end_matches(|c: char| c.is_ascii_digit());
    matches!(letters, "p" | "g" | "gr" | "trn" | "inf" | "dl" | "f" | "vt")
}
