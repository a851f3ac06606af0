//! What the lab costs while it exists.
//!
//! List prices of us-east-1, without tax. Those of the NAT gateway, the address and FIS were compared with what was published
//! in 2026; the others are those of January 2025. Other regions differ: what is derived from these is always called "about".

/// A NAT gateway, where an hour that has begun is billed as a whole one; each gigabyte through it costs the same again
/// (<https://aws.amazon.com/vpc/pricing/>).
pub(crate) const NAT_GATEWAY: f64 = 0.045;

/// A public IPv4 address, in use or idle (<https://aws.amazon.com/vpc/pricing/>, section Public IPv4 Address).
pub(crate) const PUBLIC_IPV4: f64 = 0.005;

/// The network of the lab: its NAT gateway, and the address of that.
pub(crate) const NETWORK: f64 = NAT_GATEWAY + PUBLIC_IPV4;

/// An interface endpoint, in each Availability Zone that it is in (<https://aws.amazon.com/privatelink/pricing/>).
pub(crate) const INTERFACE_ENDPOINT_ZONE: f64 = 0.01;

/// A task of 0.25 vCPU at 0.04048 and 0.5 GB at 0.004445, Linux on x86; on Arm a fifth less
/// (<https://aws.amazon.com/fargate/pricing/>).
pub(crate) const TASK: f64 = 0.25 * 0.04048 + 0.5 * 0.004_445;

/// `about $0.05 an hour`
pub(crate) fn about(usd: f64) -> String {
    let amount = format!("{usd:.3}");
    let amount = amount.strip_suffix('0').unwrap_or(&amount);
    format!("about ${amount} an hour")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_has_as_many_digits_as_it_takes() {
        assert_eq!(about(NAT_GATEWAY + PUBLIC_IPV4), "about $0.05 an hour");
        assert_eq!(about(PUBLIC_IPV4), "about $0.005 an hour");
        assert_eq!(about(TASK), "about $0.012 an hour");
    }
}
