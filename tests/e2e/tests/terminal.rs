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
    // Keys that follow a resize reach a program that sees it, however close
    // they come.
    for rows in 30..50 {
        ssh.resize(rows, 132).unwrap();
        ssh.send("echo si''ze $(stty size)\n").unwrap();
        ssh.expect(&format!("size {rows} 132"));
    }
    // Ctrl-C reaches the program, not squall. The program itself must say that
    // it runs: what a shell echoes says nothing, and Ctrl-C between its echo
    // and its program's start is lost with any terminal.
    ssh.send("sh -c 'echo rea\"\"dy; exec sleep 1000'\n").unwrap();
    ssh.expect("ready");
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
}

/// Much of everything: output that nobody answers, a paste, and input to a
/// program that prints it back before it reads on.
fn plenty(home: &Home) {
    home.file("one.yaml", ONE);
    let _ = home.squall(&["create", "one.yaml", "--yes"]).ok();

    let mut ssh = Terminal::start(&home.command(&["ssh", "one"]), 24, 80).unwrap();
    ssh.send("yes | head -c 2M | tr y x; echo flood o''ver\n").unwrap();
    let flood = ssh.expect("flood over");
    assert_eq!(flood.matches("x\r\n").count(), 1024 * 1024);

    let pasted: String = (0..2000).map(|number| format!("{number:06} {:->42}\n", "")).collect();
    ssh.send("echo rea''dy; cat > pasted\n").unwrap();
    ssh.expect("ready\r\n");
    ssh.send(&pasted).unwrap();
    ssh.send("\u{4}").unwrap();
    ssh.send("echo al''ive; exit 0\n").unwrap();
    ssh.expect("alive");
    assert_eq!(ssh.finish().0, 0);
    let arrived = home.squall(&["ssh", "one", "--", "cat", "pasted"]).ok();
    assert!(arrived.out() == pasted, "{} of {} bytes", arrived.stdout.len(), pasted.len());

    // More than all buffers on the way hold: each side waits for the other if
    // squall does not read while it writes.
    let bytes: Vec<u8> = (0..16_000_000_u32).map(|number| (number * 31 % 251) as u8).collect();
    let piped = home.command(&["ssh", "one", "--", "cat; echo end"]);
    let piped = e2e::Running::start(piped, &bytes).finish().ok();
    let back = piped.stdout.strip_suffix(b"end\n");
    assert!(back == Some(&bytes[..]), "{} of {} bytes", piped.stdout.len(), bytes.len());
}

#[test]
fn terminals_are_real_as_root() {
    with_home("terminals_are_real_as_root", Who::Root, terminal);
}

#[test]
fn terminals_are_real_as_user() {
    with_home("terminals_are_real_as_user", Who::User, terminal);
}

#[test]
fn floods_and_pastes_pass_as_root() {
    with_home("floods_and_pastes_pass_as_root", Who::Root, plenty);
}

#[test]
fn floods_and_pastes_pass_as_user() {
    with_home("floods_and_pastes_pass_as_user", Who::User, plenty);
}
