//! DynamoDB and its streams.

use serde_json::{Value, json};

use super::Calls;

pub(super) fn all(calls: &mut Calls) {
    let mut dynamodb = |operation: &str, input: Value| calls.call("dynamodb", operation, &input);
    let made = dynamodb(
        "CreateTable",
        json!({
            "TableName": "items",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "Id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
        }),
    );
    let arn = &made["TableDescription"]["TableArn"];
    dynamodb("ListTables", json!({}));
    dynamodb("DescribeTable", json!({"TableName": "items"}));
    dynamodb("UpdateTable", json!({"TableName": "items", "DeletionProtectionEnabled": false}));
    let expiry = json!({"Enabled": true, "AttributeName": "At"});
    dynamodb("UpdateTimeToLive", json!({"TableName": "items", "TimeToLiveSpecification": expiry}));
    dynamodb("DescribeTimeToLive", json!({"TableName": "items"}));
    dynamodb("TagResource", json!({"ResourceArn": arn, "Tags": [{"Key": "k", "Value": "v"}]}));
    let tags = dynamodb("ListTagsOfResource", json!({"ResourceArn": arn}));
    assert_eq!(tags["Tags"], json!([{"Key": "k", "Value": "v"}]));
    dynamodb("UntagResource", json!({"ResourceArn": arn, "TagKeys": ["k"]}));
    let tags = dynamodb("ListTagsOfResource", json!({"ResourceArn": arn}));
    assert_eq!(tags["Tags"], json!([]));
    items(calls);
    stream(calls);
    calls.call("dynamodb", "DeleteTable", &json!({"TableName": "items"}));
}

fn items(calls: &mut Calls) {
    let mut dynamodb = |operation: &str, input: Value| calls.call("dynamodb", operation, &input);
    let key = |id: &str| json!({"Id": {"S": id}});
    dynamodb("PutItem", json!({"TableName": "items", "Item": key("a")}));
    dynamodb("GetItem", json!({"TableName": "items", "Key": key("a")}));
    dynamodb("UpdateItem", json!({"TableName": "items", "Key": key("a")}));
    dynamodb("BatchWriteItem", json!({"RequestItems": {"items": [{"PutRequest": {"Item": key("b")}}]}}));
    dynamodb("BatchGetItem", json!({"RequestItems": {"items": {"Keys": [key("a")]}}}));
    dynamodb("TransactWriteItems", json!({"TransactItems": [{"Put": {"TableName": "items", "Item": key("c")}}]}));
    dynamodb("TransactGetItems", json!({"TransactItems": [{"Get": {"TableName": "items", "Key": key("c")}}]}));
    let condition = json!({":id": {"S": "a"}});
    let query =
        json!({"TableName": "items", "KeyConditionExpression": "Id = :id", "ExpressionAttributeValues": condition});
    dynamodb("Query", query);
    dynamodb("Scan", json!({"TableName": "items"}));
    let select = json!({"Statement": "SELECT * FROM \"items\" WHERE Id = 'a'"});
    dynamodb("ExecuteStatement", select.clone());
    dynamodb("BatchExecuteStatement", json!({"Statements": [select]}));
    let insert = json!({"Statement": "INSERT INTO \"items\" VALUE {'Id': 'd'}"});
    dynamodb("ExecuteTransaction", json!({"TransactStatements": [insert]}));
    dynamodb("DeleteItem", json!({"TableName": "items", "Key": key("a")}));
}

fn stream(calls: &mut Calls) {
    let mut streams = |operation: &str, input: Value| calls.call("dynamodbstreams", operation, &input);
    let arn = streams("ListStreams", json!({}))["Streams"][0]["StreamArn"].take();
    let shard =
        streams("DescribeStream", json!({"StreamArn": arn}))["StreamDescription"]["Shards"][0]["ShardId"].take();
    let position = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
    let iterator = streams("GetShardIterator", position)["ShardIterator"].take();
    let records = streams("GetRecords", json!({"ShardIterator": iterator}));
    assert_eq!(records["Records"][0]["eventName"], "INSERT");
}
