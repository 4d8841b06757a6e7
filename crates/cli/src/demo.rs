//! The demonstration: a cluster on this machine, a job that its nodes share,
//! and the cluster's end, by the same functions that the commands call.

use model::inventory::ClusterSummary;
use model::name::ClusterName;
use model::plan::Intent;
use model::resolved::{ProviderKind, Resolved};
use model::span::Sources;
use model::spec::{Files, LoadOptions};
use transport::fanout::{self, Assignment, RunEventKind, RunOptions, Stop, StreamName};

use crate::change::{self, Change};
use crate::context::{self, Context};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::paint::Look;
use crate::render::{self, Detail};
use crate::run_output::{OutputArgs, RunNodes, RunOutput};
use crate::signals::Interrupt;
use crate::{reach, scope};

/// Names that are tried before giving up.
const NAMES_MAX: u32 = 1000;

/// Half the edge of the square of points that the job counts.
const RADIUS: u64 = 4000;

/// The job: counts the node's share of the points of a quarter of a circle, and
/// knocks at the door of every other node by its name. Plain POSIX shell, but
/// for the knocking, which takes bash where there is one.
const JOB: &str = r#"
me=$(uname -n); count=0; at=0; rank=0; reached=
for node in $NODES; do
  [ "$node" = "$me" ] && rank=$at
  at=$((at + 1))
  if command -v bash >/dev/null; then
    bash -c "exec 3<>/dev/tcp/$node/$PORT" 2>/dev/null && reached="$reached $node"
  else
    getent hosts "$node" >/dev/null && reached="$reached $node"
  fi
done
x=$rank; y=$RADIUS
while [ $x -lt $RADIUS ]; do
  while [ $((x * x + y * y)) -gt $((RADIUS * RADIUS)) ]; do y=$((y - 1)); done
  count=$((count + y)); x=$((x + at))
done
echo "process $$ counted $count points and reached by name:$reached"
"#;

/// Shows it all; whatever happens on the way, only `--keep` leaves a cluster.
pub(crate) async fn run(context: &Context, count: u32, keep: bool) -> CommandResult {
    let listing = context.world.clusters().await.all()?;
    let name = free_name(&listing)?;
    let text = spec_text(&name, count);
    let spec = resolve(&text)?;
    let demo = Demo {
        context: context.assured(context.interrupt.clone()),
        name,
        sources: Sources::default(),
    };
    demo.tell("A cluster is described in a small file:");
    demo.lines(text.lines().map(|line| format!("    {line}")))?;
    let shown = demo.show_all(&spec).await;
    let failed = shown.is_err() || context.interrupt.is_stopping();
    if keep && !failed {
        demo.tell("The cluster is yours. To go on with it, and to remove it:");
        demo.lines(demo.what_next().map(|line| demo.typed(&line)))?;
        return shown;
    }
    // A stop that was asked for must not stop the clearing away as well; a
    // second one does.
    let abort = context.interrupt.abort.clone();
    let clearing = Demo { context: context.assured(Interrupt::at_once(abort)), ..demo };
    let cleared = clearing.clear(&spec).await;
    match (shown, cleared) {
        (Ok(Exit::Done), Ok(exit)) if !failed => Ok(exit),
        (Ok(_), Ok(_)) => Ok(Exit::Interrupted),
        (Err(error), Ok(_)) | (_, Err(error)) => Err(error),
    }
}

struct Demo {
    context: Context,
    name: ClusterName,
    /// What plans point into: nothing that a user wrote.
    sources: Sources,
}

impl Demo {
    async fn show_all(&self, spec: &Resolved) -> CommandResult {
        self.command("squall create demo.yaml --yes")?;
        change::run(&self.context, &self.change(Intent::Create, Some(spec))).await?;
        if self.context.interrupt.is_stopping() {
            return Ok(Exit::Interrupted);
        }
        self.command(&format!("squall show {}", self.name))?;
        self.show().await?;
        self.tell("A job for all of them: what share of a square lies within its circle?");
        self.command(&format!("squall run {} -- \"$(cat count.sh)\"", self.name))?;
        self.job().await
    }

    async fn show(&self) -> Result<(), CommandError> {
        let found = scope::look(&self.context, Some(&self.target())).await?;
        let printer = self.context.printer;
        let lines = render::nodes(&found.shown()?, Detail::Line, context::now(), printer.out);
        self.lines(lines)
    }

    async fn job(&self) -> CommandResult {
        let context = &self.context;
        let found = scope::look(context, Some(&self.target())).await?;
        let groups = found.groups(&crate::args::ReachArgs { all_clusters: false })?;
        let reached = reach::reach(context, &groups).await?;
        let names: Vec<&str> = reached.nodes.iter().map(|node| &*node.target.name).collect();
        let port = reached.nodes.first().map_or(22, |node| node.target.endpoint.port());
        let command = format!("NODES='{}'; PORT={port}; RADIUS={RADIUS}{JOB}", names.join(" "));
        let nodes = RunNodes::from(&reached);
        let args = OutputArgs::default();
        let mut output = RunOutput::new(context.printer, &args, nodes, &context.paths)?;
        // A run aborts its token when it is over, which nobody else must hear.
        let stop = Stop {
            cancel: context.interrupt.stop.clone(),
            abort: context.interrupt.abort.child_token(),
        };
        let options = RunOptions::default();
        let assignments = Assignment::each(reached.targets(), &command);
        let mut run = fanout::run(reached.dial, assignments, options, stop);
        let mut points = 0_u64;
        while let Some(event) = run.events.recv().await {
            if let RunEventKind::Output { stream: StreamName::Out, bytes, .. } = &event.kind {
                points += bytes.split(|byte| *byte == b'\n').filter_map(counted).sum::<u64>();
            }
            output.event(&event)?;
            output.flush()?;
        }
        let ending = output.end(&run.summary().await)?;
        if context.interrupt.is_stopping() {
            return Ok(Exit::Interrupted);
        }
        if !ending.all_succeeded {
            return Err(CommandError::new(Exit::Failed, "the job failed on some node"));
        }
        self.tell(&format!("Together they counted {points} points: pi is about {}.", pi(points)));
        Ok(Exit::Done)
    }

    /// Removes the cluster, if it came to be one.
    async fn clear(&self, spec: &Resolved) -> CommandResult {
        let listing = self.context.world.clusters().await.all()?;
        if !listing.iter().any(|cluster| cluster.name == spec.cluster) {
            return Ok(Exit::Done);
        }
        self.command(&format!("squall delete {} --yes", self.name))?;
        change::run(&self.context, &self.change(Intent::Delete, None)).await
    }

    fn change<'a>(&'a self, intent: Intent, spec: Option<&'a Resolved>) -> Change<'a> {
        Change {
            controller: self.context.world.local_controller(),
            intent,
            cluster: self.name.clone(),
            spec,
            sources: &self.sources,
        }
    }

    fn target(&self) -> String {
        format!("cluster={}", self.name)
    }

    fn what_next(&self) -> impl Iterator<Item = String> + use<> {
        let name = self.name.clone();
        ["show", "run", "ssh", "status", "delete"].into_iter().map(move |word| match word {
            "run" => format!("squall run {name} -- uname -a"),
            word => format!("squall {word} {name}"),
        })
    }

    /// A command as it is typed, before what it prints.
    fn command(&self, command: &str) -> Result<(), CommandError> {
        self.lines([String::new(), self.typed(command)])
    }

    fn typed(&self, command: &str) -> String {
        let command = self.context.printer.out.text(Look::Command, command);
        format!("$ {command}")
    }

    fn tell(&self, text: &str) {
        let _ = self.lines([String::new(), text.to_owned()]);
    }

    /// Lines of the story; none where only results or documents are wanted.
    fn lines<T: AsRef<str>>(&self, lines: impl IntoIterator<Item = T>) -> Result<(), CommandError> {
        let printer = self.context.printer;
        if !printer.is_json() && !printer.is_quiet() {
            printer.lines(lines)?;
        }
        Ok(())
    }
}

fn free_name(clusters: &[ClusterSummary]) -> Result<ClusterName, CommandError> {
    let is_free = |name: &str| {
        clusters.iter().all(|cluster| !cluster.name.as_str().eq_ignore_ascii_case(name))
    };
    std::iter::once("demo".to_owned())
        .chain((2..NAMES_MAX).map(|number| format!("demo-{number}")))
        .find(|name| is_free(name))
        .and_then(|name| ClusterName::parse(&name).ok())
        .ok_or_else(|| CommandError::new(Exit::Refused, "there are too many demonstrations"))
}

fn spec_text(name: &ClusterName, count: u32) -> String {
    let mut text = format!(
        "cloud:\n  provider: local\ncluster:\n  name: {name}\nnodes:\n- nodename: master\n  \
         instance_type: local.small\n"
    );
    if count > 1 {
        let workers = count - 1;
        text.push_str("- nodename: worker\n  instance_type: local.nano\n");
        text.push_str(&format_args!("  count: {workers}\n").to_string());
    }
    text
}

fn resolve(text: &str) -> Result<Resolved, CommandError> {
    let options = LoadOptions {
        provider: Some(ProviderKind::Local.as_str().to_owned()),
        ..LoadOptions::default()
    };
    let loaded = model::spec::load("demo.yaml", text.as_bytes(), &options);
    let resolved = model::spec::resolve(loaded, &Files::new());
    resolved
        .map(|resolution| resolution.spec)
        .map_err(|found| CommandError::diagnostics("the demonstration's own spec is wrong", found))
}

/// The points that a node says it counted.
fn counted(line: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(line).ok()?;
    let (_, rest) = text.split_once(" counted ")?;
    rest.split(' ').next()?.parse().ok()
}

/// Four times the share of the square, in ten-thousandths.
fn pi(points: u64) -> String {
    let value = points.saturating_mul(40_000) / (RADIUS * RADIUS);
    format!("{}.{:04}", value / 10_000, value % 10_000)
}

#[cfg(test)]
mod tests {
    use super::{counted, pi, resolve, spec_text};
    use model::name::ClusterName;

    #[test]
    fn the_demonstrations_spec_is_right_for_every_count() {
        let name = ClusterName::parse("demo-2").unwrap();
        for count in [1, 2, 3, 200] {
            let spec = resolve(&spec_text(&name, count)).unwrap();
            assert_eq!(spec.node_count(), count);
            assert_eq!(spec.head().unwrap().as_str(), "master");
        }
    }

    #[test]
    fn shares_add_up_to_pi() {
        let line = b"process 7 counted 1234 points and reached by name: master";
        assert_eq!(counted(line), Some(1234));
        assert_eq!(counted(b"\xff"), None);
        assert_eq!(pi(12_566_370), "3.1415");
    }
}
