//! A node's life from the inside.

use providers::local::launch::{BootScript, NodeLimits};
use providers::local::rung::Rung;
use providers::local::status::{RunState, ScriptState};

use crate::bed::{Bed, LONG, as_ordinary_user, can_be_root, host, say};

#[test]
fn a_node_of_root_is_a_host_of_its_own_and_keeps_its_files() {
    if can_be_root("a_node_of_root_is_a_host_of_its_own_and_keeps_its_files") {
        life(Rung::Root);
    }
}

#[test]
fn a_node_in_a_user_namespace_of_root_is_a_host_of_its_own_and_keeps_its_files() {
    life(Rung::UserNamespace);
}

#[test]
fn a_node_of_an_ordinary_user_is_a_host_of_its_own_and_keeps_its_files() {
    let test = "life::a_node_of_an_ordinary_user_is_a_host_of_its_own_and_keeps_its_files";
    as_ordinary_user(test, || life(Rung::UserNamespace));
}

fn life(rung: Rung) {
    let bed = Bed::new(rung);
    let mut client = bed.client();
    let mut launches = vec![bed.launch(1), bed.launch(2)];
    launches[0].scripts = vec![
        BootScript {
            name: "user_data".to_owned(),
            content: "#!/bin/sh\necho out; date >> /root/ran; exit 3\n".to_owned(),
        },
        BootScript {
            name: "setup".to_owned(),
            content: "echo no interpreter; exit 0\n".to_owned(),
        },
    ];
    let again = launches[0].clone();
    for status in client.launch_all(launches).unwrap() {
        let status = status.unwrap();
        assert_eq!((status.state, status.boots), (RunState::Running, 1));
        assert_eq!(status.notes, Vec::<String>::new());
    }
    looks_like_a_host(&bed);
    spares_pid_1(&bed);
    for path in ["/root/f", "/etc/f", "/usr/f", "/var/f", "/tmp/f", "/srv/f", "/home/f"] {
        assert_eq!(bed.say(1, &format!("echo kept > {path}")), "", "{path}");
    }
    // Peers talk to each other.
    assert_eq!(bed.say(1, "bash -c 'exec 3<>/dev/tcp/n2/22; echo hostname >&3; cat <&3'"), "n2");
    let status = client.stop("n1", LONG).unwrap();
    assert_eq!(status.state, RunState::Stopped);
    assert_eq!(status.last_exit.as_deref(), Some("stopped on request"));
    assert_eq!(
        status.scripts.iter().map(|script| script.state.clone()).collect::<Vec<_>>(),
        [ScriptState::Ended { code: 3 }, ScriptState::Ended { code: 0 }]
    );
    let console = bed.console(1);
    assert!(console.contains("out\n") && console.contains("no interpreter\n"), "{console}");
    let status = client.launch(again).unwrap();
    assert_eq!((status.state, status.boots), (RunState::Running, 2));
    for path in ["/root/f", "/etc/f", "/usr/f", "/var/f", "/tmp/f", "/srv/f", "/home/f"] {
        assert_eq!(bed.say(1, &format!("cat {path}")), "kept", "{path}");
    }
    assert_eq!(bed.say(1, "wc -l < /root/ran"), "1", "scripts run once");
    client.set_hosts(None, vec![host(1), host(2), host(7)]).unwrap();
    assert_eq!(bed.say(1, "getent hosts n7"), "10.77.0.17      n7");
    assert_eq!(bed.say(2, "getent hosts n7"), "10.77.0.17      n7");
}

/// PID 1 is the last to go when the node's memory is used up.
fn spares_pid_1(bed: &Bed) {
    let score = |process: &str| -> i32 {
        bed.say(1, &format!("cat /proc/{process}/oom_score_adj")).parse().unwrap()
    };
    let (own, others) = (score("1"), score("self"));
    assert!(others > own || own == 1000, "{others} is not above {own}");
}

fn looks_like_a_host(bed: &Bed) {
    for (line, expected) in [
        ("hostname", "n1"),
        ("cat /etc/hostname", "n1"),
        ("cat /proc/1/comm", "squall-init"),
        ("tr '\\0' ' ' < /proc/1/cmdline", "squall-init"),
        ("seeded", "from a seed"),
        ("stat -c %a /root/.ssh/authorized_keys /etc/shadow /root /tmp", "600\n600\n700\n1777"),
        ("id -u", "0"),
        ("cat /sys/class/net/eth0/mtu", "1500"),
        ("ls /home /opt /srv /mnt", "/home:\n\n/mnt:\n\n/opt:\n\n/srv:"),
        ("ls /etc/ssh", "ssh_host_ed25519_key"),
        ("echo x > /dev/null && echo fine", "fine"),
        ("cat /proc/sys/kernel/domainname", "bed"),
        ("grep -c . /proc/net/route", "2"),
        ("getent passwd root | cut -d: -f1,3,6", "root:0:/root"),
        ("grep squall-kernel /proc/self/mountinfo | grep -vc ' / \\|layers'", "0"),
        ("echo $container $SQUALL_NODE $HOME", "squall n1 /root"),
        ("dpkg -s dpkg 2>/dev/null | grep -c ^Status || echo 1", "1"),
    ] {
        assert_eq!(bed.say(1, line), expected, "{line}");
    }
    let mac = providers::local::mac::MacAddress::of_node("bed", "n1").to_string();
    assert_eq!(bed.say(1, "cat /sys/class/net/eth0/address"), mac);
    // Its own processes only: PID 1, the server, the shell and what it runs.
    let processes: u32 = bed.say(1, "ls -d /proc/[0-9]* | wc -l").parse().unwrap();
    assert!(processes < 10, "{processes}");
    // Bit 25 is CAP_SYS_TIME, 27 CAP_MKNOD; 21 is CAP_SYS_ADMIN, kept.
    for field in ["CapBnd", "CapPrm", "CapEff"] {
        for process in ["1", "self"] {
            let text = bed.say(1, &format!("grep {field} /proc/{process}/status | cut -f2"));
            let bits = u64::from_str_radix(&text, 16).unwrap();
            assert_eq!(bits & (1 << 25 | 1 << 27), 0, "{field} of {process}: {text}");
            assert_ne!(bits & (1 << 21), 0, "{field} of {process}: {text}");
        }
    }
    let variables = bed.say(1, "env | cut -d= -f1 | sort | tr '\\n' ' '");
    assert!(!variables.contains("CARGO") && !variables.contains("TMPDIR"), "{variables}");
}

#[test]
fn limits_of_a_node_of_root_are_kept() {
    if !can_be_root("limits_of_a_node_of_root_are_kept") {
        return;
    }
    let bed = Bed::new(Rung::Root);
    let mut client = bed.client();
    let mut launch = bed.launch(1);
    launch.limits = NodeLimits { memory_bytes: Some(64 << 20), cores: Some(0.5), pids: Some(30) };
    let status = client.launch(launch).unwrap();
    assert_eq!(status.notes, Vec::<String>::new());
    assert!(bed.say(1, "cat /proc/self/cgroup | grep pids").ends_with(":/"));
    let said = bed.say(1, "for i in $(seq 40); do sleep 5 >/dev/null 2>&1 & done; echo no limit");
    assert!(said.contains("fork") && !said.contains("no limit"), "{said}");
}

#[test]
fn sixteen_nodes_start_at_once() {
    let bed = Bed::any();
    let mut client = bed.client();
    let launches = (1..=16).map(|number| bed.launch(number)).collect();
    for status in client.launch_all(launches).unwrap() {
        status.unwrap();
    }
    for number in 1..=16 {
        assert_eq!(say(&mut client, number, "hostname"), format!("n{number}"));
    }
    client.shutdown(LONG).unwrap();
}
