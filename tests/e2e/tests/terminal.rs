//! What needs a terminal, and what happens without one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use e2e::{Home, Terminal, Who, with_home};

const ONE: &str = "\
cloud: {provider: local}
cluster: {name: solo}
nodes:
- {nodename: one, instance_type: local.nano}
";

fn terminal(home: &Home) {
    home.file("one.yaml", ONE);
    let refused = home.squall(&["create", "one.yaml"]).code(4);
    assert!(refused.err().contains("--yes"), "{}", refused.err());
    home.assert_clean();

    let mut shown = Terminal::start(&home.command(&["create", "one.yaml"]), 24, 100).unwrap();
    let question = shown.expect("[y/N]");
    assert!(question.contains("one"), "what is asked about is shown first: {question}");
    shown.send("n\n").unwrap();
    let (code, _) = shown.finish();
    assert_eq!(code, 4);
    home.assert_clean();

    let mut shown = Terminal::start(&home.command(&["create", "one.yaml"]), 24, 100).unwrap();
    shown.expect("[y/N]");
    shown.send("y\n").unwrap();
    let (code, rest) = shown.finish();
    assert_eq!(code, 0, "{rest}");

    let mut ssh = Terminal::start(&home.command(&["ssh", "one"]), 24, 80).unwrap();
    ssh.send("echo si''ze $(stty size)\n").unwrap();
    ssh.expect("size 24 80");
    ssh.resize(40, 132).unwrap();
    ssh.send("echo si''ze $(stty size)\n").unwrap();
    ssh.expect("size 40 132");
    // Ctrl-C reaches the program, not squall.
    ssh.send("sh -c 'echo slee''ping; exec sleep 1000'\n").unwrap();
    ssh.expect("sleeping");
    ssh.send("\u{3}").unwrap();
    ssh.expect("^C");
    ssh.send("echo al''ive\n").unwrap();
    ssh.expect("alive");
    ssh.send("exit 5\n").unwrap();
    assert_eq!(ssh.finish().0, 5);

    for arguments in [&["list"][..], &["show"], &["status", "solo"], &["run", "*", "echo", "hi"]] {
        let plain = home.squall(arguments).ok();
        assert!(
            !plain.out().contains('\u{1b}') && !plain.err().contains('\u{1b}'),
            "{arguments:?}"
        );
    }
    // Input goes through where there is no terminal.
    let piped = home.command(&["ssh", "one", "--", "cat; echo end"]);
    let piped = e2e::Running::start(piped, b"through\n").finish().ok();
    assert_eq!(piped.out(), "through\nend\n");
}

#[test]
fn terminals_are_real_as_root() {
    with_home("terminals_are_real_as_root", Who::Root, terminal);
}

#[test]
fn terminals_are_real_as_user() {
    with_home("terminals_are_real_as_user", Who::User, terminal);
}
