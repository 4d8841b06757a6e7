//! The lab itself, with OpenSSH's client.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::{Command, Output, Stdio};

use e2e::lab::{Admits, Lab, Place, Plan, Server, Trust};

fn ssh(lab: &Lab, node: &str, command: &str) -> (Option<i32>, String) {
    let output: Output = Command::new("ssh")
        .args(["-F", &lab.file("ssh_config"), node, command])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).trim().to_owned())
}

#[test]
fn a_lab_has_nodes_of_every_kind_and_takes_all_of_them_away() {
    let servers = vec![
        Server { addresses: 2, ..Server::default() },
        Server { trust: Trust::Changed, ..Server::default() },
        Server { trust: Trust::Revoked, ..Server::default() },
        Server { trust: Trust::Certified, ..Server::default() },
        Server { trust: Trust::Unknown, ..Server::default() },
        Server { admits: Admits::Certificate, ..Server::default() },
        Server::with(&["AllowUsers nobody"]),
    ];
    let Some(lab) = Lab::new("lab", Plan::of(servers)) else { return };
    let home = lab.home(1);
    assert_eq!(ssh(&lab, "n2", "pwd"), (Some(0), home.display().to_string()));
    for (node, code) in [("n3", 255), ("n4", 255), ("n5", 0), ("n6", 255), ("n7", 0), ("n8", 255)] {
        let (ended, said) = ssh(&lab, node, "true");
        assert_eq!(ended, Some(code), "{node}: {said}");
    }
    assert_eq!(
        ssh(&lab, "n1", "setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo on").0,
        Some(0)
    );
    let left = lab.commands(0);
    assert_eq!(left.len(), 1, "{left:?}");
    let directory = lab.path().to_owned();
    drop(lab);
    assert!(!directory.exists());
    e2e::until("the end of what a session left", || {
        left.iter().all(|pid| !std::path::Path::new(&format!("/proc/{pid}")).exists()).then_some(())
    });
}

#[test]
fn hidden_nodes_are_reached_through_the_bastion_only() {
    let hidden = Server { place: Place::BehindBastion, addresses: 3, ..Server::default() };
    let Some(lab) = Lab::new("lab_bastion", Plan::of(vec![Server::bastion(), hidden])) else {
        return;
    };
    assert_eq!(ssh(&lab, "n3", "echo in").1, "in");
    let Some(passed) = lab.passed_the_door() else { return };
    assert_eq!(passed, 1);
    let address = lab.nodes()[2].address.to_string();
    let (code, said) = ssh(&lab, &address, "echo in");
    assert_eq!(code, Some(255), "{said}");
}
