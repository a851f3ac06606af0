//! The sections of the document to a [`Template`].

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::declared::{DeletionPolicy, OutputDeclaration, Resource, Template};
use super::function::{string, text};
use super::place::{Place, invalid};
use super::{document, parameters};
use crate::error::ApiError;

const MAX_RESOURCES: usize = 500;
const MAX_MEMBERS: usize = 200;
const MAX_DESCRIPTION: usize = 1024;

impl Template {
    /// The template in `body`: YAML with short tags, or JSON.
    ///
    /// # Errors
    /// `ValidationError` that names the place when the text is no template, or uses what the endpoint does not do.
    pub(crate) fn parse(body: &str) -> Result<Self, ApiError> {
        let sections = document::read(body)?;
        check_section_names(&sections)?;
        let template = Self {
            description: description(&sections)?,
            metadata: sections.get("Metadata").cloned(),
            parameters: section(&sections, "Parameters", MAX_MEMBERS, parameters::declaration)?,
            mappings: section(&sections, "Mappings", MAX_MEMBERS, mapping)?,
            conditions: section(&sections, "Conditions", usize::MAX, |_, _, value| Ok(value.clone()))?,
            resources: section(&sections, "Resources", MAX_RESOURCES, resource)?,
            outputs: section(&sections, "Outputs", MAX_MEMBERS, output)?,
        };
        if template.resources.is_empty() {
            return Err(invalid("Template format error: At least one Resources member must be defined."));
        }
        if let Some(name) = template.parameters.keys().find(|name| template.resources.contains_key(*name)) {
            return Err(Place::root("Resources")
                .member(name)
                .error(format_args!("Template format error: a parameter and a resource have the same name {name}")));
        }
        Ok(template)
    }
}

fn check_section_names(sections: &Map<String, Value>) -> Result<(), ApiError> {
    match sections.get("AWSTemplateFormatVersion") {
        None => {}
        Some(Value::String(version)) if version == "2010-09-09" => {}
        Some(version) => {
            let version = version.as_str().map_or_else(|| version.to_string(), str::to_owned);
            return Err(invalid(format!(
                "Template format error: {version} is not a supported value for AWSTemplateFormatVersion."
            )));
        }
    }
    for refused in ["Transform", "Rules", "Hooks", "Globals"] {
        if sections.contains_key(refused) {
            return Err(Place::root(refused)
                .error(format_args!("The {refused} section of a template is not supported by the local endpoint")));
        }
    }
    let known = [
        "AWSTemplateFormatVersion",
        "Description",
        "Metadata",
        "Parameters",
        "Mappings",
        "Conditions",
        "Resources",
        "Outputs",
    ];
    let unknown: Vec<_> = sections.keys().map(String::as_str).filter(|name| !known.contains(name)).collect();
    if !unknown.is_empty() {
        return Err(invalid(format!(
            "Template validation error: Invalid template property or properties [{}]",
            unknown.join(", ")
        )));
    }
    Ok(())
}

fn description(sections: &Map<String, Value>) -> Result<Option<String>, ApiError> {
    let Some(description) = sections.get("Description") else { return Ok(None) };
    let text = description.as_str().ok_or_else(|| invalid("Template format error: Description must be a string."))?;
    if text.len() > MAX_DESCRIPTION {
        return Err(invalid(format!("Template format error: 'Description' length is greater than {MAX_DESCRIPTION}.")));
    }
    Ok(Some(text.to_owned()))
}

/// Reads every member of a section; a section that is not there is empty.
fn section<T>(
    sections: &Map<String, Value>,
    name: &str,
    limit: usize,
    read: impl Fn(&Place<'_>, &str, &Value) -> Result<T, ApiError>,
) -> Result<BTreeMap<String, T>, ApiError> {
    let Some(value) = sections.get(name) else { return Ok(BTreeMap::new()) };
    let place = Place::root(name);
    let members = object(&place, value)?;
    if members.len() > limit {
        return Err(invalid(format!(
            "Template format error: Number of {}, {}, is greater than maximum allowed, {limit}",
            name.to_lowercase(),
            members.len()
        )));
    }
    let mut result = BTreeMap::new();
    for (member_name, member) in members {
        if member_name.starts_with("Fn::") {
            return Err(place.member(member_name).error(super::function::refusal(member_name)));
        }
        let alphanumeric = !member_name.is_empty() && member_name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !alphanumeric || member_name.len() > 255 {
            // AWS's words end there, and name the place already.
            return Err(invalid(format!(
                "Template format error: {} name {member_name} is non alphanumeric.",
                name.strip_suffix('s').unwrap_or(name)
            )));
        }
        result.insert(member_name.clone(), read(&place.member(member_name), member_name, member)?);
    }
    Ok(result)
}

fn object<'a>(place: &Place<'_>, value: &'a Value) -> Result<&'a Map<String, Value>, ApiError> {
    value.as_object().ok_or_else(|| place.error("Template format error: an object is required here"))
}

fn optional_string(place: &Place<'_>, members: &Map<String, Value>, name: &str) -> Result<Option<String>, ApiError> {
    members.get(name).map(|value| string(&place.member(name), value)).transpose()
}

fn mapping(
    place: &Place<'_>,
    _name: &str,
    value: &Value,
) -> Result<BTreeMap<String, BTreeMap<String, Value>>, ApiError> {
    let mut keys = BTreeMap::new();
    for (key, values) in object(place, value)? {
        let member = place.member(key);
        let Some(values) = values.as_object() else {
            return Err(member.error(format_args!("Template format error: Every Mappings member {key} must be a map")));
        };
        let mut attributes = BTreeMap::new();
        for (name, value) in values {
            let is_literal = match value {
                Value::Array(items) => items.iter().all(|item| text(item).is_some()),
                scalar => text(scalar).is_some(),
            };
            if !is_literal {
                return Err(member
                    .member(name)
                    .error("Template format error: Every Mappings attribute must be a String or a List."));
            }
            attributes.insert(name.clone(), value.clone());
        }
        keys.insert(key.clone(), attributes);
    }
    Ok(keys)
}

fn resource(place: &Place<'_>, _name: &str, value: &Value) -> Result<Resource, ApiError> {
    let members = object(place, value)?;
    for name in members.keys() {
        match name.as_str() {
            "Type"
            | "Properties"
            | "Condition"
            | "DependsOn"
            | "DeletionPolicy"
            | "UpdateReplacePolicy"
            | "Metadata" => {}
            "CreationPolicy" | "UpdatePolicy" => {
                return Err(place
                    .member(name)
                    .error(format_args!("The resource attribute {name} is not supported by the local endpoint")));
            }
            _ => {
                return Err(invalid(format!("Invalid template resource property '{name}'")));
            }
        }
    }
    let Some(Value::String(resource_type)) = members.get("Type") else {
        return Err(invalid(format!(
            "Template format error: [/{place}] Every Resources object must contain a Type member."
        )));
    };
    let properties = members.get("Properties").cloned().unwrap_or_else(|| Value::Object(Map::new()));
    object(&place.member("Properties"), &properties)?;
    let policy = |name| policy(&place.member(name), members.get(name));
    Ok(Resource {
        resource_type: resource_type.clone(),
        properties,
        condition: condition(place, members)?,
        depends_on: depends_on(&place.member("DependsOn"), members.get("DependsOn"))?,
        deletion_policy: policy("DeletionPolicy")?,
        update_replace_policy: policy("UpdateReplacePolicy")?,
        metadata: members.get("Metadata").cloned(),
    })
}

fn condition(place: &Place<'_>, members: &Map<String, Value>) -> Result<Option<String>, ApiError> {
    match members.get("Condition") {
        None => Ok(None),
        Some(Value::String(name)) => Ok(Some(name.clone())),
        Some(_) => {
            Err(place.member("Condition").error("Template format error: Every Condition member must be a string."))
        }
    }
}

fn depends_on(place: &Place<'_>, value: Option<&Value>) -> Result<Vec<String>, ApiError> {
    let wrong = || place.error("Template format error: Every DependsOn value must be a string or a list of strings.");
    match value {
        None => Ok(Vec::new()),
        Some(Value::String(name)) => Ok(vec![name.clone()]),
        Some(Value::Array(names)) => {
            names.iter().map(|name| name.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}

fn policy(place: &Place<'_>, value: Option<&Value>) -> Result<DeletionPolicy, ApiError> {
    match value {
        None => Ok(DeletionPolicy::Delete),
        Some(Value::String(policy)) => match policy.as_str() {
            "Delete" => Ok(DeletionPolicy::Delete),
            "Retain" => Ok(DeletionPolicy::Retain),
            "RetainExceptOnCreate" if place.to_string().ends_with("/DeletionPolicy") => {
                Ok(DeletionPolicy::RetainExceptOnCreate)
            }
            // None of the types of this endpoint can be snapshot: AWS refuses it for them as well.
            "Snapshot" => Err(place.error("Template error: resource type does not support deletion policy Snapshot")),
            _ => Err(place.error(format_args!("Template error: Unrecognized DeletionPolicy {policy}"))),
        },
        Some(_) => Err(place.error("Template format error: a deletion policy must be a string")),
    }
}

fn output(place: &Place<'_>, _name: &str, value: &Value) -> Result<OutputDeclaration, ApiError> {
    let members = object(place, value)?;
    if let Some(name) =
        members.keys().find(|name| !matches!(name.as_str(), "Description" | "Value" | "Condition" | "Export"))
    {
        return Err(place.error(format_args!("Template format error: Unrecognized output attribute {name}")));
    }
    let value = members
        .get("Value")
        .cloned()
        .ok_or_else(|| invalid("Template format error: Every Outputs member must contain a Value object"))?;
    let export_name = match members.get("Export") {
        None => None,
        Some(export) => {
            let place = place.member("Export");
            let export = object(&place, export)?;
            let name = export.get("Name").filter(|_| export.len() == 1);
            Some(name.cloned().ok_or_else(|| {
                place.error("Template format error: Output Export must be an object with the one key Name")
            })?)
        }
    };
    Ok(OutputDeclaration {
        description: optional_string(place, members, "Description")?,
        value,
        condition: condition(place, members)?,
        export_name,
    })
}
