//! What a role needs for a DynamoDB call: which action on which table or index.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::iam;

/// Whether the policies of `role_arn` allow the call, on every table that it touches.
pub(super) fn check(endpoint: &Endpoint, role_arn: &str, operation: &str, input: &Value) -> Result<(), ApiError> {
    let needs = needs(endpoint, operation, input)?;
    endpoint.store.read(|tx| {
        needs.iter().try_for_each(|(action, resource)| iam::authorize(tx, role_arn, action, resource, &BTreeMap::new()))
    })
}

/// Pairs of action and resource.
fn needs(endpoint: &Endpoint, operation: &str, input: &Value) -> Result<Vec<(String, String)>, ApiError> {
    let table = |name: &Value| arn_of(endpoint, name.as_str().unwrap_or_default());
    let action = format!("dynamodb:{operation}");
    match operation {
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = input["RequestItems"].as_object().into_iter().flatten();
            Ok(tables.map(|(name, _)| (action.clone(), arn_of(endpoint, name))).collect())
        }
        // A transaction is authorized as the operations that it is made of.
        "TransactGetItems" | "TransactWriteItems" => {
            let items = input["TransactItems"].as_array().into_iter().flatten();
            let parts = items.filter_map(Value::as_object).flatten();
            Ok(parts.map(|(verb, part)| (transact_action(verb), table(&part["TableName"]))).collect())
        }
        "ListTables" | "ListStreams" => Ok(vec![(action, "*".to_owned())]),
        "TagResource" | "UntagResource" | "ListTagsOfResource" => Ok(vec![(action, text(&input["ResourceArn"]))]),
        "DescribeStream" | "GetShardIterator" => Ok(vec![(action, text(&input["StreamArn"]))]),
        // Which table a statement or an iterator is about is known to the database only.
        "ExecuteStatement" | "ExecuteTransaction" | "BatchExecuteStatement" | "GetRecords" => {
            Err(ApiError::unsupported(format!("The operation dynamodb:{operation} with the credentials of a role")))
        }
        _ => {
            let mut resource = table(&input["TableName"]);
            if let Some(index) = input["IndexName"].as_str() {
                resource = format!("{resource}/index/{index}");
            }
            Ok(vec![(action, resource)])
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

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
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
        let pairs = |operation: &str, input: Value| needs(&endpoint, operation, &input).unwrap();
        let one = |action: &str, resource: String| (action.to_owned(), resource);
        assert_eq!(pairs("PutItem", json!({"TableName": "t"})), [one("dynamodb:PutItem", arn("t"))]);
        assert_eq!(
            pairs("Query", json!({"TableName": "t", "IndexName": "i"})),
            [one("dynamodb:Query", format!("{}/index/i", arn("t")))]
        );
        assert_eq!(
            pairs("BatchWriteItem", json!({"RequestItems": {"a": [], "b": []}})),
            [one("dynamodb:BatchWriteItem", arn("a")), one("dynamodb:BatchWriteItem", arn("b"))]
        );
        let transaction =
            json!({"TransactItems": [{"Put": {"TableName": "a"}}, {"ConditionCheck": {"TableName": "b"}}]});
        assert_eq!(
            pairs("TransactWriteItems", transaction),
            [one("dynamodb:PutItem", arn("a")), one("dynamodb:ConditionCheckItem", arn("b"))]
        );
        assert!(needs(&endpoint, "ExecuteStatement", &json!({})).is_err());
    }
}
