//! From a host's name and its settings to where it is dialled, who we are to
//! it, and which keys it may show.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use model::Endpoint;
use transport::jump::{Bastion, Way};
use transport::limits::SSH_PORT;
use transport::session::{Listed, NewHost, UnknownHosts};
use transport::ssh_config::{Config, Hop, Settings, Strict};
use transport::{HostKeys, HostName, Login, Target, Timeouts};

use super::identities::Identities;
use super::known::KnownFiles;
use crate::exit::CommandError;
use crate::output::Printer;

/// Bastions one behind the other; more is a circle.
const JUMPS_MAX: usize = 8;

/// Why there is no way to a host.
pub(super) enum Blocked {
    /// Its bastions lead in a circle, which is its own affair.
    Circle { host: String },
    /// What stops the whole command.
    Command(Box<CommandError>),
}

impl From<CommandError> for Blocked {
    fn from(error: CommandError) -> Self {
        Self::Command(Box::new(error))
    }
}

/// What is said of a host besides its name.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    pub(super) user: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) address: Option<String>,
}

/// Makes targets of names. What several hosts share, as keys, files of host
/// keys and bastions, is made once.
pub(super) struct Ways {
    pub(super) config: Config,
    pub(super) home: PathBuf,
    pub(super) local_user: String,
    pub(super) identities: Identities,
    pub(super) known: KnownFiles,
    pub(super) accept_new: bool,
    pub(super) now_s: u64,
    pub(super) printer: Printer,
    /// The bastions that are needed, by the names in endpoints.
    pub(super) bastions: BTreeMap<String, Way>,
}

/// A host, settled.
pub(super) struct Settled {
    settings: Settings,
    pub(super) user: String,
    pub(super) host: String,
    pub(super) port: u16,
}

impl Ways {
    /// Where a host is, who we are to it, and what it may show.
    ///
    /// # Errors
    /// What is wrong with its settings.
    pub(super) async fn target(&mut self, name: &str, said: &Said) -> Result<Target, Blocked> {
        self.target_via(name, said, None, 0).await
    }

    async fn target_via(
        &mut self,
        name: &str,
        said: &Said,
        via: Option<String>,
        depth: usize,
    ) -> Result<Target, Blocked> {
        if depth > JUMPS_MAX {
            return Err(Blocked::Circle { host: name.to_owned() });
        }
        let settled = self.settled(name, said);
        let via = match via {
            Some(via) => Some(via),
            None => Box::pin(self.before(name, &settled, depth)).await?,
        };
        let endpoint = endpoint(&settled, via);
        let identities = self.identities.of(&settled.settings).await?;
        Ok(Target {
            name: Arc::from(name),
            endpoint,
            host_keys: self.host_keys(name, &settled),
            login: Login { user: settled.user, identities },
        })
    }

    /// What is said of a host here and by its settings.
    pub(super) fn settled(&self, name: &str, said: &Said) -> Settled {
        let settings = self.config.settings(name, said.user.as_deref());
        let user =
            said.user.as_ref().or(settings.user.as_ref()).unwrap_or(&self.local_user).clone();
        let host = said
            .address
            .clone()
            .or_else(|| settings.host_name.clone())
            .unwrap_or_else(|| name.to_owned());
        let port = said.port.or(settings.port).unwrap_or(SSH_PORT);
        Settled { settings, user, host, port }
    }

    /// What is in front of a host, made known; the name in its endpoint.
    async fn before(
        &mut self,
        name: &str,
        settled: &Settled,
        depth: usize,
    ) -> Result<Option<String>, Blocked> {
        if let Some((line, place)) = &settled.settings.proxy_command {
            let line = filled(line, name, settled);
            let way = format!("ProxyCommand for {name} ({place})");
            let place = place.to_string();
            self.bastions.entry(way.clone()).or_insert(Way::Command { line, place });
            return Ok(Some(way));
        }
        let mut via = None;
        let mut chain = String::new();
        for hop in &settled.settings.jumps {
            if !chain.is_empty() {
                chain.push(',');
            }
            chain.push_str(&shown(hop));
            if !self.bastions.contains_key(&chain) {
                let said = Said { user: hop.user.clone(), port: hop.port, address: None };
                let target = Box::pin(self.target_via(&hop.host, &said, via, depth + 1)).await?;
                let target = Target { name: Arc::from(chain.as_str()), ..target };
                let bastion = Bastion::new(target, Timeouts::default());
                self.bastions.insert(chain.clone(), Way::Bastion(Box::new(bastion)));
            }
            via = Some(chain.clone());
        }
        Ok(via)
    }

    fn host_keys(&mut self, name: &str, settled: &Settled) -> HostKeys {
        let known_hosts = self.known.of(&self.home, &settled.settings);
        let listed_as = match &settled.settings.host_key_alias {
            Some(alias) => HostName::alias(alias),
            None => HostName::new(&settled.host, settled.port),
        };
        let accepts = self.accept_new || settled.settings.strict == Strict::AcceptNew;
        let unknown = if accepts { self.accept(name, &known_hosts) } else { UnknownHosts::Refuse };
        HostKeys::listed(Listed { known_hosts, name: listed_as, unknown, now_s: self.now_s })
    }

    fn accept(&self, name: &str, known: &transport::KnownHosts) -> UnknownHosts {
        let (printer, name) = (self.printer, name.to_owned());
        let file = known.record_file().map(|file| format!(", recorded in {}", file.display()));
        let file = file.unwrap_or_default();
        UnknownHosts::Accept(Arc::new(move |new: NewHost| {
            printer.warn(format!("{name} is new: {} is its host key from now on{file}", new.key));
        }))
    }
}

fn shown(hop: &Hop) -> String {
    let user = hop.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    let port = hop.port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{user}{}{port}", hop.host)
}

fn endpoint(settled: &Settled, via: Option<String>) -> Endpoint {
    let (host, port) = (settled.host.clone(), settled.port);
    match (via, host.parse::<IpAddr>()) {
        (Some(bastion), _) => Endpoint::Jump { bastion, host, port },
        (None, Ok(address)) => Endpoint::Tcp { address: SocketAddr::new(address, port) },
        (None, Err(_)) => Endpoint::Host { name: host, port },
    }
}

/// A command with its tokens replaced, as ssh does.
fn filled(line: &str, name: &str, settled: &Settled) -> String {
    let mut text = String::new();
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        match letters.next() {
            Some('h') => text.push_str(&settled.host),
            Some('p') => text.push_str(&settled.port.to_string()),
            Some('r') => text.push_str(&settled.user),
            Some('n') => text.push_str(name),
            Some('%') => text.push('%'),
            Some(other) => {
                text.push('%');
                text.push(other);
            }
            None => text.push('%'),
        }
    }
    text
}
