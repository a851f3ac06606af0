//! What a change set that reverts drift shows besides.
//!
//! The members are those of AWS's model. No recorded answer is public: which values they have is inferred from the model,
//! the user guide and AWS's own clients.

use serde_json::{Map, Value, json};

use crate::cloudformation::answer::iso;
use crate::cloudformation::drift::found::Drift;
use crate::cloudformation::plan::{context, shown};
use crate::cloudformation::schema::Schema;

/// Adds it to a resource's change and to the details about its properties.
pub(super) fn complete(change: &mut Map<String, Value>, details: &mut [Value], found: &Drift, schema: Option<&Schema>) {
    change.insert("ResourceDriftStatus".to_owned(), json!(found.status()));
    change.insert("PreviousDeploymentContext".to_owned(), context(&found.expected));
    let ignored = schema.map(|schema| schema.unreadable(&found.expected)).unwrap_or_default().into_iter();
    let ignored: Vec<Value> =
        ignored.map(|name| json!({"Path": format!("/Properties/{name}"), "Reason": "WRITE_ONLY_PROPERTY"})).collect();
    if !ignored.is_empty() {
        change.insert("ResourceDriftIgnoredAttributes".to_owned(), json!(ignored));
    }
    for detail in details {
        property(&mut detail["Target"], found);
    }
}

fn property(target: &mut Value, found: &Drift) {
    let Some(name) = target["Name"].as_str().map(str::to_owned) else { return };
    target["BeforeValueFrom"] = json!("ACTUAL_STATE");
    target["AfterValueFrom"] = json!("TEMPLATE");
    let (expected, actual) = (found.expected.get(&name), found.actual.as_ref().and_then(|actual| actual.get(&name)));
    if expected != actual {
        let text = |value: Option<&Value>| value.map_or_else(|| "null".to_owned(), shown);
        target["Drift"] = json!({
            "PreviousValue": text(expected),
            "ActualValue": text(actual),
            "DriftDetectionTimestamp": iso(found.checked_at),
        });
    }
}
