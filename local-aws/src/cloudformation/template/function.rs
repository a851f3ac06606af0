//! The syntax of the intrinsic functions, read in one place for everything that walks a template.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::number;
use super::place::Place;
use crate::error::ApiError;

/// One use of a function, its arguments not resolved yet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Function<'a> {
    Ref(&'a str),
    /// The attribute is a word, or a function such as `Ref` of a parameter.
    GetAtt {
        resource: &'a str,
        attribute: Attribute<'a>,
    },
    Sub {
        text: &'a str,
        variables: Option<&'a Map<String, Value>>,
    },
    Join {
        delimiter: &'a str,
        items: &'a Value,
    },
    Select {
        index: &'a Value,
        items: &'a Value,
    },
    Split {
        delimiter: &'a str,
        text: &'a Value,
    },
    FindInMap(&'a [Value]),
    GetAZs(&'a Value),
    /// Block, count and subnet bits.
    Cidr(&'a [Value]),
    Base64(&'a Value),
    ImportValue(&'a Value),
    If {
        condition: &'a str,
        then: &'a Value,
        otherwise: &'a Value,
    },
    /// `And`, `Or`, `Not`, `Equals`: only conditions are made of them.
    Logic(Logic, &'a [Value]),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Attribute<'a> {
    Word(&'a str),
    Function(&'a Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Logic {
    And,
    Or,
    Not,
    Equals,
}

/// The value of a scalar as text, as CloudFormation converts it wherever it needs a string.
pub(super) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number::text(number))),
        Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        _ => None,
    }
}

/// A string, or another scalar as text.
pub(super) fn string(place: &Place<'_>, value: &Value) -> Result<String, ApiError> {
    text(value).map(Cow::into_owned).ok_or_else(|| place.error("Template format error: a string is required here"))
}

impl<'a> Function<'a> {
    /// The function that this value is a use of, if it is one.
    pub(super) fn of(place: &Place<'_>, value: &'a Value) -> Result<Option<Self>, ApiError> {
        let Value::Object(members) = value else { return Ok(None) };
        let mut names = members.iter();
        let Some((name, argument)) = names.next() else { return Ok(None) };
        if members.len() > 1 {
            return match members.keys().find(|name| name.starts_with("Fn::")) {
                Some(name) => {
                    Err(place.error(format_args!("Template error: {name} must be the only key of its object")))
                }
                None => Ok(None),
            };
        }
        if name == "Ref" {
            let name = argument.as_str();
            return name
                .map(|name| Some(Self::Ref(name)))
                .ok_or_else(|| place.error("Template error: every Ref object must have a single String value."));
        }
        if name.starts_with("Fn::") {
            return Self::parse(place, name, argument).map(Some);
        }
        Ok(None)
    }

    fn parse(place: &Place<'_>, name: &str, argument: &'a Value) -> Result<Self, ApiError> {
        let list = argument.as_array().map(Vec::as_slice);
        let parsed = match name {
            "Fn::GetAtt" => Self::get_att(argument),
            "Fn::Sub" => Self::sub(argument),
            "Fn::Join" => match list {
                Some([Value::String(delimiter), items]) => Some(Self::Join { delimiter, items }),
                _ => None,
            },
            "Fn::Select" => match list {
                Some([index, items]) => Some(Self::Select { index, items }),
                _ => None,
            },
            "Fn::Split" => match list {
                Some([Value::String(delimiter), text]) if !delimiter.is_empty() => {
                    Some(Self::Split { delimiter, text })
                }
                _ => None,
            },
            "Fn::FindInMap" => list.filter(|list| list.len() == 3).map(Self::FindInMap),
            "Fn::Cidr" => list.filter(|list| list.len() == 3).map(Self::Cidr),
            "Fn::GetAZs" => (!argument.is_array()).then_some(Self::GetAZs(argument)),
            "Fn::Base64" => (!argument.is_array()).then_some(Self::Base64(argument)),
            "Fn::ImportValue" => (!argument.is_array()).then_some(Self::ImportValue(argument)),
            "Fn::If" => match list {
                Some([Value::String(condition), then, otherwise]) => Some(Self::If { condition, then, otherwise }),
                _ => None,
            },
            "Fn::And" => list.filter(|list| (2..=10).contains(&list.len())).map(|list| Self::Logic(Logic::And, list)),
            "Fn::Or" => list.filter(|list| (2..=10).contains(&list.len())).map(|list| Self::Logic(Logic::Or, list)),
            "Fn::Not" => list.filter(|list| list.len() == 1).map(|list| Self::Logic(Logic::Not, list)),
            "Fn::Equals" => list.filter(|list| list.len() == 2).map(|list| Self::Logic(Logic::Equals, list)),
            _ => return Err(place.error(refusal(name))),
        };
        parsed.ok_or_else(|| place.error(format_args!("Template error: {}", expectation(name))))
    }

    fn get_att(argument: &'a Value) -> Option<Self> {
        match argument {
            Value::String(path) => {
                let (resource, attribute) = path.split_once('.')?;
                (!resource.is_empty() && !attribute.is_empty())
                    .then_some(Self::GetAtt { resource, attribute: Attribute::Word(attribute) })
            }
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(resource), Value::String(attribute)] => (!resource.is_empty() && !attribute.is_empty())
                    .then_some(Self::GetAtt { resource, attribute: Attribute::Word(attribute) }),
                [Value::String(resource), function @ Value::Object(_)] if !resource.is_empty() => {
                    Some(Self::GetAtt { resource, attribute: Attribute::Function(function) })
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn sub(argument: &'a Value) -> Option<Self> {
        match argument {
            Value::String(text) => Some(Self::Sub { text, variables: None }),
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(text), Value::Object(variables)] => Some(Self::Sub { text, variables: Some(variables) }),
                _ => None,
            },
            _ => None,
        }
    }

    /// The values within, with where they are.
    fn arguments(&self) -> Vec<(&'a str, Option<usize>, &'a Value)> {
        let list = |name, values: &'a [Value]| values.iter().enumerate().map(|(i, v)| (name, Some(i), v)).collect();
        match *self {
            Self::Ref(_) | Self::GetAtt { attribute: Attribute::Word(_), .. } => Vec::new(),
            Self::GetAtt { attribute: Attribute::Function(function), .. } => vec![("Fn::GetAtt", Some(1), function)],
            Self::Sub { variables, .. } => {
                variables.into_iter().flatten().map(|(name, value)| (name.as_str(), None, value)).collect()
            }
            Self::Join { items, .. } => vec![("Fn::Join", Some(1), items)],
            Self::Select { index, items } => vec![("Fn::Select", Some(0), index), ("Fn::Select", Some(1), items)],
            Self::Split { text, .. } => vec![("Fn::Split", Some(1), text)],
            Self::FindInMap(values) => list("Fn::FindInMap", values),
            Self::Cidr(values) => list("Fn::Cidr", values),
            Self::GetAZs(value) => vec![("Fn::GetAZs", None, value)],
            Self::Base64(value) => vec![("Fn::Base64", None, value)],
            Self::ImportValue(value) => vec![("Fn::ImportValue", None, value)],
            Self::If { then, otherwise, .. } => vec![("Fn::If", Some(1), then), ("Fn::If", Some(2), otherwise)],
            Self::Logic(logic, values) => list(logic.name(), values),
        }
    }
}

impl Logic {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::And => "Fn::And",
            Self::Or => "Fn::Or",
            Self::Not => "Fn::Not",
            Self::Equals => "Fn::Equals",
        }
    }
}

/// Shows every function in `value` to `visit`, outermost first. With `conditions`, only the branch of each `Fn::If`
/// that they choose.
pub(super) fn walk<'v>(
    place: &Place<'_>,
    value: &'v Value,
    conditions: Option<&BTreeMap<String, bool>>,
    visit: &mut dyn FnMut(&Place<'_>, Function<'v>) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    if let Some(function) = Function::of(place, value)? {
        visit(place, function)?;
        let chosen = match (function, conditions) {
            (Function::If { condition, .. }, Some(conditions)) => {
                conditions.get(condition).map(|holds| if *holds { 1 } else { 2 })
            }
            _ => None,
        };
        for (name, index, argument) in function.arguments() {
            if chosen.is_some() && index != chosen {
                continue;
            }
            let member = place.member(name);
            match index {
                Some(index) => walk(&member.item(index), argument, conditions, visit)?,
                None => walk(&member, argument, conditions, visit)?,
            }
        }
        return Ok(());
    }
    match value {
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(index, item)| walk(&place.item(index), item, conditions, visit))
        }
        Value::Object(members) => {
            members.iter().try_for_each(|(name, member)| walk(&place.member(name), member, conditions, visit))
        }
        _ => Ok(()),
    }
}

/// AWS's words for a use with the wrong arguments.
fn expectation(name: &str) -> &'static str {
    match name {
        "Fn::GetAtt" => {
            "every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute"
        }
        "Fn::Sub" => {
            "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first \
             argument, and an optional second argument to specify a mapping of values to replace in the string"
        }
        "Fn::Join" => {
            "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be \
             joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
        }
        "Fn::Select" => "Fn::Select requires a list argument with two elements: an integer index and a list",
        "Fn::Split" => {
            "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a \
             function that returns a string to be split."
        }
        "Fn::FindInMap" => {
            "every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return \
             value"
        }
        "Fn::Cidr" => {
            "every Fn::Cidr object requires three parameters, the ip block, the count of blocks and the subnet bits (the \
             local endpoint has no default for them)"
        }
        "Fn::If" => "every Fn::If object requires three parameters, the name of a condition and two values",
        "Fn::And" => "every Fn::And object requires a list of at least 2 and at most 10 boolean parameters.",
        "Fn::Or" => "every Fn::Or object requires a list of at least 2 and at most 10 boolean parameters.",
        "Fn::Not" => "every Fn::Not object requires one boolean parameter.",
        "Fn::Equals" => "every Fn::Equals object requires a list of 2 string parameters.",
        "Fn::Base64" => "every Fn::Base64 object must have a String-typed value.",
        "Fn::GetAZs" => "every Fn::GetAZs object must have a String-typed value.",
        _ => "every Fn::ImportValue object must have a String-typed value.",
    }
}

/// Why a function of this name is refused.
pub(super) fn refusal(name: &str) -> String {
    match name {
        "Fn::Transform" => "Fn::Transform is not supported by the local endpoint: it has no macros".to_owned(),
        "Fn::ToJsonString" | "Fn::Length" => {
            format!("{name} is not supported by the local endpoint: it needs the transform AWS::LanguageExtensions")
        }
        _ if name.starts_with("Fn::ForEach") => {
            "Fn::ForEach is not supported by the local endpoint: it needs the transform AWS::LanguageExtensions"
                .to_owned()
        }
        _ => format!("Template error: {name} is not a known intrinsic function"),
    }
}
