use serde_json::{Value, json};

use super::*;

/// A template that AWS takes, changed.
fn check(change: impl FnOnce(&mut Value)) -> Result<(), ApiError> {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::open(dir.path(), "http://127.0.0.1:1".into(), crate::Options::default()).unwrap();
    let mut spec = json!({
        "description": "d",
        "roleArn": "arn:aws:iam::000000000000:role/r",
        "targets": {"T": {"resourceType": "aws:ecs:task", "resourceTags": {"a": "b"}, "selectionMode": "ALL"}},
        "actions": {
            "Stop": {"actionId": "aws:ecs:stop-task", "targets": {"Tasks": "T"}},
            "Wait": {"actionId": "aws:fis:wait", "parameters": {"duration": "PT1M"}, "startAfter": ["Stop"]},
        },
        "stopConditions": [{"source": "none"}],
    });
    change(&mut spec);
    template(&endpoint, &serde_json::from_value(spec).unwrap())
}

fn taken(change: impl FnOnce(&mut Value)) {
    assert_eq!(check(change), Ok(()));
}

fn refused(words: &str, change: impl FnOnce(&mut Value)) {
    let error = check(change).expect_err(words);
    assert!(error.message.contains(words), "{words}: {error}");
}

/// `count` members that are all like this one.
fn many(count: usize, value: &Value) -> Value {
    (0..count).map(|number| (format!("N{number}"), value.clone())).collect()
}

#[test]
fn texts_and_numbers_have_their_limits() {
    taken(|spec| spec["description"] = json!("x".repeat(512)));
    refused("must have at most 512 characters, not 513", |spec| spec["description"] = json!("x".repeat(513)));
    refused("The description must not be empty", |spec| spec["description"] = json!(""));
    let wait = json!({"actionId": "aws:fis:wait", "parameters": {"duration": "PT1M"}});
    taken(|spec| (spec["actions"], spec["targets"]) = (many(20, &wait), json!({})));
    refused("at most 20 actions", |spec| (spec["actions"], spec["targets"]) = (many(21, &wait), json!({})));
    refused("at least one action", |spec| (spec["actions"], spec["targets"]) = (json!({}), json!({})));
    let named = |length: usize| move |spec: &mut Value| spec["actions"]["n".repeat(length)] = wait.clone();
    taken(named.clone()(64));
    refused("The action name must have at most 64", named(65));
    let renamed = |length: usize| {
        move |spec: &mut Value| {
            spec["targets"] = json!({"t".repeat(length): spec["targets"]["T"]});
            spec["actions"]["Stop"]["targets"]["Tasks"] = json!("t".repeat(length));
        }
    };
    taken(renamed(64));
    refused("The target name must have at most 64", renamed(65));
    taken(|spec| spec["actions"]["Stop"]["description"] = json!("x".repeat(512)));
    refused("description of an action", |spec| spec["actions"]["Stop"]["description"] = json!("x".repeat(513)));
}

#[test]
fn roles_stop_conditions_and_options_are_aws_s() {
    for role in [
        "r",
        "arn:aws:iam::000000000000:role/",
        "arn:aws:iam::111111111111:role/r",
        "arn:aws:iam::000000000000:role/r r",
    ] {
        refused("is not the ARN of an IAM role of this account", |spec| spec["roleArn"] = json!(role));
    }
    for (conditions, words) in [
        (json!([]), "at least one entry"),
        (json!([{"source": "none"}, {"source": "none"}]), "cannot be combined"),
        (json!([{"source": "none", "value": "v"}]), "has no value"),
        (json!([{"source": "aws:cloudwatch:alarm", "value": "v"}]), "aws:cloudwatch:alarm is not supported"),
        (json!([{"source": "other"}]), "source other is not valid"),
    ] {
        refused(words, |spec| spec["stopConditions"] = conditions);
    }
    taken(|spec| spec["experimentOptions"] = json!({"emptyTargetResolutionMode": "skip"}));
    refused("enum value set: [fail, skip]", |spec| {
        spec["experimentOptions"] = json!({"emptyTargetResolutionMode": "x"});
    });
    refused("multi-account is not supported", |spec| {
        spec["experimentOptions"] = json!({"accountTargeting": "multi-account"});
    });
    refused("enum value set: [single-account, multi-account]", |spec| {
        spec["experimentOptions"] = json!({"accountTargeting": "x"});
    });
}

#[test]
fn a_target_says_which_tasks_and_only_one_way() {
    let target = |change: fn(&mut Value)| move |spec: &mut Value| change(&mut spec["targets"]["T"]);
    refused("resource type aws:ec2:instance", target(|it| it["resourceType"] = json!("aws:ec2:instance")));
    refused("selection mode SOME", target(|it| it["selectionMode"] = json!("SOME")));
    refused("You must specify resource ARNs", target(|it| it["resourceTags"] = json!({})));
    taken(target(|it| (it["resourceTags"], it["parameters"]) = (json!({}), json!({"cluster": "c", "service": "s"}))));
    taken(target(|it| {
        (it["resourceTags"], it["filters"]) = (json!({}), json!([{"path": "LastStatus", "values": ["RUNNING"]}]));
    }));
    refused("Unexpected parameter \"x\"", target(|it| it["parameters"] = json!({"x": "y"})));
    taken(target(|it| it["resourceTags"] = many(50, &json!("v"))));
    refused("at most 50 resource tags", target(|it| it["resourceTags"] = many(51, &json!("v"))));
    taken(target(|it| it["filters"] = json!([{"path": "p".repeat(256), "values": ["v"]}])));
    for path in ["", "a b", &"p".repeat(257)] {
        refused("is not valid", |spec| spec["targets"]["T"]["filters"] = json!([{"path": path, "values": ["v"]}]));
    }
    refused("must have a value", target(|it| it["filters"] = json!([{"path": "LastStatus", "values": []}])));

    let arns = |count: usize| json!(vec!["arn:aws:ecs:us-east-1:000000000000:task/c/1"; count]);
    taken(|spec| (spec["targets"]["T"]["resourceTags"], spec["targets"]["T"]["resourceArns"]) = (json!({}), arns(5)));
    refused("at most 5 resource ARNs", |spec| {
        (spec["targets"]["T"]["resourceTags"], spec["targets"]["T"]["resourceArns"]) = (json!({}), arns(6));
    });
    refused("is not the ARN of a task", |spec| {
        spec["targets"]["T"] = json!({"resourceType": "aws:ecs:task", "selectionMode": "ALL", "resourceArns": ["x"]});
    });
    for (member, value, words) in [
        ("resourceTags", json!({"a": "b"}), "both resource ARNs and resource tags"),
        ("filters", json!([{"path": "P", "values": ["v"]}]), "both resource ARNs and filters"),
        ("parameters", json!({"cluster": "c"}), "both resource ARNs and parameters"),
    ] {
        refused(words, |spec| {
            let target = &mut spec["targets"]["T"];
            (target["resourceTags"], target["resourceArns"]) = (json!({}), arns(1));
            target[member] = value;
        });
    }
}

#[test]
fn an_action_has_what_its_kind_asks_for_and_no_more() {
    let action = |name: &'static str, change: fn(&mut Value)| {
        move |spec: &mut Value| {
            change(&mut spec["actions"][name]);
        }
    };
    refused("Action with ID aws:x not found", action("Wait", |it| it["actionId"] = json!("aws:x")));
    refused("Unexpected target \"Other\"", action("Stop", |it| it["targets"]["Other"] = json!("T")));
    refused("Unexpected target \"Tasks\"", action("Wait", |it| it["targets"] = json!({"Tasks": "T"})));
    refused("Missing required target \"Tasks\"", action("Stop", |it| it["targets"] = json!({})));
    refused("Target \"U\" of action \"Stop\"", action("Stop", |it| it["targets"] = json!({"Tasks": "U"})));
    refused("Unexpected parameter \"x\"", action("Stop", |it| it["parameters"] = json!({"x": "y"})));
    refused("Missing required parameter \"duration\"", action("Wait", |it| it["parameters"] = json!({})));
    taken(action("Wait", |it| it["parameters"]["duration"] = json!("PT12H")));
    for duration in ["PT12H1S", "PT0S", "1 minute"] {
        refused("must be in ISO 8601 format", |spec| {
            spec["actions"]["Wait"]["parameters"]["duration"] = json!(duration);
        });
    }
    let kill = |parameters: Value| {
        move |spec: &mut Value| {
            spec["actions"]["Stop"]["actionId"] = json!("aws:ecs:task-kill-process");
            spec["actions"]["Stop"]["parameters"] = parameters;
        }
    };
    taken(kill(json!({"processName": "worker"})));
    taken(kill(json!({"processName": "worker", "signal": "SIGKILL"})));
    refused("Missing required parameter \"processName\"", kill(json!({"signal": "SIGKILL"})));
    refused("must be SIGTERM or SIGKILL", kill(json!({"processName": "worker", "signal": "SIGHUP"})));
    refused("Unexpected parameter \"duration\"", kill(json!({"processName": "worker", "duration": "PT1M"})));
    refused("Target U is not used by any action", |spec| spec["targets"]["U"] = spec["targets"]["T"].clone());
}

#[test]
fn the_order_of_actions_names_actions_and_has_an_end() {
    let after = |stop: Value, wait: Value| {
        move |spec: &mut Value| {
            spec["actions"]["Stop"]["startAfter"] = stop;
            spec["actions"]["Wait"]["startAfter"] = wait;
        }
    };
    taken(after(json!(["Wait"]), json!([])));
    refused("names \"Other\", which is no action", after(json!([]), json!(["Other"])));
    refused("of the actions Stop, Wait is circular", after(json!(["Wait"]), json!(["Stop"])));
    refused("of the actions Wait is circular", after(json!([]), json!(["Wait"])));
}
