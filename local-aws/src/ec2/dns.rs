//! Names that AWS's DNS server has for private addresses.

use std::fmt::Display;

/// `ip-10-0-2-5.ec2.internal` in us-east-1, `ip-10-0-2-5.REGION.compute.internal` elsewhere.
pub(crate) fn private_dns_name(region: &str, address: impl Display) -> String {
    let host = address.to_string().replace('.', "-");
    match region {
        "us-east-1" => format!("ip-{host}.ec2.internal"),
        _ => format!("ip-{host}.{region}.compute.internal"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_oldest_region_has_no_region_in_its_names() {
        assert_eq!(private_dns_name("us-east-1", "10.0.2.5"), "ip-10-0-2-5.ec2.internal");
        assert_eq!(private_dns_name("eu-west-1", "10.0.2.5"), "ip-10-0-2-5.eu-west-1.compute.internal");
    }
}
