//! Nodes are hosts of their own: what they see, what they may, and what they
//! do when something ends them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::Command;

use e2e::{Home, PAIR, Who, until, with_home};

/// Output of a shell command on one node, without the prefix.
#[track_caller]
fn on(home: &Home, node: &str, command: &str) -> String {
    home.squall(&["ssh", node, "--", command]).ok().out().trim().to_owned()
}

fn wait_for_state(home: &Home, node: &str, state: &str) -> String {
    until(&format!("{node} to be {state}"), || {
        let show = home.squall(&["show", "-vv", node]).out();
        show.contains(state).then_some(show)
    })
}

fn isolation(home: &Home) {
    home.file("pair.yaml", PAIR);
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    let _ = home.squall(&["create", "pair.yaml", "--yes"]).ok();
    assert_eq!(std::fs::read_to_string("/proc/self/mounts").unwrap(), mounts);

    assert_eq!(on(home, "n1", "hostname"), "n1");
    for namespace in ["pid", "mnt", "net", "uts", "ipc", "cgroup"] {
        let path = format!("/proc/self/ns/{namespace}");
        let host = std::fs::read_link(&path).unwrap().to_string_lossy().into_owned();
        let (one, two) = (
            on(home, "n1", &format!("readlink {path}")),
            on(home, "n2", &format!("readlink {path}")),
        );
        assert!(one != host && two != host && one != two, "{namespace}: {host} {one} {two}");
    }
    // CAP_SYS_TIME is bit 25: no process of a node may have or get it.
    let bounding =
        on(home, "n1", "cat /proc/[0-9]*/status | grep -E '^Cap(Bnd|Eff|Prm)' | sort -u");
    for line in bounding.lines() {
        let bits = u64::from_str_radix(line.split_whitespace().last().unwrap(), 16).unwrap();
        assert_eq!(bits >> 25 & 1, 0, "{line}");
    }
    assert_eq!(on(home, "n1", "ls -A /home /srv /mnt | grep -v : | tr -d '\\n'"), "");
    let hidden = home.squall_home();
    assert_eq!(on(home, "n1", &format!("test -e {} && echo seen || true", hidden.display())), "");
    assert_eq!(on(home, "n1", "cat /etc/shadow | grep -v '^[^:]*:[*!]' || true"), "");
    let mac = on(home, "n1", "cat /sys/class/net/eth0/address");
    let hello = on(home, "n1", "timeout 5 bash -c 'exec 3<>/dev/tcp/n2/22; head -c 4 <&3'");
    assert_eq!(hello, "SSH-", "members reach each other by name");
    assert_eq!(on(home, "n1", "wc -l < /proc/net/route"), "2", "no default route");

    let _ = home.squall(&["reboot", "n1", "--yes"]).ok();
    assert_eq!(on(home, "n1", "cat /sys/class/net/eth0/address"), mac);
    on(home, "n1", "for i in 1 2 3 4 5 6 7 8; do (sleep 0.1 & ) ; done; sleep 0.5");
    let zombies = on(home, "n1", "cat /proc/[0-9]*/stat | awk '$3==\"Z\"' | wc -l");
    assert_eq!(zombies, "0", "PID 1 reaps");
}

#[test]
fn nodes_are_hosts_of_their_own_as_root() {
    with_home("nodes_are_hosts_of_their_own_as_root", Who::Root, isolation);
}

#[test]
fn nodes_are_hosts_of_their_own_as_user() {
    with_home("nodes_are_hosts_of_their_own_as_user", Who::User, isolation);
}

fn ends(home: &Home) {
    home.file("pair.yaml", PAIR);
    let _ = home.squall(&["create", "pair.yaml", "--yes"]).ok();

    let _ = home.squall(&["ssh", "n1", "--", "poweroff"]);
    let shown = wait_for_state(home, "n1", "stopped");
    assert!(shown.contains("inside"), "the reason is told:\n{shown}");
    let _ = home.squall(&["start", "n1", "--yes"]).ok();

    let boot = "cut -d' ' -f22 /proc/1/stat";
    let before = on(home, "n2", boot);
    let _ = home.squall(&["ssh", "n2", "--", "reboot"]);
    until("n2 to come back", || {
        let now = home.squall(&["ssh", "n2", "--", boot]);
        (now.code == 0 && now.out().trim() != before).then_some(())
    });
    let status = home.squall(&["status", "pair"]).ok().out();
    assert!(status.contains("reboot"), "{status}");
    let _ = home.squall(&["delete", "pair", "--yes"]).ok();
    home.assert_clean();
}

#[test]
fn poweroff_and_reboot_from_inside_are_seen_as_root() {
    with_home("poweroff_and_reboot_from_inside_are_seen_as_root", Who::Root, ends);
}

#[test]
fn poweroff_and_reboot_from_inside_are_seen_as_user() {
    with_home("poweroff_and_reboot_from_inside_are_seen_as_user", Who::User, ends);
}

/// Pids of the supervisors whose arguments name this home.
fn supervisors(home: &Path) -> Vec<rustix::process::Pid> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        if line.contains("__supervisor") && line.contains(&*home.to_string_lossy()) {
            let pid = entry.file_name().to_string_lossy().parse().unwrap();
            found.extend(rustix::process::Pid::from_raw(pid));
        }
    }
    found
}

fn supervisor_killed(home: &Home) {
    home.file("pair.yaml", PAIR);
    let _ = home.squall(&["create", "pair.yaml", "--yes"]).ok();
    let _ = home.squall(&["run", "*", "--", "echo kept > /root/kept"]).ok();
    let supervisors = supervisors(&home.squall_home());
    assert_eq!(supervisors.len(), 1);
    rustix::process::kill_process(supervisors[0], rustix::process::Signal::KILL).unwrap();
    wait_for_state(home, "n1", "stopped");
    wait_for_state(home, "n2", "stopped");
    let _ = home.squall(&["start", "*", "--yes"]).ok();
    let kept = home.squall(&["run", "*", "--", "cat /root/kept"]).ok().out();
    assert_eq!(kept.lines().count(), 2, "{kept}");
    let _ = home.squall(&["delete", "pair", "--yes"]).ok();
    home.assert_clean();
}

#[test]
fn nodes_of_a_killed_supervisor_are_stopped_and_start_again_as_root() {
    let test = "nodes_of_a_killed_supervisor_are_stopped_and_start_again_as_root";
    with_home(test, Who::Root, supervisor_killed);
}

#[test]
fn nodes_of_a_killed_supervisor_are_stopped_and_start_again_as_user() {
    let test = "nodes_of_a_killed_supervisor_are_stopped_and_start_again_as_user";
    with_home(test, Who::User, supervisor_killed);
}

const SCRIPTS: &str = "\
cloud: {provider: local}
cluster: {name: boot}
nodes:
- nodename: one
  instance_type: host
  user_data: |
    #!/bin/sh
    echo user data ran
    echo x >> /root/user-data
  setup: setup.sh
";

fn first_boot(home: &Home) {
    home.file("setup.sh", "#!/bin/sh\necho setup ran on $(hostname)\necho x >> /root/setup\n");
    home.file("boot.yaml", SCRIPTS);
    let _ = home.squall(&["create", "boot.yaml", "--yes"]).ok();
    until("the scripts to run", || {
        let console = home.squall(&["console", "one"]).ok().out();
        (console.contains("user data ran") && console.contains("setup ran on one")).then_some(())
    });
    let _ = home.squall(&["reboot", "one", "--yes"]).ok();
    assert_eq!(on(home, "one", "cat /root/user-data /root/setup | wc -l"), "2");
}

#[test]
fn scripts_run_once_at_first_boot_as_root() {
    with_home("scripts_run_once_at_first_boot_as_root", Who::Root, first_boot);
}

#[test]
fn scripts_run_once_at_first_boot_as_user() {
    with_home("scripts_run_once_at_first_boot_as_user", Who::User, first_boot);
}

/// A cluster lives on when the program that made it is replaced.
#[test]
fn the_binary_may_be_replaced_under_live_nodes() {
    with_home("the_binary_may_be_replaced_under_live_nodes", Who::Root, |home| {
        let copy = home.work().join("squall");
        std::fs::copy(home.binary(), &copy).unwrap();
        home.file("pair.yaml", PAIR);
        let made = home.program(&copy, &["create", "pair.yaml", "--yes"]);
        let _ = e2e::Running::start(made, b"").finish().ok();
        std::fs::remove_file(&copy).unwrap();
        let status = Command::new("cp").arg("/bin/true").arg(&copy).status().unwrap();
        assert!(status.success());
        let _ = home.squall(&["reboot", "n1", "--yes"]).ok();
        let _ = home.squall(&["run", "*", "--", "true"]).ok();
        let _ = home.squall(&["delete", "pair", "--yes"]).ok();
        home.assert_clean();
    });
}

/// Two clusters of the same shape and two users do not meet.
#[test]
fn clusters_and_users_live_side_by_side() {
    with_home("clusters_and_users_live_side_by_side", Who::Root, |root| {
        with_home("clusters_and_users_live_side_by_side", Who::User, |user| {
            for (home, name) in [(root, "a"), (root, "b"), (user, "a")] {
                home.file("pair.yaml", PAIR);
                let _ = home.squall(&["create", "pair.yaml", "--name", name, "--yes"]).ok();
            }
            let refused = root.squall(&["run", "n1", "--", "true"]);
            assert_ne!(refused.code, 0, "which n1 is meant?");
            let _ = root.squall(&["run", "-C", "a", "n1", "--", "touch /root/in-a"]).ok();
            let _ = root.squall(&["run", "b:n1", "--", "test ! -e /root/in-a"]).ok();
            let _ = root.squall(&["run", "--all-clusters", "*", "--", "true"]).ok();
            let _ = root.squall(&["delete", "a", "--yes"]).ok();
            let _ = root.squall(&["run", "*", "--", "true"]).ok();
            let _ = user.squall(&["run", "*", "--", "true"]).ok();
        });
    });
}
