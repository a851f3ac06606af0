//! What a schema says of its resource type.

use std::sync::OnceLock;

use jsonschema::{Draft, Validator};
use serde_json::Value;

use crate::cloudformation::resources::{self, Properties};
use crate::error::ApiError;

/// Documented attributes that the schemas do not list, because they are properties as well.
const DOCUMENTED_ATTRIBUTES: &[(&str, &[&str])] = &[
    ("AWS::EC2::SecurityGroup", &["VpcId"]),
    ("AWS::EC2::Subnet", &["AvailabilityZone", "AvailabilityZoneId", "CidrBlock", "OutpostArn", "VpcId"]),
    ("AWS::EC2::VPC", &["CidrBlock"]),
    ("AWS::SQS::Queue", &["QueueName"]),
];

/// What CloudFormation knows of one resource type.
pub(crate) struct Schema {
    pub(super) type_name: String,
    pub(super) document: Value,
    validator: OnceLock<Validator>,
}

/// A top-level property that an update changes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    pub(crate) property: String,
    pub(crate) replaces: bool,
}

/// AWS's words for types that are not there, and where those are that are: AWS has many more.
pub(crate) fn unrecognized(type_names: &[&str]) -> ApiError {
    let message = format!(
        "Template format error: Unrecognized resource types: [{}] (the local endpoint has those of \
         docs/reference/local-aws.md)",
        type_names.join(", ")
    );
    ApiError::new("ValidationError", message)
}

impl Schema {
    pub(super) fn read(type_name: &str) -> Result<Self, ApiError> {
        let resource_type = resources::find(type_name).ok_or_else(|| unrecognized(&[type_name]))?;
        let document = serde_json::from_str(resource_type.schema())
            .map_err(|error| ApiError::internal(format!("The schema of {type_name} cannot be read: {error}")))?;
        Ok(Self { type_name: type_name.to_owned(), document, validator: OnceLock::new() })
    }

    pub(super) fn validator(&self) -> Result<&Validator, ApiError> {
        if let Some(validator) = self.validator.get() {
            return Ok(validator);
        }
        let built = jsonschema::options()
            .with_draft(Draft::Draft7)
            .should_validate_formats(true)
            .with_format("ipv4-network", |text: &str| text.parse::<ipnet::Ipv4Net>().is_ok())
            .with_format("ipv6-network", |text: &str| text.parse::<ipnet::Ipv6Net>().is_ok())
            .with_format("json", |text: &str| serde_json::from_str::<Value>(text).is_ok())
            .build(&self.document)
            .map_err(|error| {
                ApiError::internal(format!("The schema of {} cannot be compiled: {error}", self.type_name))
            })?;
        Ok(self.validator.get_or_init(|| built))
    }

    /// The top-level properties that differ, with whether their change replaces the resource.
    pub(crate) fn changes(&self, old: &Properties, new: &Properties) -> Vec<Change> {
        let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        names
            .into_iter()
            .filter(|name| old.get(*name) != new.get(*name))
            .map(|name| Change { property: name.clone(), replaces: self.replaces(name, old, new) })
            .collect()
    }

    fn replaces(&self, property: &str, old: &Properties, new: &Properties) -> bool {
        let resource_type = resources::find(&self.type_name);
        if resource_type.is_some_and(|resource_type| resource_type.replaces(property, old, new)) {
            return true;
        }
        let (old, new) = (old.get(property), new.get(property));
        // Properties that replace only under a condition are taken to do so: the old resource is kept until the new
        // one is there, so nothing is lost by it.
        ["createOnlyProperties", "conditionalCreateOnlyProperties"]
            .iter()
            .flat_map(|key| self.paths(key))
            .any(|path| path.first() == Some(&property) && values(old, &path[1..]) != values(new, &path[1..]))
    }

    /// Whether the old resource has to go before its replacement can be made.
    pub(crate) fn deletes_before_creating(&self) -> bool {
        self.document.get("replacementStrategy").and_then(Value::as_str) == Some("delete_then_create")
    }

    /// Whether the type takes tags, and so follows those of its stack.
    pub(crate) fn takes_tags(&self) -> bool {
        self.document.pointer("/tagging/taggable") == Some(&Value::Bool(true))
    }

    /// Whether `Fn::GetAtt` knows the attribute.
    pub(crate) fn has_attribute(&self, name: &str) -> bool {
        let documented = DOCUMENTED_ATTRIBUTES.iter().find(|(type_name, _)| *type_name == self.type_name);
        self.paths("readOnlyProperties").iter().any(|path| path.join(".") == name)
            || documented.is_some_and(|(_, names)| names.contains(&name))
    }

    /// A list of property paths, without the `/properties/` in front.
    pub(super) fn paths(&self, key: &str) -> Vec<Vec<&str>> {
        let paths = self.document.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        paths.map(|path| path.trim_start_matches("/properties/").split('/').collect()).collect()
    }
}

/// The values at a path (`*` for list items and map keys); a path that is not there has none.
fn values<'a>(value: Option<&'a Value>, path: &[&str]) -> Vec<&'a Value> {
    let Some(value) = value else { return Vec::new() };
    let Some((step, rest)) = path.split_first() else { return vec![value] };
    match value {
        Value::Array(items) if *step == "*" => items.iter().flat_map(|item| values(Some(item), rest)).collect(),
        Value::Object(members) if *step == "*" => {
            members.values().flat_map(|member| values(Some(member), rest)).collect()
        }
        Value::Object(members) => values(members.get(*step), rest),
        _ => Vec::new(),
    }
}
