//! How the alternatives of a field are written: `"a value"` or `{"operator": ...}`.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use super::document::Document;
use super::matcher::{Bound, Matcher, Text, lower_case};
use super::refusal::invalid;
use super::wildcard::Wildcard;
use crate::error::ApiError;

/// Reads one alternative.
pub(super) fn matcher(written: &Document) -> Result<Matcher, ApiError> {
    match written {
        Document::Scalar(Value::Number(number)) => Ok(Matcher::Number(number.as_f64().unwrap_or(f64::NAN))),
        Document::Scalar(value) => Ok(Matcher::Is(value.clone())),
        Document::Array(_) => Err(invalid("Match value must be String, number, true, false, or null")),
        Document::Object(members) => match members.as_slice() {
            [] => Err(invalid("Match expression name not found")),
            [(operator, operand)] => expression(operator, operand),
            _ => Err(invalid("Only one key allowed in match expression")),
        },
    }
}

fn expression(operator: &str, operand: &Document) -> Result<Matcher, ApiError> {
    match operator {
        "prefix" => Ok(Matcher::Text(match ignoring_case("prefix", operand)? {
            Some(text) => Text::PrefixIgnoreCase(lower_case(text)),
            None => Text::Prefix(string("prefix", operand)?.to_owned()),
        })),
        "suffix" => Ok(Matcher::Text(match ignoring_case("suffix", operand)? {
            Some(text) => Text::SuffixIgnoreCase(lower_case(text)),
            None => Text::Suffix(string("suffix", operand)?.to_owned()),
        })),
        "equals-ignore-case" => Ok(Matcher::Text(Text::IgnoreCase(lower_case(string(operator, operand)?)))),
        "wildcard" => Ok(Matcher::Text(Text::Wildcard(Wildcard::parse(string(operator, operand)?)?))),
        "anything-but" => anything_but(operand),
        "numeric" => numeric(operand),
        // AWS's words, as if it were a prefix.
        "cidr" => Ok(Matcher::Cidr(cidr(string("prefix", operand)?)?)),
        "exists" => match operand {
            Document::Scalar(Value::Bool(wanted)) => Ok(Matcher::Exists(*wanted)),
            _ => Err(invalid("exists match pattern must be either true or false.")),
        },
        _ => Err(invalid(format!("Unrecognized match type {operator}"))),
    }
}

fn string<'a>(operator: &str, operand: &'a Document) -> Result<&'a str, ApiError> {
    operand.as_str().ok_or_else(|| invalid(format!("{operator} match pattern must be a string")))
}

/// The text of `{"prefix": {"equals-ignore-case": "text"}}`.
fn ignoring_case<'a>(operator: &str, operand: &'a Document) -> Result<Option<&'a str>, ApiError> {
    let Document::Object(members) = operand else { return Ok(None) };
    match members.as_slice() {
        [(inner, text)] if inner == "equals-ignore-case" => string(inner, text).map(Some),
        [(inner, _)] => Err(invalid(format!("Unsupported {operator} pattern: {inner}"))),
        [] => Err(invalid(match operator {
            "prefix" => "Prefix expression name not found",
            _ => "Suffix expression name not found",
        })),
        _ => Err(invalid("Only one key allowed in match expression")),
    }
}

fn anything_but(operand: &Document) -> Result<Matcher, ApiError> {
    let Document::Object(members) = operand else {
        return values(operand).map(Matcher::AnythingBut);
    };
    let [(operator, operand)] = members.as_slice() else {
        return Err(invalid(match members.is_empty() {
            true => "Anything-But expression name not found",
            false => "Only one key allowed in match expression",
        }));
    };
    if !matches!(operator.as_str(), "prefix" | "suffix" | "equals-ignore-case" | "wildcard") {
        return Err(invalid(format!("Unsupported anything-but pattern: {operator}")));
    }
    let refused = one_or_more(operand)?.iter().map(|one| refused_text(operator, one).map(Matcher::Text));
    refused.collect::<Result<_, _>>().map(Matcher::AnythingBut)
}

/// The operand of `anything-but`: one value or a list.
fn one_or_more(operand: &Document) -> Result<&[Document], ApiError> {
    match operand {
        Document::Array(list) if list.is_empty() => Err(invalid("Empty arrays are not allowed")),
        Document::Array(list) => Ok(list),
        Document::Scalar(Value::String(_) | Value::Number(_)) => Ok(std::slice::from_ref(operand)),
        _ => Err(invalid("Value of anything-but must be an array or single string/number value.")),
    }
}

/// Strings only, or numbers only.
fn values(operand: &Document) -> Result<Vec<Matcher>, ApiError> {
    let mixed = "Inside anything but list, either all values are number or string, mixed type is not supported";
    if matches!(operand, Document::Array(list) if list.is_empty()) {
        return Err(invalid(mixed));
    }
    let list = one_or_more(operand)?;
    if list.iter().any(|one| one.as_str().is_none() && one.as_number().is_none()) {
        return Err(invalid("Inside anything but list, start|null|boolean is not supported."));
    }
    let strings = list.iter().filter(|one| one.as_str().is_some()).count();
    if strings != 0 && strings != list.len() {
        return Err(invalid(mixed));
    }
    list.iter().map(matcher).collect()
}

fn refused_text(operator: &str, operand: &Document) -> Result<Text, ApiError> {
    let text = operand.as_str().ok_or_else(|| {
        invalid(match operator {
            "wildcard" => "wildcard match pattern must be a string",
            "equals-ignore-case" => {
                "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
            }
            _ => "prefix/suffix match pattern must be a string",
        })
    })?;
    match operator {
        "wildcard" => Wildcard::parse(text).map(Text::Wildcard),
        "equals-ignore-case" => Ok(Text::IgnoreCase(lower_case(text))),
        _ if text.is_empty() => Err(invalid("Null prefix/suffix not allowed")),
        "prefix" => Ok(Text::Prefix(text.to_owned())),
        _ => Ok(Text::Suffix(text.to_owned())),
    }
}

fn numeric(operand: &Document) -> Result<Matcher, ApiError> {
    let Document::Array(terms) = operand else {
        return Err(invalid("Value of numeric must be an array."));
    };
    let operator = match terms.first() {
        Some(first) => first.as_str().ok_or_else(|| invalid(format!("Invalid member in numeric match: {first}")))?,
        None => return Err(invalid("Invalid member in numeric match: ]")),
    };
    let first = bound(operator, terms.get(1))?;
    if terms.len() <= 2 {
        return Ok(Matcher::Numeric(vec![first]));
    }
    let (Bound::Greater(bottom) | Bound::AtLeast(bottom)) = first else {
        return Err(invalid("Too many elements in numeric expression"));
    };
    let operator = terms[2].as_str().ok_or_else(|| invalid(format!("Bad value in numeric range: {}", terms[2])))?;
    if !matches!(operator, "<" | "<=") {
        return Err(invalid(format!("Bad numeric range operator: {operator}")));
    }
    let second = bound(operator, terms.get(3))?;
    if terms.len() > 4 {
        return Err(invalid("Too many terms in numeric range expression"));
    }
    match second {
        Bound::Less(top) | Bound::AtMost(top) if bottom < top => Ok(Matcher::Numeric(vec![first, second])),
        _ => Err(invalid("Bottom must be less than top")),
    }
}

fn bound(operator: &str, operand: Option<&Document>) -> Result<Bound, ApiError> {
    let make = match operator {
        "=" => Bound::Equal,
        "<" => Bound::Less,
        "<=" => Bound::AtMost,
        ">" => Bound::Greater,
        ">=" => Bound::AtLeast,
        _ => return Err(invalid(format!("Unrecognized numeric range operator: {operator}"))),
    };
    let named = if operator == "=" { "equals" } else { operator };
    operand.and_then(Document::as_number).map(make).ok_or_else(|| invalid(format!("Value of {named} must be numeric")))
}

fn cidr(text: &str) -> Result<IpNet, ApiError> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) if !bits.is_empty() && !bits.contains('/') => (address, bits),
        _ => return Err(invalid("Malformed CIDR, one '/' required")),
    };
    let bits: i32 = bits.parse().map_err(|_| invalid("Malformed CIDR, mask bits must be an integer"))?;
    let bits = u8::try_from(bits.min(255)).map_err(|_| invalid("Malformed CIDR, mask bits must not be negative"))?;
    let address: IpAddr = address.parse().map_err(|_| invalid(format!("Nonstandard IP address: {address}")))?;
    match address {
        IpAddr::V4(_) if bits > 31 => Err(invalid("IPv4 mask bits must be < 32")),
        IpAddr::V6(_) if bits > 127 => Err(invalid("IPv6 mask bits must be < 128")),
        _ => IpNet::new(address, bits).map_err(invalid),
    }
}
