use model::node::Generation;
use model::plan::{Reason, Step, StepId, StepKind};

use super::Schedule;

/// Steps by what each comes after; a step's number is its place.
fn steps(after: &[&[u32]]) -> Vec<Step> {
    (0..)
        .zip(after)
        .map(|(id, after)| Step {
            id: StepId(id),
            after: after.iter().copied().map(StepId).collect(),
            generation: Generation(1),
            kind: StepKind::SyncMembers,
            reason: Reason::new("a test"),
        })
        .collect()
}

/// Plays a script: `.` ends the lowest running step well, `x` ends it badly,
/// `s` stops; the answer tells each beginning, and at the end what was skipped
/// and what never began.
fn play(after: &[&[u32]], at_once_max: usize, script: &str) -> String {
    let mut schedule = Schedule::new(steps(after), at_once_max);
    let mut story = Vec::new();
    let mut begin = |schedule: &mut Schedule| {
        let begun: Vec<String> = std::iter::from_fn(|| schedule.begin_next())
            .map(|step| step.id.0.to_string())
            .collect();
        story.push(format!("[{}]", begun.join(" ")));
    };
    begin(&mut schedule);
    for what in script.chars() {
        let first = schedule.running().next().map(|step| step.id);
        match (what, first) {
            ('.', Some(id)) => assert!(schedule.succeeded(id).is_some()),
            ('x', Some(id)) => assert!(schedule.failed(id).is_some()),
            ('s', _) => schedule.stop(),
            _ => panic!("nothing is running at {what}"),
        }
        begin(&mut schedule);
    }
    let names = |steps: Vec<&Step>| {
        steps.iter().map(|step| step.id.0.to_string()).collect::<Vec<_>>().join(" ")
    };
    story.push(format!("skipped {}", names(schedule.skipped().iter().collect())));
    story.push(format!("left {}", names(schedule.not_begun().collect())));
    story.join(" ")
}

/// A frame, three nodes, the members' lists, the end.
const CREATE: &[&[u32]] = &[&[], &[0], &[0], &[0], &[1, 2, 3], &[4]];

#[test]
fn steps_begin_when_what_they_need_is_done() {
    for (after, at_once_max, script, expected) in [
        (CREATE, 8, "......", "[0] [1 2 3] [] [] [4] [5] [] skipped  left "),
        (CREATE, 2, "......", "[0] [1 2] [3] [] [4] [5] [] skipped  left "),
        // The others go on beside a failure; what needs it does not begin.
        (CREATE, 8, ".x..", "[0] [1 2 3] [] [] [] skipped 4 5 left "),
        (CREATE, 1, ".x..", "[0] [1] [2] [3] [] skipped 4 5 left "),
        (CREATE, 8, "x", "[0] [] skipped 1 2 3 4 5 left "),
        // A stop lets the running ones finish.
        (CREATE, 2, ".s..", "[0] [1 2] [] [] [] skipped  left 3 4 5"),
        (CREATE, 2, ".sx.", "[0] [1 2] [] [] [] skipped 4 5 left 3"),
        (CREATE, 8, "s", "[0] [] skipped  left 1 2 3 4 5"),
        (&[], 8, "", "[] skipped  left "),
        (&[&[]], 0, ".", "[0] [] skipped  left "),
        // What is not in the list is done; what is named twice counts once.
        (&[&[9], &[0, 0]], 8, "..", "[0] [1] [] skipped  left "),
        // Steps that wait for each other never begin, and hang nobody.
        (&[&[1], &[0]], 8, "", "[] skipped  left 0 1"),
    ] {
        assert_eq!(play(after, at_once_max, script), expected, "{after:?} {script}");
    }
}

#[test]
fn a_step_that_is_not_running_cannot_end() {
    let mut schedule = Schedule::new(steps(CREATE), 8);
    assert!(schedule.succeeded(StepId(0)).is_none());
    assert!(schedule.failed(StepId(7)).is_none());
    assert_eq!(schedule.begin_next().map(|step| step.id), Some(StepId(0)));
}

#[test]
fn ten_thousand_nodes_take_no_time() {
    let nodes: Vec<u32> = (1..=10_000).collect();
    let mut after: Vec<&[u32]> = vec![&[]];
    after.extend(nodes.iter().map(|_| [0_u32].as_slice()));
    after.push(&nodes);
    let mut schedule = Schedule::new(steps(&after), 16);
    let mut begun = 0;
    while let Some(step) = schedule.begin_next() {
        begun += 1;
        schedule.succeeded(step.id);
    }
    assert_eq!(begun, 10_002);
}
