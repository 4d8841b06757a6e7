//! Every kind of failure, its words, and what it tells the user to do.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{
    ConnectError, ConnectErrorKind as Kind, ConnectStage, HostKeyProblem, Tried, Untrusted,
};
use crate::dial::{DialError, ForwardProblem};
use crate::keys::PublicKey;
use crate::known_hosts::{CertificateProblem, KnownKey, Place};

const KEY: &str = "ssh-ed25519 \
    AAAAC3NzaC1lZDI1NTE5AAAAIA2txNUv2AdQnIOYcV2WiKLkOYGZohas3oJr7ec4UYPH";

fn dial(source: DialError) -> ConnectError {
    ConnectError::Dial { address: "n1:22".into(), source }
}

fn untrusted(problem: HostKeyProblem) -> ConnectError {
    let record_file = Some(PathBuf::from("/h/known_hosts"));
    ConnectError::Untrusted(Box::new(Untrusted { name: "[n1]:2222".into(), record_file, problem }))
}

fn place() -> Place {
    Place { file: Arc::new(PathBuf::from("/h/known_hosts")), line: 7 }
}

fn tried(source: &str) -> Tried {
    Tried { source: source.into(), fingerprint: "SHA256:x".into(), problem: None }
}

fn refused(tried: Vec<Tried>, methods: &[&str]) -> ConnectError {
    let methods = methods.iter().map(|&method| method.to_owned()).collect();
    ConnectError::AuthRefused { user: "ada".into(), tried, methods }
}

/// What is met, its kind, words of its text, words of its mend, and whether
/// another try may help.
type Row = (ConnectError, Kind, &'static str, &'static str, bool);

fn on_the_way() -> Vec<Row> {
    let second = Duration::from_secs(1);
    let silent = |stage| ConnectError::Timeout { stage, after: second };
    let forward = |problem| dial(DialError::Forward { bastion: "gate".into(), problem });
    let no_name = DialError::NoSuchName { name: "n1".into(), text: "unknown".into() };
    let bastion = DialError::Bastion {
        bastion: "gate".into(),
        text: "log in as ada".into(),
        mend: "name a key".into(),
        passing: false,
    };
    vec![
        (
            dial(DialError::Refused),
            Kind::Refused,
            "reach n1:22: the connection was refused",
            "booting",
            true,
        ),
        (dial(DialError::Timeout(second)), Kind::Timeout, "no answer within 1 s", "firewall", true),
        (dial(DialError::NoRoute), Kind::NoRoute, "no route", "a way to it", true),
        (dial(no_name), Kind::NoSuchName, "no address for the name `n1`", "HostName", false),
        (dial(bastion), Kind::Bastion, "the bastion gate: failed to log in", "name a key", false),
        (
            forward(ForwardProblem::NotAllowed),
            Kind::Bastion,
            "does not allow",
            "AllowTcpForwarding",
            false,
        ),
        (
            forward(ForwardProblem::NoConnection),
            Kind::Bastion,
            "does not reach",
            "from the bastion",
            true,
        ),
        (forward(ForwardProblem::NoRoom), Kind::Bastion, "no room", "--fanout", true),
        (
            silent(ConnectStage::Dial),
            Kind::Timeout,
            "reach the node: no answer within 1 s",
            "port 22",
            true,
        ),
        (silent(ConnectStage::Banner), Kind::Timeout, "hear from the ssh server", "frozen", true),
        (silent(ConnectStage::Handshake), Kind::Timeout, "agree on", "MTU", true),
        (silent(ConnectStage::LogIn), Kind::Timeout, "log in", "--connect-timeout", true),
    ]
}

fn at_the_door() -> Vec<Row> {
    let away = |said: &str| ConnectError::TurnedAway { address: "n1:22".into(), said: said.into() };
    let keys = vec![tried("/h/id_rsa"), tried("agent: me")];
    let too_many = ConnectError::TooManyTries { user: "ada".into(), tried: keys.clone(), left: 3 };
    let handshake = ConnectError::Handshake { text: "no common cipher".into() };
    vec![
        (away(""), Kind::TurnedAway, "it hung up at once", "fail2ban", true),
        (
            away("Exceeded MaxStartups"),
            Kind::TurnedAway,
            "saying `Exceeded",
            "raise MaxStartups",
            true,
        ),
        (handshake, Kind::Handshake, "no common cipher", "SSH server", false),
        (
            refused(vec![tried("/h/id")], &["publickey"]),
            Kind::AuthRefused,
            "log in as ada: the key SHA256:x (/h/id) was refused; it allows publickey",
            "authorized_keys",
            false,
        ),
        (
            refused(keys, &["publickey"]),
            Kind::AuthRefused,
            "none of 2 keys was accepted: SHA256:x (/h/id_rsa), SHA256:x (agent: me)",
            "--identity",
            false,
        ),
        (
            refused(vec![tried("/h/id")], &["password"]),
            Kind::AuthRefused,
            "it allows password",
            "squall logs in with keys",
            false,
        ),
        (refused(Vec::new(), &["publickey"]), Kind::AuthRefused, "no key to try", "ssh-add", false),
        (too_many, Kind::TooManyTries, "gave up after 2 keys", "IdentitiesOnly", false),
    ]
}

fn of_its_identity() -> Vec<Row> {
    let seen = "ssh-ed25519 SHA256:new".to_owned();
    let known = KnownKey { key: PublicKey::parse(KEY).unwrap(), place: place() };
    let changed = HostKeyProblem::Changed { seen: seen.clone(), listed: vec![known] };
    let unknown = HostKeyProblem::Unknown { seen: seen.clone() };
    let revoked = HostKeyProblem::Revoked { seen, at: place() };
    let over = HostKeyProblem::Certificate(CertificateProblem::Over(60));
    let early = HostKeyProblem::Certificate(CertificateProblem::NotYet(60));
    let other = HostKeyProblem::Certificate(CertificateProblem::OtherHost {
        principals: vec!["b".into()],
        name: "n1".into(),
    });
    vec![
        (
            untrusted(unknown),
            Kind::HostKeyUnknown,
            "not known: ssh-ed25519 SHA256:new",
            "recorded in /h/known_hosts: --accept-new-host-keys",
            false,
        ),
        (
            untrusted(changed),
            Kind::HostKeyChanged,
            "(/h/known_hosts:7)",
            "ssh-keygen -R '[n1]:2222' -f '/h/known_hosts'",
            false,
        ),
        (
            untrusted(revoked),
            Kind::HostKeyRevoked,
            "is revoked (/h/known_hosts:7)",
            "not to be trusted",
            false,
        ),
        (untrusted(over), Kind::HostCertificate, "its certificate ran out 60 s ago", "-V", false),
        (untrusted(early), Kind::HostCertificate, "not valid yet", "clocks", false),
        (
            untrusted(other),
            Kind::HostCertificate,
            "is for b, not for n1",
            "ssh-keygen -s CA -h -n",
            false,
        ),
    ]
}

#[test]
fn every_failure_is_explained_with_the_next_step() {
    for (error, kind, text, mend, passing) in
        on_the_way().into_iter().chain(at_the_door()).chain(of_its_identity())
    {
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.text().contains(text), "{} lacks {text}", error.text());
        assert!(error.mend().contains(mend), "{} lacks {mend}", error.mend());
        assert_eq!(error.is_passing(), passing, "{error}");
    }
}
