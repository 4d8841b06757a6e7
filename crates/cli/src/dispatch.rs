//! From a parsed command to the function that does it.

use crate::args::Command;
use crate::command;
use crate::context::Context;
use crate::exit::CommandResult;

/// Runs the command.
pub(crate) async fn run(context: &Context, command: Command) -> CommandResult {
    match command {
        Command::Demo(args) => command::demo::run(context, &args).await,
        Command::Doctor(args) => command::doctor::run(context, &args).await,
        Command::Plan(args) => command::plan::run(context, &args).await,
        Command::Create(args) => command::create::run(context, &args).await,
        Command::List(args) => command::list::run(context, &args).await,
        Command::Show(args) => command::show::run(context, &args).await,
        Command::Nodes(args) => command::nodes::run(context, &args).await,
        Command::Status(args) => command::status::run(context, &args).await,
        Command::Run(args) => command::run::run(context, &args).await,
        Command::Put(args) => command::put::run(context, &args).await,
        Command::Get(args) => command::get::run(context, &args).await,
        Command::Ssh(args) => command::ssh::run(context, &args).await,
        Command::Inventory(args) => command::inventory::run(context, &args).await,
        Command::Stop(args) => command::stop::run(context, &args).await,
        Command::Start(args) => command::start::run(context, &args).await,
        Command::Reboot(args) => command::reboot::run(context, &args).await,
        Command::Terminate(args) => command::terminate::run(context, &args).await,
        Command::Console(args) => command::console::run(context, &args).await,
        Command::Update(args) => command::update::run(context, &args).await,
        Command::Delete(args) => command::delete::run(context, &args).await,
        Command::Forget(args) => command::forget::run(context, &args).await,
        Command::Completions(args) => command::completions::run(context, &args),
        Command::Schema(args) => command::schema::run(context, &args),
        Command::SshConfig(args) => command::ssh_config::run(context, &args).await,
        Command::Proxy(args) => command::proxy::run(context, &args).await,
    }
}
