//! Whether a host is trusted: new, known, changed, revoked, certified.

use std::path::Path;
use std::sync::{Arc, Mutex};

use transport::keys::generate;
use transport::session::{HostKeyProblem, NewHost};
use transport::{
    ConnectError, ConnectErrorKind, DirectDial, HostKeys, HostName, KnownHosts, Listed, Session,
    Timeouts, UnknownHosts,
};

use crate::hosts_login::{keygen, sshd};
use crate::support::{Server, servers};

fn name(server: &Server) -> HostName {
    HostName::new("127.0.0.1", server.address.port())
}

async fn connect(
    server: &Server,
    known: KnownHosts,
    unknown: UnknownHosts,
    now_s: u64,
) -> Result<Session, ConnectError> {
    let listed = Listed { known_hosts: Arc::new(known), name: name(server), unknown, now_s };
    let keys = HostKeys::listed(listed);
    let times = Timeouts::default();
    Session::connect(&DirectDial, &server.endpoint(), &server.login(), &keys, times).await
}

fn parse(text: &str) -> KnownHosts {
    KnownHosts::parse(text, Path::new("known"))
}

#[tokio::test]
async fn a_new_host_is_refused_or_recorded_and_a_changed_one_is_refused() {
    for (kind, server) in servers() {
        let file = server.path("known/known_hosts");
        let read = || KnownHosts::read(std::slice::from_ref(&file), &[]);
        let error = connect(&server, read(), UnknownHosts::Refuse, 0).await.unwrap_err();
        assert_eq!(error.kind(), ConnectErrorKind::HostKeyUnknown, "{kind:?} {error}");
        assert!(error.text().contains(&server.host.public.fingerprint()), "{}", error.text());
        assert!(!file.exists(), "nothing is recorded without being allowed");

        let told: Arc<Mutex<Vec<NewHost>>> = Arc::default();
        let tell = Arc::clone(&told);
        let accept: UnknownHosts =
            UnknownHosts::Accept(Arc::new(move |new| tell.lock().unwrap().push(new)));
        connect(&server, read(), accept.clone(), 0).await.unwrap();
        assert_eq!(told.lock().unwrap().len(), 1, "{kind:?}");
        connect(&server, read(), UnknownHosts::Refuse, 0).await.unwrap();
        connect(&server, read(), accept.clone(), 0).await.unwrap();
        assert_eq!(told.lock().unwrap().len(), 1, "{kind:?}: it is not new twice");

        let other = generate("other").unwrap().public.bare_line();
        std::fs::write(&file, format!("# mine\n{} {other}\n", name(&server))).unwrap();
        let error = connect(&server, read(), accept, 0).await.unwrap_err();
        assert_eq!(error.kind(), ConnectErrorKind::HostKeyChanged, "{kind:?}");
        assert!(error.text().contains(&format!("{}:2", file.display())), "{}", error.text());
        assert!(error.mend().contains("ssh-keygen -R '[127.0.0.1]:"), "{}", error.mend());
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused_although_it_is_listed() {
    for (kind, server) in servers() {
        let key = server.host.public.bare_line();
        let text = format!("{} {key}\n@revoked * {key}\n", name(&server));
        let error = connect(&server, parse(&text), UnknownHosts::Refuse, 0).await.unwrap_err();
        assert_eq!(error.kind(), ConnectErrorKind::HostKeyRevoked, "{kind:?} {error}");
        assert!(error.text().contains("known:2"), "{}", error.text());
    }
}

#[tokio::test]
async fn a_server_with_several_keys_shows_the_one_that_is_known() {
    let set = "HostKey DIR/rsa\nHostKey DIR/ecdsa";
    let made = |directory: &Path| {
        keygen(directory, "-t rsa -b 2048 -N '' -f rsa");
        keygen(directory, "-t ecdsa -N '' -f ecdsa");
    };
    let Some(server) = sshd(set, made) else { return };
    for file in ["rsa.pub", "ecdsa.pub", "host"] {
        let key = match file {
            "host" => server.host.public.bare_line(),
            file => std::fs::read_to_string(server.path(file)).unwrap(),
        };
        let known = parse(&format!("{} {key}\n", name(&server)));
        connect(&server, known, UnknownHosts::Refuse, 0).await.unwrap();
    }
}

/// Seconds of Unix time in the middle of the certificates' validity.
const IN_TIME_S: u64 = 1_900_000_000;

fn problem(error: ConnectError) -> String {
    match error {
        ConnectError::Untrusted(untrusted) => match untrusted.problem {
            HostKeyProblem::Certificate(problem) => problem.to_string(),
            other => other.to_string(),
        },
        other => other.text(),
    }
}

#[tokio::test]
async fn a_certificate_vouches_for_a_host_within_its_time_and_names() {
    let certify = |names: &'static str| {
        move |directory: &Path| {
            keygen(directory, "-t ed25519 -N '' -f ca");
            let key = std::process::Command::new("ssh-keygen")
                .arg("-y")
                .arg("-f")
                .arg(directory.join("host"))
                .output()
                .unwrap();
            std::fs::write(directory.join("host.pub"), key.stdout).unwrap();
            keygen(directory, &format!("-s ca -h -I it {names} -V 20250101:20350101 host.pub"));
        }
    };
    let set = "HostCertificate DIR/host-cert.pub";
    let Some(server) = sshd(set, certify("-n 127.0.0.1,other")) else { return };
    let ca = std::fs::read_to_string(server.path("ca.pub")).unwrap();
    let authority = || parse(&format!("@cert-authority 127.0.0.* {ca}"));
    let refuse = || UnknownHosts::Refuse;
    connect(&server, authority(), refuse(), IN_TIME_S).await.unwrap();

    let late = connect(&server, authority(), refuse(), 2_100_000_000).await.unwrap_err();
    assert_eq!(late.kind(), ConnectErrorKind::HostCertificate);
    assert!(problem(late).contains("ran out"));
    let early = connect(&server, authority(), refuse(), 1_000_000_000).await.unwrap_err();
    assert!(problem(early).contains("not valid yet"));
    // An authority for other hosts vouches for nothing here.
    let elsewhere = parse(&format!("@cert-authority *.example {ca}"));
    let error = connect(&server, elsewhere, refuse(), IN_TIME_S).await.unwrap_err();
    assert_eq!(error.kind(), ConnectErrorKind::HostKeyUnknown);
    // One that is revoked vouches no more.
    let text = format!("@cert-authority 127.0.0.* {ca}@revoked * {ca}");
    let error = connect(&server, parse(&text), refuse(), IN_TIME_S).await.unwrap_err();
    assert_eq!(error.kind(), ConnectErrorKind::HostKeyRevoked);
    // A certificate of nobody we know counts as the key in it.
    let other = generate("ca").unwrap().public.bare_line();
    let key = server.host.public.bare_line();
    let text = format!("@cert-authority * {other}\n{} {key}\n", name(&server));
    connect(&server, parse(&text), refuse(), IN_TIME_S).await.unwrap();

    let Some(server) = sshd(set, certify("-n other")) else { return };
    let ca = std::fs::read_to_string(server.path("ca.pub")).unwrap();
    let known = parse(&format!("@cert-authority * {ca}"));
    let error = connect(&server, known, refuse(), IN_TIME_S).await.unwrap_err();
    assert_eq!(problem(error), "is for other, not for 127.0.0.1");
}
