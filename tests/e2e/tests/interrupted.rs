//! Whatever ends `squall create` and whenever, the same command or a delete
//! ends right.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use e2e::{Home, Who, with_home};
use rustix::process::Signal;

const TRIO: &str = "\
cloud: {provider: local}
cluster: {name: trio}
nodes:
- {nodename: n, count: 3, instance_type: local.nano}
";

/// Rounds of the kill test; `SQUALL_KILL_ROUNDS` asks for another number.
const ROUNDS: u32 = 50;

/// Longest delay before the kill: about the time a create takes, so that most
/// kills meet one at work.
const DELAY_MS_MAX: u64 = 400;

/// A generator for delays (splitmix64), so that a printed seed repeats a round.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[expect(clippy::print_stdout, reason = "a printed seed repeats a round")]
fn kill_rounds(home: &Home) {
    home.file("trio.yaml", TRIO);
    let rounds = std::env::var("SQUALL_KILL_ROUNDS").ok().and_then(|n| n.parse().ok());
    let start = std::env::var("SQUALL_KILL_SEED").ok().and_then(|n| n.parse().ok());
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut seed = start.unwrap_or_else(|| u64::try_from(clock.as_nanos() & 0xffff_ffff).unwrap());
    let mut met = 0;
    for round in 0..rounds.unwrap_or(ROUNDS) {
        println!("round {round}: SQUALL_KILL_SEED={seed}");
        let delay = Duration::from_millis(next(&mut seed) % DELAY_MS_MAX);
        let create = home.start(&["create", "trio.yaml", "--yes"]);
        if !create.ended_within(delay) {
            met += 1;
            create.signal(Signal::KILL);
        }
        let _ = create.finish();
        if next(&mut seed).is_multiple_of(2) {
            let _ = home.squall(&["create", "trio.yaml", "--yes"]).ok();
            let names = home.squall(&["run", "*", "--", "hostname"]).ok().out();
            assert_eq!(names.lines().count(), 3, "{names}");
            let _ = home.squall(&["delete", "trio", "--yes"]).ok();
        } else {
            // Nothing may have been recorded yet: then there is nothing to delete.
            let deleted = home.squall(&["delete", "trio", "--yes"]);
            assert!([0, 3].contains(&deleted.code), "{}: {}", deleted.code, deleted.err());
        }
        assert!(home.clusters().is_empty(), "{:?}", home.clusters());
        home.assert_clean();
    }
    println!("{met} of the kills met a create at work");
}

#[test]
fn a_killed_create_leaves_nothing_that_cannot_be_mended_as_root() {
    let test = "a_killed_create_leaves_nothing_that_cannot_be_mended_as_root";
    with_home(test, Who::Root, kill_rounds);
}

#[test]
fn a_killed_create_leaves_nothing_that_cannot_be_mended_as_user() {
    let test = "a_killed_create_leaves_nothing_that_cannot_be_mended_as_user";
    with_home(test, Who::User, kill_rounds);
}

fn interrupted(home: &Home) {
    home.file("trio.yaml", &TRIO.replace("count: 3", "count: 24"));
    let create = home.start(&["create", "trio.yaml", "--yes"]);
    let _ = create.ended_within(Duration::from_millis(250));
    create.signal(Signal::INT);
    let finished = create.finish().code(130);
    assert!(finished.err().contains("squall create"), "what to do next: {}", finished.err());
    let _ = home.squall(&["create", "trio.yaml", "--yes"]).ok();
    let _ = home.squall(&["run", "*", "--", "true"]).ok();
    let _ = home.squall(&["delete", "trio", "--yes"]).ok();
    home.assert_clean();
}

#[test]
fn ctrl_c_stops_cleanly_and_says_what_stands_as_root() {
    with_home("ctrl_c_stops_cleanly_and_says_what_stands_as_root", Who::Root, interrupted);
}

#[test]
fn ctrl_c_stops_cleanly_and_says_what_stands_as_user() {
    with_home("ctrl_c_stops_cleanly_and_says_what_stands_as_user", Who::User, interrupted);
}

/// Two people who create the same cluster at once: one makes it, the other is
/// told who is at it, or finds it done.
#[test]
fn one_of_two_creates_at_once_is_told_about_the_other() {
    with_home("one_of_two_creates_at_once_is_told_about_the_other", Who::Root, |home| {
        home.file("trio.yaml", TRIO);
        let first = home.start(&["create", "trio.yaml", "--yes"]);
        let second = home.start(&["create", "trio.yaml", "--yes"]);
        let ends = [first.finish(), second.finish()];
        assert!(ends.iter().any(|end| end.code == 0), "{ends:?}");
        for end in ends.iter().filter(|end| end.code != 0) {
            assert!(
                end.err().contains("process") || end.err().contains("meanwhile"),
                "{}",
                end.err()
            );
        }
        let names = home.squall(&["run", "*", "--", "hostname"]).ok().out();
        assert_eq!(names.lines().count(), 3, "{names}");
    });
}

/// A file system that is taken down with the test.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(at: std::path::PathBuf, size: &str) -> Self {
        let options = std::ffi::CString::new(format!("size={size},mode=755")).unwrap();
        let flags = rustix::mount::MountFlags::empty();
        rustix::mount::mount("tmpfs", &at, "tmpfs", flags, &*options).unwrap();
        Self(at)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH);
    }
}

#[test]
fn a_full_disk_gives_a_clear_error_and_nothing_half_made() {
    with_home("a_full_disk_gives_a_clear_error_and_nothing_half_made", Who::Root, |home| {
        let binary = std::fs::metadata(home.binary()).unwrap().len();
        let disk = SmallDisk::mount(home.squall_home(), "4m");
        home.file("trio.yaml", TRIO);
        assert!(binary > 4 << 20, "the copied binary alone must not fit");
        let failed = home.squall(&["create", "trio.yaml", "--yes"]);
        assert_ne!(failed.code, 0);
        let said = failed.err().to_lowercase();
        assert!(said.contains("space"), "{said}");
        let _ = home.squall(&["delete", "trio", "--yes"]);
        assert!(home.clusters().is_empty());
        drop(disk);
        home.assert_clean();
    });
}
