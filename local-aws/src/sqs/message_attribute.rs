//! The attributes that a sender puts on a message, and their digest, which clients check.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::refusal::{invalid, invalid_contents};
use crate::error::ApiError;

/// Attributes by their names, in whose order the digest is made.
pub(super) type Attributes = BTreeMap<String, Attribute>;

/// How many attributes a message may have.
const MOST: usize = 10;

/// One value with its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Attribute {
    /// `String`, `Number` or `Binary`, with a label of the sender's own after a dot if he wants one.
    #[serde(default)]
    pub(super) data_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) string_value: Option<String>,
    /// Base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) binary_value: Option<String>,
}

impl Attribute {
    pub(super) fn text(data_type: &str, value: &str) -> Self {
        Self { data_type: data_type.to_owned(), string_value: Some(value.to_owned()), binary_value: None }
    }

    fn is_binary(&self) -> bool {
        self.data_type.split('.').next() == Some("Binary")
    }

    /// Nothing when it is not base64, which [`check`] refuses.
    fn bytes(&self) -> Vec<u8> {
        if self.is_binary() {
            return STANDARD.decode(self.binary_value.as_deref().unwrap_or_default()).unwrap_or_default();
        }
        self.string_value.clone().unwrap_or_default().into_bytes()
    }

    fn check(&self, name: &str) -> Result<(), ApiError> {
        let refuse = |what: &str| Err(invalid(format!("Message (user) attribute '{name}' {what}")));
        if self.data_type.is_empty() {
            return refuse("must contain a non-empty attribute type.");
        }
        let kind = self.data_type.split('.').next().unwrap_or_default();
        if !matches!(kind, "String" | "Number" | "Binary") || self.data_type.len() > 256 {
            return Err(invalid(format!(
                "The type of message (user) attribute '{name}' is invalid. You must use only the following supported \
                 type prefixes: Binary, Number, String."
            )));
        }
        let other = if self.is_binary() { &self.string_value } else { &self.binary_value };
        if other.is_some() || self.bytes().is_empty() {
            return refuse(&format!("must contain a non-empty value of type '{}'.", self.data_type));
        }
        if let Some(value) = &self.string_value {
            if kind == "Number" && value.trim().parse::<f64>().is_err() {
                return Err(invalid(format!("Can't cast the value of message (user) attribute '{name}' to a number.")));
            }
            check_characters(value)?;
        }
        Ok(())
    }
}

/// Refuses attributes that AWS would not take.
pub(super) fn check(attributes: &Attributes) -> Result<(), ApiError> {
    if attributes.len() > MOST {
        return Err(invalid(format!(
            "Number of message attributes [{}] exceeds the allowed maximum [{MOST}].",
            attributes.len()
        )));
    }
    attributes.iter().try_for_each(|(name, attribute)| {
        check_name(name)?;
        attribute.check(name)
    })
}

fn check_name(name: &str) -> Result<(), ApiError> {
    if name.is_empty() {
        return Err(invalid("Message (user) attribute name cannot be empty."));
    }
    if name.len() > 256 {
        return Err(invalid("Message (user) attribute name can not be longer than 256 characters."));
    }
    let is_letter = |it: u8| it.is_ascii_alphanumeric() || b"_-.".contains(&it);
    let is_reserved = ["aws.", "amazon."].iter().any(|prefix| name.to_ascii_lowercase().starts_with(prefix));
    if is_reserved
        || !name.bytes().all(is_letter)
        || name.starts_with('.')
        || name.ends_with('.')
        || name.contains("..")
    {
        return Err(invalid(format!(
            "The message (user) attribute name '{name}' is invalid. It may hold A-Z, a-z, 0-9, underscores, hyphens and \
             periods, and may neither start with 'AWS.' or 'Amazon.' nor start or end with a period, nor have two in a row."
        )));
    }
    Ok(())
}

/// Refuses characters that XML 1.0 does not have.
pub(super) fn check_characters(text: &str) -> Result<(), ApiError> {
    let is_valid = |it: char| matches!(it, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}');
    if text.chars().all(is_valid) { Ok(()) } else { Err(invalid_contents()) }
}

/// What the attributes count of a message's size.
pub(super) fn size(attributes: &Attributes) -> usize {
    attributes.iter().map(|(name, it)| name.len() + it.data_type.len() + it.bytes().len()).sum()
}

/// The digest of the attributes, if there are any.
pub(super) fn md5<'a>(attributes: impl IntoIterator<Item = (&'a String, &'a Attribute)>) -> Option<String> {
    let mut text = Vec::new();
    for (name, attribute) in attributes {
        let mut put = |bytes: &[u8]| {
            // Messages are far shorter than that.
            text.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
            text.extend(bytes);
        };
        put(name.as_bytes());
        put(attribute.data_type.as_bytes());
        text.push(if attribute.is_binary() { 2 } else { 1 });
        let value = attribute.bytes();
        text.extend(u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
        text.extend(value);
    }
    (!text.is_empty()).then(|| format!("{:x}", md5::compute(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(data_type: &str, value: &str) -> Attribute {
        match data_type {
            "Binary" => Attribute {
                data_type: data_type.to_owned(),
                string_value: None,
                binary_value: Some(STANDARD.encode(value)),
            },
            _ => Attribute::text(data_type, value),
        }
    }

    #[test]
    fn digests_are_those_that_are_published() {
        let number = "4563442423554324324264524243.32543234";
        let all: Attributes = [
            ("attribName1", attribute("String", "attribValue 1"), "19e27d4e946b072f3f58da80d94fd778"),
            ("customNumberTypeAttrib", attribute("Number.float", number), "9fe1b90bbd9965bdf77bac517c7d2495"),
            ("binaryAttribute", attribute("Binary", "Hello binary world!"), "31a92b15d92f8db860eda32aceb656c3"),
        ]
        .into_iter()
        .map(|(name, attribute, expected)| {
            let one = Attributes::from([(name.to_owned(), attribute.clone())]);
            assert_eq!(check(&one), Ok(()));
            assert_eq!(md5(&one).as_deref(), Some(expected), "{name}");
            (name.to_owned(), attribute)
        })
        .collect();
        assert_eq!(md5(&all).as_deref(), Some("c932db14a896c663f83c260297d594ff"));
        assert_eq!(md5(&Attributes::new()), None);
    }

    #[test]
    fn what_no_message_may_carry_is_refused() {
        let one = |name: &str, data_type: &str, value: &str| {
            check(&Attributes::from([(name.to_owned(), attribute(data_type, value))])).unwrap_err()
        };
        for (refusal, words) in [
            (one("X", "String", ""), "Message (user) attribute 'X' must contain a non-empty value of type 'String'."),
            (one("X", "", "v"), "must contain a non-empty attribute type."),
            (one("X", "Text", "v"), "The type of message (user) attribute 'X' is invalid."),
            (one("X", "Number", "seven"), "Can't cast the value of message (user) attribute 'X' to a number."),
            (one("AWS.X", "String", "v"), "name 'AWS.X' is invalid"),
            (one("a b", "String", "v"), "name 'a b' is invalid"),
            (one("", "String", "v"), "name cannot be empty"),
        ] {
            assert_eq!(refusal.code, "InvalidParameterValueException");
            assert!(refusal.message.contains(words), "{refusal}");
        }
        assert_eq!(one("X", "String", "\u{1}").code, "InvalidMessageContents");
        let many = (0..11).map(|number| (format!("a{number}"), attribute("Number", "1"))).collect();
        assert!(check(&many).unwrap_err().message.starts_with("Number of message attributes [11]"));
    }
}
