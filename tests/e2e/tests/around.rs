//! What surrounds clusters: errors in specs, other people's files, plain ssh,
//! completion, secrets, the demonstration.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use e2e::{Home, PAIR, Terminal, Who, with_home};
use rustix::process::Signal;

#[test]
fn all_errors_of_a_spec_come_at_once() {
    with_home("all_errors_of_a_spec_come_at_once", Who::Root, |home| {
        let spec = "cloud: {provider: local}\ncluster: {name: bad_name}\nnodes:\n- nodename: a\n  \
                    instanc_type: host\n  count: many\n";
        home.file("bad.yaml", spec);
        let bad = home.squall(&["plan", "bad.yaml"]).code(2).err();
        for word in ["bad.yaml:2", "bad.yaml:5", "bad.yaml:6", "instance_type", "bad-name"] {
            assert!(bad.contains(word), "no {word} in\n{bad}");
        }
        let missing = home.squall(&["plan", "missing.yaml"]).code(2);
        assert!(missing.err().contains("missing.yaml"));
        let unknown = home.squall(&["delete", "nope", "--yes"]).code(3);
        assert!(unknown.err().contains("nope"));
        home.assert_clean();
    });
}

/// Where DustCluster's own files lie in the repository.
fn samples() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/model/tests/compat")
}

#[test]
fn files_of_dustcluster_make_local_clusters() {
    with_home("files_of_dustcluster_make_local_clusters", Who::Root, |home| {
        let samples =
            ["sample1", "sample1-key", "sample1-placement-group", "existing-vpc", "new-vpc"];
        for sample in samples {
            let text = std::fs::read_to_string(samples_file(sample)).unwrap();
            let file = format!("{sample}.yaml");
            home.file(&file, &text);
            let plan = home.squall(&["plan", &file, "--provider", "local"]).ok().out();
            for node in ["master", "worker[1-2]"] {
                assert!(plan.contains(node), "{sample}: no {node} in\n{plan}");
            }
        }
        let made = ["create", "sample1.yaml", "--provider", "local", "--yes"];
        let _ = home.squall(&made).ok();
        let run = home.squall(&["run", "worker*", "--", "hostname"]).ok().out();
        assert_eq!(run.lines().count(), 2);
        let cloud = home.squall(&["create", "sample1.yaml", "--name", "far", "--yes"]);
        assert_ne!(cloud.code, 0, "this build cannot make clusters on EC2");
        assert!(cloud.err().contains("ec2"), "{}", cloud.err());
    });
}

fn samples_file(name: &str) -> std::path::PathBuf {
    samples().join(format!("{name}.yaml"))
}

#[test]
fn examples_of_the_project_work() {
    with_home("examples_of_the_project_work", Who::Root, |home| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                let path = path.to_string_lossy().into_owned();
                let plan = home.squall(&["plan", &path, "--provider", "local"]);
                assert_eq!(plan.code, 0, "{path}: {}", plan.err());
            }
        }
    });
}

fn plain_ssh(home: &Home) {
    home.file("pair.yaml", PAIR);
    let _ = home.squall(&["create", "pair.yaml", "--yes"]).ok();
    let config = home.squall(&["ssh-config", "pair"]).ok().out();
    let file = home.file("ssh_config", &config).to_string_lossy().into_owned();
    let ssh =
        home.program(Path::new("ssh"), &["-F", &file, "-o", "BatchMode=yes", "n1", "hostname"]);
    let said = e2e::Running::start(ssh, b"").finish().ok();
    assert_eq!(said.out(), "n1\n");
}

#[test]
fn plain_ssh_reaches_nodes_as_root() {
    with_home("plain_ssh_reaches_nodes_as_root", Who::Root, plain_ssh);
}

#[test]
fn plain_ssh_reaches_nodes_as_user() {
    with_home("plain_ssh_reaches_nodes_as_user", Who::User, plain_ssh);
}

#[test]
fn completion_knows_clusters_and_nodes() {
    with_home("completion_knows_clusters_and_nodes", Who::Root, |home| {
        home.file("pair.yaml", PAIR);
        let _ = home.squall(&["create", "pair.yaml", "--yes"]).ok();
        for shell in ["bash", "zsh", "fish"] {
            assert!(home.squall(&["completions", shell]).ok().out().contains("squall"));
        }
        let script = home.squall(&["completions", "bash"]).ok().out();
        let binary = home.binary().parent().unwrap().display().to_string();
        // What bash itself would offer after `squall ssh n`.
        let ask = format!(
            "export PATH={binary}:$PATH\n{script}\nCOMP_WORDS=(squall ssh n)\nCOMP_CWORD=2\n\
             COMP_LINE='squall ssh n'\nCOMP_POINT=12\nCOMP_TYPE=9\n\
             f=$(complete -p squall | sed 's/.*-F \\([^ ]*\\).*/\\1/')\n$f squall n ssh\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
        );
        let asked = home.program(Path::new("bash"), &["-c", &ask]);
        let offered = e2e::Running::start(asked, b"").finish().ok().out();
        assert!(offered.contains("n1") && offered.contains("n2"), "{offered}");
    });
}

/// Every file below a directory.
fn files(directory: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files(&entry.path(), found);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
}

#[test]
fn secrets_stay_secret() {
    with_home("secrets_stay_secret", Who::Root, |home| {
        home.file("pair.yaml", PAIR);
        let made = home.squall(&["-vv", "create", "pair.yaml", "--yes"]).ok();
        let shown = home.squall(&["show", "-vv", "--json"]).ok();
        let status = home.squall(&["status", "pair", "--json"]).ok();
        for output in [&made, &shown, &status] {
            assert!(!output.out().contains("PRIVATE KEY") && !output.err().contains("PRIVATE KEY"));
        }
        let mut all = Vec::new();
        files(&home.squall_home(), &mut all);
        let mut keys = 0;
        for path in all {
            let text = std::fs::read(&path).unwrap_or_default();
            if text.windows(11).any(|window| window == b"PRIVATE KEY") && text.len() < 100_000 {
                let mode = path.metadata().unwrap().permissions().mode();
                assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
                assert!(!path.to_string_lossy().contains(".log"), "{}", path.display());
                keys += 1;
            }
        }
        assert!(keys >= 1, "the user's key at least is there");
    });
}

#[test]
fn the_demonstration_shows_a_cluster_and_removes_it() {
    for (test, who) in [("demo_as_root", Who::Root), ("demo_as_user", Who::User)] {
        with_home(test, who, |home| {
            let _ = home.squall(&["demo"]).ok();
            home.assert_clean();
            let kept = home.squall(&["demo", "--keep"]).ok();
            assert!(kept.out().contains("squall delete"), "{}", kept.out());
            assert_eq!(home.clusters().len(), 1);
        });
    }
}

#[test]
fn an_interrupted_demonstration_leaves_nothing() {
    with_home("an_interrupted_demonstration_leaves_nothing", Who::Root, |home| {
        let demo = home.start(&["demo"]);
        let _ = demo.ended_within(std::time::Duration::from_millis(600));
        demo.signal(Signal::INT);
        let _ = demo.finish();
        home.assert_clean();
    });
}

#[test]
fn status_follows_what_happens() {
    with_home("status_follows_what_happens", Who::Root, |home| {
        home.file("pair.yaml", PAIR);
        let _ = home.squall(&["create", "pair.yaml", "--yes"]).ok();
        let follow = home.command(&["status", "pair", "--follow"]);
        let mut follow = Terminal::start(&follow, 24, 120).unwrap();
        follow.expect("n2");
        let _ = home.squall(&["stop", "n2", "--yes"]).ok();
        follow.expect("stop");
        follow.send("\u{3}").unwrap();
        let _ = follow.finish();
    });
}
