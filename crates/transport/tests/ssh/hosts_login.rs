//! Logging in to OpenSSH with all that users have: agents, keys with a
//! passphrase, RSA, certificates; and what is said when nothing helps.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use model::secret::SecretText;
use transport::keys::{Ask, Asked, generate};
use transport::{
    Agent, ConnectError, ConnectErrorKind, DirectDial, ExecOptions, Identity, KeyFile, Login,
    PrivateKey, Session, Timeouts, UserCertificate,
};

use crate::support::{Server, eventually, skip};

/// Runs `ssh-keygen` with words parted by blanks; `''` is an empty word.
pub(crate) fn keygen(directory: &Path, words: &str) {
    let mut command = Command::new("ssh-keygen");
    command.current_dir(directory).arg("-q");
    for word in words.split(' ') {
        command.arg(if word == "''" { "" } else { word });
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A real sshd, or a skip.
pub(crate) fn sshd(lines: &str, prepare: impl FnOnce(&Path)) -> Option<Server> {
    let server = Server::openssh_set(lines, prepare);
    if server.is_none() {
        skip("transport/sshd", "this machine has no /usr/sbin/sshd");
    }
    server
}

fn authorize(server: &Server, key: &str) {
    let line = std::fs::read_to_string(server.path(key)).unwrap();
    std::fs::write(server.path("authorized"), line).unwrap();
}

async fn log_in(server: &Server, identities: Vec<Identity>) -> Result<Session, ConnectError> {
    let login = Login { user: server.user.clone(), identities };
    let keys = server.host_keys();
    let times = Timeouts::default();
    Session::connect(&DirectDial, &server.endpoint(), &login, &keys, times).await
}

async fn lets_in(server: &Server, identities: Vec<Identity>) {
    let session = log_in(server, identities).await.unwrap();
    let output = session.output("echo in", ExecOptions::default()).await.unwrap();
    assert_eq!(output.stdout, "in\n");
}

fn nobody() -> Ask {
    Arc::new(|_: &Asked| None)
}

fn file(server: &Server, name: &str) -> Identity {
    match KeyFile::load(&server.path(name), &nobody()).unwrap() {
        KeyFile::Open(key) => Identity::Key(key),
        KeyFile::Locked(key) => Identity::Locked(key),
    }
}

fn stranger(number: usize) -> Identity {
    let pair = generate("stranger").unwrap();
    let key = PrivateKey::parse(pair.private_pem.reveal(), &format!("stranger{number}"));
    Identity::Key(key.unwrap())
}

/// An ssh-agent of our own, ended with the value.
struct OwnAgent {
    socket: PathBuf,
    process: Child,
}

impl Drop for OwnAgent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_file(&self.socket);
    }
}

impl OwnAgent {
    async fn with(directory: &Path, keys: &[&str]) -> Self {
        let socket = directory.join("agent.sock");
        let mut command = Command::new("ssh-agent");
        let command = command.arg("-D").arg("-a").arg(&socket);
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let agent = Self { socket, process };
        eventually("the agent's socket", || agent.socket.exists()).await;
        for key in keys {
            let mut add = Command::new("ssh-add");
            let add = add.arg("-q").arg(directory.join(key)).env("SSH_AUTH_SOCK", &agent.socket);
            assert!(add.status().unwrap().success());
        }
        agent
    }
}

#[tokio::test]
async fn every_type_of_key_file_opens_a_host() {
    let Some(server) = sshd("", |_| {}) else { return };
    let directory = server.directory.path();
    for (number, kind) in
        ["ed25519", "ecdsa", "rsa -b 2048", "rsa -b 2048 -m PEM"].iter().enumerate()
    {
        let name = format!("k{number}");
        keygen(directory, &format!("-t {kind} -N '' -f {name}"));
        authorize(&server, &format!("{name}.pub"));
        lets_in(&server, vec![file(&server, &name)]).await;
    }
}

#[tokio::test]
async fn a_passphrase_is_asked_once_for_many_hosts_and_only_where_the_key_is_wanted() {
    let Some(server) = sshd("", |_| {}) else { return };
    let directory = server.directory.path();
    keygen(directory, "-t ed25519 -N secret -f locked");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let ask: Ask = Arc::new(move |asked: &Asked| {
        count.fetch_add(1, Ordering::SeqCst);
        let word = if asked.wrong_before == 0 { "wrong" } else { "secret" };
        Some(SecretText::new(word.into()))
    });
    let KeyFile::Locked(locked) = KeyFile::load(&server.path("locked"), &ask).unwrap() else {
        panic!("the key has a passphrase");
    };
    // Nobody wants it yet, so nobody is asked.
    let error = log_in(&server, vec![Identity::Locked(locked.clone())]).await.unwrap_err();
    assert_eq!(error.kind(), ConnectErrorKind::AuthRefused, "{error}");
    assert_eq!(asked.load(Ordering::SeqCst), 0);

    authorize(&server, "locked.pub");
    let mut sessions = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let identities = vec![Identity::Locked(locked.clone())];
        let login = Login { user: server.user.clone(), identities };
        let (endpoint, keys) = (server.endpoint(), server.host_keys());
        sessions.spawn(async move {
            Session::connect(&DirectDial, &endpoint, &login, &keys, Timeouts::default()).await
        });
    }
    while let Some(session) = sessions.join_next().await {
        session.unwrap().unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2, "once wrong, once right");

    // Without anybody to ask it is said why the key was of no use.
    let KeyFile::Locked(locked) = KeyFile::load(&server.path("locked"), &nobody()).unwrap() else {
        panic!("the key has a passphrase");
    };
    let error = log_in(&server, vec![Identity::Locked(locked)]).await.unwrap_err();
    assert!(error.text().contains("nobody gave it"), "{}", error.text());
}

#[tokio::test]
async fn an_agent_signs_for_many_hosts_at_once() {
    let Some(server) = sshd("", |_| {}) else { return };
    let directory = server.directory.path();
    keygen(directory, "-t rsa -b 2048 -N '' -C old -f other");
    keygen(directory, "-t ed25519 -N '' -C mine -f mine");
    authorize(&server, "mine.pub");
    let own = OwnAgent::with(directory, &["other", "mine"]).await;
    let keys = Agent::at(&own.socket).keys().await.unwrap();
    assert_eq!(keys.len(), 2);
    let identities: Vec<Identity> = keys.into_iter().map(Identity::Agent).collect();
    let mut sessions = tokio::task::JoinSet::new();
    for _ in 0..24 {
        let login = Login { user: server.user.clone(), identities: identities.clone() };
        let (endpoint, keys) = (server.endpoint(), server.host_keys());
        sessions.spawn(async move {
            Session::connect(&DirectDial, &endpoint, &login, &keys, Timeouts::default()).await
        });
    }
    while let Some(session) = sessions.join_next().await {
        session.unwrap().unwrap();
    }
    // An RSA key of the agent, which signs with SHA-2.
    authorize(&server, "other.pub");
    lets_in(&server, identities.clone()).await;
    // And when it opens nothing, it is named by what its owner calls it.
    std::fs::write(server.path("authorized"), "").unwrap();
    let error = log_in(&server, identities).await.unwrap_err();
    assert!(error.text().contains("(agent: old)"), "{}", error.text());
    assert!(error.text().contains("none of 2 keys"), "{}", error.text());
}

#[tokio::test]
async fn an_agent_that_is_not_there_is_said() {
    let error = Agent::at(Path::new("/nowhere/agent")).keys().await.unwrap_err();
    assert!(error.to_string().contains("reach the ssh agent at /nowhere/agent"), "{error}");
}

#[tokio::test]
async fn user_certificates_open_a_host_that_trusts_their_authority() {
    let set = "TrustedUserCAKeys DIR/ca.pub";
    let made = |directory: &Path| keygen(directory, "-t ed25519 -N '' -f ca");
    let Some(server) = sshd(set, made) else { return };
    std::fs::write(server.path("authorized"), "").unwrap();
    let directory = server.directory.path();
    for kind in ["ed25519", "rsa -b 2048", "ecdsa"] {
        for name in ["c", "c.pub", "c-cert.pub"] {
            let _ = std::fs::remove_file(server.path(name));
        }
        keygen(directory, &format!("-t {kind} -N '' -f c"));
        keygen(directory, &format!("-s ca -I me -n {} -V +1h c.pub", server.user));
        let certificate = Arc::new(UserCertificate::load(&server.path("c-cert.pub")).unwrap());
        let KeyFile::Open(key) = KeyFile::load(&server.path("c"), &nobody()).unwrap() else {
            panic!("the key is open");
        };
        assert!(certificate.is_for(&key.public()));
        lets_in(&server, vec![Identity::Certified(key, Arc::clone(&certificate))]).await;

        // The agent has the key and the file the certificate.
        let own = OwnAgent::with(directory, &["c"]).await;
        let keys = Agent::at(&own.socket).keys().await.unwrap();
        assert_eq!(keys.len(), 2, "ssh-add takes the certificate along");
        let bare = keys.iter().find(|key| !key.is_certified()).unwrap();
        lets_in(&server, vec![Identity::Agent(bare.certified(&certificate))]).await;
        let whole = keys.iter().find(|key| key.is_certified()).unwrap();
        lets_in(&server, vec![Identity::Agent(whole.clone())]).await;
    }
}

#[tokio::test]
async fn too_many_keys_are_told_with_those_that_were_tried() {
    let Some(server) = sshd("MaxAuthTries 3", |_| {}) else { return };
    let mut identities: Vec<Identity> = (0..5).map(stranger).collect();
    identities.push(file(&server, "user"));
    let error = log_in(&server, identities).await.unwrap_err();
    let ConnectError::TooManyTries { tried, left, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(tried.len() + left, 6, "{error}");
    assert!(tried.iter().any(|tried| tried.source == "stranger0"), "{error}");
    assert!(error.mend().contains("--identity"), "{}", error.mend());
    // The right key first lets us in.
    lets_in(&server, vec![file(&server, "user"), stranger(0)]).await;
}

#[tokio::test]
async fn without_a_key_the_ways_that_are_open_are_told() {
    let Some(server) = sshd("PasswordAuthentication yes", |_| {}) else { return };
    let error = log_in(&server, Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), ConnectErrorKind::AuthRefused);
    assert!(error.text().contains("it allows publickey, password"), "{}", error.text());
    let Some(server) = sshd("PubkeyAuthentication no\nPasswordAuthentication yes", |_| {}) else {
        return;
    };
    let error = log_in(&server, vec![stranger(1), stranger(2)]).await.unwrap_err();
    assert!(error.mend().contains("by other ways only (password)"), "{}", error.mend());
}
