//! One session: commands, terminals, and what can be wrong with the node.

use std::time::Duration;

use transport::keys::generate;
use transport::session::{PtyOptions, PtySize, TimeoutKind};
use transport::{
    Bytes, CancellationToken, ConnectError, ConnectErrorKind, DirectDial, ExecEnd, ExecEvent,
    ExecOptions, HostKeys, PrivateKey, Session, Timeouts,
};

use crate::support::{
    Kind, Server, ended, eventually, is_alive, servers, status_kib, stdin, until,
};

#[tokio::test]
async fn output_errors_and_codes_come_apart() {
    for (kind, server) in servers() {
        let session = server.session().await;
        let table: &[(&str, &str, &str, ExecEnd)] = &[
            ("echo out; echo err >&2; exit 7", "out\n", "err\n", ExecEnd::Exited(7)),
            ("true", "", "", ExecEnd::Exited(0)),
            ("printf 'a\\r\\n'", "a\r\n", "", ExecEnd::Exited(0)),
            ("kill -TERM $$", "", "", ExecEnd::Signalled("TERM".into())),
            ("kill -KILL $$", "", "", ExecEnd::Signalled("KILL".into())),
            ("printf '\\303'; sleep 0.05; printf '\\274'", "ü", "", ExecEnd::Exited(0)),
            ("cat", "", "", ExecEnd::Exited(0)),
        ];
        for (command, stdout, stderr, end) in table {
            let output = session.output(command, ExecOptions::default()).await.unwrap();
            assert_eq!(output.stdout, stdout.as_bytes(), "{kind:?} {command}");
            assert_eq!(output.stderr, stderr.as_bytes(), "{kind:?} {command}");
            assert_eq!(output.end, *end, "{kind:?} {command}");
        }
        session.ping().await.unwrap();
    }
}

#[tokio::test]
async fn binary_input_comes_back_unharmed() {
    let bytes: Bytes = (0..3_000_000_u32).map(|number| (number * 31 % 251) as u8).collect();
    for (kind, server) in servers() {
        let session = server.session().await;
        let exec = session.exec("cat", stdin(bytes.clone())).await.unwrap();
        let output = exec.collect(usize::MAX).await;
        assert_eq!(output.end, ExecEnd::Exited(0), "{kind:?}");
        assert!(output.stdout == bytes, "{kind:?}: {} bytes", output.stdout.len());
    }
}

#[tokio::test]
async fn environment_is_set_where_the_node_accepts_it() {
    for (kind, server) in servers() {
        let session = server.session().await;
        let env = vec![("LC_TEST".into(), "x y".into()), ("LD_PRELOAD".into(), "/evil".into())];
        let options = ExecOptions { env, ..ExecOptions::default() };
        let command = "echo \"$LC_TEST|$LD_PRELOAD|$USER\"";
        let output = session.output(command, options).await.unwrap();
        assert_eq!(output.stdout, format!("x y||{}\n", server.user), "{kind:?}");
    }
}

#[tokio::test]
async fn many_commands_share_one_connection() {
    for (kind, server) in servers() {
        let session = server.session().await;
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..30 {
            let session = session.clone();
            tasks.spawn(async move {
                let command = format!("cat; echo {number}");
                let output = session.output(&command, stdin("in ")).await.unwrap();
                assert_eq!(output.stdout, format!("in {number}\n"));
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        }
    }
}

#[tokio::test]
async fn fifty_megabytes_pass_in_little_memory() {
    for (kind, server) in servers() {
        let session = server.session().await;
        let before = status_kib(std::process::id(), "VmRSS:");
        let command = "head -c 50000000 /dev/zero; echo done >&2";
        let mut exec = session.exec(command, ExecOptions::default()).await.unwrap();
        let mut bytes = 0;
        let mut end = None;
        while let Some(event) = exec.next().await {
            match event {
                ExecEvent::Stdout(chunk) => bytes += chunk.len(),
                ExecEvent::Stderr(_) => {}
                ExecEvent::Ended(how) => end = Some(how),
            }
        }
        assert_eq!((bytes, end), (50_000_000, Some(ExecEnd::Exited(0))), "{kind:?}");
        let grown = status_kib(std::process::id(), "VmRSS:").saturating_sub(before);
        assert!(grown < 20_000, "{kind:?}: the client grew by {grown} KiB");
    }
}

#[tokio::test]
async fn a_reader_that_stops_stops_the_node_and_not_its_memory() {
    let server = Server::embedded();
    let session = server.session().await;
    let counter = server.path("count");
    // Every turn writes 64 KiB and then notes it, so the file tells how far
    // the node came.
    let command = format!(
        "n=0; while head -c 65536 /dev/zero; do n=$((n+1)); echo $n > {}; done",
        counter.display()
    );
    let mut exec = session.exec(&command, ExecOptions::default()).await.unwrap();
    until(&mut exec, |event| matches!(event, ExecEvent::Stdout(_))).await;
    let turns =
        || std::fs::read_to_string(&counter).ok().and_then(|text| text.trim().parse::<u64>().ok());
    // It stands still once the count is the same for a while.
    let mut last = (None, 0);
    eventually("the node to stand still", || {
        let now = turns();
        last = if now == last.0 { (now, last.1 + 1) } else { (now, 0) };
        last.1 > 60
    })
    .await;
    let written_kib = turns().unwrap_or(0) * 64;
    assert!(written_kib < 16_000, "{written_kib} KiB were taken from a command nobody reads");
    assert!(status_kib(server.pid(), "VmRSS:") < 20_000);
    // And it goes on when it is read again.
    let before = turns().unwrap_or(0);
    let mut bytes = 0_u64;
    until(&mut exec, |event| {
        if let ExecEvent::Stdout(chunk) = event {
            bytes += chunk.len() as u64;
        }
        bytes > (before + 100) * 65536
    })
    .await;
}

#[tokio::test]
async fn another_host_key_is_refused_with_both_fingerprints() {
    for (kind, server) in servers() {
        let other = generate("other").unwrap().public;
        let table = [
            (HostKeys::new(vec![other.clone()]), other.fingerprint()),
            (HostKeys::default(), "no key at all".to_owned()),
        ];
        for (known, expected) in table {
            let login = server.login();
            let times = Timeouts::default();
            let error = Session::connect(&DirectDial, &server.endpoint(), &login, &known, times)
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ConnectErrorKind::HostKeyChanged, "{kind:?} {error}");
            let text = error.text();
            assert!(text.contains(&expected), "{text}");
            assert!(text.contains(&server.host.public.fingerprint()), "{text}");
        }
    }
}

#[tokio::test]
async fn a_refused_key_is_named() {
    for (kind, server) in servers() {
        let pair = generate("stranger").unwrap();
        let mut login = server.login();
        let key = PrivateKey::parse(pair.private_pem.reveal(), "stranger").unwrap();
        login.identities = vec![transport::Identity::Key(key)];
        let times = Timeouts::default();
        let keys = server.host_keys();
        let error = Session::connect(&DirectDial, &server.endpoint(), &login, &keys, times)
            .await
            .unwrap_err();
        let ConnectError::AuthRefused { user, tried, .. } = &error else {
            panic!("{kind:?}: {error}");
        };
        let fingerprints: Vec<_> = tried.iter().map(|tried| &tried.fingerprint).collect();
        assert_eq!((user, fingerprints), (&server.user, vec![&pair.public.fingerprint()]));
    }
}

#[tokio::test]
async fn another_user_is_refused_by_the_embedded_server() {
    let server = Server::embedded();
    let mut login = server.login();
    login.user = "somebody-else".into();
    let keys = server.host_keys();
    let times = Timeouts::default();
    let error =
        Session::connect(&DirectDial, &server.endpoint(), &login, &keys, times).await.unwrap_err();
    assert_eq!(error.kind(), ConnectErrorKind::AuthRefused);
}

#[tokio::test]
async fn idle_and_total_timeouts_end_a_command() {
    let short = Duration::from_millis(300);
    for (kind, server) in servers() {
        let session = server.session().await;
        let idle = ExecOptions { idle: Some(short), ..ExecOptions::default() };
        let output = session.output("echo a; sleep 100", idle).await.unwrap();
        let end = ExecEnd::TimedOut { kind: TimeoutKind::Idle, after: short };
        assert_eq!((output.stdout.as_ref(), output.end), (&b"a\n"[..], end), "{kind:?}");
        let total = ExecOptions { total: Some(short), ..ExecOptions::default() };
        let flood = session.exec("yes", total).await.unwrap().collect(10).await;
        let end = ExecEnd::TimedOut { kind: TimeoutKind::Total, after: short };
        assert_eq!((flood.end, flood.truncated), (end, true), "{kind:?}");
        // The session is as good as before.
        assert!(session.output("true", ExecOptions::default()).await.unwrap().end.is_success());
    }
}

#[tokio::test]
async fn cancelling_ends_the_command_on_the_node() {
    for (kind, server) in servers() {
        let session = server.session().await;
        let cancel = CancellationToken::new();
        let options = ExecOptions { cancel: cancel.clone(), ..ExecOptions::default() };
        let mut exec = session.exec("echo $$; exec sleep 1000", options).await.unwrap();
        let ExecEvent::Stdout(pid) = exec.next().await.unwrap() else { panic!("no pid") };
        let pid = String::from_utf8_lossy(&pid).into_owned();
        assert!(is_alive(&pid));
        cancel.cancel();
        let end = exec.next().await.unwrap();
        assert_eq!(end, ExecEvent::Ended(ExecEnd::Cancelled), "{kind:?}");
        assert!(exec.next().await.is_none());
        if kind == Kind::OpenSsh && server.user == "root" {
            // OpenSSH delivers no signals in sessions of root.
            let kill = format!("kill {pid}");
            session.output(&kill, ExecOptions::default()).await.unwrap();
        }
        ended(&pid).await;
    }
}

#[tokio::test]
async fn a_child_left_behind_does_not_hold_the_command() {
    for (kind, server) in servers() {
        let session = server.session().await;
        let command = "echo started; sleep 1000 & echo $!; exit 3";
        let output = session.output(command, ExecOptions::default()).await.unwrap();
        assert_eq!(output.end, ExecEnd::Exited(3), "{kind:?}");
        let text = String::from_utf8(output.stdout.to_vec()).unwrap();
        let (first, pid) = text.trim().split_once('\n').unwrap();
        assert_eq!(first, "started");
        // It was left behind on purpose, so it lives.
        let kill = format!("kill {pid}");
        assert!(session.output(&kill, ExecOptions::default()).await.unwrap().end.is_success());
    }
}

#[tokio::test]
async fn a_terminal_has_a_size_and_follows_the_window() {
    for (kind, server) in servers() {
        let session = server.session().await;
        let options = PtyOptions {
            command: Some("stty size; read x; stty size; tty; echo $TERM; exit 4".into()),
            term: "vt220".into(),
            size: PtySize { columns: 101, rows: 33 },
            ..PtyOptions::default()
        };
        let mut pty = session.pty(options).await.unwrap();
        let mut shown = String::new();
        until(&mut pty.output, |event| gather(event, &mut shown).contains("33 101")).await;
        pty.input.resize(PtySize { columns: 60, rows: 20 }).await.unwrap();
        pty.input.send(Bytes::from_static(b"x\r")).await.unwrap();
        let end = until(&mut pty.output, |event| {
            gather(event, &mut shown);
            matches!(event, ExecEvent::Ended(_))
        })
        .await;
        assert_eq!(end, ExecEvent::Ended(ExecEnd::Exited(4)), "{kind:?} {shown}");
        for wanted in ["20 60", "/dev/pts/", "vt220"] {
            assert!(shown.contains(wanted), "{kind:?}: no {wanted} in {shown:?}");
        }
    }
}

#[tokio::test]
async fn control_c_and_hanging_up_reach_the_programs_of_a_terminal() {
    for (kind, server) in servers() {
        let session = server.session().await;
        let mut pty =
            session.pty(PtyOptions { term: "dumb".into(), ..PtyOptions::default() }).await.unwrap();
        let mut shown = String::new();
        // The program speaks for itself: the shell may be on its way to it, and
        // then a control-C is the shell's.
        let say = Bytes::from_static(
            b"export S=$0 P=$$; sh -c 'echo shell=$S pid=$P end; exec sleep 1000'\r",
        );
        pty.input.send(say).await.unwrap();
        until(&mut pty.output, |event| {
            let text = gather(event, &mut shown);
            text.lines().any(|line| line.contains("pid=") && !line.contains("$P"))
        })
        .await;
        pty.input.send(Bytes::from_static(b"\x03")).await.unwrap();
        pty.input.send(Bytes::from_static(b"echo after-$((1+1))\r")).await.unwrap();
        until(&mut pty.output, |event| gather(event, &mut shown).contains("after-2")).await;
        assert!(shown.contains("shell=-"), "{kind:?}: no login shell in {shown:?}");
        let numbers =
            shown.split("pid=").filter_map(|rest| rest.split(' ').next()?.parse::<u32>().ok());
        let pid = numbers.last().unwrap();
        drop(pty);
        drop(session);
        ended(&pid.to_string()).await;
    }
}

fn gather<'a>(event: &ExecEvent, shown: &'a mut String) -> &'a str {
    if let ExecEvent::Stdout(bytes) = event {
        shown.push_str(&String::from_utf8_lossy(bytes));
    }
    shown
}
