//! What commands take: a target among the hosts that the user lists, and the
//! way to them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgGroup, Args};
use model::target::Member;
use serde_json::{Map, Value};
use transport::jump::JumpDial;
use transport::ssh_config::{Config, Environment};

use super::file::ListedHost;
use super::identities::{Identities, KeySources};
use super::known::KnownFiles;
use super::way::{Blocked, Said, Ways};
use super::{listed, passphrase};
use crate::args::quoted;
use crate::context::{self, Context};
use crate::exit::{CommandError, Exit};
use crate::reach::{Reached, ReachedNode, Unreached};
use crate::scope;

/// The system's ssh configuration.
const SYSTEM_CONFIG: &str = "/etc/ssh/ssh_config";

/// Where the help lists these flags.
const HEADING: &str = "Any hosts";

/// Takes nodes from the user's lists instead of from clusters.
#[derive(Debug, Clone, Default, Args)]
#[command(group = ArgGroup::new("host_lists").multiple(true))]
pub(crate) struct HostArgs {
    /// Take nodes from a list of hosts, one or `n[1-8]` a line; `-` is standard input
    #[arg(help_heading = HEADING, long, value_name = "FILE", group = "host_lists", value_hint = clap::ValueHint::FilePath)]
    pub(crate) hosts: Option<String>,
    /// Take nodes from an ssh configuration, with --hosts only settings [default FILE: ~/.ssh/config]
    #[arg(help_heading = HEADING, long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "", group = "host_lists")]
    pub(crate) ssh_config: Option<String>,
    /// Log in to hosts as this user
    #[arg(help_heading = HEADING, long, value_name = "NAME", requires = "host_lists")]
    pub(crate) user: Option<String>,
    /// Log in to hosts with this key file first; repeatable
    #[arg(help_heading = HEADING, short, long, value_name = "FILE", requires = "host_lists")]
    pub(crate) identity: Vec<PathBuf>,
    /// Accept and record the key of a host that is new; one that changed is refused
    #[arg(help_heading = HEADING, long, requires = "host_lists")]
    pub(crate) accept_new_host_keys: bool,
}

impl HostArgs {
    /// Whether nodes are taken from lists and not from clusters.
    pub(crate) const fn are_given(&self) -> bool {
        self.hosts.is_some() || self.ssh_config.is_some()
    }
}

/// The hosts that a target selects of the user's lists.
pub(crate) struct Selected {
    ways: Ways,
    /// In natural order of names.
    hosts: Vec<(ListedHost, Member)>,
}

/// Takes what a target selects of the user's lists. Without a target all of
/// them.
///
/// # Errors
/// What is wrong with a list or the target; nothing is selected.
pub(crate) fn select(
    context: &Context,
    args: &HostArgs,
    target: Option<&str>,
    exclude: &[String],
) -> Result<Selected, CommandError> {
    let ways = ways(context, args)?;
    let hosts = hosts(args, &ways.config)?;
    let members: Vec<Member> = hosts.iter().map(|host| member(host, args, &ways)).collect();
    let none = BTreeSet::new();
    let chosen = scope::select_members(context, members.clone(), &none, None, target, exclude)?;
    if chosen.is_empty() {
        let all_left_out = !exclude.is_empty()
            && !scope::select_members(context, members, &none, None, target, &[])?.is_empty();
        let left_out = if all_left_out { scope::leaving_out(exclude) } else { String::new() };
        return Err(nothing(target, &left_out, &hosts));
    }
    let both: Vec<(ListedHost, Member)> = hosts.into_iter().zip(members).collect();
    let hosts = chosen.into_iter().filter_map(|at| both.get(at).cloned()).collect();
    Ok(Selected { ways, hosts })
}

/// The hosts that a target selects of the user's lists, and the way to them.
///
/// # Errors
/// As [`select`], and what is wrong with a key.
pub(crate) async fn reach(
    context: &Context,
    args: &HostArgs,
    target: &str,
    exclude: &[String],
) -> Result<Reached, CommandError> {
    let Selected { mut ways, hosts } = select(context, args, Some(target), exclude)?;
    let mut nodes = Vec::with_capacity(hosts.len());
    let mut unreached = Vec::new();
    for (host, member) in hosts {
        match ways.target(&host.name, &said(&host, args)).await {
            Ok(target) => nodes.push(ReachedNode { target, member }),
            Err(Blocked::Circle { host: bastion }) => unreached.push(Unreached {
                name: host.name,
                why: format!("the bastions before {bastion} lead in a circle"),
                mend: Some("see ProxyJump in the ssh configuration".to_owned()),
            }),
            Err(Blocked::Command(error)) => return Err(*error),
        }
    }
    let dial = JumpDial::new(context.world.dial(), ways.bastions);
    Ok(Reached { dial: Arc::new(dial), nodes, unreached })
}

impl Selected {
    /// Their names.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.hosts.iter().map(|(host, _)| host.name.as_str()).collect()
    }

    /// Each, with what plain ssh is to be told; it reads the user's own
    /// configuration itself.
    pub(crate) fn connections<'a>(
        &'a self,
        args: &'a HostArgs,
    ) -> impl Iterator<Item = (&'a Member, Map<String, Value>)> {
        let config = args.ssh_config.as_deref().filter(|file| !file.is_empty());
        self.hosts.iter().map(move |(host, member)| {
            let mut variables = Map::new();
            let mut put = |key: &str, value: Option<Value>| {
                variables.extend(value.map(|value| (key.to_owned(), value)));
            };
            let said = said(host, args);
            put("ansible_host", said.address.map(Value::from));
            put("ansible_user", said.user.map(Value::from));
            put("ansible_port", said.port.map(Value::from));
            let key = args.identity.first().map(|file| file.display().to_string().into());
            put("ansible_ssh_private_key_file", key);
            let named = config.map(|file| format!("-F {}", quoted(file)).into());
            put("ansible_ssh_common_args", named);
            (member, variables)
        })
    }
}

fn hosts(args: &HostArgs, config: &Config) -> Result<Vec<ListedHost>, CommandError> {
    let hosts = match &args.hosts {
        Some(file) => listed::read(file)?,
        // Beside a list the configuration has settings only: its hosts were not
        // named.
        None => {
            let named = |name| ListedHost { name, ..ListedHost::default() };
            config.hosts().into_iter().map(named).collect()
        }
    };
    if hosts.is_empty() {
        let error = CommandError::new(Exit::NotFound, "there is no host in these lists");
        return Err(error.hint("--hosts takes one host a line; --ssh-config its `Host` names"));
    }
    Ok(hosts)
}

fn ways(context: &Context, args: &HostArgs) -> Result<Ways, CommandError> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let config = configuration(context, args, &home)?;
    let sources = KeySources {
        home: home.clone(),
        named: args.identity.clone(),
        own_key: context.paths.key(),
        agent: std::env::var_os("SSH_AUTH_SOCK").filter(|path| !path.is_empty()).map(PathBuf::from),
    };
    let ask = passphrase::asking(context.printer.can_ask);
    Ok(Ways {
        config,
        home,
        local_user: crate::world::account_name(),
        identities: Identities::new(sources, ask, context.printer),
        known: KnownFiles::default(),
        accept_new: args.accept_new_host_keys,
        now_s: u64::try_from(context::now().as_second()).unwrap_or_default(),
        printer: context.printer,
        bastions: BTreeMap::new(),
    })
}

/// The ssh configuration: a file that is named counts alone, else the user's
/// and after it the system's, as with ssh.
fn configuration(context: &Context, args: &HostArgs, home: &Path) -> Result<Config, CommandError> {
    let named = args.ssh_config.as_deref().filter(|file| !file.is_empty());
    let (file, system) = match named {
        Some(file) => (PathBuf::from(file), None),
        None => (home.join(".ssh/config"), Some(Path::new(SYSTEM_CONFIG))),
    };
    if named.is_some() && !file.exists() {
        let message = format!("there is no ssh configuration {}", file.display());
        return Err(CommandError::new(Exit::NotFound, message));
    }
    let text = |value: std::ffi::OsString| value.into_string().ok();
    let environment = Environment {
        home: home.to_owned(),
        user: crate::world::account_name(),
        uid: rustix::process::getuid().as_raw(),
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        variables: std::env::vars_os()
            .filter_map(|(key, value)| Some((text(key)?, text(value)?)))
            .collect(),
    };
    let config = Config::read(&file, system, environment).map_err(|error| {
        let message = format!("failed to read the ssh configuration {}", file.display());
        CommandError::new(Exit::Failed, message).cause(error)
    })?;
    let (fatal, rest): (Vec<_>, Vec<_>) = config.problems().iter().partition(|one| one.fatal);
    for problem in rest {
        context.printer.warn(format!("{}: {}", problem.place, problem.text));
    }
    if fatal.is_empty() {
        return Ok(config);
    }
    let mut error = CommandError::new(Exit::Usage, "the ssh configuration is wrong");
    error.details = fatal.iter().map(|one| format!("{}: {}", one.place, one.text)).collect();
    Err(error)
}

/// What is said of a host here: its line counts most, then the flags.
fn said(host: &ListedHost, args: &HostArgs) -> Said {
    Said {
        user: host.user.clone().or_else(|| args.user.clone()),
        port: host.port,
        address: host.address.clone(),
    }
}

/// A host as targets see it.
fn member(host: &ListedHost, args: &HostArgs, ways: &Ways) -> Member {
    let settled = ways.settled(&host.name, &said(host, args));
    let mut fields: BTreeMap<String, Vec<String>> =
        host.tags.iter().map(|(key, value)| (key.clone(), vec![value.clone()])).collect();
    let mut put = |key: &str, value: String| {
        fields.insert(key.to_owned(), vec![value]);
    };
    if settled.host.parse::<IpAddr>().is_ok() {
        put("ip", settled.host.clone());
    }
    put("address", settled.host);
    put("user", settled.user.clone());
    put("username", settled.user);
    put("port", settled.port.to_string());
    Member { cluster: String::new(), name: host.name.clone(), fields, tags: host.tags.clone() }
}

fn nothing(target: Option<&str>, left_out: &str, hosts: &[ListedHost]) -> CommandError {
    let target = target.unwrap_or("*");
    let names = model::target::fold(hosts.iter().map(|host| host.name.as_str()));
    let shown: String = names.chars().take(200).collect();
    let more = if shown.len() < names.len() { "…" } else { "" };
    let message = format!("`{target}` selects no host of these lists{left_out}");
    CommandError::new(Exit::NotFound, message).hint(format!("they have {shown}{more}"))
}
