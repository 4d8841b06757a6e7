//! Networks of clusters and addresses of nodes.
//!
//! Every cluster's network is in a namespace of its own, so that all could use
//! the same; each gets another block all the same, which keeps people from
//! confusing them. A node's address is taken by making a link named like it,
//! which only one can do, and stays taken for the node's life.

use std::collections::BTreeSet;
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use fs_err as fs;
use model::node::NodeId;

use super::files::{StoreError, is_missing};

/// Length of the prefix of a cluster's network: 4096 addresses.
pub(crate) const PREFIX_LENGTH: u8 = 20;
/// Where the blocks of clusters begin.
const FIRST_BLOCK: u32 = u32::from_be_bytes([10, 77, 0, 0]);
/// Number of blocks: up to 10.126.255.255.
const BLOCK_COUNT: u32 = 50 * 16;
/// Host number of the first node; the lower ones are the bridge's and for
/// services to come.
const FIRST_HOST: u32 = 11;

/// A network that none of the others has; the first one when all are taken,
/// which is confusing and not wrong.
pub(crate) fn free_subnet(taken: &BTreeSet<Ipv4Addr>) -> Ipv4Addr {
    let size = 1_u32 << (32 - u32::from(PREFIX_LENGTH));
    (0..BLOCK_COUNT)
        .map(|index| Ipv4Addr::from(FIRST_BLOCK + index * size))
        .find(|base| !taken.contains(base))
        .unwrap_or(Ipv4Addr::from(FIRST_BLOCK))
}

/// The directory that holds a link for every address taken.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    directory: PathBuf,
}

impl Addresses {
    /// The addresses of a directory.
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Takes the lowest free address of a network for a node.
    pub(crate) fn take(
        &self,
        (base, prefix_length): (Ipv4Addr, u8),
        id: &NodeId,
    ) -> Result<Ipv4Addr, StoreError> {
        let taken: BTreeSet<Ipv4Addr> =
            self.all()?.into_iter().map(|(address, _)| address).collect();
        let size = 1_u32.checked_shl(32 - u32::from(prefix_length)).unwrap_or(u32::MAX);
        let hosts = FIRST_HOST..size.saturating_sub(1);
        let count = hosts.len();
        for address in hosts.map(|host| Ipv4Addr::from(u32::from(base).saturating_add(host))) {
            if taken.contains(&address) {
                continue;
            }
            match symlink(&id.0, self.path(address)) {
                Ok(()) => return Ok(address),
                // Another node got it a moment ago.
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
                Err(cause) => return Err(cause.into()),
            }
        }
        Err(StoreError::AddressesTaken(count))
    }

    /// Gives a node's address back; success when it is another's or nobody's.
    pub(crate) fn free(&self, address: Ipv4Addr, id: &NodeId) -> Result<(), StoreError> {
        let path = self.path(address);
        match fs::read_link(&path) {
            Ok(target) if target == Path::new(&id.0) => match fs::remove_file(&path) {
                Err(cause) if !is_missing(&cause) => Err(cause.into()),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Gives back the addresses of nodes that are not there.
    pub(crate) fn free_all_but(&self, ids: &BTreeSet<NodeId>) -> Result<(), StoreError> {
        for (address, id) in self.all()? {
            if !ids.contains(&id) {
                self.free(address, &id)?;
            }
        }
        Ok(())
    }

    fn all(&self) -> Result<Vec<(Ipv4Addr, NodeId)>, StoreError> {
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let address = entry.file_name().to_str().and_then(|name| name.parse().ok());
            if let (Some(address), Ok(target)) = (address, fs::read_link(entry.path())) {
                all.push((address, NodeId(target.to_string_lossy().into_owned())));
            }
        }
        Ok(all)
    }

    fn path(&self, address: Ipv4Addr) -> PathBuf {
        self.directory.join(address.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> NodeId {
        NodeId(format!("l-{number:012x}"))
    }

    #[test]
    fn clusters_get_networks_that_do_not_overlap() {
        let mut taken = BTreeSet::new();
        let first: Vec<String> = (0..18)
            .map(|_| {
                let base = free_subnet(&taken);
                assert!(taken.insert(base));
                base.to_string()
            })
            .collect();
        assert_eq!(first[..3], ["10.77.0.0", "10.77.16.0", "10.77.32.0"]);
        assert_eq!(first[16], "10.78.0.0");
        let all: BTreeSet<Ipv4Addr> =
            (0..BLOCK_COUNT).map(|index| Ipv4Addr::from(FIRST_BLOCK + index * 4096)).collect();
        assert_eq!(free_subnet(&all).to_string(), "10.77.0.0");
    }

    #[test]
    fn an_address_is_one_nodes_for_its_life_and_then_the_next_ones() {
        let dir = tempfile::tempdir().unwrap();
        let addresses = Addresses::new(dir.path().to_owned());
        let net = (Ipv4Addr::new(10, 77, 16, 0), PREFIX_LENGTH);
        let first = addresses.take(net, &id(1)).unwrap();
        let second = addresses.take(net, &id(2)).unwrap();
        assert_eq!(
            (first.to_string(), second.to_string()),
            ("10.77.16.11".into(), "10.77.16.12".into())
        );
        addresses.free(first, &id(2)).unwrap();
        assert_eq!(addresses.take(net, &id(3)).unwrap().to_string(), "10.77.16.13");
        addresses.free(first, &id(1)).unwrap();
        addresses.free(first, &id(1)).unwrap();
        assert_eq!(addresses.take(net, &id(4)).unwrap(), first);
        addresses.free_all_but(&BTreeSet::from([id(2)])).unwrap();
        assert_eq!(addresses.all().unwrap(), [(second, id(2))]);
    }

    #[test]
    fn a_full_network_is_said_to_be_full_and_never_gives_the_broadcast_address() {
        let dir = tempfile::tempdir().unwrap();
        let addresses = Addresses::new(dir.path().to_owned());
        let net = (Ipv4Addr::new(10, 77, 0, 0), 28);
        let given: Vec<String> =
            (0..4).map(|number| addresses.take(net, &id(number)).unwrap().to_string()).collect();
        assert_eq!(given, ["10.77.0.11", "10.77.0.12", "10.77.0.13", "10.77.0.14"]);
        assert!(matches!(addresses.take(net, &id(9)), Err(StoreError::AddressesTaken(4))));
    }

    #[test]
    fn nodes_made_at_once_get_addresses_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let net = (Ipv4Addr::new(10, 77, 0, 0), PREFIX_LENGTH);
        let given: BTreeSet<Ipv4Addr> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|number| {
                    let addresses = Addresses::new(dir.path().to_owned());
                    scope.spawn(move || addresses.take(net, &id(number)).unwrap())
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(given.len(), 8);
    }
}
