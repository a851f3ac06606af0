//! A table as it is, in the words of its schema: nearly those of DescribeTable.

use serde_json::{Value, json};

use crate::cloudformation::resources::resource_type::{Properties, Reading, live, tag_list};
use crate::dynamodb::{run, tags};
use crate::endpoint::Endpoint;
use crate::error::ApiError;

pub(super) fn arn(endpoint: &Endpoint, name: &str) -> String {
    endpoint.arn("dynamodb", &format!("table/{name}"))
}

pub(super) fn describe(endpoint: &Endpoint, name: &str) -> Result<Value, ApiError> {
    Ok(run(endpoint, "DescribeTable", &json!({"TableName": name}))?["Table"].take())
}

pub(super) fn table(of: &Reading<'_>) -> Result<Properties, ApiError> {
    let name = of.physical_id;
    let table = describe(of.endpoint, name)?;
    let time_to_live =
        run(of.endpoint, "DescribeTimeToLive", &json!({"TableName": name}))?["TimeToLiveDescription"].take();
    let mode = table["BillingModeSummary"]["BillingMode"].as_str().unwrap_or("PROVISIONED");
    let same = |member: &str| table[member].clone();
    let indexes =
        |member: &str| table[member].as_array().map(|all| all.iter().map(|it| index(it, mode)).collect::<Vec<_>>());
    let stream = table["StreamSpecification"]["StreamViewType"].as_str();
    Ok(live([
        ("TableName", json!(name)),
        ("KeySchema", same("KeySchema")),
        ("AttributeDefinitions", same("AttributeDefinitions")),
        ("BillingMode", json!(mode)),
        ("ProvisionedThroughput", if mode == "PROVISIONED" { throughput(&table) } else { Value::Null }),
        ("OnDemandThroughput", same("OnDemandThroughput")),
        ("GlobalSecondaryIndexes", json!(indexes("GlobalSecondaryIndexes"))),
        ("LocalSecondaryIndexes", json!(indexes("LocalSecondaryIndexes"))),
        ("VectorIndexes", same("VectorIndexes")),
        ("StreamSpecification", json!(stream.map(|view| json!({"StreamViewType": view})))),
        ("SSESpecification", encryption(of, &table)),
        ("PointInTimeRecoverySpecification", json!({"PointInTimeRecoveryEnabled": false})),
        ("TimeToLiveSpecification", expiry(of, &time_to_live)),
        ("TableClass", json!(table["TableClassSummary"]["TableClass"].as_str().unwrap_or("STANDARD"))),
        ("DeletionProtectionEnabled", json!(table["DeletionProtectionEnabled"].as_bool().unwrap_or(false))),
        ("Tags", tag_list(&tags(of.endpoint, &arn(of.endpoint, name))?)),
    ]))
}

fn throughput(of: &Value) -> Value {
    let units = &of["ProvisionedThroughput"];
    json!({"ReadCapacityUnits": units["ReadCapacityUnits"], "WriteCapacityUnits": units["WriteCapacityUnits"]})
}

fn index(index: &Value, mode: &str) -> Value {
    let mut shown = json!({});
    for member in ["IndexName", "KeySchema", "Projection"] {
        shown[member] = index[member].clone();
    }
    if mode == "PROVISIONED" && index["ProvisionedThroughput"].is_object() {
        shown["ProvisionedThroughput"] = throughput(index);
    }
    shown
}

/// Keys are never compared: what is shown may be the alias of what is meant.
fn encryption(of: &Reading<'_>, table: &Value) -> Value {
    let is_on = matches!(table["SSEDescription"]["Status"].as_str(), Some("ENABLED" | "ENABLING"));
    let mut shown = of.declared.get("SSESpecification").cloned().unwrap_or_else(|| json!({}));
    shown["SSEEnabled"] = json!(is_on);
    shown
}

/// An attribute that is not in use is not shown.
fn expiry(of: &Reading<'_>, description: &Value) -> Value {
    if description["TimeToLiveStatus"] == "ENABLED" {
        return json!({"Enabled": true, "AttributeName": description["AttributeName"]});
    }
    let mut off = of.declared.get("TimeToLiveSpecification").cloned().unwrap_or_else(|| json!({}));
    off["Enabled"] = json!(false);
    off
}
