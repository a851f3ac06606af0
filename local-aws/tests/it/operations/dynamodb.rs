//! DynamoDB and its streams.

use serde_json::json;

use super::Calls;

pub(super) fn all(calls: &mut Calls) {
    let mut dynamodb = calls.of("dynamodb");
    let made = dynamodb(
        "CreateTable",
        json!({
            "TableName": "t",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "Id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
        }),
    );
    let arn = &made["TableDescription"]["TableArn"];
    dynamodb("ListTables", json!({}));
    dynamodb("DescribeTable", json!({"TableName": "t"}));
    dynamodb("UpdateTable", json!({"TableName": "t", "DeletionProtectionEnabled": false}));
    let expiry = json!({"Enabled": true, "AttributeName": "At"});
    dynamodb("UpdateTimeToLive", json!({"TableName": "t", "TimeToLiveSpecification": expiry}));
    dynamodb("DescribeTimeToLive", json!({"TableName": "t"}));
    dynamodb("TagResource", json!({"ResourceArn": arn, "Tags": [{"Key": "k", "Value": "v"}]}));
    let tags = dynamodb("ListTagsOfResource", json!({"ResourceArn": arn}));
    assert_eq!(tags["Tags"], json!([{"Key": "k", "Value": "v"}]));
    dynamodb("UntagResource", json!({"ResourceArn": arn, "TagKeys": ["k"]}));
    let tags = dynamodb("ListTagsOfResource", json!({"ResourceArn": arn}));
    assert_eq!(tags["Tags"], json!([]));
    items(calls);
    stream(calls);
    calls.call("dynamodb", "DeleteTable", &json!({"TableName": "t"}));
}

fn items(calls: &mut Calls) {
    let mut dynamodb = calls.of("dynamodb");
    let key = |id: &str| json!({"Id": {"S": id}});
    dynamodb("PutItem", json!({"TableName": "t", "Item": key("a")}));
    dynamodb("GetItem", json!({"TableName": "t", "Key": key("a")}));
    dynamodb("UpdateItem", json!({"TableName": "t", "Key": key("a")}));
    dynamodb("BatchWriteItem", json!({"RequestItems": {"t": [{"PutRequest": {"Item": key("b")}}]}}));
    dynamodb("BatchGetItem", json!({"RequestItems": {"t": {"Keys": [key("a")]}}}));
    dynamodb("TransactWriteItems", json!({"TransactItems": [{"Put": {"TableName": "t", "Item": key("c")}}]}));
    dynamodb("TransactGetItems", json!({"TransactItems": [{"Get": {"TableName": "t", "Key": key("c")}}]}));
    let condition = json!({":id": {"S": "a"}});
    let query = json!({"TableName": "t", "KeyConditionExpression": "Id = :id", "ExpressionAttributeValues": condition});
    dynamodb("Query", query);
    dynamodb("Scan", json!({"TableName": "t"}));
    let select = json!({"Statement": "SELECT * FROM \"t\" WHERE Id = 'a'"});
    dynamodb("ExecuteStatement", select.clone());
    dynamodb("BatchExecuteStatement", json!({"Statements": [select]}));
    let insert = json!({"Statement": "INSERT INTO \"t\" VALUE {'Id': 'd'}"});
    dynamodb("ExecuteTransaction", json!({"TransactStatements": [insert]}));
    dynamodb("DeleteItem", json!({"TableName": "t", "Key": key("a")}));
}

fn stream(calls: &mut Calls) {
    let mut streams = calls.of("dynamodbstreams");
    let arn = streams("ListStreams", json!({}))["Streams"][0]["StreamArn"].take();
    let shard =
        streams("DescribeStream", json!({"StreamArn": arn}))["StreamDescription"]["Shards"][0]["ShardId"].take();
    let position = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
    let iterator = streams("GetShardIterator", position)["ShardIterator"].take();
    let records = streams("GetRecords", json!({"ShardIterator": iterator}));
    assert_eq!(records["Records"][0]["eventName"], "INSERT");
}
