//! CloudWatch Logs.

use serde_json::{Value, json};

use super::Calls;

pub(super) fn all(calls: &mut Calls) {
    let mut logs = |operation: &str, input: Value| calls.call("logs", operation, &input);
    let group = json!({"logGroupName": "g"});
    let stream = json!({"logGroupName": "g", "logStreamName": "s"});
    logs("CreateLogGroup", group.clone());
    logs("CreateLogStream", stream.clone());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let now = u64::try_from(now).unwrap();
    let events = json!([{"timestamp": now, "message": "line"}]);
    logs("PutLogEvents", json!({"logGroupName": "g", "logStreamName": "s", "logEvents": events}));
    for operation in ["GetLogEvents", "FilterLogEvents"] {
        let input = if operation == "GetLogEvents" { &stream } else { &group };
        assert_eq!(logs(operation, input.clone())["events"][0]["message"], "line", "{operation}");
    }
    let arn = logs("DescribeLogGroups", json!({"logGroupNamePrefix": "g"}))["logGroups"][0]["logGroupArn"].take();
    logs("DescribeLogStreams", group.clone());
    logs("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 7}));
    logs("DeleteRetentionPolicy", group.clone());
    logs("TagLogGroup", json!({"logGroupName": "g", "tags": {"old": "1"}}));
    logs("TagResource", json!({"resourceArn": arn, "tags": {"new": "2"}}));
    let both = json!({"old": "1", "new": "2"});
    assert_eq!(logs("ListTagsLogGroup", group.clone())["tags"], both);
    assert_eq!(logs("ListTagsForResource", json!({"resourceArn": arn}))["tags"], both);
    logs("UntagLogGroup", json!({"logGroupName": "g", "tags": ["old"]}));
    logs("UntagResource", json!({"resourceArn": arn, "tagKeys": ["new"]}));
    logs("DeleteLogStream", stream);
    logs("DeleteLogGroup", group);
}
