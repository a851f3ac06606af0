//! The names of requests: `put:4` for what writes item 4, `query#1` for the first of what has no item.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::aws::gate::Request;

/// Operations of DynamoDB that change items.
const WRITES: &[&str] = &["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"];

/// The items of the batch that a request changes.
pub(super) fn written(request: &Request, batch_id: &str) -> Vec<u64> {
    let mut indexes = Vec::new();
    if WRITES.contains(&request.operation.as_str()) {
        collect(&request.input, batch_id, &mut indexes);
    }
    indexes
}

/// Keys of items, however deep: `Item`, `Key`, in lists of requests.
fn collect(value: &Value, batch_id: &str, indexes: &mut Vec<u64>) {
    match value {
        Value::Object(members) => {
            let index = value["ItemIndex"]["N"].as_str().and_then(|index| index.parse().ok());
            match index.filter(|_| value["BatchId"]["S"] == batch_id) {
                Some(index) => indexes.push(index),
                None => members.values().for_each(|member| collect(member, batch_id, indexes)),
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, batch_id, indexes)),
        _ => {}
    }
}

/// The labels of a task's requests, in their order: no two are the same.
pub(super) fn labels<'a>(requests: impl IntoIterator<Item = &'a Request>, batch_id: &str) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let label = |request: &Request| {
        let items: Vec<_> = written(request, batch_id).iter().map(u64::to_string).collect();
        let verb = verb(&request.operation);
        let name = if items.is_empty() { verb } else { format!("{}:{}", short(&verb), items.join("+")) };
        let count = counts.entry(name.clone()).or_default();
        *count += 1;
        match *count {
            1 if !items.is_empty() => name,
            nth => format!("{name}#{nth}"),
        }
    };
    requests.into_iter().map(label).collect()
}

/// `ReceiveMessage` is `receive-message`.
fn verb(operation: &str) -> String {
    let mut verb = String::new();
    for letter in operation.chars() {
        if letter.is_ascii_uppercase() && !verb.is_empty() {
            verb.push('-');
        }
        verb.push(letter.to_ascii_lowercase());
    }
    verb
}

/// `put` of `put-item`: the index says that it is one.
fn short(verb: &str) -> &str {
    verb.strip_suffix("-item").unwrap_or(verb)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(operation: &str, input: &Value) -> Request {
        let request = json!({"task": 1, "operation": operation, "input": input, "outcome": "DONE"});
        serde_json::from_value(request).unwrap()
    }

    #[test]
    fn what_writes_items_is_named_by_them_and_the_rest_is_counted() {
        let key = |batch: &str, index: u64| json!({"BatchId": {"S": batch}, "ItemIndex": {"N": index.to_string()}});
        let requests = [
            request("Query", &json!({"TableName": "T"})),
            request("PutItem", &json!({"Item": key("batch", 0)})),
            request("PutItem", &json!({"Item": key("batch", 1)})),
            request("PutItem", &json!({"Item": key("batch", 1)})),
            request("PutItem", &json!({"Item": key("checkpoint", 0)})),
            request("PutItem", &json!({"Item": key("checkpoint", 0)})),
            request("UpdateItem", &json!({"Key": key("batch", 2)})),
            request(
                "BatchWriteItem",
                &json!({"RequestItems": {"T": [
                {"PutRequest": {"Item": key("batch", 3)}}, {"PutRequest": {"Item": key("batch", 4)}}]}}),
            ),
            request("Query", &json!({})),
        ];
        assert_eq!(
            labels(&requests, "batch"),
            [
                "query#1",
                "put:0",
                "put:1",
                "put:1#2",
                "put-item#1",
                "put-item#2",
                "update:2",
                "batch-write:3+4",
                "query#2"
            ]
        );
    }
}
