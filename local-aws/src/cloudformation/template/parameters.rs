//! Parameters: what the template declares, and the values that a call gives.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::allowed_pattern::whole;
use super::declared::{Parameter, Template};
use super::dynamic_reference;
use super::function::string;
use super::parameter_types::{ParameterType, parameter_type};
use super::place::{Place, invalid};
use super::unknown::MARK;
use crate::error::ApiError;

/// Longest value of a parameter, in bytes.
const MAX_VALUE: usize = 4096;

/// Names that `Ref` and `Fn::Sub` know without a declaration.
const PSEUDO_PARAMETERS: [&str; 8] = [
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

/// What a call says of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Given {
    Value(String),
    /// `UsePreviousValue`.
    Previous,
}

/// The value of every parameter of a template, checked.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Parameters {
    values: BTreeMap<String, Bound>,
}

#[derive(Debug, Clone, PartialEq)]
struct Bound {
    text: String,
    value: Value,
    no_echo: bool,
}

impl Parameters {
    /// What `Ref` gives: a string, or a list of strings for the list types.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).map(|bound| &bound.value)
    }

    /// The values as they were given, for the stack's record (`previous` of the next [`bind`]).
    pub(crate) fn texts(&self) -> BTreeMap<String, String> {
        self.values.iter().map(|(name, bound)| (name.clone(), bound.text.clone())).collect()
    }

    /// The values as read calls show them: `****` for `NoEcho`.
    pub(crate) fn shown(&self) -> BTreeMap<String, String> {
        self.values
            .iter()
            .map(|(name, bound)| (name.clone(), if bound.no_echo { "****".to_owned() } else { bound.text.clone() }))
            .collect()
    }
}

impl Template {
    /// Whether `Ref` finds a parameter of this name, or a pseudo parameter.
    pub(super) fn has_parameter(&self, name: &str) -> bool {
        self.parameters.contains_key(name) || PSEUDO_PARAMETERS.contains(&name)
    }
}

/// Reads one declaration.
pub(super) fn declaration(place: &Place<'_>, name: &str, value: &Value) -> Result<Parameter, ApiError> {
    let members = value
        .as_object()
        .ok_or_else(|| place.error("Template format error: Every Parameters object must contain a Type member."))?;
    check_members(place, members)?;
    let Some(Value::String(written)) = members.get("Type") else {
        return Err(place.error("Template format error: Every Parameters object must contain a Type member."));
    };
    parameter_type(&place.member("Type"), written)?;
    let text = |key: &str| members.get(key).map(|value| string(&place.member(key), value)).transpose();
    let number = |key: &str| match text(key)? {
        None => Ok(None),
        Some(text) => text.trim().parse::<f64>().map(Some).map_err(|_| {
            place.member(key).error(format_args!("Template format error: {key} of parameter {name} must be a number"))
        }),
    };
    let length = |key: &str| match text(key)? {
        None => Ok(None),
        Some(text) => text.trim().parse::<usize>().map(Some).map_err(|_| {
            place.member(key).error(format_args!("Template format error: {key} of parameter {name} must be an integer"))
        }),
    };
    if let Some(default) = members.get("Default") {
        dynamic_reference::refuse(&place.member("Default"), default)?;
    }
    let allowed_pattern = text("AllowedPattern")?;
    if let Some(pattern) = &allowed_pattern {
        whole(pattern).map_err(|error| {
            place.member("AllowedPattern").error(format_args!(
                "Template format error: AllowedPattern of parameter {name} is no regular expression: {error}"
            ))
        })?;
    }
    Ok(Parameter {
        parameter_type: written.clone(),
        default: members
            .get("Default")
            .map(|value| {
                super::function::text(value).map(std::borrow::Cow::into_owned).ok_or_else(|| {
                    place.member("Default").error("Template format error: Every Default member must be a string.")
                })
            })
            .transpose()?,
        description: text("Description")?,
        no_echo: text("NoEcho")?.is_some_and(|flag| flag.eq_ignore_ascii_case("true")),
        allowed_values: allowed_values(&place.member("AllowedValues"), members.get("AllowedValues"))?,
        allowed_pattern,
        constraint_description: text("ConstraintDescription")?,
        min_length: length("MinLength")?,
        max_length: length("MaxLength")?,
        min_value: number("MinValue")?,
        max_value: number("MaxValue")?,
    })
}

fn check_members(place: &Place<'_>, members: &Map<String, Value>) -> Result<(), ApiError> {
    let known = [
        "Type",
        "Default",
        "Description",
        "NoEcho",
        "AllowedValues",
        "AllowedPattern",
        "ConstraintDescription",
        "MinLength",
        "MaxLength",
        "MinValue",
        "MaxValue",
    ];
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => {
            Err(place.error(format_args!("Template format error: Invalid template parameter property '{name}'")))
        }
        None => Ok(()),
    }
}

fn allowed_values(place: &Place<'_>, value: Option<&Value>) -> Result<Vec<String>, ApiError> {
    match value {
        None => Ok(Vec::new()),
        Some(Value::Array(values)) => {
            values.iter().enumerate().map(|(index, value)| string(&place.item(index), value)).collect()
        }
        Some(_) => Err(place.error("Template format error: AllowedValues must be a list of strings")),
    }
}

/// The values of the template's parameters: given, previous (only where the call says so), or default.
///
/// # Errors
/// `ValidationError` with AWS's words when a value is missing, unasked for, or breaks a constraint.
pub(crate) fn bind(
    template: &Template,
    given: &BTreeMap<String, Given>,
    previous: Option<&BTreeMap<String, String>>,
) -> Result<Parameters, ApiError> {
    let unasked: Vec<_> =
        given.keys().map(String::as_str).filter(|name| !template.parameters.contains_key(*name)).collect();
    if !unasked.is_empty() {
        return Err(invalid(format!("Parameters: [{}] do not exist in the template", unasked.join(", "))));
    }
    let mut missing = Vec::new();
    let mut values = BTreeMap::new();
    for (name, parameter) in &template.parameters {
        let text = match given.get(name) {
            Some(Given::Value(text)) => Some(text.clone()),
            Some(Given::Previous) => Some(
                previous.and_then(|previous| previous.get(name)).cloned().ok_or_else(|| {
                    invalid(format!(
                        "Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a parameter \
                         key not in the previous template"
                    ))
                })?,
            ),
            None => parameter.default.clone(),
        };
        match text {
            None => missing.push(name.as_str()),
            Some(text) => {
                let value = parameter.value(name, &text)?;
                values.insert(name.clone(), Bound { text, value, no_echo: parameter.no_echo });
            }
        }
    }
    if !missing.is_empty() {
        return Err(invalid(format!("Parameters: [{}] must have values", missing.join(", "))));
    }
    Ok(Parameters { values })
}

impl Parameter {
    /// What `Ref` gives for this text.
    fn value(&self, name: &str, text: &str) -> Result<Value, ApiError> {
        let place = Place::root("Parameters");
        let place = place.member(name);
        if text.len() > MAX_VALUE {
            return Err(place.error(format_args!("Parameter '{name}' must be {MAX_VALUE} bytes or less")));
        }
        if text.contains(MARK) {
            return Err(place.error(format_args!("Parameter '{name}' must not contain the character U+0000")));
        }
        dynamic_reference::refuse_in(&place, text)?;
        let parameter_type = parameter_type(&place.member("Type"), &self.parameter_type)?;
        if !parameter_type.is_list {
            self.check(&place, name, text, parameter_type)?;
            return Ok(text.into());
        }
        let items: Vec<&str> = text.split(',').map(str::trim).collect();
        for item in &items {
            self.check(&place, name, item, parameter_type)?;
        }
        Ok(items.into())
    }

    fn check(&self, place: &Place<'_>, name: &str, text: &str, parameter_type: ParameterType) -> Result<(), ApiError> {
        // What is wrong goes first, so that a value of the wrong type is not called one outside the limits.
        if !parameter_type.accepts(text) {
            return Err(place.error(if parameter_type.is_number() {
                format!("Parameter '{name}' must be a number.")
            } else {
                let text = if self.no_echo { "****" } else { text };
                format!(
                    "Parameter validation failed: parameter value {text} for parameter name {name} does not exist. It is \
                     no {}",
                    self.parameter_type
                )
            }));
        }
        match self.violation(text) {
            None => Ok(()),
            Some(rule) => Err(place.error(match &self.constraint_description {
                Some(description) => format!("Parameter '{name}' failed to satisfy constraint: {description}"),
                None => format!("Parameter '{name}' must {rule}"),
            })),
        }
    }

    /// The constraint that the text breaks.
    fn violation(&self, text: &str) -> Option<String> {
        if !self.allowed_values.is_empty() && !self.allowed_values.iter().any(|allowed| allowed == text) {
            return Some("be one of AllowedValues".to_owned());
        }
        if let Some(pattern) = &self.allowed_pattern
            // A pattern that gives up on this text does not match it either.
            && !whole(pattern).and_then(|regex| regex.is_match(text)).unwrap_or(false)
        {
            return Some(format!("match pattern {pattern}"));
        }
        let length = text.chars().count();
        if let Some(least) = self.min_length.filter(|least| length < *least) {
            return Some(format!("contain at least {least} characters"));
        }
        if let Some(most) = self.max_length.filter(|most| length > *most) {
            return Some(format!("contain at most {most} characters"));
        }
        if self.min_value.is_none() && self.max_value.is_none() {
            return None;
        }
        let Ok(number) = text.trim().parse::<f64>() else { return Some("be a number".to_owned()) };
        if let Some(least) = self.min_value.filter(|least| number < *least) {
            return Some(format!("be a number not less than {least}"));
        }
        self.max_value.filter(|most| number > *most).map(|most| format!("be a number not greater than {most}"))
    }
}
