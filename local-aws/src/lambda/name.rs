//! How calls name a function: by its name, its ARN, or a part of that; with a version behind it or beside it.

use super::function::Function;
use super::refusal::{constraint, not_found};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

/// The only version that a function has here.
pub(super) const LATEST: &str = "$LATEST";

const PATTERN: &str = r"satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?";

/// Name and version in `identifier`.
fn split(identifier: &str) -> Option<(&str, Option<&str>)> {
    let rest = match identifier.split_once("function:") {
        Some((_, rest)) => rest,
        None => identifier,
    };
    let (name, version) = rest.split_once(':').map_or((rest, None), |(name, version)| (name, Some(version)));
    let is_name = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    (is_name(name) && version.is_none_or(|version| version == LATEST || is_name(version))).then_some((name, version))
}

/// The name alone; of an ARN, if it is of this account and region.
pub(super) fn of<'a>(endpoint: &Endpoint, identifier: &'a str) -> Result<&'a str, ApiError> {
    named(endpoint, identifier, None).map(|(name, _)| name)
}

fn named<'a>(
    endpoint: &Endpoint,
    identifier: &'a str,
    qualifier: Option<&'a str>,
) -> Result<(&'a str, Option<&'a str>), ApiError> {
    let wrong = || constraint("functionName", identifier, PATTERN);
    let (name, version) = split(identifier).filter(|_| identifier.len() <= 256).ok_or_else(wrong)?;
    if identifier.starts_with("arn:") && !identifier.starts_with(&Function::arn_of(endpoint, name)) {
        return Err(not_found(format!("Function not found: {identifier}")));
    }
    Ok((name, version.or(qualifier)))
}

/// The function that a call names.
pub(crate) fn find(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    identifier: &str,
    qualifier: Option<&str>,
) -> Result<Function, ApiError> {
    let (name, version) = named(endpoint, identifier, qualifier)?;
    if let Some(version) = version.filter(|version| *version != LATEST) {
        let arn = Function::arn_of(endpoint, name);
        return Err(not_found(format!("Function not found: {arn}:{version}")));
    }
    let none = || not_found(format!("Function not found: {}", Function::arn_of(endpoint, name)));
    tx.get(name)?.ok_or_else(none)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_has_many_names() {
        for name in [
            "f",
            "function:f",
            "000000000000:function:f",
            "arn:aws:lambda:us-east-1:000000000000:function:f",
            "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST",
            "f:$LATEST",
        ] {
            assert_eq!(split(name).map(|(name, _)| name), Some("f"), "{name}");
        }
        assert_eq!(split("f:1"), Some(("f", Some("1"))));
        for wrong in ["", "a b", "a.b", "a:", "a:b:c", "function:"] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
    }
}
