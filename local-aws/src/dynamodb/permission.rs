//! What a role needs for a DynamoDB call: which action on which table or index.

use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::{Call, Need};

/// One need for every table that the call touches.
pub(super) fn needs(call: &Call) -> Result<Vec<Need>, ApiError> {
    let needs = needs_of(&call.endpoint, call.operation.name, &call.input)?;
    Ok(needs.into_iter().map(|need| with_tags(need, &call.input["Tags"])).collect())
}

/// With the tags that the call sends as condition keys.
fn with_tags(need: Need, tags: &Value) -> Need {
    let tags = tags.as_array().into_iter().flatten();
    tags.fold(need, |need, tag| need.with(format!("aws:RequestTag/{}", text(&tag["Key"])), text(&tag["Value"])))
}

fn needs_of(endpoint: &Endpoint, operation: &str, input: &Value) -> Result<Vec<Need>, ApiError> {
    let table = |name: &Value| arn_of(endpoint, name.as_str().unwrap_or_default());
    let action = format!("dynamodb:{operation}");
    match operation {
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = input["RequestItems"].as_object().into_iter().flatten();
            Ok(tables.map(|(name, _)| Need::new(&action, arn_of(endpoint, name))).collect())
        }
        // A transaction is authorized as the operations that it is made of.
        "TransactGetItems" | "TransactWriteItems" => {
            let items = input["TransactItems"].as_array().into_iter().flatten();
            let parts = items.filter_map(Value::as_object).flatten();
            Ok(parts.map(|(verb, part)| Need::new(transact_action(verb), table(&part["TableName"]))).collect())
        }
        "ListTables" | "ListStreams" => Ok(vec![Need::new(action, "*")]),
        "TagResource" | "UntagResource" | "ListTagsOfResource" => {
            Ok(vec![Need::new(action, text(&input["ResourceArn"]))])
        }
        "DescribeStream" | "GetShardIterator" => Ok(vec![Need::new(action, text(&input["StreamArn"]))]),
        // Which table a statement or an iterator is about is known to the database only.
        "ExecuteStatement" | "ExecuteTransaction" | "BatchExecuteStatement" | "GetRecords" => {
            Err(ApiError::unsupported(format!("The operation dynamodb:{operation} with the credentials of a role")))
        }
        _ => {
            let mut resource = table(&input["TableName"]);
            if let Some(index) = input["IndexName"].as_str() {
                resource = format!("{resource}/index/{index}");
            }
            Ok(vec![Need::new(action, resource)])
        }
    }
}

fn transact_action(verb: &str) -> String {
    let action = match verb {
        "ConditionCheck" => "ConditionCheckItem".to_owned(),
        verb => format!("{verb}Item"),
    };
    format!("dynamodb:{action}")
}

fn arn_of(endpoint: &Endpoint, table: &str) -> String {
    if table.starts_with("arn:") { table.to_owned() } else { endpoint.arn("dynamodb", &format!("table/{table}")) }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_table_of_a_request_is_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let endpoint = Endpoint::open(dir.path(), String::new(), crate::Options::default()).unwrap();
        let arn = |name: &str| format!("arn:aws:dynamodb:us-east-1:000000000000:table/{name}");
        let needs = |operation: &str, input: Value| needs_of(&endpoint, operation, &input).unwrap();
        assert_eq!(needs("PutItem", json!({"TableName": "t"})), [Need::new("dynamodb:PutItem", arn("t"))]);
        assert_eq!(
            needs("Query", json!({"TableName": "t", "IndexName": "i"})),
            [Need::new("dynamodb:Query", format!("{}/index/i", arn("t")))]
        );
        assert_eq!(
            needs("BatchWriteItem", json!({"RequestItems": {"a": [], "b": []}})),
            [Need::new("dynamodb:BatchWriteItem", arn("a")), Need::new("dynamodb:BatchWriteItem", arn("b"))]
        );
        let transaction =
            json!({"TransactItems": [{"Put": {"TableName": "a"}}, {"ConditionCheck": {"TableName": "b"}}]});
        assert_eq!(
            needs("TransactWriteItems", transaction),
            [Need::new("dynamodb:PutItem", arn("a")), Need::new("dynamodb:ConditionCheckItem", arn("b"))]
        );
        assert!(needs_of(&endpoint, "ExecuteStatement", &json!({})).is_err());
    }
}
