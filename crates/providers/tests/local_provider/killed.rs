//! A process that makes a cluster is killed at any moment; whoever comes next
//! goes on or removes, and ends right either way.

use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::inventory::Condition;
use model::plan::StepKind;

use crate::bed::Bed;

/// Names the store to the process that will be killed.
const STORE_VARIABLE: &str = "SQUALL_KILL_STORE";
/// Asks for another number of rounds, or for one that was printed.
const ROUNDS_VARIABLE: &str = "SQUALL_KILL_ROUNDS";
const SEED_VARIABLE: &str = "SQUALL_KILL_SEED";
const ROUNDS: u32 = 12;
/// Longest delay before the kill: about as long as making takes.
const DELAY_US_MAX: u64 = 500_000;
const NODES: [&str; 3] = ["head", "worker1", "worker2"];

/// A generator for delays (splitmix64), so that a printed seed repeats a round.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// What a create does, the wanted nodes as the planner would choose them.
fn create(bed: &Bed) {
    bed.done(bed.frame());
    for name in NODES {
        if bed.seen(name).is_none_or(|seen| !seen.state.exists()) {
            bed.done(bed.making(name));
        }
    }
    bed.done(StepKind::SyncMembers);
    bed.done(StepKind::Complete);
}

#[test]
fn a_killed_making_is_gone_on_with_or_removed_and_leaves_nothing() {
    let test = "killed::a_killed_making_is_gone_on_with_or_removed_and_leaves_nothing";
    if let Some(store) = std::env::var_os(STORE_VARIABLE) {
        let bed = Bed::on(store.into());
        create(&bed);
        // What is made stays: the process that started us removes it.
        std::mem::forget(bed);
        return;
    }
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let mut seed = number(SEED_VARIABLE).unwrap_or_else(|| u64::try_from(clock >> 10).unwrap());
    for round in 0..number(ROUNDS_VARIABLE).unwrap_or(u64::from(ROUNDS)) {
        println!("round {round}: {SEED_VARIABLE}={seed}");
        let mut bed = Bed::new();
        let mut maker = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test])
            .env(STORE_VARIABLE, bed.store())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_micros(next(&mut seed) % DELAY_US_MAX));
        maker.kill().unwrap();
        maker.wait().unwrap();
        if next(&mut seed).is_multiple_of(2) || bed.look().record().is_none() {
            go_on(&bed);
        }
        bed.delete();
        assert!(bed.left().is_empty(), "{:?}", bed.left());
    }
}

fn go_on(bed: &Bed) {
    create(bed);
    bed.until_running(&NODES);
    let inventory = bed.look();
    assert_eq!(inventory.record().unwrap().condition(), Condition::Complete);
    let mut addresses = Vec::new();
    for name in NODES {
        let seen = inventory.node(&testkit::build::node(name)).unwrap();
        addresses.extend(seen.internal_ip.clone());
        assert_eq!(bed.say(name, "hostname"), name);
        for other in NODES {
            assert!(bed.say(name, "cat /etc/hosts").contains(&format!(" {other} {other}.demo")));
        }
    }
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), NODES.len());
}
