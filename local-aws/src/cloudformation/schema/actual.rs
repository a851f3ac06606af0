//! What there is, in the words of what was declared: the two can then be compared as they stand.

use serde_json::{Map, Value};

use super::Schema;
use super::coerce::{coerce, collect, item_schemas, member_schemas};
use crate::cloudformation::resources::Properties;

impl Schema {
    /// The declared properties with the values that they have, by `live`. What is not there is left out, and so is all that
    /// was not declared: defaults, keys of tags that somebody else uses. What nobody can read stays as declared.
    pub(crate) fn actual(&self, declared: &Properties, live: &Properties) -> Properties {
        let mut live = live.clone();
        for path in self.unreadable(declared) {
            if let Some(value) = declared.get(&path) {
                live.insert(path, value.clone());
            }
        }
        if let Some(property) = self.tag_property() {
            match (declared.get(property), live.get_mut(property)) {
                (Some(Value::Array(own)), Some(Value::Array(all))) => {
                    all.retain(|tag| own.iter().any(|it| it["Key"] == tag["Key"]));
                }
                (Some(Value::Object(own)), Some(Value::Object(all))) => all.retain(|key, _| own.contains_key(key)),
                _ => {}
            }
        }
        let mut live = Value::Object(live);
        coerce(&self.document, &self.document, &mut live);
        match counterpart(&self.document, &[&self.document], &Value::Object(declared.clone()), &live) {
            Value::Object(properties) => properties,
            _ => Map::new(),
        }
    }

    /// Declared properties that AWS takes and does not show again.
    pub(crate) fn unreadable(&self, declared: &Properties) -> Vec<String> {
        let paths = self.paths("writeOnlyProperties").into_iter();
        paths
            .filter_map(|path| match path.as_slice() {
                [one] if declared.contains_key(*one) => Some((*one).to_owned()),
                _ => None,
            })
            .collect()
    }

    /// The property with the resource's own tags.
    pub(crate) fn tag_property(&self) -> Option<&str> {
        self.document.pointer("/tagging/tagProperty")?.as_str()?.strip_prefix("/properties/")
    }
}

/// The part of `live` that `declared` speaks of, in the same form.
fn counterpart(root: &Value, schemas: &[&Value], declared: &Value, live: &Value) -> Value {
    let mut views = Vec::new();
    schemas.iter().for_each(|schema| collect(root, schema, &mut views));
    match (declared, live) {
        (Value::Object(wanted), Value::Object(all)) if views.iter().any(|view| view.get("properties").is_some()) => {
            let known = wanted.iter().filter_map(|(name, wanted)| Some((name, wanted, all.get(name)?)));
            known
                .map(|(name, wanted, found)| {
                    (name.clone(), counterpart(root, &member_schemas(&views, name), wanted, found))
                })
                .collect::<Map<_, _>>()
                .into()
        }
        // A map, or a document: all of it was declared.
        (Value::Object(wanted), Value::Object(all)) => all
            .iter()
            .map(|(name, found)| {
                let part = wanted.get(name).map(|it| counterpart(root, &member_schemas(&views, name), it, found));
                (name.clone(), part.unwrap_or_else(|| found.clone()))
            })
            .collect::<Map<_, _>>()
            .into(),
        (Value::Array(wanted), Value::Array(all)) => items(root, &views, wanted, all),
        // A document, as text or not.
        (Value::String(_), Value::Object(_)) if parsed(declared) == Some(live.clone()) => declared.clone(),
        (Value::Object(_), Value::String(_)) => match parsed(live) {
            Some(document) => document,
            None => live.clone(),
        },
        (Value::String(_), Value::Object(_)) => Value::String(live.to_string()),
        (Value::String(_), Value::String(_)) if parsed(declared).is_some_and(|it| parsed(live) == Some(it)) => {
            declared.clone()
        }
        _ if text(declared).is_some_and(|declared| text(live) == Some(declared)) => declared.clone(),
        _ => live.clone(),
    }
}

/// The items of a list. Services give most of them back in an order of their own, so the order alone is no difference.
fn items(root: &Value, views: &[&Value], wanted: &[Value], all: &[Value]) -> Value {
    let mut left: Vec<&Value> = all.iter().collect();
    let as_declared =
        |index: usize, wanted: &Value, found: &Value| counterpart(root, &item_schemas(views, index), wanted, found);
    let same: Vec<bool> = wanted
        .iter()
        .enumerate()
        .map(|(index, item)| {
            let place = left.iter().position(|found| as_declared(index, item, found) == *item);
            place.map(|place| left.remove(place)).is_some()
        })
        .collect();
    let mut left = left.into_iter();
    let mut list: Vec<Value> = Vec::new();
    for (index, (item, is_same)) in wanted.iter().zip(same).enumerate() {
        if is_same {
            list.push(item.clone());
        } else if let Some(other) = left.next() {
            list.push(as_declared(index, item, other));
        }
    }
    list.extend(left.cloned());
    Value::Array(list)
}

/// The document that a text is.
fn parsed(value: &Value) -> Option<Value> {
    let text = value.as_str()?.trim_start();
    text.starts_with(['{', '[']).then(|| serde_json::from_str(text).ok()).flatten()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn actual(type_name: &str, declared: &Value, live: &Value) -> Value {
        let schema = Schema::read(type_name).unwrap();
        Value::Object(schema.actual(declared.as_object().unwrap(), live.as_object().unwrap()))
    }

    #[test]
    fn only_what_was_declared_is_compared() {
        let declared = json!({"RetentionInDays": 7, "Tags": [{"Key": "team", "Value": "a"}]});
        let live = json!({"LogGroupName": "G", "RetentionInDays": 30,
            "Tags": [{"Key": "owner", "Value": "somebody"}, {"Key": "team", "Value": "b"}]});
        let expected = json!({"RetentionInDays": 30, "Tags": [{"Key": "team", "Value": "b"}]});
        assert_eq!(actual("AWS::Logs::LogGroup", &declared, &live), expected);
        assert_eq!(actual("AWS::Logs::LogGroup", &declared, &json!({})), json!({}));
    }

    #[test]
    fn an_order_that_a_service_gives_is_no_difference_and_one_more_item_is() {
        let rule = |port: u16| json!({"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": "10.0.0.0/8"});
        let declared = json!({"GroupDescription": "d", "SecurityGroupIngress": [rule(1), rule(2)]});
        let of = |rules: Value| {
            actual(
                "AWS::EC2::SecurityGroup",
                &declared,
                &json!({"GroupDescription": "d", "SecurityGroupIngress": rules}),
            )
        };
        assert_eq!(of(json!([rule(2), rule(1)])), declared);
        assert_eq!(of(json!([rule(2), rule(3), rule(1)]))["SecurityGroupIngress"], json!([rule(1), rule(2), rule(3)]));
        assert_eq!(of(json!([rule(2), rule(4)]))["SecurityGroupIngress"], json!([rule(4), rule(2)]));
    }

    #[test]
    fn a_document_is_the_same_as_its_text() {
        let policy = json!({"Version": "2012-10-17", "Statement": []});
        let declared = json!({"RepositoryPolicyText": policy});
        let live = json!({"RepositoryPolicyText": policy.to_string()});
        assert_eq!(actual("AWS::ECR::Repository", &declared, &live), declared);
        let other = json!({"RepositoryPolicyText": "{\"Version\": \"2008-10-17\"}"});
        assert_ne!(actual("AWS::ECR::Repository", &declared, &other), declared);
    }

    #[test]
    fn what_cannot_be_read_stays_as_declared() {
        let declared = json!({"EmptyOnDelete": true, "ImageTagMutability": "MUTABLE"});
        let live = json!({"ImageTagMutability": "IMMUTABLE"});
        let expected = json!({"EmptyOnDelete": true, "ImageTagMutability": "IMMUTABLE"});
        assert_eq!(actual("AWS::ECR::Repository", &declared, &live), expected);
    }
}
