use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use transport::Bytes;
use transport::fanout::{
    LineEnd, NodeOutcome, Outcome, RunEvent, RunEventKind, RunSummary, StreamName,
};
use transport::gather::NodeFacts;

use super::{RunNodes, RunOutput};
use crate::progress_line::ProgressLine;
use crate::reach::Unreached;
use crate::run_output::args::OutputArgs;
use crate::run_output::streams::{Face, Streams};

/// A sink that can be looked at; the names of both streams in one.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Screen {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).replace('\x1b', "E")
    }
}

struct Bed {
    output: RunOutput,
    out: Screen,
    err: Screen,
    names: Vec<&'static str>,
    outcomes: Vec<Outcome>,
}

fn bed(args: &OutputArgs, face: Face) -> Bed {
    let names = vec!["n1", "n2", "n10"];
    let nodes = RunNodes {
        tried: names.iter().map(|name| NodeFacts::new(*name)).collect(),
        unreached: vec![Unreached {
            name: "n4".to_owned(),
            why: "it is stopped".to_owned(),
            mend: None,
        }],
    };
    let (out, err) = (Screen::default(), Screen::default());
    let streams = Streams::new(
        Box::new(out.clone()),
        Box::new(err.clone()),
        (face, face),
        ProgressLine::default(),
    );
    let output = RunOutput::with_streams(args, nodes, streams, vec![std::env::temp_dir()]).unwrap();
    Bed { output, out, err, names, outcomes: vec![Outcome::Cancelled { started: false }; 3] }
}

impl Bed {
    fn event(&mut self, index: usize, kind: RunEventKind) {
        let node = Arc::from(self.names[index]);
        self.output.event(&RunEvent { index, node, kind }).unwrap();
    }

    fn prints(&mut self, index: usize, stream: StreamName, bytes: &'static [u8]) {
        let bytes = Bytes::from_static(bytes);
        self.event(index, RunEventKind::Output { stream, bytes, end: LineEnd::Newline });
    }

    fn ends(&mut self, index: usize, outcome: Outcome) {
        self.outcomes[index] = outcome.clone();
        self.event(index, RunEventKind::Finished { outcome, duration: Duration::ZERO });
    }

    /// The same run for every view.
    fn run(&mut self) {
        for node in 0..3 {
            self.event(node, RunEventKind::Connecting);
            self.event(node, RunEventKind::Started);
        }
        self.prints(0, StreamName::Out, b"hello from n1\nsame");
        self.prints(1, StreamName::Out, b"hello from n2");
        self.prints(1, StreamName::Err, b"careful");
        self.prints(1, StreamName::Out, b"same");
        self.ends(0, Outcome::Exited(0));
        self.prints(2, StreamName::Out, b"hello from n10\nother");
        self.ends(1, Outcome::Exited(3));
        self.ends(2, Outcome::Exited(0));
    }

    fn end(&mut self) -> crate::exit::Exit {
        let nodes = self.names.iter().zip(&self.outcomes).map(|(name, outcome)| NodeOutcome {
            node: Arc::from(*name),
            outcome: outcome.clone(),
            duration: Duration::ZERO,
        });
        let summary = RunSummary { nodes: nodes.collect(), duration: Duration::ZERO };
        self.output.end(&summary).unwrap().exit()
    }
}

/// What a run of these options leaves on both streams.
fn shown(args: &OutputArgs, face: Face) -> String {
    let mut bed = bed(args, face);
    bed.run();
    let exit = bed.end().code();
    format!("{}=== stderr\n{}=== {exit}", bed.out.text(), bed.err.text())
}

#[test]
fn lines_come_as_they_come() {
    insta::assert_snapshot!(shown(&OutputArgs::default(), Face::pipe()), @r"
    n1: hello from n1
    n1: same
    n2: hello from n2
    n2: same
    n10: hello from n10
    n10: other
    === stderr
    n2: careful
    2 of 4 nodes failed:
      exit code 3: n2
      not reached: n4: it is stopped
    === 1
    ");
}

#[test]
fn folded_output_waits_for_the_end_and_errors_do_not() {
    let args = OutputArgs { fold: true, max_exit_code: true, ..OutputArgs::default() };
    insta::assert_snapshot!(shown(&args, Face::pipe()), @r"
    ---------------
    n[1-2] (2 nodes, alike but for {node})
    ---------------
    hello from {node}
    same
    ---------------
    n10 (1 node, changes from the biggest group)
    ---------------
    hello from n10
    [-same-]
    {+other+}
    === stderr
    n2: careful
    2 of 4 nodes failed:
      exit code 3: n2
      not reached: n4: it is stopped
    === 255
    ");
}

#[test]
fn folded_output_with_errors_among_it() {
    let args = OutputArgs { fold_all: true, no_diff: true, ..OutputArgs::default() };
    insta::assert_snapshot!(shown(&args, Face::terminal()), @r"
    E[2m---------------E[0m
    E[1mn1E[0m (1 node)
    E[2m---------------E[0m
    hello from n1
    same
    E[2m---------------E[0m
    E[1mn2E[0m (1 node)
    E[2m---------------E[0m
    hello from n2
    careful
    same
    E[2m---------------E[0m
    E[1mn10E[0m (1 node)
    E[2m---------------E[0m
    hello from n10
    other
    === stderr
    E[31m2 of 4 nodes failed:E[0m
      exit code 3: n2
      not reached: n4: it is stopped
    === 1
    ");
}

#[test]
fn live_lines_and_then_the_folded_summary() {
    let args = OutputArgs { fold: true, live: true, ..OutputArgs::default() };
    let text = shown(&args, Face::pipe());
    assert!(text.starts_with("n1: hello from n1\nn1: same\nn2: hello from n2\n"), "{text}");
    assert!(text.contains("n[1-2] (2 nodes, alike but for {node})"), "{text}");
}

#[test]
fn blocks_by_node_say_how_each_ended() {
    let args = OutputArgs { by_node: true, fold_all: true, ..OutputArgs::default() };
    insta::assert_snapshot!(shown(&args, Face::pipe()), @r"
    ---------------
    n1
    ---------------
    hello from n1
    same
    ---------------
    n2 (exit code 3)
    ---------------
    hello from n2
    careful
    same
    ---------------
    n10
    ---------------
    hello from n10
    other
    === stderr
    2 of 4 nodes failed:
      exit code 3: n2
      not reached: n4: it is stopped
    === 1
    ");
}

#[test]
fn files_are_written_beside_the_view() {
    let directory = tempfile::tempdir().unwrap();
    let output_dir = Some(directory.path().to_owned());
    let args = OutputArgs { output_dir, fold: true, ..OutputArgs::default() };
    assert!(shown(&args, Face::pipe()).contains("n[1-2] (2 nodes"));
    let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
    assert_eq!(read("n2.out"), "hello from n2\nsame\n");
    assert_eq!(read("n2.err"), "careful\n");
}

#[test]
fn json_is_one_document_a_line() {
    let mut bed = bed(&OutputArgs::default(), Face::pipe());
    bed.output.is_json = true;
    bed.run();
    bed.end();
    let text = bed.out.text();
    let documents: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let lines: Vec<&str> =
        documents.iter().filter_map(|document| document["text"].as_str()).collect();
    assert_eq!(lines.len(), 7);
    assert_eq!(lines[..2], ["hello from n1", "same"]);
    let summary = documents.last().unwrap();
    assert_eq!(summary["failed"], "n[2,4]");
    assert_eq!(summary["endings"][0]["nodes"], "n[1,10]", "{summary}");
    assert_eq!(summary["endings"][2]["node_count"], 1, "{summary}");
    assert_eq!(summary["endings"][1]["code"], 3, "{summary}");
    assert_eq!(bed.err.text(), "");
}

#[test]
fn who_is_still_running_is_known_at_any_time() {
    let mut bed = bed(&OutputArgs::default(), Face::pipe());
    for node in [0, 1] {
        bed.event(node, RunEventKind::Started);
    }
    bed.ends(0, Outcome::Exited(0));
    assert_eq!(
        bed.output.running().join("\n"),
        "still running: n2 (1 node), for 0 s\nnot begun: n10 (1 node)"
    );
}
