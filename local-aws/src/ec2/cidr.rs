//! Blocks of IPv4 addresses.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::refusal::INVALID;
use crate::error::ApiError;

/// Reads an IPv4 block and drops its host bits.
pub(crate) fn parse_cidr(cidr_block: &str) -> Result<Ipv4Net, ApiError> {
    cidr_block.parse::<Ipv4Net>().map(|network| network.trunc()).map_err(|_| {
        ApiError::new(
            INVALID,
            format!("Value ({cidr_block}) for parameter cidrBlock is invalid. This is not a valid CIDR block."),
        )
    })
}

/// The addresses of a block that are not AWS's own: it keeps the first four and the last one.
pub(super) fn usable(network: Ipv4Net) -> impl DoubleEndedIterator<Item = Ipv4Addr> {
    let (first, last) = (u32::from(network.network()), u32::from(network.broadcast()));
    (first + 4..last).map(Ipv4Addr::from)
}
