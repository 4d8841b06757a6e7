//! Plain `ssh` against the embedded server, with the configuration that we
//! generate.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use transport::sshconfig::{HostBlock, known_hosts_line, render};

use crate::support::{Server, skip};

struct Client {
    server: Server,
    config: std::path::PathBuf,
}

fn client() -> Option<Client> {
    if !Path::new("/usr/bin/ssh").exists() {
        skip("transport/ssh", "this machine has no /usr/bin/ssh");
        return None;
    }
    let server = Server::embedded();
    let known_hosts = server.path("known_hosts");
    std::fs::write(&known_hosts, known_hosts_line("node-1", &server.host.public)).unwrap();
    let block = HostBlock {
        names: vec!["node1".into()],
        host_name: server.address.ip().to_string(),
        port: Some(server.address.port()),
        user: server.user.clone(),
        identity_file: server.path("user").display().to_string(),
        known_hosts_file: known_hosts.display().to_string(),
        host_key_alias: "node-1".into(),
        proxy_command: None,
    };
    let config = server.path("ssh_config");
    std::fs::write(&config, render(&[block]).unwrap()).unwrap();
    Some(Client { server, config })
}

impl Client {
    fn ssh(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = Command::new("timeout")
            .args(["-k", "1", "60", "ssh", "-o", "BatchMode=yes", "-F"])
            .arg(&self.config)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || {
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        output
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn commands_have_their_output_errors_and_code() {
    let Some(client) = client() else { return };
    let output = client.ssh(&["node1", "echo out; echo err >&2; exit 5"], b"");
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    assert_eq!((text(&output.stdout).as_str(), text(&output.stderr).as_str()), ("out\n", "err\n"));
    let output = client.ssh(&["node1", "echo $FROM_CONFIG $HOME $SSH_CONNECTION"], b"");
    let expected = format!("yes {} 127.0.0.1 ", client.server.directory.path().display());
    assert!(text(&output.stdout).starts_with(&expected), "{}", text(&output.stdout));
}

#[test]
fn input_passes_both_ways() {
    let Some(client) = client() else { return };
    let input = vec![b'z'; 20_000_000];
    let output = client.ssh(&["node1", "cat"], &input);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(output.stdout == input, "{} bytes", output.stdout.len());
}

#[test]
fn a_forced_terminal_is_one() {
    let Some(client) = client() else { return };
    let output = client.ssh(&["-tt", "node1", "tty; stty size; echo $SSH_TTY; exit 6"], b"");
    assert_eq!(output.status.code(), Some(6), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    assert_eq!(shown.matches("/dev/pts/").count(), 2, "{shown}");
}

#[test]
fn a_login_shell_runs_what_is_typed() {
    let Some(client) = client() else { return };
    let output = client.ssh(&["node1"], b"echo shell $0\nexit 3\n");
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("shell -bash"), "{}", text(&output.stdout));
}

#[test]
fn what_is_not_offered_is_refused_and_hurts_nothing() {
    let Some(client) = client() else { return };
    let subsystem = client.ssh(&["-s", "node1", "netconf"], b"");
    assert_ne!(subsystem.status.code(), Some(0));
    assert_ne!(subsystem.status.code(), Some(124), "it hung");
    let forwards = ["-A", "-X", "-R", "127.0.0.1:0:127.0.0.1:1", "node1", "echo still here"];
    let output = client.ssh(&forwards, b"");
    assert_eq!(text(&output.stdout), "still here\n", "{}", text(&output.stderr));
}
