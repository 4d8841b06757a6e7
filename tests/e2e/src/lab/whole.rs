//! A lab as tests see it.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use super::hidden::{Door, Hidden};
use super::network::{Network, PORT};
use super::plan::{Admits, Place, Plan};
use super::server::{Common, SSHD, Sshd};
use super::{files, keys, processes};

/// A machine of a lab.
#[derive(Debug, Clone)]
pub struct LabNode {
    /// Its name in the ssh configuration: `n1`, `n2`, ...
    pub name: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// Whether it lies behind the bastion.
    pub hidden: bool,
}

/// Running servers with everything their clients need. Gone when dropped, and
/// with it what their sessions left behind.
#[derive(Debug)]
pub struct Lab {
    // Dropped from the top: first the servers, last the network they are in.
    servers: Vec<Sshd>,
    door: Option<Door>,
    hidden: Option<Hidden>,
    nodes: Vec<LabNode>,
    user: String,
    directory: tempfile::TempDir,
    _network: Network,
}

impl Lab {
    /// Starts a lab; none, with the reason recorded as a skip, where this
    /// machine cannot have one.
    ///
    /// # Panics
    /// When a server does not come up although it could.
    #[must_use]
    pub fn new(test: &str, plan: Plan) -> Option<Self> {
        for program in [SSHD, "/usr/bin/ssh-keygen"] {
            if !Path::new(program).exists() {
                testkit::skip(test, &format!("this machine has no {program}"));
                return None;
            }
        }
        match Self::start(plan) {
            Ok(lab) => Some(lab),
            Err(error) => unreachable!("no lab for {test}: {error:#}"),
        }
    }

    /// Starts a lab.
    ///
    /// # Errors
    /// What could not be made.
    pub fn start(plan: Plan) -> Result<Self> {
        let root = rustix::process::geteuid().is_root();
        if root {
            std::fs::create_dir_all("/run/sshd").context("make /run/sshd")?;
        }
        let directory = tempfile::Builder::new().prefix("squall-lab-").tempdir()?;
        let path = directory.path();
        for name in ["user", "other", "authority"] {
            keys::pair(&path.join(name))?;
        }
        let user = user()?;
        if plan.servers.iter().any(|server| server.admits == Admits::Certificate) {
            keys::certify_user(&path.join("authority"), &path.join("user.pub"), &user)?;
        }
        let network = Network::take()?;
        let hides = plan.servers.iter().any(|server| server.place == Place::Bastion);
        let hidden = (hides && root).then(Hidden::new).transpose()?;
        let mut lab = Self {
            servers: Vec::new(),
            door: None,
            nodes: nodes(&plan, &network),
            user,
            directory,
            _network: network,
            hidden,
        };
        lab.start_servers(plan)?;
        files::known_hosts(lab.path(), &lab.servers)?;
        files::lists(lab.path(), &lab.user, &lab.servers, &lab.nodes)?;
        Ok(lab)
    }

    fn start_servers(&mut self, plan: Plan) -> Result<()> {
        if plan.homes {
            files::homes(self.path(), &self.nodes)?;
        }
        let enter = self.hidden.as_ref().map(Hidden::enter).unwrap_or_default();
        for (number, server) in plan.servers.into_iter().enumerate() {
            let homes = plan.homes && server.place != Place::Bastion;
            let common = Common { directory: self.directory.path(), homes, enter: &enter };
            let addresses = addresses(&self._network, number, server.addresses);
            self.servers.push(Sshd::start(&common, number, server, addresses)?);
        }
        for server in &mut self.servers {
            server.await_listening()?;
        }
        let bastion = self.servers.iter().find(|server| server.plan.place == Place::Bastion);
        let address = bastion.and_then(|server| server.addresses.first());
        if let (Some(hidden), Some(address)) = (&self.hidden, address) {
            self.door = Some(Door::open(hidden, *address, PORT)?);
        }
        Ok(())
    }

    /// Where its files are: `hosts`, `ssh_config`, `known_hosts`, `user`,
    /// `user.pub`, `addresses`, `nodes/ADDRESS`.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A file of it, as an argument.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        self.path().join(name).to_string_lossy().into_owned()
    }

    /// Its machines.
    #[must_use]
    pub fn nodes(&self) -> &[LabNode] {
        &self.nodes
    }

    /// Who logs in.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Port of all servers.
    #[must_use]
    pub const fn port(&self) -> u16 {
        PORT
    }

    /// The home of a node, counted from zero.
    ///
    /// # Panics
    /// When there is no such node.
    #[must_use]
    pub fn home(&self, node: usize) -> PathBuf {
        self.path().join("nodes").join(self.nodes[node].address.to_string())
    }

    /// What a server, counted from zero, has logged.
    ///
    /// # Panics
    /// When there is no such server.
    #[must_use]
    pub fn log(&self, server: usize) -> String {
        self.servers[server].log()
    }

    /// Connections that came through the bastion's door, where it has one.
    #[must_use]
    pub fn passed_the_door(&self) -> Option<usize> {
        self.door.as_ref().map(Door::passed)
    }

    /// Ends a server with all its sessions.
    ///
    /// # Panics
    /// When there is no such server.
    pub fn kill(&mut self, server: usize) {
        self.servers[server].kill();
    }

    /// Stops every process of a server where it is, as a frozen hypervisor
    /// does. Ending the lab ends them, too.
    ///
    /// # Panics
    /// When there is no such server.
    pub fn freeze(&self, server: usize) {
        for pid in self.servers[server].processes() {
            processes::signal(pid, Signal::STOP);
        }
    }

    /// Pids of commands that run on a node, counted from zero.
    ///
    /// # Panics
    /// When there is no such node.
    #[must_use]
    pub fn commands(&self, node: usize) -> Vec<u32> {
        processes::of_sessions(self.nodes[node].address, PORT)
    }
}

fn nodes(plan: &Plan, network: &Network) -> Vec<LabNode> {
    let mut nodes = Vec::new();
    for (number, server) in plan.servers.iter().enumerate() {
        if server.place == Place::Bastion {
            continue;
        }
        for address in addresses(network, number, server.addresses) {
            let name = format!("n{}", nodes.len() + 1);
            let hidden = server.place == Place::BehindBastion;
            nodes.push(LabNode { name, address, hidden });
        }
    }
    nodes
}

fn addresses(network: &Network, server: usize, count: u8) -> Vec<Ipv4Addr> {
    let server = u8::try_from(server).unwrap_or(u8::MAX);
    (0..count).map(|address| network.address(server, address)).collect()
}

fn user() -> Result<String> {
    let output = Command::new("id").arg("-un").output().context("start id")?;
    ensure!(output.status.success(), "id failed");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
