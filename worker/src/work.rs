//! The work of an item: small, real, and checkable by anyone.

/// How many numbers an item looks at.
const STRETCH: u64 = 10_000;

/// The result of item `index`: how many primes `p` there are with `index * 10_000 <= p < (index + 1) * 10_000`.
///
/// The results of a whole batch add up to the number of primes below `BATCH_SIZE * 10_000`, so that anybody can check
/// them: 9,592 for ten items. The task that computes a result does not matter, nor when it does, so an item done twice
/// has the same result both times.
///
/// ```
/// assert_eq!(fis_workshop_worker::work(0), "1229");
/// ```
pub fn work(index: u64) -> String {
    let first = index * STRETCH;
    let end = first + STRETCH;
    let mut prime = [true; STRETCH as usize];
    for divisor in (2..).take_while(|d| d * d < end) {
        let multiples = first.next_multiple_of(divisor).max(divisor * divisor);
        for multiple in (multiples..end).step_by(divisor as usize) {
            prime[(multiple - first) as usize] = false;
        }
    }
    // 0 and 1 have no divisor that strikes them out, and are no primes.
    let skipped = 2_u64.saturating_sub(first);
    let primes = prime.iter().skip(skipped as usize).filter(|p| **p);
    primes.count().to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn primes_in_stretch(index: u64) -> usize {
        let is_prime = |n: u64| n >= 2 && (2..).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d));
        (index * STRETCH..(index + 1) * STRETCH).filter(|n| is_prime(*n)).count()
    }

    #[test]
    fn ten_items_count_the_primes_below_100_000() {
        let results: Vec<String> = (0..10).map(work).collect();
        assert_eq!(results, ["1229", "1033", "983", "958", "930", "924", "878", "902", "876", "879"]);
        let sum: u64 = results.iter().map(|r| r.parse::<u64>().unwrap()).sum();
        assert_eq!(sum, 9_592);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn agrees_with_the_definition(index in 0_u64..5_000) {
            prop_assert_eq!(work(index), primes_in_stretch(index).to_string());
            prop_assert_eq!(work(index), work(index));
        }
    }
}
