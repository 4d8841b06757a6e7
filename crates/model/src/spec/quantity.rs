//! How quantities are read: memory, cores, times, address ranges.

use std::net::IpAddr;

use jiff::Timestamp;

use super::complain::bad_value;
use super::read::{Context, Read, Shape};
use super::tree::{Node, Scalar, shorten};
use super::value::line;
use crate::resolved::Expiry;
use crate::unit::{Cores, Memory, Seconds, UnitError};

fn quantity<T>(
    node: &Node,
    what: &str,
    parse: fn(&str) -> Result<T, UnitError>,
    context: &mut Context,
) -> Option<T> {
    let text = match node.scalar() {
        Some(Scalar::Integer(_) | Scalar::Number(_)) => node.text()?,
        _ => line(node, what, context)?,
    };
    match parse(text) {
        Ok(value) => Some(value),
        Err(error) => {
            let message = format!("`{}` is not {what}: {error}", shorten(text));
            context.found.push(bad_value(node, message));
            None
        }
    }
}

impl Read for Memory {
    const SHAPE: Shape = Shape::Text {
        pattern: Some("^[0-9]+(\\.[0-9]{1,3})? *[KMGTkmgt][Ii]?[Bb]$"),
        what: "amount, as in 4GiB",
    };

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        quantity(node, "an amount of memory", Self::parse, context)
    }
}

impl Read for Cores {
    const SHAPE: Shape = Shape::Scalar;

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        quantity(node, "a number of cores", Self::parse, context)
    }
}

impl Read for Seconds {
    const SHAPE: Shape = Shape::Text {
        pattern: Some("^([0-9]+ *(s|m|min|h|d|w) *)+$"),
        what: "time, as in 90s or 8h",
    };

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        quantity(node, "a time", Self::parse, context)
    }
}

impl Read for Expiry {
    const SHAPE: Shape =
        Shape::Text { pattern: None, what: "time from now, as in 8h, or a date with time" };

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let is_date = node.text().is_some_and(|text| text.contains('-'));
        if !is_date {
            return Seconds::read(node, context).map(|time| Self::AfterSeconds(time.seconds));
        }
        let text = line(node, "a time", context)?;
        match text.parse::<Timestamp>() {
            Ok(time) => Some(Self::At(time)),
            Err(_) => {
                let message = format!("`{}` is no date with time", shorten(text));
                context
                    .found
                    .push(bad_value(node, message).help("write it as 2027-01-31T18:00:00Z"));
                None
            }
        }
    }
}

/// Addresses from which something is let in, as CIDR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cidr(pub(crate) String);

impl Read for Cidr {
    const SHAPE: Shape =
        Shape::Text { pattern: Some("^[0-9a-fA-F.:]+(/[0-9]{1,3})?$"), what: "address or CIDR" };

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let text = line(node, "an address or CIDR", context)?;
        match cidr(text) {
            Ok(cidr) => Some(Self(cidr)),
            Err(help) => {
                let message = format!("`{}` is no address range", shorten(text));
                context.found.push(bad_value(node, message).help(help));
                None
            }
        }
    }
}

/// The canonical form of an address or range, or what mends it.
fn cidr(text: &str) -> Result<String, String> {
    let form = || "write it as 192.0.2.0/24 or 192.0.2.7".to_owned();
    let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
    let address: IpAddr = address.parse().map_err(|_| form())?;
    let (bits, width) = match address {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)) << 96, 32),
        IpAddr::V6(v6) => (u128::from(v6), 128),
    };
    let length: u32 = length.map_or(Ok(width), str::parse).map_err(|_| form())?;
    if length > width {
        return Err(format!("the length after `/` is at most {width}"));
    }
    let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
    if bits & !mask != 0 {
        let network = match address {
            IpAddr::V4(_) => {
                IpAddr::V4(u32::try_from((bits & mask) >> 96).unwrap_or_default().into())
            }
            IpAddr::V6(_) => IpAddr::V6((bits & mask).into()),
        };
        return Err(format!(
            "the range is {network}/{length}; for one address write {address}/{width}"
        ));
    }
    Ok(format!("{address}/{length}"))
}
