//! What a role must be allowed for a call of EventBridge: which action on which rule or bus.

use serde_json::Value;

use super::bus;
use crate::error::ApiError;
use crate::service::{Call, Need};

pub(super) fn needs(call: &Call) -> Result<Vec<Need>, ApiError> {
    let text = |member: &str| call.input[member].as_str();
    let rule = |member: &str| call.endpoint.arn("events", &format!("rule/{}", text(member).unwrap_or("*")));
    let need = match call.operation.name {
        "PutEvents" => return Ok(of_entries(call)),
        "PutRule" => return Ok(of_rule(call, &rule("Name"))),
        "PutTargets" => return Ok(of_targets(call, &rule("Rule"))),
        "DeleteRule" | "DescribeRule" | "DisableRule" | "EnableRule" => Need::of(call, rule("Name")),
        "ListTargetsByRule" | "RemoveTargets" => Need::of(call, rule("Rule")),
        "ListTagsForResource" | "UntagResource" => Need::of(call, text("ResourceARN").unwrap_or("*")),
        "TagResource" => with_tags(call, Need::of(call, text("ResourceARN").unwrap_or("*"))),
        "DescribeEventBus" => Need::of(call, bus::arn(&call.endpoint)),
        _ => Need::of(call, "*"),
    };
    Ok(vec![need])
}

/// One for each entry, with what it says of itself.
fn of_entries(call: &Call) -> Vec<Need> {
    let entries = call.input["Entries"].as_array().into_iter().flatten();
    let of_entry = |entry: &Value| {
        let need = Need::of(call, bus::arn(&call.endpoint));
        let keys = [("events:source", "Source"), ("events:detail-type", "DetailType")];
        keys.into_iter().fold(need, |need, (key, member)| match entry[member].as_str() {
            Some(value) => need.with(key, value),
            None => need,
        })
    };
    entries.map(of_entry).collect()
}

fn of_rule(call: &Call, rule: &str) -> Vec<Need> {
    let mut needs = vec![with_tags(call, Need::of(call, rule))];
    if call.input.get("Tags").is_some() {
        needs.push(with_tags(call, Need::new("events:TagResource", rule)));
    }
    needs.extend(call.input["RoleArn"].as_str().map(pass));
    needs
}

fn of_targets(call: &Call, rule: &str) -> Vec<Need> {
    let targets = || call.input["Targets"].as_array().into_iter().flatten();
    let on_rule = targets().map(|target| match target["Arn"].as_str() {
        Some(arn) => Need::of(call, rule).with("events:TargetArn", arn),
        None => Need::of(call, rule),
    });
    on_rule.chain(targets().filter_map(|target| target["RoleArn"].as_str()).map(pass)).collect()
}

fn pass(role: &str) -> Need {
    Need::new("iam:PassRole", role).with("iam:PassedToService", "events.amazonaws.com")
}

fn with_tags(call: &Call, need: Need) -> Need {
    let tags = call.input["Tags"].as_array().into_iter().flatten();
    tags.fold(need, |need, tag| {
        let text = |member: &str| tag[member].as_str().unwrap_or_default().to_owned();
        need.with(format!("aws:RequestTag/{}", text("Key")), text("Value"))
    })
}
