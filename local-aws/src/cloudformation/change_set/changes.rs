//! What a change set shows: each change, why it comes about, and what it does to the resource.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::drift;

use crate::cloudformation::plan::{Action, Plan, Planned, Replacement, Situation, context, shown as shown_value};
use crate::cloudformation::resources::Properties;
use crate::cloudformation::schema::Change;
use crate::cloudformation::template::{DeletionPolicy, unknown};

/// The changes of a plan as DescribeChangeSet shows them, values included.
pub(super) fn shown(situation: &Situation<'_>, plan: &Plan) -> Vec<Value> {
    let causes = Causes {
        parameters: changed_parameters(situation),
        resources: plan.resources.iter().filter(|it| is_replaced(it)).map(|it| it.logical_id.as_str()).collect(),
    };
    plan.resources
        .iter()
        .map(|planned| json!({"Type": "Resource", "ResourceChange": resource_change(situation, &causes, planned)}))
        .collect()
}

/// A change without the values of properties.
pub(super) fn without_values(change: &Value) -> Value {
    let mut change = change.clone();
    if let Some(resource) = change["ResourceChange"].as_object_mut() {
        for member in ["BeforeContext", "AfterContext", "PreviousDeploymentContext"] {
            resource.remove(member);
        }
        for detail in resource.get_mut("Details").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(target) = detail["Target"].as_object_mut() {
                for member in [
                    "BeforeValue",
                    "AfterValue",
                    "BeforeValueFrom",
                    "AfterValueFrom",
                    "Drift",
                    "Path",
                    "AttributeChangeType",
                ] {
                    target.remove(member);
                }
            }
        }
    }
    change
}

/// What can make a property change although the template's text is the same.
struct Causes<'a> {
    parameters: BTreeSet<&'a str>,
    /// Resources that get another physical id.
    resources: BTreeSet<&'a str>,
}

fn changed_parameters<'a>(situation: &Situation<'a>) -> BTreeSet<&'a str> {
    let before = &situation.stack.target.parameters;
    let after = situation.target.parameters.iter();
    after
        .filter(|(name, value)| before.get(*name).is_some_and(|it| it != *value))
        .map(|(name, _)| name.as_str())
        .collect()
}

fn is_replaced(planned: &Planned) -> bool {
    matches!(&planned.action, Action::Modify { replacement, .. } if *replacement != Replacement::False)
}

fn resource_change(situation: &Situation<'_>, causes: &Causes<'_>, planned: &Planned) -> Value {
    let mut change = Map::new();
    change.insert("LogicalResourceId".to_owned(), json!(planned.logical_id));
    change.insert("ResourceType".to_owned(), json!(planned.resource_type));
    if let Some(physical_id) = &planned.physical_id {
        change.insert("PhysicalResourceId".to_owned(), json!(physical_id));
    }
    let (action, scope, mut details) = match &planned.action {
        Action::Add { after } => {
            change.insert("AfterContext".to_owned(), context(after));
            ("Add", Vec::new(), Vec::new())
        }
        Action::SyncWithActual { before, after } => {
            change.insert("BeforeContext".to_owned(), context(after));
            change.insert("AfterContext".to_owned(), context(after));
            change.insert("Replacement".to_owned(), json!(replacement_text(Replacement::False)));
            let properties = differing(before, after);
            ("SyncWithActual", vec!["Properties"], properties.map(|name| synced(name, after)).collect())
        }
        Action::Remove { before } => {
            change.insert("BeforeContext".to_owned(), context(before));
            let keeps = situation
                .resources
                .get(&planned.logical_id)
                .is_some_and(|it| it.deletion_policy != DeletionPolicy::Delete);
            change.insert("PolicyAction".to_owned(), json!(if keeps { "Retain" } else { "Delete" }));
            ("Remove", Vec::new(), Vec::new())
        }
        Action::Modify { changes, attributes, replacement, before, after } => {
            change.insert("BeforeContext".to_owned(), context(before));
            change.insert("AfterContext".to_owned(), context(after));
            change.insert("Replacement".to_owned(), json!(replacement_text(*replacement)));
            if *replacement != Replacement::False {
                let policy = situation.compiled.template.resources[&planned.logical_id].update_replace_policy;
                let keeps = policy != DeletionPolicy::Delete;
                let action = if keeps { "ReplaceAndRetain" } else { "ReplaceAndDelete" };
                change.insert("PolicyAction".to_owned(), json!(action));
            }
            let template = &situation.compiled.template.resources[&planned.logical_id].properties;
            let mut details: Vec<Value> =
                changes.iter().flat_map(|it| property_details(causes, template, it, before, after)).collect();
            details.extend(attributes.iter().map(|attribute| attribute_detail(attribute)));
            let properties = (!changes.is_empty()).then_some("Properties");
            ("Modify", properties.into_iter().chain(attributes.iter().copied()).collect(), details)
        }
    };
    if let Some(found) = situation.found.and_then(|found| found.get(&planned.logical_id)) {
        let schema = situation.schemas.get(&planned.resource_type).ok();
        drift::complete(&mut change, &mut details, found, schema.as_deref());
    }
    change.insert("Action".to_owned(), json!(action));
    change.insert("Scope".to_owned(), json!(scope));
    change.insert("Details".to_owned(), json!(details));
    Value::Object(change)
}

/// Names of the properties that differ.
fn differing<'a>(before: &'a Properties, after: &'a Properties) -> impl Iterator<Item = &'a String> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names.into_iter().filter(|name| before.get(*name) != after.get(*name))
}

/// The template was changed to what the property is already.
fn synced(property: &str, after: &Properties) -> Value {
    let mut target = json!({
        "Attribute": "Properties",
        "Name": property,
        "RequiresRecreation": "Never",
        "Path": format!("/Properties/{property}"),
        "AttributeChangeType": "SyncWithActual",
    });
    if let Some(value) = after.get(property) {
        target["BeforeValue"] = json!(shown_value(value));
        target["AfterValue"] = json!(shown_value(value));
    }
    json!({"Target": target, "Evaluation": "Static", "ChangeSource": "NoModification"})
}

fn replacement_text(replacement: Replacement) -> &'static str {
    match replacement {
        Replacement::True => "True",
        Replacement::False => "False",
        Replacement::Conditional => "Conditional",
    }
}

/// One detail for each cause of the property's change; the template's own text when there is no other.
fn property_details(
    causes: &Causes<'_>,
    template: &Value,
    change: &Change,
    before: &Properties,
    after: &Properties,
) -> Vec<Value> {
    let (old, new) = (before.get(&change.property), after.get(&change.property));
    let mut target = json!({
        "Attribute": "Properties",
        "Name": change.property,
        "RequiresRecreation": if change.replaces { "Always" } else { "Never" },
        "Path": format!("/Properties/{}", change.property),
        "AttributeChangeType": match (old, new) { (None, _) => "Add", (_, None) => "Remove", _ => "Modify" },
    });
    if let Some(old) = old {
        target["BeforeValue"] = json!(shown_value(old));
    }
    if let Some(new) = new {
        target["AfterValue"] = json!(shown_value(new));
    }
    let evaluation = if new.is_some_and(unknown::is_in) { "Dynamic" } else { "Static" };
    let mut found = BTreeSet::new();
    collect_causes(causes, &template[&change.property], &mut found);
    if found.is_empty() {
        return vec![json!({"Target": target, "Evaluation": evaluation, "ChangeSource": "DirectModification"})];
    }
    found
        .into_iter()
        .map(|(source, entity)| {
            json!({"Target": target, "Evaluation": evaluation, "ChangeSource": source, "CausingEntity": entity})
        })
        .collect()
}

fn attribute_detail(attribute: &str) -> Value {
    json!({
        "Target": {"Attribute": attribute, "RequiresRecreation": "Never"},
        "Evaluation": "Static",
        "ChangeSource": "DirectModification",
    })
}

/// References in the template's text to what changes by itself.
fn collect_causes(causes: &Causes<'_>, value: &Value, found: &mut BTreeSet<(&'static str, String)>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_causes(causes, item, found)),
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("Ref", Value::String(target)) => refer(causes, target, found),
                    ("Fn::GetAtt", Value::String(target)) => refer(causes, target, found),
                    ("Fn::GetAtt", Value::Array(path)) => {
                        let path: Vec<&str> = path.iter().filter_map(Value::as_str).collect();
                        refer(causes, &path.join("."), found);
                    }
                    ("Fn::Sub", Value::String(text)) => substitutions(text).for_each(|it| refer(causes, it, found)),
                    ("Fn::Sub", Value::Array(parts)) => {
                        let text = parts.first().and_then(Value::as_str).unwrap_or_default();
                        substitutions(text).for_each(|it| refer(causes, it, found));
                        parts.iter().skip(1).for_each(|it| collect_causes(causes, it, found));
                    }
                    _ => collect_causes(causes, member, found),
                }
            }
        }
        _ => {}
    }
}

fn substitutions(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}

fn refer(causes: &Causes<'_>, target: &str, found: &mut BTreeSet<(&'static str, String)>) {
    let resource = target.split('.').next().unwrap_or_default();
    if causes.parameters.contains(target) {
        found.insert(("ParameterReference", target.to_owned()));
    } else if causes.resources.contains(resource) {
        let source = if target.contains('.') { "ResourceAttribute" } else { "ResourceReference" };
        found.insert((source, target.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_found_in_every_form_of_reference() {
        let causes = Causes { parameters: BTreeSet::from(["P"]), resources: BTreeSet::from(["R"]) };
        let template = json!([
            {"Ref": "P"},
            {"Fn::Join": ["", [{"Fn::GetAtt": ["R", "Arn"]}]]},
            {"Fn::Sub": ["${R}-${X}-${AWS::Region}", {"X": {"Ref": "Q"}}]},
        ]);
        let mut found = BTreeSet::new();
        collect_causes(&causes, &template, &mut found);
        let expected = [("ParameterReference", "P"), ("ResourceAttribute", "R.Arn"), ("ResourceReference", "R")];
        assert_eq!(found, expected.map(|(source, entity)| (source, entity.to_owned())).into());
    }
}
