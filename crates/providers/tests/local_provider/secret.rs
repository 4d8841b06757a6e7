//! What one node knows and no other may.

use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use model::plan::StepKind;
use providers::local::teardown::supervisor_pid;

use crate::bed::Bed;

/// Memory of a process that is read at once.
const BLOCK_BYTES: usize = 1 << 20;

/// Whether a text is anywhere in the memory that a process may read itself.
fn remembers(pid: u32, text: &str) -> bool {
    let process = PathBuf::from(format!("/proc/{pid}"));
    let memory = std::fs::File::open(process.join("mem")).unwrap();
    let maps = std::fs::read_to_string(process.join("maps")).unwrap();
    let mut found = Vec::new();
    let mut bytes = 0_u64;
    for line in maps.lines().filter(|line| !line.contains("[v")) {
        let (range, _) = line.split_once(' ').unwrap();
        let (first, last) = range.split_once('-').unwrap();
        let mut at = u64::from_str_radix(first, 16).unwrap();
        let last = u64::from_str_radix(last, 16).unwrap();
        while at < last {
            let mut block = vec![0_u8; BLOCK_BYTES.min(usize::try_from(last - at).unwrap())];
            if memory.read_exact_at(&mut block, at).is_ok() {
                bytes += block.len() as u64;
                found.push(holds(&block, text.as_bytes()));
            }
            at += block.len() as u64;
        }
    }
    assert!(bytes > 100_000, "only {bytes} bytes of {pid} could be read");
    found.contains(&true)
}

fn holds(block: &[u8], text: &[u8]) -> bool {
    block.windows(text.len()).any(|window| window == text)
}

#[test]
fn no_node_begins_with_the_host_key_of_another_in_its_memory() {
    let mut bed = Bed::new().made(&["worker1", "worker2"]);
    bed.done(StepKind::RebootNode { name: testkit::build::node("worker1") });
    let pid = |name: &str| -> u32 {
        let text = std::fs::read_to_string(bed.node_dir(name).join("status.json")).unwrap();
        let status: serde_json::Value = serde_json::from_str(&text).unwrap();
        status["pid"].as_u64().unwrap().try_into().unwrap()
    };
    assert!(remembers(pid("worker2"), "squall-init"), "the search finds what is there");
    for (name, other) in [("worker1", "worker2"), ("worker2", "worker1")] {
        assert!(!remembers(pid(name), &format!("private-part-of-{other}")), "{name}");
    }
    let supervisor = supervisor_pid(&bed.cluster_dir()).unwrap();
    assert!(!remembers(supervisor, "private-part-of-"), "the supervisor");
    bed.delete();
}
