//! What is read, and that ssh reads the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;

use super::super::settings::{AgentChoice, Settings, Strict};
use super::{Config, Environment, hop, seconds};

fn environment(home: &Path) -> Environment {
    let variables = BTreeMap::from([("KEYS".to_owned(), "/keys".to_owned())]);
    let user = Command::new("id").arg("-un").output().unwrap().stdout;
    Environment {
        home: home.to_owned(),
        user: String::from_utf8(user).unwrap().trim().to_owned(),
        uid: 0,
        host: "here.example".into(),
        variables,
    }
}

fn config(text: &str) -> Config {
    Config::parse(text, Path::new("config"), environment(Path::new("/h")))
}

const SAMPLE: &str = "\
# first value counts
Host gate gate2
    HostName gate.example
    Port 2222
    User=ops
    IdentityFile ~/.ssh/gate
Host web* !web9
    ProxyJump gate,ada@in.example:2200
    IdentityFile \"%d/my keys/%h\"
    IdentityFile ${KEYS}/%r-%n-%p
    IdentitiesOnly yes
    HostName %h.example
    StrictHostKeyChecking accept-new
    UserKnownHostsFile /a \"/b c\"
Host web9
    ProxyJump none
    ProxyCommand nc \"%h\" %p
    CertificateFile ~/c-cert.pub
Match originalhost db,db2 user ops
    Port 1
Match host *.example !user ops
    HostKeyAlias %h
    ConnectTimeout 1m30s
Host *
    User ada
    ServerAliveInterval 15
    Port 22
    IdentityAgent none
    HashKnownHosts yes
";

#[test]
fn the_first_value_of_every_matching_block_counts() {
    let config = config(SAMPLE);
    assert!(config.problems().is_empty(), "{:?}", config.problems());
    assert_eq!(config.hosts(), ["gate", "gate2", "web9"]);
    let web = config.settings("web1", None);
    assert_eq!(web.host_name.as_deref(), Some("web1.example"));
    assert_eq!(
        web.identity_files,
        ["/h/my keys/web1.example", "/keys/ada-web1-22"].map(PathBuf::from)
    );
    assert!(web.identities_only && web.strict == Strict::AcceptNew && web.hash_known_hosts);
    assert_eq!(web.user_known_hosts.unwrap(), ["/a", "/b c"].map(PathBuf::from));
    let jumps: Vec<String> = web.jumps.iter().map(|hop| format!("{hop:?}")).collect();
    assert_eq!(jumps.len(), 2);
    assert_eq!(web.jumps[1], hop("ada@in.example:2200").unwrap());
    assert_eq!(web.agent, AgentChoice::None);
    assert_eq!(web.connect_timeout.unwrap().as_secs(), 90);

    let nine = config.settings("web9", Some("root"));
    assert!(nine.jumps.is_empty(), "{nine:?}");
    assert_eq!(nine.proxy_command.unwrap().0, "nc \"%h\" %p");
    assert_eq!(nine.certificate_files, [PathBuf::from("/h/c-cert.pub")]);
    assert_eq!(nine.user.as_deref(), Some("root"));

    let gate = config.settings("gate", None);
    assert_eq!((gate.port, gate.user.as_deref()), (Some(2222), Some("ops")));
    assert_eq!(gate.identity_files, [PathBuf::from("/h/.ssh/gate")]);
}

#[test]
fn a_command_in_the_way_is_known_with_its_place() {
    let config = config("Host a\n  ProxyCommand  ssh -W %h:%p \"gate one\" # kept\n");
    let (line, place) = config.settings("a", None).proxy_command.unwrap();
    assert_eq!(line, "ssh -W %h:%p \"gate one\" # kept");
    assert_eq!(place.to_string(), "config:2");
}

#[test]
fn what_cannot_be_judged_or_read_is_said_with_its_place() {
    let config = config(
        "Match exec \"test -e /tmp\"\n User evil\nMatch final\n User x\nHost a\n  User \"b\n  Port\n",
    );
    let problems: Vec<String> = config
        .problems()
        .iter()
        .map(|problem| format!("{} {} {}", problem.place, problem.fatal, problem.text))
        .collect();
    assert!(problems[0].starts_with("config:1 false what follows `Match exec`"), "{problems:?}");
    assert!(problems[1].starts_with("config:3 false what follows `Match final`"), "{problems:?}");
    assert_eq!(problems[2], "config:6 true a quote is not closed");
    assert_eq!(problems[3], "config:7 true `port` says nothing");
    assert_eq!(config.settings("a", None).user, None);
}

#[test]
fn files_include_others_within_their_block_and_no_circle_is_endless() {
    let home = tempfile::tempdir().unwrap();
    let ssh = home.path().join(".ssh");
    std::fs::create_dir_all(ssh.join("d")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(ssh.join(name), text).unwrap();
    write("config", "Host a\n  Include d/*.conf\n  User last\nInclude ~/.ssh/loop\nUser global\n");
    write("d/1.conf", "Port 1\nHost b\n  Port 2\n");
    write("d/2.conf", "User two\n");
    write("d/.hidden.conf", "User hidden\n");
    write("loop", "Include loop\n");
    let config = Config::read(&ssh.join("config"), None, environment(home.path())).unwrap();
    let a = config.settings("a", None);
    assert_eq!((a.port, a.user.as_deref()), (Some(1), Some("two")));
    let b = config.settings("b", None);
    assert_eq!((b.port, b.user.as_deref()), (None, None), "included only for a");
    assert_eq!(config.hosts(), ["a", "b"]);
    assert!(config.problems().iter().any(|problem| problem.text.contains("include one another")));
}

#[test]
fn times_and_bastions_are_read_as_ssh_does() {
    for (text, expected) in [("30", Some(30)), ("1m30", Some(90)), ("2h", Some(7200)), ("x", None)]
    {
        assert_eq!(seconds(text).map(|time| time.as_secs()), expected, "{text}");
    }
    let shown = |text| hop(text).map(|hop| format!("{:?} {} {:?}", hop.user, hop.host, hop.port));
    let table = [
        ("gate", Some("None gate None")),
        ("a@gate:22", Some("Some(\"a\") gate Some(22)")),
        ("ssh://a@gate:22/", Some("Some(\"a\") gate Some(22)")),
        ("[::1]:22", Some("None ::1 Some(22)")),
        ("::1", Some("None ::1 None")),
        ("gate:x", None),
        ("", None),
    ];
    for (text, expected) in table {
        assert_eq!(shown(text).as_deref(), expected, "{text}");
    }
}

/// What `ssh -G` says of a host; none where there is no ssh.
fn asked_of_ssh(file: &Path, host: &str) -> Option<BTreeMap<String, Vec<String>>> {
    let mut ssh = Command::new("ssh");
    let output = ssh.arg("-G").arg("-F").arg(file).arg(host).env("KEYS", "/keys").output().ok()?;
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, value) in text.lines().filter_map(|line| line.split_once(' ')) {
        said.entry(key.to_owned()).or_default().push(value.to_owned());
    }
    Some(said)
}

fn assert_same(settings: &Settings, host: &str, ssh: &BTreeMap<String, Vec<String>>, text: &str) {
    let one = |key: &str| ssh.get(key).and_then(|values| values.first()).map(String::as_str);
    let about = format!("{host} of\n{text}\n{settings:#?}\n{ssh:#?}");
    let dialled = settings.host_name.as_deref().unwrap_or(host).to_lowercase();
    assert_eq!(dialled, one("hostname").unwrap(), "{about}");
    assert_eq!(settings.port.unwrap_or(22).to_string(), one("port").unwrap(), "{about}");
    if let Some(user) = &settings.user {
        assert_eq!(user, one("user").unwrap(), "{about}");
    }
    assert_eq!(settings.identities_only, one("identitiesonly") == Some("yes"), "{about}");
    assert_eq!(settings.host_key_alias.as_deref(), one("hostkeyalias"), "{about}");
    assert_eq!(
        settings.proxy_command.as_ref().map(|(line, _)| line.as_str()),
        one("proxycommand"),
        "{about}"
    );
    let shown = |hop: &super::Hop| {
        let user = hop.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        let port = hop.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{user}{}{port}", hop.host)
    };
    let jumps: Vec<String> = settings.jumps.iter().map(shown).collect();
    let said = one("proxyjump").map(|jumps| {
        jumps
            .split(',')
            .map(|hop| hop.strip_prefix('[').map_or(hop.to_owned(), |hop| hop.replacen(']', "", 1)))
            .collect::<Vec<_>>()
    });
    assert_eq!(jumps, said.unwrap_or_default(), "{about}");
    if !settings.identity_files.is_empty() {
        assert_eq!(settings.identity_files.len(), ssh["identityfile"].len(), "{about}");
    }
    let strict = match one("stricthostkeychecking").unwrap() {
        "true" | "yes" => Strict::Yes,
        "accept-new" | "no" | "false" | "off" => Strict::AcceptNew,
        _ => Strict::Ask,
    };
    assert_eq!(settings.strict, strict, "{about}");
    let seconds = settings.alive_interval.map_or(0, |time| time.as_secs());
    assert_eq!(seconds.to_string(), one("serveraliveinterval").unwrap(), "{about}");
}

fn compare(text: &str, hosts: &[&str]) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("config");
    std::fs::write(&file, text).unwrap();
    let config = Config::parse(text, &file, environment(home.path()));
    for host in hosts {
        let Some(ssh) = asked_of_ssh(&file, host) else { return };
        assert_same(&config.settings(host, None), host, &ssh, text);
    }
}

#[test]
fn ssh_reads_the_sample_as_we_do() {
    compare(SAMPLE, &["gate", "gate2", "web1", "web9", "db", "other", "WEB1"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn ssh_reads_any_configuration_as_we_do(lines in proptest::collection::vec(
        prop_oneof![
            "Host (!?[ab?*]{1,2})( !?[ab?*]{1,2}){0,2}",
            "Match (!?(host|originalhost|user) !?[ab*]{1,2}(,[ab*]){0,1})( !user [ab])?",
            "Match all",
            " Port [1-9][0-9]{0,3}",
            " User[ =][ab]",
            " HostName (\"[abx]\\.y\"|%h\\.z|b)",
            " IdentityFile (\"/k x\"|'/k'|~/[ab])( # c)?",
            " ProxyJump (none|g|u@g:22,k)",
            " ProxyCommand (none|nc %h 'x y' # z)",
            " IdentitiesOnly (yes|no)",
            " StrictHostKeyChecking (yes|no|ask|accept-new)",
            " ServerAliveInterval [1-9]",
            " HostKeyAlias [ab]",
            "#.{0,3}",
        ], 1..12)
    ) {
        let text = lines.join("\n") + "\n";
        compare(&text, &["a", "b", "ab"]);
    }
}
