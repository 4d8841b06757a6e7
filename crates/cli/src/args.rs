//! The command line: global flags and the list of commands. Each command's own
//! arguments stand beside what it does, in [`crate::command`].

use clap::{ArgAction, Args, Parser, Subcommand};
use clap_complete::engine::ArgValueCompleter;

use crate::command;
use crate::complete;
use crate::exit::EXIT_CODES;
use crate::output::Mode;
use crate::paint::Colour;

const EXAMPLES: &str = "\
Examples:
  squall demo                            see it work, from nothing to nothing
  squall create cluster.yaml --provider local
  squall run 'worker[1-8]' -- hostname   one command on eight nodes
  squall ssh demo                        a shell on the head of `demo`
  squall delete demo

Targets select nodes: names (`worker1`), globs (`worker*`), ranges (`worker[1-8]`),
`state=running`, `cores>=8`, `name~/regex/`, `demo:worker*`, a cluster's name, or `@set`,
joined by `A,B` `A!B` `A&B` `A^B`; `squall nodes TARGET` prints what one selects.
They are taken within -C CLUSTER, or within the only cluster there is.
Quote them: shells read `[` and `*` too.";

/// Makes compute clusters on this machine from a small YAML file, and runs
/// commands on all their nodes at once; clouds are not made yet.
#[derive(Debug, Parser)]
#[command(name = "squall", version, max_term_width = 100)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Take names of nodes within this cluster
    #[arg(short = 'C', long, global = true, value_name = "CLUSTER", env = "SQUALL_CLUSTER")]
    #[arg(hide_env_values = true, add = ArgValueCompleter::new(complete::clusters))]
    pub(crate) cluster: Option<String>,
    /// Write JSON (see the manual's page "JSON")
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Do not ask before changing something
    #[arg(short, long, global = true)]
    pub(crate) yes: bool,
    /// Show results and errors only
    #[arg(short, long, global = true, conflicts_with = "json")]
    pub(crate) quiet: bool,
    /// Trace to standard error, more with each; with `show`: more of each node
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Colour the output; auto: on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t)]
    pub(crate) color: Colour,
}

impl GlobalArgs {
    /// The form output takes.
    pub(crate) const fn mode(&self) -> Mode {
        match (self.json, self.quiet) {
            (true, _) => Mode::Json,
            (false, true) => Mode::Quiet,
            (false, false) => Mode::Human,
        }
    }
}

/// The commands, in the order of the help.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(command::demo::DemoArgs),
    Doctor(command::doctor::DoctorArgs),
    Plan(command::plan::PlanArgs),
    Create(command::create::CreateArgs),
    List(command::list::ListArgs),
    Show(command::show::ShowArgs),
    Nodes(command::nodes::NodesArgs),
    Status(command::status::StatusArgs),
    Run(command::run::RunArgs),
    Put(command::put::PutArgs),
    Get(command::get::GetArgs),
    Ssh(command::ssh::SshArgs),
    Inventory(command::inventory::InventoryArgs),
    Stop(command::stop::StopArgs),
    Start(command::start::StartArgs),
    Reboot(command::reboot::RebootArgs),
    Terminate(command::terminate::TerminateArgs),
    Console(command::console::ConsoleArgs),
    Update(command::update::UpdateArgs),
    Delete(command::delete::DeleteArgs),
    Forget(command::forget::ForgetArgs),
    Completions(command::completions::CompletionsArgs),
    Schema(command::schema::SchemaArgs),
    SshConfig(command::ssh_config::SshConfigArgs),
    #[command(name = "__proxy", hide = true)]
    Proxy(command::proxy::ProxyArgs),
}

impl Command {
    /// The word typed for it, for traces; arguments may hold what is nobody's
    /// business.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Demo(_) => "demo",
            Self::Doctor(_) => "doctor",
            Self::Plan(_) => "plan",
            Self::Create(_) => "create",
            Self::List(_) => "list",
            Self::Show(_) => "show",
            Self::Nodes(_) => "nodes",
            Self::Status(_) => "status",
            Self::Run(_) => "run",
            Self::Put(_) => "put",
            Self::Get(_) => "get",
            Self::Ssh(_) => "ssh",
            Self::Inventory(_) => "inventory",
            Self::Stop(_) => "stop",
            Self::Start(_) => "start",
            Self::Reboot(_) => "reboot",
            Self::Terminate(_) => "terminate",
            Self::Console(_) => "console",
            Self::Update(_) => "update",
            Self::Delete(_) => "delete",
            Self::Forget(_) => "forget",
            Self::Completions(_) => "completions",
            Self::Schema(_) => "schema",
            Self::SshConfig(_) => "ssh-config",
            Self::Proxy(_) => "__proxy",
        }
    }

    /// How many `-v`s ask for traces: `show` takes them for itself.
    pub(crate) const fn trace_level(&self, global: &GlobalArgs) -> u8 {
        match self {
            Self::Show(_) => 0,
            _ => global.verbose,
        }
    }

    /// What is said at the first Ctrl-C: nothing where the command's own end
    /// says all.
    pub(crate) const fn says_stopping(&self) -> bool {
        matches!(
            self,
            Self::Demo(_)
                | Self::Create(_)
                | Self::Update(_)
                | Self::Delete(_)
                | Self::Terminate(_)
                | Self::Start(_)
                | Self::Stop(_)
                | Self::Reboot(_)
                | Self::Put(_)
                | Self::Get(_)
        )
    }
}

/// The spec of a command and what the command line changes in it.
#[derive(Debug, Clone, Args)]
pub(crate) struct SpecArgs {
    /// The spec: a YAML file, or `-` for standard input
    #[arg(value_name = "SPEC", value_hint = clap::ValueHint::FilePath)]
    pub(crate) spec: std::path::PathBuf,
    /// Where the nodes come from, over what the spec says: local, ec2, openstack
    #[arg(long, value_name = "PROVIDER")]
    pub(crate) provider: Option<String>,
    /// Name of the cluster, over what the spec says
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Set a value of the spec, as in `nodes.worker.count=4`; repeatable
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub(crate) set: Vec<String>,
}

/// A word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = !word.is_empty()
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./=:,@%+".contains(&byte));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// How far a target may reach.
#[derive(Debug, Clone, Args)]
pub(crate) struct ReachArgs {
    /// Allow a target that selects nodes of several clusters
    #[arg(long)]
    pub(crate) all_clusters: bool,
}

#[cfg(test)]
mod tests;
