//! What a pattern asks of one value.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use super::wildcard::Wildcard;

/// One of the alternatives that a pattern lists for a field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Matcher {
    /// A string, `true`, `false` or `null`; strings byte for byte.
    Is(Value),
    /// A number, however it is written: `300` is `3e2`.
    Number(f64),
    Text(Text),
    /// `numeric`: a bound, or two.
    Numeric(Vec<Bound>),
    /// `cidr`
    Cidr(IpNet),
    /// `anything-but`: none of these. Values of another type are none of them.
    AnythingBut(Vec<Self>),
    /// `exists`: `true` for whatever value there is; `false` when the event does not have the field.
    Exists(bool),
}

/// What is asked of a string.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Text {
    Prefix(String),
    Suffix(String),
    Wildcard(Wildcard),
    /// In lower case, as the next two are.
    IgnoreCase(String),
    PrefixIgnoreCase(String),
    SuffixIgnoreCase(String),
}

/// `numeric`'s operators.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Bound {
    Equal(f64),
    Less(f64),
    AtMost(f64),
    Greater(f64),
    AtLeast(f64),
}

impl Matcher {
    /// Whether the value of a field is one that is asked for.
    pub(super) fn matches(&self, value: &Value) -> bool {
        match self {
            Self::Is(wanted) => value == wanted,
            Self::Number(wanted) => value.as_f64() == Some(*wanted),
            Self::Text(text) => value.as_str().is_some_and(|value| text.matches(value)),
            Self::Numeric(bounds) => value.as_f64().is_some_and(|value| bounds.iter().all(|bound| bound.holds(value))),
            Self::Cidr(block) => {
                let address = value.as_str().and_then(|text| text.parse::<IpAddr>().ok());
                address.is_some_and(|address| block.contains(&address))
            }
            Self::AnythingBut(refused) => !refused.iter().any(|matcher| matcher.matches(value)),
            Self::Exists(wanted) => *wanted,
        }
    }
}

impl Text {
    fn matches(&self, value: &str) -> bool {
        match self {
            Self::Prefix(prefix) => value.starts_with(prefix),
            Self::Suffix(suffix) => value.ends_with(suffix),
            Self::Wildcard(wildcard) => wildcard.matches(value),
            Self::IgnoreCase(text) => lower_case(value) == *text,
            Self::PrefixIgnoreCase(prefix) => lower_case(value).starts_with(prefix),
            Self::SuffixIgnoreCase(suffix) => lower_case(value).ends_with(suffix),
        }
    }
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::Equal(bound) => value == bound,
            Self::Less(bound) => value < bound,
            Self::AtMost(bound) => value <= bound,
            Self::Greater(bound) => value > bound,
            Self::AtLeast(bound) => value >= bound,
        }
    }
}

/// Character by character, whatever stands beside it: `str::to_lowercase` knows a sigma at the end of a word.
pub(super) fn lower_case(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}
