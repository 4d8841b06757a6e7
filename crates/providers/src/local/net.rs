//! The network of a cluster, by netlink: one bridge in a network namespace of
//! its own, one cable from it into each node. Every function works on the
//! network namespace that its caller is in. The host's network is untouched.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkHeader,
    NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{
    BridgeStpState, InfoBridge, InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo,
    LinkMessage,
};
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};
use netlink_packet_route::route::RouteType;
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};

use super::mac::MacAddress;

/// Name of the bridge in the cluster's namespace.
pub(super) const BRIDGE: &str = "br0";
/// Name of a node's interface.
pub(super) const NODE_INTERFACE: &str = "eth0";

/// What the kernel would not do. Reads after "failed to".
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub(super) struct NetError {
    /// What was being done, with the names it was done to.
    pub(super) doing: String,
    /// The kernel's words.
    #[source]
    pub(super) source: io::Error,
}

impl NetError {
    fn new(doing: impl Into<String>, source: io::Error) -> Self {
        Self { doing: doing.into(), source }
    }

    fn is(&self, errno: rustix::io::Errno) -> bool {
        self.source.raw_os_error() == Some(errno.raw_os_error())
    }
}

/// A netlink socket; it stays in the namespace that it was opened in.
#[derive(Debug)]
pub(super) struct Netlink {
    socket: Socket,
    sequence: u32,
}

impl Netlink {
    /// Opens a socket in the network namespace of the caller.
    pub(super) fn open() -> Result<Self, NetError> {
        let failed = |source| NetError::new("open a netlink socket", source);
        let mut socket = Socket::new(NETLINK_ROUTE).map_err(failed)?;
        socket.bind_auto().map_err(failed)?;
        socket.connect(&SocketAddr::new(0, 0)).map_err(failed)?;
        Ok(Self { socket, sequence: 0 })
    }

    /// Sends one message and waits for the kernel's word on it. Messages that
    /// come before it (the answer to a get) are returned.
    fn call(
        &mut self,
        doing: &str,
        message: RouteNetlinkMessage,
        flags: u16,
    ) -> Result<Vec<RouteNetlinkMessage>, NetError> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
        header.sequence_number = self.sequence;
        let mut packet = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(message));
        packet.finalize();
        let mut bytes = vec![0; packet.buffer_len()];
        packet.serialize(&mut bytes);
        let failed = |source| NetError::new(doing, source);
        self.socket.send(&bytes, 0).map_err(failed)?;
        let mut answers = Vec::new();
        loop {
            let (bytes, _) = self.socket.recv_from_full().map_err(failed)?;
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let answer = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest)
                    .map_err(|error| failed(io::Error::other(error.to_string())))?;
                let length = usize::try_from(answer.header.length).unwrap_or(usize::MAX);
                rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
                if answer.header.sequence_number != self.sequence {
                    continue;
                }
                match answer.payload {
                    NetlinkPayload::Error(error) if error.code.is_none() => return Ok(answers),
                    NetlinkPayload::Error(error) => return Err(failed(error.to_io())),
                    NetlinkPayload::InnerMessage(message) => answers.push(message),
                    _ => {}
                }
            }
        }
    }

    /// The index of an interface.
    pub(super) fn index_of(&mut self, name: &str) -> Result<u32, NetError> {
        let doing = format!("find the interface {name}");
        let answers = self.call(&doing, RouteNetlinkMessage::GetLink(link_named(name)), 0)?;
        answers
            .into_iter()
            .find_map(|answer| match answer {
                RouteNetlinkMessage::NewLink(link) => Some(link.header.index),
                _ => None,
            })
            .ok_or_else(|| NetError::new(doing, io::ErrorKind::NotFound.into()))
    }

    /// Takes an interface up.
    pub(super) fn set_up(&mut self, index: u32, name: &str) -> Result<(), NetError> {
        let mut link = LinkMessage::default();
        link.header.index = index;
        link.header.flags = LinkFlags::Up;
        link.header.change_mask = LinkFlags::Up;
        self.call(&format!("take {name} up"), RouteNetlinkMessage::SetLink(link), 0).map(drop)
    }

    /// Gives an interface an address. One that it has already is success.
    pub(super) fn add_address(
        &mut self,
        index: u32,
        address: Ipv4Addr,
        prefix_length: u8,
    ) -> Result<(), NetError> {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet;
        message.header.prefix_len = prefix_length;
        message.header.index = index;
        message.attributes = vec![
            AddressAttribute::Local(IpAddr::V4(address)),
            AddressAttribute::Address(IpAddr::V4(address)),
        ];
        self.call(
            &format!("give an interface the address {address}/{prefix_length}"),
            RouteNetlinkMessage::NewAddress(message),
            NLM_F_CREATE | NLM_F_REPLACE,
        )
        .map(drop)
    }

    /// Makes the cluster's bridge, with its address, and takes it and the
    /// loopback up. A bridge that is there already is success.
    pub(super) fn make_bridge(
        &mut self,
        gateway: Ipv4Addr,
        prefix_length: u8,
    ) -> Result<u32, NetError> {
        let loopback = self.index_of("lo")?;
        self.set_up(loopback, "lo")?;
        let mut link = link_named(BRIDGE);
        link.attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Bridge),
            LinkInfo::Data(InfoData::Bridge(vec![
                InfoBridge::ForwardDelay(0),
                InfoBridge::StpState(BridgeStpState::Disabled),
            ])),
        ]));
        let made = self.call(
            &format!("make the bridge {BRIDGE}"),
            RouteNetlinkMessage::NewLink(link),
            NLM_F_CREATE | NLM_F_EXCL,
        );
        match made {
            Err(error) if !error.is(rustix::io::Errno::EXIST) => return Err(error),
            _ => {}
        }
        let bridge = self.index_of(BRIDGE)?;
        self.add_address(bridge, gateway, prefix_length)?;
        self.set_up(bridge, BRIDGE)?;
        Ok(bridge)
    }

    /// Lays a cable from the bridge into the network namespace of a process,
    /// where it ends as [`NODE_INTERFACE`] with a fixed hardware address.
    pub(super) fn add_cable(&mut self, cable: &Cable<'_>) -> Result<(), NetError> {
        let mut peer = link_named(NODE_INTERFACE);
        peer.attributes.push(LinkAttribute::Address(cable.mac.0.to_vec()));
        peer.attributes.push(LinkAttribute::NetNsPid(cable.pid));
        let mut link = link_named(cable.name);
        link.header.flags = LinkFlags::Up;
        link.header.change_mask = LinkFlags::Up;
        link.attributes.push(LinkAttribute::Controller(cable.bridge));
        link.attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
        ]));
        self.call(
            &format!("lay the cable {}", cable.name),
            RouteNetlinkMessage::NewLink(link),
            NLM_F_CREATE | NLM_F_EXCL,
        )
        .map(drop)
    }

    /// Tells the bridge's side once and for all which hardware address an
    /// address has, so that a connection to a booting node waits for no answer
    /// to a question that was asked too early.
    pub(super) fn pin_neighbour(
        &mut self,
        bridge: u32,
        address: Ipv4Addr,
        mac: MacAddress,
    ) -> Result<(), NetError> {
        let mut message = NeighbourMessage::default();
        message.header.family = AddressFamily::Inet;
        message.header.ifindex = bridge;
        message.header.state = NeighbourState::Permanent;
        message.header.kind = RouteType::Unicast;
        message.attributes = vec![
            NeighbourAttribute::Destination(NeighbourAddress::Inet(address)),
            NeighbourAttribute::LinkLayerAddress(mac.0.to_vec()),
        ];
        self.call(
            &format!("pin the hardware address of {address}"),
            RouteNetlinkMessage::NewNeighbour(message),
            NLM_F_CREATE | NLM_F_REPLACE,
        )
        .map(drop)
    }

    /// Removes an interface. One that is gone is success.
    pub(super) fn delete(&mut self, name: &str) -> Result<(), NetError> {
        let doing = format!("remove the interface {name}");
        match self.call(&doing, RouteNetlinkMessage::DelLink(link_named(name)), 0) {
            Err(error) if !error.is(rustix::io::Errno::NODEV) => Err(error),
            _ => Ok(()),
        }
    }
}

/// One cable to lay.
#[derive(Debug)]
pub(super) struct Cable<'a> {
    /// Name of the bridge's end.
    pub(super) name: &'a str,
    /// Index of the bridge.
    pub(super) bridge: u32,
    /// A process in the node's network namespace.
    pub(super) pid: u32,
    /// Hardware address of the node's end.
    pub(super) mac: MacAddress,
}

/// The name of the bridge's end of a node's cable: at most 15 bytes, unique in
/// the cluster, another at each boot because the kernel takes the old one away
/// in its own time.
pub(super) fn cable_name(address: Ipv4Addr, boot: u32) -> String {
    format!("v{:08x}.{:x}", u32::from(address), boot & 0xffff)
}

/// The first address of a network, which is the bridge's.
pub(super) fn gateway_of(address: Ipv4Addr, prefix_length: u8) -> Ipv4Addr {
    let host_bits = 32_u32.saturating_sub(u32::from(prefix_length));
    let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
    Ipv4Addr::from((u32::from(address) & mask) | 1)
}

fn link_named(name: &str) -> LinkMessage {
    let mut link = LinkMessage::default();
    link.attributes.push(LinkAttribute::IfName(name.to_owned()));
    link
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_is_the_first_address_of_the_network() {
        for (address, length, gateway) in [
            ([10, 77, 3, 9], 16, [10, 77, 0, 1]),
            ([10, 77, 3, 9], 24, [10, 77, 3, 1]),
            ([192, 168, 5, 130], 25, [192, 168, 5, 129]),
            ([10, 1, 2, 3], 0, [0, 0, 0, 1]),
        ] {
            assert_eq!(gateway_of(address.into(), length), Ipv4Addr::from(gateway));
        }
    }

    #[test]
    fn cable_names_fit_an_interface_and_differ_by_node_and_boot() {
        let name = cable_name([255, 255, 255, 255].into(), u32::MAX);
        assert!(name.len() <= 15, "{name}");
        assert_ne!(cable_name([10, 77, 0, 1].into(), 1), cable_name([10, 77, 0, 1].into(), 2));
        assert_ne!(cable_name([10, 77, 0, 1].into(), 1), cable_name([10, 77, 0, 2].into(), 1));
    }
}
