//! Numbers as CloudFormation reads them, and as it writes them where it needs text.

use serde_json::Number;

/// The number that an unquoted scalar of YAML 1.1 is.
///
/// As CloudFormation has it, digits behind a zero are octal, and a decimal fraction if one of them is an 8 or a 9: account
/// ids have to be quoted. Hexadecimal, binary and base-60 numbers and such with underscores stay what the author wrote:
/// reports contradict one another in what AWS makes of them.
pub(super) fn read(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.is_empty() {
        return if digits.len() > 1 && digits.starts_with('0') { leading_zero(text) } else { decimal(text) };
    }
    let (mantissa, _) = digits.split_once(['e', 'E']).unwrap_or((digits, ""));
    let is_fraction = mantissa.contains('.')
        && mantissa.bytes().any(|byte| byte.is_ascii_digit())
        && mantissa.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if is_fraction { text.parse().ok().and_then(Number::from_f64) } else { None }
}

fn decimal(text: &str) -> Option<Number> {
    let signed = text.strip_prefix('+').unwrap_or(text);
    signed.parse::<i64>().map(Number::from).or_else(|_| signed.parse::<u64>().map(Number::from)).ok()
}

fn leading_zero(text: &str) -> Option<Number> {
    let signed = text.strip_prefix('+').unwrap_or(text);
    if text.bytes().any(|byte| byte >= b'8') {
        return text.parse().ok().and_then(Number::from_f64);
    }
    i64::from_str_radix(signed, 8).map(Number::from).or_else(|_| u64::from_str_radix(signed, 8).map(Number::from)).ok()
}

/// The number as text. Fractions are written as Java writes them, in which CloudFormation is: `1.2345678901E10`.
pub(crate) fn text(number: &Number) -> String {
    match number.as_f64().filter(|_| number.is_f64()) {
        Some(fraction) => java(fraction),
        None => number.to_string(),
    }
}

/// `Double.toString`: an exponent from 10^7 up and below 10^-3, and always a digit behind the point.
fn java(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude == 0.0 || (1e-3..1e7).contains(&magnitude) {
        return format!("{value:?}");
    }
    let scientific = format!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    format!("{mantissa}{point}E{exponent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_are_those_of_cloudformation() {
        for (written, expected) in [
            ("065115117704", "7133765572"),
            ("012345670123", "1402433619"),
            ("012345678901", "1.2345678901E10"),
            ("0777", "511"),
            ("-010", "-8"),
            ("+07", "7"),
            ("08", "8.0"),
            ("00", "0"),
            ("0", "0"),
            ("123456789012", "123456789012"),
            ("18446744073709551615", "18446744073709551615"),
            ("12345678.5", "1.23456785E7"),
            ("1234567.5", "1234567.5"),
            ("100000000.0", "1.0E8"),
            ("0.001", "0.001"),
            ("0.0001", "1.0E-4"),
            ("-0.5", "-0.5"),
            ("0.0", "0.0"),
            (".5", "0.5"),
            ("1.5e3", "1500.0"),
        ] {
            assert_eq!(read(written).map(|number| text(&number)).as_deref(), Some(expected), "{written}");
        }
    }

    #[test]
    fn what_is_no_number() {
        for written in ["", "+", "-", ".", "0x1F", "0b1", "12:30", "1_000", "0_7", "12e4567", "0o17", "1.2.3", ".inf"] {
            assert_eq!(read(written), None, "{written}");
        }
    }
}
