//! Hosts that squall did not make, through the binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::Command;

use e2e::lab::{Admits, Lab, Place, Plan, Server, Trust};
use e2e::{Home, PAIR, Terminal, Who, with_home};

/// A lab of one machine of each kind; none, said as a skip, where there is no
/// sshd.
fn kinds() -> Option<Lab> {
    Lab::new(
        "hosts",
        Plan::of(vec![
            Server { addresses: 2, ..Server::default() },
            Server { trust: Trust::Changed, ..Server::default() },
            Server { trust: Trust::Revoked, ..Server::default() },
            Server { trust: Trust::Certified, ..Server::default() },
            Server { trust: Trust::Unknown, ..Server::default() },
            Server { admits: Admits::Certificate, ..Server::default() },
            Server::with(&["AllowUsers nobody"]),
        ]),
    )
}

fn config(lab: &Lab) -> String {
    format!("--ssh-config={}", lab.file("ssh_config"))
}

#[test]
fn every_kind_of_host_is_reached_or_explained() {
    let Some(lab) = kinds() else { return };
    with_home("hosts_kinds", Who::Root, |home| {
        let config = config(&lab);
        let ran = home.squall(&["run", &config, "n*", "--", "echo in"]).code(1);
        for node in ["n1", "n2", "n5", "n7"] {
            assert!(ran.out().contains(&format!("{node}: in\n")), "{}", ran.out());
        }
        assert_eq!(ran.out().lines().count(), 4, "{}", ran.out());
        for said in [
            "has changed",
            "/known_hosts:",
            "ssh-keygen -R",
            "is revoked",
            "is not known",
            "--accept-new-host-keys",
            "keys was accepted: ",
            "it allows publickey",
        ] {
            assert!(ran.err().contains(said), "{said} is not in {}", ran.err());
        }
        let _ = home.squall(&["nodes", &config, "n*!n3"]).ok().says("n[1-2,4-8]");
        let _ = home.squall(&["nodes", &config, "nothing"]).code(3);
        let _ = home.squall(&["ssh", &config, "n2", "--", "exit 7"]).code(7);
        let _ = home.squall(&["ssh", &config, "n[1-2]", "--", "true"]).code(2);
        lists(home, &lab);
        inventory(home, &lab);
    });
}

fn lists(home: &Home, lab: &Lab) {
    let hosts = lab.file("hosts");
    let key = lab.file("user");
    // The lab's known_hosts become the user's own.
    let ssh = home.squall_home().join(".ssh");
    std::fs::create_dir_all(&ssh).unwrap();
    std::fs::copy(lab.file("known_hosts"), ssh.join("known_hosts")).unwrap();
    let (first, unknown) = ("address=127.*&n1", "n6");
    let arguments = ["run", "--hosts", &hosts, "-i", &key, first, "--", "echo in"];
    let _ = home.squall(&arguments).ok().says(": in");
    let arguments = ["run", "--hosts", &hosts, "-i", &key, unknown, "--", "echo in"];
    let _ = home.squall(&arguments).code(1);
    let with = [&arguments[..5], &["--accept-new-host-keys"], &arguments[5..]].concat();
    let ran = home.squall(&with).ok();
    assert!(ran.err().contains("is new"), "{}", ran.err());
    let ran = home.squall(&arguments).ok();
    assert!(!ran.err().contains("is new"), "{}", ran.err());

    let wrong = home.file("wrong.txt", "a\nb c\n");
    let wrong = wrong.display().to_string();
    let refused = home.squall(&["run", "--hosts", &wrong, "*", "--", "true"]).code(2);
    assert!(refused.err().contains("wrong.txt:2:3"), "{}", refused.err());

    // A list on standard input, and tags.
    let address = lab.nodes()[0].address;
    let tagged = format!("{address}:{} rack=1\nother rack=2\n", lab_port(lab));
    let tagged = home.file("tagged.txt", &tagged).display().to_string();
    let _ = home.squall(&["nodes", "--hosts", &tagged, "rack=2"]).ok().says("other");
    let _ = home.squall(&["run", "--hosts", &tagged, "-i", &key, "rack=1", "--", "echo in"]).ok();
}

fn lab_port(lab: &Lab) -> String {
    std::fs::read_to_string(lab.file("port")).unwrap()
}

fn inventory(home: &Home, lab: &Lab) {
    let found = home.squall(&["inventory", "--list", &config(lab), "n[1-2]"]).ok();
    let json = found.json();
    assert_eq!(json["all"]["hosts"], serde_json::json!(["n1", "n2"]));
    let args = json["_meta"]["hostvars"]["n1"]["ansible_ssh_common_args"].as_str().unwrap();
    assert!(args.starts_with("-F "), "{args}");
    let _ = home.squall(&["inventory", "--host", "n9", &config(lab)]).code(3);
}

#[test]
fn a_passphrase_is_asked_once_and_never_without_a_terminal() {
    let Some(lab) = Lab::new("hosts", Plan::alike(1, 2)) else { return };
    with_home("hosts_passphrase", Who::Root, |home| {
        let locked = home.work().join("locked");
        std::fs::copy(lab.file("user"), &locked).unwrap();
        let lock = Command::new("ssh-keygen")
            .args(["-q", "-p", "-P", "", "-N", "secret", "-f"])
            .arg(&locked)
            .status()
            .unwrap();
        assert!(lock.success());
        let ssh = home.squall_home().join(".ssh");
        std::fs::create_dir_all(&ssh).unwrap();
        std::fs::copy(lab.file("known_hosts"), ssh.join("known_hosts")).unwrap();
        let (hosts, key) = (lab.file("hosts"), locked.display().to_string());
        let arguments = ["run", "--hosts", &hosts, "-i", &key, "*", "--", "echo in"];
        let refused = home.squall(&arguments).code(1);
        assert!(refused.err().contains("nobody gave it"), "{}", refused.err());

        let mut shown = Terminal::start(&home.command(&arguments), 24, 200).unwrap();
        shown.expect("Passphrase for ");
        shown.send("secret\n").unwrap();
        let (code, rest) = shown.finish();
        assert_eq!(code, 0, "{rest}");
        assert_eq!(rest.matches(" in\r\n").count(), 2, "{rest:?}");
        assert!(!rest.contains("secret"), "{rest}");
        assert!(!rest.contains("Passphrase"), "asked twice: {rest}");
    });
}

#[test]
fn hosts_behind_a_bastion_share_one_connection_to_it() {
    let hidden = Server { place: Place::BehindBastion, addresses: 12, ..Server::default() };
    let Some(lab) = Lab::new("hosts_bastion", Plan::of(vec![Server::bastion(), hidden])) else {
        return;
    };
    with_home("hosts_bastion", Who::Root, |home| {
        let ran = home.squall(&["run", &config(&lab), "n*", "--", "echo in"]).ok();
        assert_eq!(ran.out().matches(": in").count(), 12, "{}", ran.out());
        if let Some(passed) = lab.passed_the_door() {
            assert_eq!(passed, 1);
        }
    });
}

#[test]
fn plain_ssh_reaches_local_nodes_by_what_the_inventory_says() {
    with_home("hosts_inventory", Who::Root, |home| {
        let empty = home.squall(&["inventory", "--list"]).ok().json();
        assert_eq!(empty["_meta"]["hostvars"], serde_json::json!({}));
        home.file("pair.yaml", PAIR);
        let _ = home.squall(&["create", "pair.yaml", "--yes"]).ok();
        let json = home.squall(&["inventory", "--list"]).ok().json();
        assert_eq!(json["cluster_pair"]["hosts"], serde_json::json!(["n1", "n2"]));
        assert_eq!(json["state_running"]["hosts"], serde_json::json!(["n1", "n2"]));
        let variables = &json["_meta"]["hostvars"]["n1"];
        let text = |key: &str| variables[key].as_str().unwrap().to_owned();
        let line = format!(
            "ssh -F none -o BatchMode=yes {} -i '{}' -p {} {}@{} hostname",
            text("ansible_ssh_common_args"),
            text("ansible_ssh_private_key_file"),
            variables["ansible_port"],
            text("ansible_user"),
            text("ansible_host"),
        );
        let output =
            home.program(std::path::Path::new("/bin/sh"), &["-c", &line]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(said.trim(), "n1", "{line}\n{errors}");
        let one = home.squall(&["inventory", "--host", "n1"]).ok().json();
        assert_eq!(&one, variables);
        let _ = home.squall(&["delete", "pair", "--yes"]).ok();
    });
}
