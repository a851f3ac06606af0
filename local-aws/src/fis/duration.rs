//! ISO 8601 durations, as actions take them: `PT1M`, `PT1H30M`, `P0DT90S`.

use chrono::TimeDelta;

/// Reads a duration of whole days, hours, minutes and seconds.
pub(super) fn parse(text: &str) -> Option<TimeDelta> {
    let rest = text.strip_prefix('P')?;
    let (days, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((days, time)) => (days, time),
        None => (rest, ""),
    };
    if days.is_empty() && time.is_empty() {
        return None;
    }
    let days = units(days, &[('D', 86_400)])?;
    let time = units(time, &[('H', 3_600), ('M', 60), ('S', 1)])?;
    TimeDelta::try_seconds(days.checked_add(time)?)
}

/// The seconds in `text`: numbers, each with its unit, in the units' order and each at most once.
fn units(mut text: &str, allowed: &[(char, i64)]) -> Option<i64> {
    let mut total = 0_i64;
    for (unit, seconds) in allowed {
        let Some((number, rest)) = text.split_once(*unit) else { continue };
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(*seconds)?)?;
        text = rest;
    }
    text.is_empty().then_some(total)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_durations_are_read() {
        assert_eq!(parse("PT1M"), Some(TimeDelta::minutes(1)));
        assert_eq!(parse("PT1H30M"), Some(TimeDelta::minutes(90)));
        assert_eq!(parse("P1DT1S"), Some(TimeDelta::seconds(86_401)));
        for text in
            ["", "P", "PT", "P1DT", "PT1", "1M", "PT1X", "PT1M1H", "PT-1M", "PT1.5M", "PT+1M", "pt1m", "P1M", "PTM"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("PT99999999999999999999H"), None);
        assert_eq!(parse("PT9999999999999999H"), None);
    }

    proptest! {
        #[test]
        fn every_combination_of_units_is_their_sum(d: Option<u16>, h: Option<u16>, m: Option<u16>, s: Option<u16>) {
            let part = |number: Option<u16>, unit: char| number.map_or(String::new(), |n| format!("{n}{unit}"));
            let time = part(h, 'H') + &part(m, 'M') + &part(s, 'S');
            let text = format!("P{}{}{time}", part(d, 'D'), if time.is_empty() { "" } else { "T" });
            let of = |number: Option<u16>| i64::from(number.unwrap_or(0));
            let seconds = of(d) * 86_400 + of(h) * 3_600 + of(m) * 60 + of(s);
            let any = d.is_some() || !time.is_empty();
            prop_assert_eq!(parse(&text), any.then(|| TimeDelta::seconds(seconds)));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[PTDHMS0-9.-]{0,12}") {
            let _ = parse(&text);
        }
    }
}
