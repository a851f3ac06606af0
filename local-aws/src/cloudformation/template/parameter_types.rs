//! The types that a parameter can have.

use super::place::Place;
use crate::error::ApiError;

/// A type, without what makes it a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ParameterType {
    item: Item,
    pub(super) is_list: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    Text,
    Number,
    /// An AWS-specific name, of which nothing can be said without looking.
    Name,
    /// An id that begins so, with hexadecimal digits behind a hyphen.
    Id(&'static str),
}

/// The type of this name.
pub(super) fn parameter_type(place: &Place<'_>, written: &str) -> Result<ParameterType, ApiError> {
    if written.starts_with("AWS::SSM::Parameter::") {
        return Err(place.error(format_args!(
            "The parameter type {written} is not supported by the local endpoint: it has no Parameter Store"
        )));
    }
    if written == "CommaDelimitedList" {
        return Ok(ParameterType { item: Item::Text, is_list: true });
    }
    let listed = written.strip_prefix("List<").and_then(|rest| rest.strip_suffix('>'));
    let item = match listed.unwrap_or(written) {
        "String" => Item::Text,
        "Number" => Item::Number,
        "AWS::EC2::AvailabilityZone::Name" | "AWS::EC2::SecurityGroup::GroupName" | "AWS::Route53::HostedZone::Id" => {
            Item::Name
        }
        "AWS::EC2::KeyPair::KeyName" if listed.is_none() => Item::Name,
        "AWS::EC2::Image::Id" => Item::Id("ami"),
        "AWS::EC2::Instance::Id" => Item::Id("i"),
        "AWS::EC2::SecurityGroup::Id" => Item::Id("sg"),
        "AWS::EC2::Subnet::Id" => Item::Id("subnet"),
        "AWS::EC2::Volume::Id" => Item::Id("vol"),
        "AWS::EC2::VPC::Id" => Item::Id("vpc"),
        _ => return Err(place.error(format_args!("Template format error: Unrecognized parameter type: {written}"))),
    };
    Ok(ParameterType { item, is_list: listed.is_some() })
}

impl ParameterType {
    pub(super) fn is_number(self) -> bool {
        self.item == Item::Number
    }

    /// Whether the text can be a value of the type.
    pub(super) fn accepts(self, text: &str) -> bool {
        match self.item {
            Item::Text => true,
            Item::Name => !text.is_empty(),
            // Rust also parses "inf" and "nan", which are no numbers of a template.
            Item::Number => {
                let text = text.trim();
                text.parse::<f64>().is_ok_and(f64::is_finite) && !text.contains(['i', 'n'])
            }
            Item::Id(prefix) => text
                .strip_prefix(prefix)
                .and_then(|rest| rest.strip_prefix('-'))
                .is_some_and(|digits| matches!(digits.len(), 8..=17) && digits.bytes().all(|b| b.is_ascii_hexdigit())),
        }
    }
}
