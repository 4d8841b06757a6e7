//! The printing of one run: takes its events, has them shown as the user wants
//! it, and tells at the end how it went.

use std::io;
use std::path::PathBuf;
use std::time::Instant;

use model::target::fold;
use transport::fanout::{Outcome, RunEvent, RunEventKind, RunSummary, StreamName};
use transport::gather::{Gather, GatherOptions, NodeFacts};

use super::args::{OutputArgs, View};
use super::ending::Ending;
use super::files::OutputFiles;
use super::folded::{self, Style};
use super::live::Live;
use super::state::RunState;
use super::streams::{OutWriter, Streams, Way};
use super::{by_node, json, summary};
use crate::exit::CommandError;
use crate::output::Printer;
use crate::paint::Look;
use crate::paths::Paths;
use crate::reach::{Reached, Unreached};

/// The nodes of a run, as what they print is shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunNodes {
    /// Those that are tried, in the order of the run.
    pub(crate) tried: Vec<NodeFacts>,
    /// Those that cannot be tried.
    pub(crate) unreached: Vec<Unreached>,
}

impl From<&Reached> for RunNodes {
    fn from(reached: &Reached) -> Self {
        let tried = reached.nodes.iter().map(|node| {
            let host = node.target.endpoint.host();
            let mut facts =
                NodeFacts::new(&*node.target.name).called(&node.member.name).called(&host);
            for key in ["ip", "external_ip", "internal_ip"] {
                for address in node.member.fields.get(key).into_iter().flatten() {
                    facts = facts.called(address);
                }
            }
            facts
        });
        Self { tried: tried.collect(), unreached: reached.unreached.clone() }
    }
}

/// The printing of one run.
#[derive(Debug)]
pub(crate) struct RunOutput {
    args: OutputArgs,
    is_json: bool,
    /// Whether anything of the output is shown.
    shows: bool,
    unreached: Vec<Unreached>,
    streams: Streams,
    state: RunState,
    live: Live,
    /// What is shown at the end.
    gather: Option<Gather>,
    files: Option<OutputFiles>,
    outcomes: Vec<Option<Outcome>>,
    /// Nodes where something holds the output of a command that has ended.
    left_open: Vec<String>,
}

impl RunOutput {
    /// Nothing is printed yet.
    ///
    /// # Errors
    /// When the directory for files is refused or cannot be made.
    pub(crate) fn new(
        printer: Printer,
        args: &OutputArgs,
        nodes: RunNodes,
        paths: &Paths,
    ) -> Result<Self, CommandError> {
        let streams = Streams::of_process(printer);
        let shows = !(printer.is_quiet() && args.output_dir.is_some());
        let mut made = Self::with_streams(args, nodes, streams, spill_directories(paths))?;
        made.is_json = printer.is_json();
        made.shows = shows;
        Ok(made)
    }

    fn with_streams(
        args: &OutputArgs,
        nodes: RunNodes,
        streams: Streams,
        directories: Vec<PathBuf>,
    ) -> Result<Self, CommandError> {
        let names = nodes.tried.iter().map(|facts| facts.name.as_str());
        let files = match &args.output_dir {
            Some(directory) => Some(OutputFiles::new(directory, args, names.clone())?),
            None => None,
        };
        let live = Live::new(names.clone(), streams.out_face, streams.err_face);
        let all: Vec<String> = names.map(str::to_owned).collect();
        let count = all.len();
        let gather = (args.view() != View::Live)
            .then(|| Gather::new(nodes.tried, GatherOptions::new(args.text(), directories)));
        Ok(Self {
            args: args.clone(),
            is_json: false,
            shows: true,
            state: RunState::new(all, nodes.unreached.len()),
            unreached: nodes.unreached,
            streams,
            live,
            gather,
            files,
            outcomes: vec![None; count],
            left_open: Vec::new(),
        })
    }

    /// Takes one event. What it prints may wait for [`Self::flush`].
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn event(&mut self, event: &RunEvent) -> io::Result<()> {
        if self.is_json && self.shows {
            let mut written = Ok(());
            self.streams.append(Way::Out, |into| written = json::event(event, into))?;
            written?;
        }
        match &event.kind {
            RunEventKind::Output { stream, .. } => return self.output(event, *stream),
            RunEventKind::Started => {
                if let Some(files) = &mut self.files {
                    files.begin(event.index);
                }
            }
            RunEventKind::Finished { outcome, .. } => {
                if let Some(files) = &mut self.files {
                    files.end(event.index);
                }
                if let Some(place) = self.outcomes.get_mut(event.index) {
                    *place = Some(outcome.clone());
                }
            }
            RunEventKind::LeftOpen => self.left_open.push(event.node.to_string()),
            RunEventKind::Connecting => {}
        }
        if self.state.take(event, Instant::now()) {
            self.streams.line.show(|| self.state.message());
        }
        Ok(())
    }

    fn output(&mut self, event: &RunEvent, stream: StreamName) -> io::Result<()> {
        let RunEventKind::Output { bytes, end, .. } = &event.kind else { return Ok(()) };
        if let Some(files) = &mut self.files {
            files.push(event.index, stream, bytes, *end);
        }
        if self.is_json || !self.shows {
            return Ok(());
        }
        if let Some(gather) = &mut self.gather {
            gather.push(event.index, stream, bytes, *end);
            // What is not shown at the end is shown now.
            if gather.text().has(stream) && !self.args.live {
                return Ok(());
            }
        }
        let way = match stream {
            StreamName::Out => Way::Out,
            StreamName::Err => Way::Err,
        };
        let live = &mut self.live;
        self.streams.append(way, |into| live.append(event.index, stream, bytes, *end, into))
    }

    /// Writes what waits; to be called when no event is at hand.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.streams.flush()
    }

    /// Which nodes are not done yet, folded, and for how long; a line for each
    /// way of not being done. For who presses Ctrl-C or asks otherwise.
    pub(crate) fn running(&self) -> Vec<String> {
        self.state.running(Instant::now())
    }

    /// Leaves the terminal to somebody else, until the next event that changes
    /// something.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn pause(&mut self) -> io::Result<()> {
        self.streams.flush()?;
        self.streams.line.end();
        Ok(())
    }

    /// Says a line on standard error, between lines of output.
    ///
    /// # Errors
    /// When output that came before it cannot be written.
    pub(crate) fn say(&mut self, line: &str) -> io::Result<()> {
        self.streams.say(line)?;
        self.streams.flush()
    }

    /// Shows what is shown at the end: folded output, blocks, and where it
    /// failed.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn end(&mut self, run: &RunSummary) -> io::Result<Ending> {
        self.pause()?;
        let mut ending = Ending::new(run, self.unreached.len(), self.args.max_exit_code);
        if self.is_json {
            let mut written = Ok(());
            let unreached = &self.unreached;
            self.streams.append(Way::Out, |into| written = json::summary(run, unreached, into))?;
            written?;
        } else {
            self.view()?;
            self.pause()?;
        }
        if self.say_troubles()? {
            ending.spoil();
        }
        if !self.is_json {
            self.say_left_open()?;
            for line in summary::failures(run, &self.unreached, self.streams.err_face.paint) {
                self.streams.say(&line)?;
            }
        }
        self.streams.flush()?;
        Ok(ending)
    }

    /// What commands left behind may print more, which is not waited for: it
    /// may never end. Saying nothing would pass for all of the output.
    fn say_left_open(&mut self) -> io::Result<()> {
        if self.left_open.is_empty() {
            return Ok(());
        }
        let names = fold(self.left_open.iter().map(String::as_str));
        let word = self.streams.err_face.paint.text(Look::Doubtful, "note:");
        self.streams.say(&format!(
            "{word} {names}: what the command left running may print more, which is not shown"
        ))
    }

    fn view(&mut self) -> io::Result<()> {
        let Some(gather) = self.gather.as_ref().filter(|_| self.shows) else { return Ok(()) };
        if gather.spilled() > 0 {
            // Reading much back takes a while.
            self.streams.line.show(|| "comparing what the nodes printed".to_owned());
        }
        let face = self.streams.out_face;
        let begun = self.state.begun();
        let mut sink = OutWriter { streams: &mut self.streams };
        if self.args.view() == View::ByNode {
            let outcomes = &self.outcomes;
            let failed = |outcome: &&Outcome| !outcome.is_success();
            let notes = |node: usize| outcomes.get(node)?.as_ref().filter(failed).map(note);
            return by_node::write(gather, &begun, &notes, face, &mut sink);
        }
        let style = Style { mode: self.args.fold_mode(), diff: !self.args.no_diff, face };
        folded::write(gather, &begun, style, &mut sink)
    }

    /// Tells what became of output that found no place; answers whether files
    /// are incomplete.
    fn say_troubles(&mut self) -> io::Result<bool> {
        let word = self.streams.err_face.paint.text(Look::Doubtful, "warning:");
        if let Some(trouble) = self.gather.as_ref().and_then(Gather::trouble) {
            let text = format!("{word} output of some nodes could not be kept whole: {trouble}");
            self.streams.say(&text)?;
        }
        let Some(trouble) = self.files.as_ref().and_then(OutputFiles::trouble) else {
            return Ok(false);
        };
        let text = format!("{word} some files of output are not whole, first {trouble}");
        self.streams.say(&text)?;
        Ok(true)
    }
}

/// How a node ended, in a few words.
fn note(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Exited(code) => format!("exit code {code}"),
        Outcome::Signalled(signal) => format!("ended by signal {signal}"),
        Outcome::Unreachable { kind, .. } => format!("not reached: {}", summary::word(*kind)),
        Outcome::TimedOut { .. } => "timed out".to_owned(),
        Outcome::Cancelled { .. } => "stopped".to_owned(),
        Outcome::Lost(_) => "connection lost".to_owned(),
        Outcome::Refused { .. } => "refused".to_owned(),
    }
}

/// Where output goes that does not fit into memory: where the user says, else
/// a place that is on a disk for certain.
fn spill_directories(paths: &Paths) -> Vec<PathBuf> {
    let wanted = std::env::var_os("TMPDIR").filter(|directory| !directory.is_empty());
    let wanted = wanted.map(PathBuf::from);
    wanted.into_iter().chain([paths.state.clone(), std::env::temp_dir()]).collect()
}

#[cfg(test)]
mod tests;
