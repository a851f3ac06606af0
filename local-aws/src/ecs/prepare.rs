//! What is done with every input before it is read.

use serde_json::Value;

/// Takes away members that say nothing. Tools send what ECS describes back to it, with `"volumes": []` and the like:
/// that asks for nothing that could be refused.
pub(super) fn drop_empty(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null() && member.as_array().is_none_or(|list| !list.is_empty()));
            members.values_mut().for_each(drop_empty);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_empty),
        _ => {}
    }
}
