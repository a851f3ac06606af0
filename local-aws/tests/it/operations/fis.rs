//! FIS.

use serde_json::{Value, json};

use super::Calls;
use crate::ecs_lab::Lab;

pub(super) fn all(calls: &mut Calls, lab: &Lab) {
    let mut fis = |operation: &str, input: Value| calls.call("fis", operation, &input);
    fis("ListActions", json!({}));
    fis("GetAction", json!({"id": "aws:fis:wait"}));
    fis("ListTargetResourceTypes", json!({}));
    fis("GetTargetResourceType", json!({"resourceType": "aws:ecs:task"}));
    fis("GetSafetyLever", json!({"id": "default"}));
    for status in ["engaged", "disengaged"] {
        let state = json!({"status": status, "reason": "for a moment"});
        fis("UpdateSafetyLeverState", json!({"id": "default", "state": state}));
    }
    let template = template(&mut fis, lab);
    experiment(&mut fis, &template);
    fis("DeleteExperimentTemplate", json!({"id": template}));
}

fn template(fis: &mut impl FnMut(&str, Value) -> Value, lab: &Lab) -> Value {
    let wait = json!({"actionId": "aws:fis:wait", "parameters": {"duration": "PT1H"}});
    let made = fis(
        "CreateExperimentTemplate",
        json!({
            "clientToken": "all", "description": "waits", "roleArn": lab.output("ForeignRole"),
            "stopConditions": [{"source": "none"}], "actions": {"Wait": wait},
        }),
    );
    let (id, arn) = (&made["experimentTemplate"]["id"], &made["experimentTemplate"]["arn"]);
    fis("GetExperimentTemplate", json!({"id": id}));
    fis("ListExperimentTemplates", json!({}));
    fis("UpdateExperimentTemplate", json!({"id": id, "description": "waits for an hour"}));
    fis("TagResource", json!({"resourceArn": arn, "tags": {"k": "v"}}));
    assert_eq!(fis("ListTagsForResource", json!({"resourceArn": arn}))["tags"], json!({"k": "v"}));
    fis("UntagResource", json!({"resourceArn": arn, "tagKeys": ["k"]}));
    id.clone()
}

fn experiment(fis: &mut impl FnMut(&str, Value) -> Value, template: &Value) {
    let started = fis("StartExperiment", json!({"clientToken": "all", "experimentTemplateId": template}));
    let id = &started["experiment"]["id"];
    fis("GetExperiment", json!({"id": id}));
    fis("ListExperiments", json!({}));
    fis("ListExperimentResolvedTargets", json!({"experimentId": id}));
    fis("StopExperiment", json!({"id": id}));
}
