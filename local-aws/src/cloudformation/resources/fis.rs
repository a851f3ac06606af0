//! `AWS::FIS::ExperimentTemplate`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::resource_type::{Context, Created, Properties, Reading, Refused, ResourceType};
use crate::cloudformation::latency::{TYPICAL, Times};
use crate::error::ApiError;
use crate::fis::{Spec, Template};

pub(super) const TYPES: &[&dyn ResourceType] = &[&ExperimentTemplate];

struct ExperimentTemplate;

impl ResourceType for ExperimentTemplate {
    fn type_name(&self) -> &'static str {
        "AWS::FIS::ExperimentTemplate"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../schemas/aws-fis-experimenttemplate.json")
    }

    fn times(&self) -> &'static [Times] {
        const { &[Times::new(3, 2, 2, TYPICAL)] }
    }

    fn refused(&self) -> &'static [&'static str] {
        &["ExperimentReportConfiguration", "LogConfiguration"]
    }

    fn refused_values(&self) -> &'static [Refused] {
        &[
            Refused::Value("ExperimentOptions/AccountTargeting", &["multi-account"]),
            Refused::Value("StopConditions/*/Source", &["aws:cloudwatch:alarm"]),
        ]
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let template = Template::create(cx.endpoint, cx.tx, spec(properties)?, tags(cx, properties)?)?;
        Ok(Created { attributes: attributes(&template.id), physical_id: template.id })
    }

    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        _old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        Template::change(cx.endpoint, cx.tx, physical_id, spec(new)?, tags(cx, new)?)?;
        Ok(attributes(physical_id))
    }

    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        of.tx.get::<Template>(of.physical_id)?.map(|template| properties(&template)).transpose()
    }

    fn delete(&self, cx: &Context<'_>, physical_id: &str, _properties: &Properties) -> Result<(), ApiError> {
        Template::delete(cx.tx, physical_id).map(drop)
    }
}

fn attributes(id: &str) -> Properties {
    Properties::from_iter([("Id".to_owned(), json!(id))])
}

/// `Tags` are a map here, not the list of keys and values that other types take.
fn tags(cx: &Context<'_>, properties: &Properties) -> Result<BTreeMap<String, String>, ApiError> {
    let mut tags = cx.tags.clone();
    if let Some(own) = properties.get("Tags") {
        tags.extend(read::<BTreeMap<String, String>>(own.clone())?);
    }
    Ok(tags)
}

/// The template in the API's member names: those of structures, and not the keys of maps, which are names that
/// somebody chose.
fn spec(properties: &Properties) -> Result<Spec, ApiError> {
    let mut members = properties.clone();
    members.remove("Tags");
    // The API requires actions; the schema does not.
    members.entry("Actions").or_insert_with(|| json!({}));
    let mut spec = structure(Value::Object(members));
    for member in ["targets", "actions"] {
        each(&mut spec[member], structure);
    }
    each(&mut spec["targets"], |mut target| {
        if let Some(filters) = target.get_mut("filters") {
            each(filters, structure);
        }
        target
    });
    each(&mut spec["stopConditions"], structure);
    if let Some(options) = spec.get_mut("experimentOptions") {
        *options = structure(options.take());
    }
    read(spec)
}

/// The other way round.
fn properties(template: &Template) -> Result<Properties, ApiError> {
    let mut spec = with_names(json!(template.spec()), char::to_ascii_uppercase);
    for member in ["Targets", "Actions", "StopConditions"] {
        each(&mut spec[member], |one| with_names(one, char::to_ascii_uppercase));
    }
    each(&mut spec["Targets"], |mut target| {
        if let Some(filters) = target.get_mut("Filters") {
            each(filters, |filter| with_names(filter, char::to_ascii_uppercase));
        }
        target
    });
    spec["ExperimentOptions"] = with_names(spec["ExperimentOptions"].take(), char::to_ascii_uppercase);
    spec["Tags"] = json!(template.tags());
    match spec {
        Value::Object(members) => Ok(members),
        _ => Err(ApiError::internal("An experiment template is no object.")),
    }
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, ApiError> {
    crate::wire::decode("ValidationException", "AWS::FIS::ExperimentTemplate", value)
}

/// A structure with its own member names in camel case.
fn structure(value: Value) -> Value {
    with_names(value, char::to_ascii_lowercase)
}

/// A structure with the first letters of its member names changed.
fn with_names(value: Value, first_letter: impl Fn(&char) -> char) -> Value {
    let Value::Object(members) = value else { return value };
    let members = members.into_iter().map(|(name, value)| {
        let mut rest = name.chars();
        let first = rest.next().map(|first| first_letter(&first));
        (first.into_iter().chain(rest).collect(), value)
    });
    Value::Object(members.collect::<Map<_, _>>())
}

/// Changes each item of a list or value of a map.
fn each(value: &mut Value, change: impl Fn(Value) -> Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| *item = change(item.take())),
        Value::Object(members) => members.values_mut().for_each(|item| *item = change(item.take())),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(value: Value) -> Properties {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn member_names_change_and_chosen_names_stay() {
        let spec = spec(&properties(json!({
            "Description": "d",
            "RoleArn": "arn:aws:iam::000000000000:role/r",
            "Targets": {"MyTasks": {
                "ResourceType": "aws:ecs:task", "SelectionMode": "ALL", "ResourceTags": {"FisTarget": "True"},
                "Parameters": {"cluster": "C"}, "Filters": [{"Path": "LastStatus", "Values": ["RUNNING"]}],
            }},
            "Actions": {"StopIt": {"ActionId": "aws:ecs:stop-task", "Targets": {"Tasks": "MyTasks"}, "StartAfter": []}},
            "StopConditions": [{"Source": "none"}],
            "ExperimentOptions": {"EmptyTargetResolutionMode": "skip"},
            "Tags": {"Name": "N"},
        })))
        .unwrap();
        assert_eq!(
            serde_json::to_value(spec).unwrap(),
            json!({
                "description": "d",
                "roleArn": "arn:aws:iam::000000000000:role/r",
                "targets": {"MyTasks": {
                    "resourceType": "aws:ecs:task", "selectionMode": "ALL", "resourceTags": {"FisTarget": "True"},
                    "parameters": {"cluster": "C"}, "filters": [{"path": "LastStatus", "values": ["RUNNING"]}],
                }},
                "actions": {"StopIt": {"actionId": "aws:ecs:stop-task", "parameters": {}, "targets": {"Tasks": "MyTasks"}}},
                "stopConditions": [{"source": "none"}],
                "experimentOptions": {"accountTargeting": "single-account", "emptyTargetResolutionMode": "skip"},
            })
        );
    }
}
