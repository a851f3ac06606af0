//! What a role must be allowed for a call of FIS: which action on which template, experiment or action.

use std::collections::BTreeMap;

use super::experiment::Experiment;
use super::template::Template;
use crate::error::ApiError;
use crate::service::{Call, Need};

pub(super) fn needs(call: &Call) -> Result<Vec<Need>, ApiError> {
    let text = |member: &str| call.input[member].as_str().unwrap_or_default();
    let arn = |kind: &str, id: &str| call.endpoint.arn("fis", &format!("{kind}/{id}"));
    let on_template = |id: &str| {
        let template = call.endpoint.store.read(|tx| tx.get::<Template>(id))?;
        Ok::<_, ApiError>(with_tags(Need::of(call, arn("experiment-template", id)), template.map(|it| it.tags)))
    };
    let on_experiment = |id: &str| {
        let experiment = call.endpoint.store.read(|tx| tx.get::<Experiment>(id))?;
        Ok::<_, ApiError>(with_tags(Need::of(call, arn("experiment", id)), experiment.map(|it| it.tags)))
    };
    let need = match call.operation.name {
        "GetExperimentTemplate" | "UpdateExperimentTemplate" | "DeleteExperimentTemplate" => on_template(text("id"))?,
        "CreateExperimentTemplate" => Need::of(call, arn("experiment-template", "*")),
        // The template, and the experiment that comes of it.
        "StartExperiment" => {
            return Ok(vec![on_template(text("experimentTemplateId"))?, Need::of(call, arn("experiment", "*"))]);
        }
        "GetExperiment" | "StopExperiment" => on_experiment(text("id"))?,
        "ListExperimentResolvedTargets" => on_experiment(text("experimentId"))?,
        "GetAction" => Need::of(call, arn("action", text("id"))),
        "TagResource" | "UntagResource" | "ListTagsForResource" => Need::of(call, text("resourceArn")),
        "GetSafetyLever" | "UpdateSafetyLeverState" => Need::of(call, arn("safety-lever", text("id"))),
        _ => Need::of(call, "*"),
    };
    Ok(vec![need])
}

/// With the tags of the resource as condition keys.
fn with_tags(need: Need, tags: Option<BTreeMap<String, String>>) -> Need {
    let tags = tags.into_iter().flatten();
    tags.fold(need, |need, (key, value)| need.with(format!("aws:ResourceTag/{key}"), value))
}
