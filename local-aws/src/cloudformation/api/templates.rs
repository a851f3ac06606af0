//! Templates by themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cloudformation::change_set;
use crate::cloudformation::compiled::parse;
use crate::cloudformation::refusal::invalid;
use crate::cloudformation::request::template_body;
use crate::cloudformation::schema::Schemas;
use crate::cloudformation::stack::Stack;
use crate::cloudformation::status::StackStatus;
use crate::cloudformation::template::{Parameter, Template};
use crate::cloudformation::template_text::TemplateText;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct GetTemplateInput {
    stack_name: Option<String>,
    change_set_name: Option<String>,
    template_stage: Option<String>,
}

pub(in crate::cloudformation) fn get_template(
    endpoint: &Arc<Endpoint>,
    input: GetTemplateInput,
) -> Result<Value, ApiError> {
    // Without transforms the processed template is the original.
    if let Some(stage) = input.template_stage.filter(|stage| stage != "Original" && stage != "Processed") {
        return Err(invalid(format!(
            "1 validation error detected: Value '{stage}' at 'templateStage' failed to satisfy constraint: Member must satisfy enum value set: [Original, Processed]"
        )));
    }
    let body = endpoint.store.read(|tx| match (&input.change_set_name, &input.stack_name) {
        (Some(name), None) if !name.starts_with("arn:") => Err(invalid("StackName is a required parameter.")),
        (Some(name), stack) => TemplateText::of(tx, &change_set::find(tx, name, stack.as_deref())?.target),
        (None, Some(name)) => TemplateText::of(tx, &Stack::of(tx, name)?.target),
        (None, None) => Err(invalid("Either StackName or ChangeSetName must be specified.")),
    })?;
    Ok(json!({"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct TemplateInput {
    template_body: Option<String>,
    stack_name: Option<String>,
}

pub(in crate::cloudformation) fn get_template_summary(
    endpoint: &Arc<Endpoint>,
    input: TemplateInput,
) -> Result<Value, ApiError> {
    let body = match (&input.template_body, &input.stack_name) {
        (Some(body), None) => template_body(body)?,
        (None, Some(name)) => {
            let of_stack = |tx: &Tx<'_>| {
                let stack = Stack::of(tx, name)?;
                if stack.status == StackStatus::ReviewInProgress {
                    return Err(invalid("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks."));
                }
                TemplateText::of(tx, &stack.target)
            };
            endpoint.store.read(of_stack)?
        }
        _ => return Err(invalid("Exactly one of TemplateBody and StackName must be specified.")),
    };
    let template = parse(&body, &Schemas::of(endpoint))?;
    let mut summary = description(&template, |name, parameter| {
        let mut shown = declaration(name, parameter);
        shown["ParameterType"] = json!(parameter.parameter_type);
        let allowed = &parameter.allowed_values;
        shown["ParameterConstraints"] = if allowed.is_empty() { json!({}) } else { json!({"AllowedValues": allowed}) };
        shown
    });
    summary.insert("ResourceTypes".to_owned(), json!(template.resource_types()));
    summary.insert("ResourceIdentifierSummaries".to_owned(), identifiers(&template));
    summary.insert("Version".to_owned(), json!("2010-09-09"));
    if let Some(metadata) = &template.metadata {
        summary.insert("Metadata".to_owned(), json!(metadata.to_string()));
    }
    Ok(Value::Object(summary))
}

/// Which resources there are of each type.
fn identifiers(template: &Template) -> Value {
    let mut summaries: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (logical_id, resource) in &template.resources {
        summaries.entry(&resource.resource_type).or_default().push(logical_id);
    }
    let show = |(resource_type, ids)| json!({"ResourceType": resource_type, "LogicalResourceIds": ids});
    summaries.into_iter().map(show).collect()
}

pub(in crate::cloudformation) fn validate_template(
    endpoint: &Arc<Endpoint>,
    input: TemplateInput,
) -> Result<Value, ApiError> {
    let body = match (&input.template_body, &input.stack_name) {
        (Some(body), None) => template_body(body)?,
        _ => return Err(invalid("Either Template URL or Template Body must be specified.")),
    };
    let template = parse(&body, &Schemas::of(endpoint))?;
    Ok(Value::Object(description(&template, declaration)))
}

fn description(template: &Template, parameter: impl Fn(&str, &Parameter) -> Value) -> Map<String, Value> {
    let mut shown = Map::new();
    let parameters: Vec<Value> = template.parameters.iter().map(|(name, it)| parameter(name, it)).collect();
    shown.insert("Parameters".to_owned(), json!(parameters));
    if let Some(description) = &template.description {
        shown.insert("Description".to_owned(), json!(description));
    }
    if let Some(capability) = template.capability() {
        let types: Vec<String> =
            template.resource_types().into_iter().filter(|it| it.starts_with("AWS::IAM::")).collect();
        shown.insert("Capabilities".to_owned(), json!([capability]));
        shown.insert(
            "CapabilitiesReason".to_owned(),
            json!(format!("The following resource(s) require capabilities: [{}]", types.join(", "))),
        );
    }
    shown
}

fn declaration(name: &str, parameter: &Parameter) -> Value {
    let mut shown = json!({"ParameterKey": name, "NoEcho": parameter.no_echo});
    if let Some(default) = &parameter.default {
        shown["DefaultValue"] = json!(default);
    }
    if let Some(description) = &parameter.description {
        shown["Description"] = json!(description);
    }
    shown
}
