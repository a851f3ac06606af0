//! What CreateStack, UpdateStack and CreateChangeSet have in common: a template, parameters, tags, capabilities.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::compiled::{Compiled, parse};
use super::refusal::invalid;
use super::schema::Schemas;
use super::stack::Target;
use super::template::parameters::{Given, bind};
use super::template::{MAX_BODY, Template};
use super::template_text::TemplateText;
use crate::ec2::{record, zone};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::tag::Tag;

/// A parameter as a call gives it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ParameterInput {
    parameter_key: String,
    parameter_value: Option<String>,
    #[serde(default, deserialize_with = "crate::wire::flag")]
    use_previous_value: Option<bool>,
}

/// What a call wants a stack to be.
pub(super) struct Request {
    pub(super) template_body: Option<String>,
    pub(super) use_previous_template: bool,
    pub(super) parameters: Vec<ParameterInput>,
    /// None leaves the stack's tags as they are.
    pub(super) tags: Option<Vec<Tag>>,
    pub(super) capabilities: Vec<String>,
}

impl Request {
    /// Everything that can be checked without looking at the stack's resources. The text has to be written with the target.
    pub(super) fn compile(
        self,
        endpoint: &Endpoint,
        (stack_name, stack_id): (&str, &str),
        previous: Option<&Target>,
        schemas: &Schemas,
    ) -> Result<(Compiled, Target, TemplateText), ApiError> {
        let text = TemplateText::new(self.body(endpoint, previous)?);
        let template = parse(&text.text, schemas)?;
        let parameters = bind(&template, &given(self.parameters)?, previous.map(|target| &target.parameters))?;
        check_ids(endpoint, &template, |name| parameters.get(name))?;
        check_capabilities(&template, &self.capabilities)?;
        let target = Target {
            template_id: text.id.clone(),
            description: template.description.clone(),
            parameters: parameters.texts(),
            shown_parameters: parameters.shown(),
            capabilities: self.capabilities,
            tags: tags(self.tags, previous)?,
        };
        let compiled = Compiled::new(endpoint, stack_name, stack_id, template, parameters)?;
        Ok((compiled, target, text))
    }

    fn body(&self, endpoint: &Endpoint, previous: Option<&Target>) -> Result<String, ApiError> {
        match (&self.template_body, self.use_previous_template, previous) {
            (Some(_), true, _) => {
                Err(invalid("You cannot specify both usePreviousTemplate and Template Body or Template URL."))
            }
            (Some(body), false, _) => template_body(body),
            (None, true, Some(target)) => endpoint.store.read(|tx| TemplateText::of(tx, target)),
            _ => Err(invalid("Either Template URL or Template Body must be specified.")),
        }
    }
}

/// The body of a template, if it is not too long for a call.
pub(super) fn template_body(body: &str) -> Result<String, ApiError> {
    if body.is_empty() || body.len() > MAX_BODY {
        let (relation, limit) = if body.is_empty() { ("greater", 1) } else { ("less", MAX_BODY) };
        return Err(invalid(format!(
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length {relation} than or equal to {limit}"
        )));
    }
    Ok(body.to_owned())
}

fn given(parameters: Vec<ParameterInput>) -> Result<BTreeMap<String, Given>, ApiError> {
    let mut given = BTreeMap::new();
    for parameter in parameters {
        let key = parameter.parameter_key;
        let value = match (parameter.parameter_value, parameter.use_previous_value.unwrap_or(false)) {
            (Some(_), true) => {
                return Err(invalid(format!(
                    "Invalid input for parameter key {key}. Cannot specify usePreviousValue as true and non empty value for a parameter"
                )));
            }
            (Some(value), false) => Given::Value(value),
            (None, true) => Given::Previous,
            (None, false) => {
                return Err(invalid(format!(
                    "Invalid input for parameter key {key}. Either parameterValue or usePreviousValue must be specified"
                )));
            }
        };
        if given.insert(key.clone(), value).is_some() {
            return Err(invalid(format!("Duplicate input for parameter key {key}")));
        }
    }
    Ok(given)
}

fn tags(given: Option<Vec<Tag>>, previous: Option<&Target>) -> Result<BTreeMap<String, String>, ApiError> {
    let Some(given) = given else { return Ok(previous.map(|target| target.tags.clone()).unwrap_or_default()) };
    let mut tags = BTreeMap::new();
    for Tag { key, value } in given {
        if key.starts_with("aws:") {
            return Err(invalid("aws: prefixed tag key names are not allowed for external use."));
        }
        if key.is_empty() || key.chars().count() > 128 || value.is_empty() || value.chars().count() > 256 {
            return Err(invalid(format!(
                "1 validation error detected: Value at 'tags' failed to satisfy constraint: the tag '{key}' must have a key of 1 to 128 characters and a value of 1 to 256"
            )));
        }
        if key.contains(char::is_control) || value.contains(char::is_control) {
            return Err(invalid(format!(
                "1 validation error detected: Value at 'tags' failed to satisfy constraint: the tag '{}' must not have control characters",
                key.escape_debug()
            )));
        }
        if tags.insert(key.clone(), value).is_some() {
            return Err(invalid(format!("Duplicate tag keys found: {key}. Please remove the duplicate tag keys.")));
        }
    }
    if tags.len() > 50 {
        return Err(invalid("A stack can have at most 50 tags."));
    }
    Ok(tags)
}

/// IAM resources have to be acknowledged; one with a name of its own more loudly.
fn check_capabilities(template: &Template, given: &[String]) -> Result<(), ApiError> {
    let known = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"];
    if let Some(unknown) = given.iter().find(|capability| !known.contains(&capability.as_str())) {
        return Err(invalid(format!(
            "1 validation error detected: Value '[{unknown}]' at 'capabilities' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [CAPABILITY_NAMED_IAM, CAPABILITY_IAM, CAPABILITY_AUTO_EXPAND]]"
        )));
    }
    let has = |capability: &str| given.iter().any(|it| it == capability);
    match template.capability() {
        Some(needed) if !has(needed) && !has("CAPABILITY_NAMED_IAM") => {
            Err(ApiError::new("InsufficientCapabilitiesException", format!("Requires capabilities : [{needed}]")))
        }
        _ => Ok(()),
    }
}

/// Values of the AWS-specific parameter types name resources that have to exist.
fn check_ids<'a>(
    endpoint: &Endpoint,
    template: &Template,
    value_of: impl Fn(&str) -> Option<&'a Value>,
) -> Result<(), ApiError> {
    for (name, parameter) in &template.parameters {
        let single = parameter.parameter_type.strip_prefix("List<").and_then(|rest| rest.strip_suffix('>'));
        let kind = single.unwrap_or(&parameter.parameter_type);
        if !kind.starts_with("AWS::") {
            continue;
        }
        let values: Vec<&str> = match value_of(name) {
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(text)) => vec![text],
            _ => Vec::new(),
        };
        for value in values {
            if !exists(endpoint, kind, value)? {
                return Err(invalid(format!(
                    "Parameter validation failed: parameter value {value} for parameter name {name} does not exist"
                )));
            }
        }
    }
    Ok(())
}

fn exists(endpoint: &Endpoint, kind: &str, value: &str) -> Result<bool, ApiError> {
    match kind {
        "AWS::EC2::Subnet::Id" => endpoint.store.read(|tx| Ok(tx.get::<record::Subnet>(value)?.is_some())),
        "AWS::EC2::SecurityGroup::Id" => {
            endpoint.store.read(|tx| Ok(tx.get::<record::SecurityGroup>(value)?.is_some()))
        }
        "AWS::EC2::AvailabilityZone::Name" => {
            Ok(zone::names(&endpoint.identity.region).iter().any(|zone| zone == value))
        }
        "AWS::EC2::VPC::Id" => endpoint.store.read(|tx| Ok(tx.get::<record::Vpc>(value)?.is_some())),
        // Key pairs, images, instances, volumes, hosted zones: the endpoint has none.
        _ => Ok(false),
    }
}

/// Refuses lists of things that stacks of this endpoint do not have, by name; AWS clients send them empty.
pub(super) fn refuse_if_any<T>(what: &str, list: &[T]) -> Result<(), ApiError> {
    if list.is_empty() { Ok(()) } else { Err(ApiError::unsupported(format!("{what} of a stack"))) }
}

/// Tags as the API shows them.
pub(super) fn tags_shown(tags: &BTreeMap<String, String>) -> Value {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

/// Parameters as the API shows them.
pub(super) fn parameters_shown(parameters: &BTreeMap<String, String>) -> Value {
    parameters.iter().map(|(key, value)| json!({"ParameterKey": key, "ParameterValue": value})).collect()
}
