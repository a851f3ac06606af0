//! `Fn::Cidr`: equal blocks out of an address range.

use ipnet::IpNet;

/// `count` blocks at the beginning of `block`, each with `bits` host bits.
///
/// # Errors
/// What is wrong with the arguments.
pub(super) fn blocks(block: &str, count: &str, bits: &str) -> Result<Vec<String>, String> {
    let network: IpNet = block.parse().map_err(|_| format!("{block} is not an address range in CIDR notation"))?;
    let network = network.trunc();
    let width = network.max_prefix_len();
    let count = count
        .parse::<usize>()
        .ok()
        .filter(|count| (1..=256).contains(count))
        .ok_or_else(|| format!("the count must be from 1 to 256, and is {count}"))?;
    let prefix = bits
        .parse::<u8>()
        .ok()
        .and_then(|bits| width.checked_sub(bits))
        .filter(|prefix| *prefix > 0)
        .ok_or_else(|| format!("the subnet bits must be from 0 to {}, and are {bits}", width - 1))?;
    let subnets = network
        .subnets(prefix)
        .map_err(|_| format!("{block} cannot be divided into blocks of prefix length {prefix}"))?;
    let blocks: Vec<_> = subnets.take(count).map(|subnet| subnet.to_string()).collect();
    if blocks.len() < count {
        return Err(format!("{block} has room for {} blocks of prefix length {prefix}, not {count}", blocks.len()));
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn examples() {
        for (block, count, bits, expected) in [
            ("10.0.0.0/16", "4", "8", vec!["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"]),
            ("192.168.0.0/24", "2", "5", vec!["192.168.0.0/27", "192.168.0.32/27"]),
            ("192.168.0.7/24", "1", "8", vec!["192.168.0.0/24"]),
            ("2001:db8::/56", "2", "64", vec!["2001:db8::/64", "2001:db8:0:1::/64"]),
        ] {
            assert_eq!(blocks(block, count, bits).unwrap(), expected);
        }
    }

    #[test]
    fn refusals() {
        for (block, count, bits, words) in [
            ("10.0.0.0", "1", "8", "not an address range"),
            ("ten", "1", "8", "not an address range"),
            ("10.0.0.0/16", "0", "8", "from 1 to 256"),
            ("10.0.0.0/16", "257", "8", "from 1 to 256"),
            ("10.0.0.0/16", "1", "33", "subnet bits"),
            ("10.0.0.0/16", "1", "x", "subnet bits"),
            ("10.0.0.0/24", "1", "9", "cannot be divided"),
            ("10.0.0.0/24", "2", "8", "room for 1 blocks"),
        ] {
            let error = blocks(block, count, bits).unwrap_err();
            assert!(error.contains(words), "{block} {count} {bits}: {error}");
        }
    }

    proptest! {
        #[test]
        fn blocks_are_inside_and_disjoint(address: u32, prefix in 0_u8..=32, bits in 0_u8..32, count in 1_usize..=256) {
            let block = format!("{}/{prefix}", std::net::Ipv4Addr::from(address));
            if let Ok(made) = blocks(&block, &count.to_string(), &bits.to_string()) {
                let outer = block.parse::<IpNet>().unwrap().trunc();
                let made: Vec<IpNet> = made.iter().map(|block| block.parse().unwrap()).collect();
                prop_assert_eq!(made.len(), count);
                for (index, block) in made.iter().enumerate() {
                    prop_assert!(outer.contains(block));
                    prop_assert_eq!(block.prefix_len(), 32 - bits);
                    prop_assert!(made[..index].iter().all(|other| !other.contains(block) && !block.contains(other)));
                }
            }
        }
    }
}
