//! EventBridge.

use serde_json::{Value, json};

use super::Calls;

pub(super) fn all(calls: &mut Calls) {
    let mut events = |operation: &str, input: Value| calls.call("events", operation, &input);
    assert_eq!(events("DescribeEventBus", json!({}))["Name"], "default");
    assert_eq!(events("ListEventBuses", json!({}))["EventBuses"].as_array().unwrap().len(), 1);
    let pattern = json!({"source": ["my.app"]}).to_string();
    let arn = events("PutRule", json!({"Name": "all", "EventPattern": pattern}))["RuleArn"].take();
    events("DisableRule", json!({"Name": "all"}));
    assert_eq!(events("DescribeRule", json!({"Name": "all"}))["State"], "DISABLED");
    events("EnableRule", json!({"Name": "all"}));
    assert_eq!(events("ListRules", json!({"NamePrefix": "al"}))["Rules"][0]["State"], "ENABLED");
    events("TagResource", json!({"ResourceARN": arn, "Tags": [{"Key": "k", "Value": "v"}]}));
    let tags = events("ListTagsForResource", json!({"ResourceARN": arn}));
    assert_eq!(tags["Tags"], json!([{"Key": "k", "Value": "v"}]));
    events("UntagResource", json!({"ResourceARN": arn, "TagKeys": ["k"]}));
    let queue = "arn:aws:sqs:us-east-1:000000000000:nowhere";
    let put = events("PutTargets", json!({"Rule": "all", "Targets": [{"Id": "q", "Arn": queue}]}));
    assert_eq!(put["FailedEntryCount"], 0);
    assert_eq!(events("ListTargetsByRule", json!({"Rule": "all"}))["Targets"], json!([{"Id": "q", "Arn": queue}]));
    assert_eq!(events("ListRuleNamesByTarget", json!({"TargetArn": queue}))["RuleNames"], json!(["all"]));
    events("RemoveTargets", json!({"Rule": "all", "Ids": ["q"]}));
    let event = json!({
        "id": "1", "account": "000000000000", "source": "my.app", "time": "2026-01-01T00:00:00Z", "region": "us-east-1",
        "resources": [], "detail-type": "t", "detail": {},
    });
    let test = json!({"EventPattern": pattern, "Event": event.to_string()});
    assert_eq!(events("TestEventPattern", test)["Result"], true);
    let entry = json!({"Source": "my.app", "DetailType": "t", "Detail": "{}"});
    assert_eq!(events("PutEvents", json!({"Entries": [entry]}))["FailedEntryCount"], 0);
    events("DeleteRule", json!({"Name": "all"}));
}
