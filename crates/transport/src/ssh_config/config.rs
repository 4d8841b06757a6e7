//! A configuration, asked about hosts. The first value that is said counts,
//! as ssh has it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::gather::{Gathered, gather};
use super::include;
use super::parse::{Item, Problem, parse};
use super::settings::{AgentChoice, Hop, Settings, Strict};
use super::tokens::Tokens;

/// What a configuration may refer to.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The user's home.
    pub home: PathBuf,
    /// The user's name here.
    pub user: String,
    /// The number of the user's account.
    pub uid: u32,
    /// The name of this machine.
    pub host: String,
    /// The environment's variables.
    pub variables: BTreeMap<String, String>,
}

/// A configuration of ssh.
#[derive(Debug, Clone, Default)]
pub struct Config {
    items: Vec<Item>,
    problems: Vec<Problem>,
    environment: Environment,
}

impl Config {
    /// Reads a configuration, and after it the system's. A file that is not
    /// there says nothing.
    ///
    /// # Errors
    /// A file that is there and cannot be read.
    pub fn read(
        user_file: &Path,
        system_file: Option<&Path>,
        environment: Environment,
    ) -> std::io::Result<Self> {
        let mut made = Self { environment, ..Self::default() };
        let own = made.environment.home.join(".ssh");
        if let Some(text) = include::read(user_file)? {
            made.add(&text, user_file, &own);
        }
        if let Some(file) = system_file
            && let Some(text) = include::read(file)?
        {
            made.add(&text, file, file.parent().unwrap_or(Path::new("/etc/ssh")));
        }
        Ok(made)
    }

    /// Reads a text as if it were that file.
    #[must_use]
    pub fn parse(text: &str, file: &Path, environment: Environment) -> Self {
        let mut made = Self { environment, ..Self::default() };
        let own = made.environment.home.join(".ssh");
        made.add(text, file, &own);
        made
    }

    fn add(&mut self, text: &str, file: &Path, base: &Path) {
        let environment = self.environment.clone();
        let load = |pattern: &str| include::find(pattern, base, &environment);
        // Blocks end with their file.
        let items = parse(text, file, &load, 0, &mut self.problems);
        self.items.push(Item::Include(vec![items]));
    }

    /// What is wrong with it.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The names of single hosts in it, in their order.
    #[must_use]
    pub fn hosts(&self) -> Vec<String> {
        let mut names = Vec::new();
        collect(&self.items, &mut names);
        names
    }

    /// What it says about a host. `user` is the user's name there where it is
    /// said elsewhere, which counts more.
    #[must_use]
    pub fn settings(&self, host: &str, user: Option<&str>) -> Settings {
        let gathered = gather(&self.items, host, user, &self.environment.user);
        self.settled(host, user, &gathered)
    }

    fn settled(&self, host: &str, user: Option<&str>, said: &Gathered) -> Settings {
        let port = said.one("port").and_then(|port| port.parse().ok());
        let host_name =
            said.one("hostname").map(|name| name.replace("%h", host).replace("%%", "%"));
        let settled_user = user.map(str::to_owned).or_else(|| said.one("user").map(str::to_owned));
        let alias = said.one("hostkeyalias").map(str::to_owned);
        let tokens = Tokens {
            environment: &self.environment,
            original: host,
            host: host_name.as_deref().unwrap_or(host),
            port: port.unwrap_or(crate::limits::SSH_PORT),
            user: settled_user.as_deref().unwrap_or(&self.environment.user),
            alias: alias.as_deref(),
            jump: said.one("proxyjump").unwrap_or_default(),
        };
        let files = |key: &str| said.many(key).map(|words| tokens.paths(words));
        let all = |key: &str| tokens.paths(said.all(key));
        let seconds = |key: &str| said.one(key).and_then(seconds).filter(|time| !time.is_zero());
        let is_yes = |key: &str| matches!(said.one(key), Some("yes" | "true"));
        let identity_files = all("identityfile");
        let certificate_files = all("certificatefile");
        let (jumps, proxy_command) = said.proxy();
        Settings {
            identity_files,
            certificate_files,
            identities_only: is_yes("identitiesonly"),
            agent: agent(said.one("identityagent"), &tokens),
            user_known_hosts: files("userknownhostsfile"),
            global_known_hosts: files("globalknownhostsfile"),
            strict: strict(said.one("stricthostkeychecking")),
            hash_known_hosts: is_yes("hashknownhosts"),
            connect_timeout: seconds("connecttimeout"),
            alive_interval: seconds("serveraliveinterval"),
            jumps,
            proxy_command,
            host_key_alias: alias.clone(),
            user: settled_user.clone(),
            host_name: host_name.clone(),
            port,
        }
    }
}

fn collect(items: &[Item], names: &mut Vec<String>) {
    for item in items {
        match item {
            Item::Host { names: more, .. } => {
                for name in more {
                    if !names.contains(name) {
                        names.push(name.clone());
                    }
                }
            }
            Item::Include(files) => files.iter().for_each(|items| collect(items, names)),
            Item::Match(_) | Item::Set { .. } => {}
        }
    }
}

fn agent(word: Option<&str>, tokens: &Tokens<'_>) -> AgentChoice {
    match word {
        None | Some("SSH_AUTH_SOCK") => AgentChoice::Environment,
        Some("none") => AgentChoice::None,
        Some(word) => match word.strip_prefix('$').filter(|name| !name.starts_with('{')) {
            Some(name) => match tokens.environment.variables.get(name) {
                Some(path) => AgentChoice::Socket(PathBuf::from(path)),
                None => AgentChoice::None,
            },
            None => AgentChoice::Socket(tokens.path(word)),
        },
    }
}

fn strict(word: Option<&str>) -> Strict {
    match word {
        Some("yes" | "true") => Strict::Yes,
        Some("accept-new" | "no" | "false" | "off") => Strict::AcceptNew,
        _ => Strict::Ask,
    }
}

/// `30`, `5m`, `1h30m`.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    let mut total = 0_u64;
    let mut number = None;
    for letter in text.chars() {
        if let Some(digit) = letter.to_digit(10) {
            number = Some(number.unwrap_or(0_u64).checked_mul(10)?.checked_add(digit.into())?);
            continue;
        }
        let unit = match letter.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    total.checked_add(number.unwrap_or(0)).map(Duration::from_secs)
}

/// `[user@]host[:port]`, or the same as a URI of ssh.
pub(super) fn hop(text: &str) -> Option<Hop> {
    let text = text.trim();
    let text = text.strip_prefix("ssh://").unwrap_or(text).trim_end_matches('/');
    let (user, rest) = match text.rsplit_once('@') {
        Some((user, rest)) => (Some(user.to_owned()), rest),
        None => (None, text),
    };
    let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, after)) => (host, after.strip_prefix(':')),
        None => match rest.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') => (host, Some(port)),
            _ => (rest, None),
        },
    };
    let port = match port {
        Some(port) => Some(port.parse().ok()?),
        None => None,
    };
    (!host.is_empty()).then(|| Hop { user, host: host.to_owned(), port })
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
