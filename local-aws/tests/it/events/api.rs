//! The calls, and what they refuse, in AWS's words.

use serde_json::json;

use super::Scene;

const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:q";
const ROLE: &str = "arn:aws:iam::000000000000:role/r";

#[tokio::test]
async fn a_rule_is_replaced_by_the_next_one_of_its_name() {
    let mut scene = Scene::start().await;
    let pattern = r#"{"source":["my.app"]}"#;
    let rule = json!({"Name": "r", "EventPattern": pattern, "Description": "d", "RoleArn": ROLE, "Tags": [{"Key": "k", "Value": "v"}]});
    let arn = scene.events("PutRule", &rule)["RuleArn"].take();
    assert_eq!(arn, "arn:aws:events:us-east-1:000000000000:rule/r");
    scene.events("PutTargets", &json!({"Rule": "r", "Targets": [{"Id": "q", "Arn": QUEUE}]}));
    assert_eq!(
        scene.events("DescribeRule", &json!({"Name": "r"})),
        json!({
            "Name": "r", "Arn": arn, "EventPattern": pattern, "State": "ENABLED", "Description": "d", "RoleArn": ROLE,
            "EventBusName": "default", "CreatedBy": "000000000000",
        })
    );
    let rule = json!({"Name": "r", "ScheduleExpression": "rate(1 minute)", "State": "DISABLED", "Tags": [{"Key": "n", "Value": ""}]});
    scene.events("PutRule", &rule);
    assert_eq!(
        scene.events("ListRules", &json!({}))["Rules"],
        json!([{"Name": "r", "Arn": arn, "ScheduleExpression": "rate(1 minute)", "State": "DISABLED", "EventBusName": "default"}])
    );
    // Targets and tags stay.
    let tags = scene.events("ListTagsForResource", &json!({"ResourceARN": arn}));
    assert_eq!(tags["Tags"], json!([{"Key": "k", "Value": "v"}]));
    let in_use = scene.refused("DeleteRule", &json!({"Name": "r"}));
    assert_eq!(in_use, "ValidationException: Rule can't be deleted since it has targets.");
    let removed = scene.events("RemoveTargets", &json!({"Rule": "r", "Ids": ["q", "gone"]}));
    assert_eq!(removed["FailedEntryCount"], 1);
    assert_eq!(removed["FailedEntries"][0]["TargetId"], "gone");
    for _ in 0..2 {
        scene.events("DeleteRule", &json!({"Name": "r"}));
    }
    let gone = "ResourceNotFoundException: Rule r does not exist on EventBus default.";
    assert_eq!(scene.refused("DescribeRule", &json!({"Name": "r"})), gone);
    assert_eq!(scene.refused("PutTargets", &json!({"Rule": "r", "Targets": [{"Id": "q", "Arn": QUEUE}]})), gone);
    scene.endpoint.stop().await;
}

#[tokio::test]
async fn lists_come_in_pages() {
    let mut scene = Scene::start().await;
    let names: Vec<String> = (0..5).map(|number| format!("rule-{number}")).collect();
    for name in &names {
        scene.rule(name, "my.app", &json!([{"Id": "q", "Arn": QUEUE}]));
    }
    for (operation, list, input) in
        [("ListRules", "Rules", json!({})), ("ListRuleNamesByTarget", "RuleNames", json!({"TargetArn": QUEUE}))]
    {
        let (mut found, mut token) = (Vec::new(), json!(null));
        loop {
            let mut input = input.clone();
            input["Limit"] = json!(2);
            if !token.is_null() {
                input["NextToken"] = token;
            }
            let mut page = scene.events(operation, &input);
            let items = page[list].as_array().unwrap().iter();
            found.extend(items.map(|item| item.as_str().or(item["Name"].as_str()).unwrap().to_owned()));
            token = page["NextToken"].take();
            if token.is_null() {
                break;
            }
        }
        assert_eq!(found, names, "{operation}");
    }
    scene.endpoint.stop().await;
}

#[tokio::test]
async fn wrong_rules_are_refused() {
    let mut scene = Scene::start().await;
    let schedule = "rate(1 minute)";
    let cases = [
        (
            json!({"Name": "r"}),
            "ValidationException: Parameter(s) EventPattern or ScheduleExpression must be specified.",
        ),
        (
            json!({"Name": "a b", "ScheduleExpression": schedule}),
            r"Value 'a b' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_A-Za-z0-9]+",
        ),
        (
            json!({"Name": "r", "ScheduleExpression": "rate(1 minutes)"}),
            "ValidationException: Parameter ScheduleExpression is not valid.",
        ),
        (
            json!({"Name": "r", "EventPattern": "{}"}),
            "InvalidEventPatternException: Event pattern is not valid. Reason: ",
        ),
        (
            json!({"Name": "r", "ScheduleExpression": schedule, "State": "ON"}),
            "at 'state' failed to satisfy constraint: Member must satisfy enum value set",
        ),
        (
            json!({"Name": "r", "ScheduleExpression": schedule, "EventBusName": "mine"}),
            "ResourceNotFoundException: Event bus mine does not exist.",
        ),
        (
            json!({"Name": "r", "ScheduleExpression": schedule, "State": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"}),
            "UnsupportedOperation: The State ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
        ),
    ];
    for (input, words) in cases {
        let refusal = scene.refused("PutRule", &input);
        assert!(refusal.contains(words), "{input}: {refusal}");
    }
    // The default bus has an ARN, too.
    let bus = "arn:aws:events:us-east-1:000000000000:event-bus/default";
    scene.events("PutRule", &json!({"Name": "r", "ScheduleExpression": schedule, "EventBusName": bus}));
    scene.endpoint.stop().await;
}

#[tokio::test]
async fn wrong_targets_are_refused() {
    let mut scene = Scene::start().await;
    scene.events("PutRule", &json!({"Name": "r", "ScheduleExpression": "rate(1 minute)"}));
    let cluster = "arn:aws:ecs:us-east-1:000000000000:cluster/c";
    let run = json!({"TaskDefinitionArn": "job"});
    let cases = [
        (
            json!({"Id": "a b", "Arn": QUEUE}),
            r"1 validation error detected: Value 'a b' at 'targets.1.member.id' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_A-Za-z0-9]+",
        ),
        (
            json!({"Id": "t", "Arn": "queue"}),
            "ValidationException: Parameter queue is not valid. Reason: Provided Arn is not in correct format.",
        ),
        (
            json!({"Id": "t", "Arn": QUEUE, "Input": "1", "InputPath": "$.detail"}),
            "ValidationException: Only one of Input, InputPath, or InputTransformer must be provided for target t.",
        ),
        (
            json!({"Id": "t", "Arn": QUEUE, "InputTransformer": {"InputPathsMap": {"a": "$.detail"}, "InputTemplate": "\"<b>\""}}),
            "InputTemplate for target t contains invalid placeholder b.",
        ),
        (
            json!({"Id": "t", "Arn": QUEUE, "RetryPolicy": {"MaximumRetryAttempts": 186}}),
            "maximumRetryAttempts' failed to satisfy constraint: Member must have value less than or equal to 185",
        ),
        (
            json!({"Id": "t", "Arn": QUEUE, "RetryPolicy": {"MaximumEventAgeInSeconds": 59}}),
            "Member must have value greater than or equal to 60",
        ),
        (json!({"Id": "t", "Arn": QUEUE, "DeadLetterConfig": {"Arn": cluster}}), "DeadLetterConfig.Arn is not valid"),
        (
            json!({"Id": "t", "Arn": cluster, "RoleArn": ROLE}),
            "Parameter(s) EcsParameters must be specified for target: t.",
        ),
        (json!({"Id": "t", "Arn": cluster, "EcsParameters": run}), "RoleArn is required for target"),
        (
            json!({"Id": "t", "Arn": "arn:aws:sns:us-east-1:000000000000:topic"}),
            "UnsupportedOperation: The target arn:aws:sns",
        ),
        (
            json!({"Id": "t", "Arn": QUEUE, "KinesisParameters": {"PartitionKeyPath": "$.id"}}),
            "UnsupportedOperation: The member KinesisParameters",
        ),
    ];
    for (target, words) in cases {
        let refusal = scene.refused("PutTargets", &json!({"Rule": "r", "Targets": [target]}));
        assert!(refusal.contains(words), "{target}: {refusal}");
    }
    let many: Vec<_> = (0..6).map(|id| json!({"Id": id.to_string(), "Arn": QUEUE})).collect();
    let refusal = scene.refused("PutTargets", &json!({"Rule": "r", "Targets": many}));
    assert_eq!(refusal, "LimitExceededException: The requested resource exceeds the maximum number allowed.");
    assert_eq!(scene.events("ListTargetsByRule", &json!({"Rule": "r"}))["Targets"], json!([]));
    scene.endpoint.stop().await;
}

#[tokio::test]
async fn entries_are_judged_one_by_one() {
    let mut scene = Scene::start().await;
    let entry = |source: &str, detail: &str| json!({"Source": source, "DetailType": "t", "Detail": detail});
    let entries = json!([
        entry("my.app", "{}"),
        entry("", "{}"),
        {"Source": "my.app", "Detail": "{}"},
        {"Source": "my.app", "DetailType": "t"},
        entry("my.app", "no json"),
        entry("my.app", "[]"),
        entry("aws.ecs", "{}"),
    ]);
    let answer = scene.events("PutEvents", &json!({"Entries": entries}));
    assert_eq!(answer["FailedEntryCount"], 6);
    let shown = |entry: &serde_json::Value| match entry["EventId"].as_str() {
        Some(_) => "sent".to_owned(),
        None => format!("{}: {}", entry["ErrorCode"].as_str().unwrap(), entry["ErrorMessage"].as_str().unwrap()),
    };
    let outcomes: Vec<String> = answer["Entries"].as_array().unwrap().iter().map(shown).collect();
    let required = |member: &str| {
        format!("InvalidArgument: Parameter {member} is not valid. Reason: {member} is a required argument.")
    };
    let malformed = "MalformedDetail: Detail is malformed.".to_owned();
    let foreign = "NotAuthorizedForSourceException: Not authorized for the source.".to_owned();
    let [source, detail_type, detail] = ["Source", "DetailType", "Detail"].map(required);
    assert_eq!(outcomes, ["sent".to_owned(), source, detail_type, detail, malformed.clone(), malformed, foreign]);
    let eleven: Vec<_> = (0..11).map(|_| entry("my.app", "{}")).collect();
    let refusal = scene.refused("PutEvents", &json!({"Entries": eleven}));
    assert!(refusal.contains("Member must have length less than or equal to 10"), "{refusal}");
    let much = json!({"text": "x".repeat(600_000)}).to_string();
    let refusal = scene.refused("PutEvents", &json!({"Entries": [entry("my.app", &much), entry("my.app", &much)]}));
    assert_eq!(refusal, "ValidationException: Total size of the entries in the request is over the limit.");
    let test = json!({"EventPattern": r#"{"source":["a"]}"#, "Event": "no json"});
    let refusal = scene.refused("TestEventPattern", &test);
    assert_eq!(refusal, "ValidationException: Parameter Event is not valid.");
    scene.endpoint.stop().await;
}
