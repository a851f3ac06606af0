//! Ending what an environment's experiments are at, before the environment goes.

use std::time::Duration;

use super::{Experiment, get, list};
use crate::aws::clients::Clients;
use crate::aws::patience::Patience;
use crate::environment::{ENVIRONMENT_TAG, Environment};
use crate::error::{Doing, Error, Result};

/// How long an experiment may take to end once it is asked to: `aws:ecs:stop-task` has nothing to take back.
const LIMIT: Duration = Duration::from_secs(300);

/// Stops every experiment of the environment that has not ended, and waits for their ends; `on_change` sees each of
/// their statuses. Deleting a template does not stop its experiments, so this comes before.
pub(crate) async fn stop_running(
    clients: &Clients,
    environment: &Environment,
    mut on_change: impl FnMut(&Experiment),
) -> Result<Vec<Experiment>> {
    let mut ended = Vec::new();
    for template in templates(clients, environment).await? {
        let running: Vec<_> = list(clients, &template).await?.into_iter().filter(|found| !found.is_over()).collect();
        for experiment in &running {
            stop(clients, &experiment.experiment_id).await?;
        }
        for experiment in running {
            ended.push(wait(clients, experiment, &mut on_change).await?);
        }
    }
    Ok(ended)
}

/// The environment's experiment templates, by their tag: its stack may be incomplete and have no outputs.
async fn templates(clients: &Clients, environment: &Environment) -> Result<Vec<String>> {
    let value = environment.to_string();
    let mut found = Vec::new();
    let mut next = None;
    loop {
        let request = clients.fis.list_experiment_templates().set_next_token(next);
        let page = request.send().await.doing("Listing the experiment templates")?;
        let ours = page.experiment_templates().iter().filter(|template| {
            template.tags().and_then(|tags| tags.get(ENVIRONMENT_TAG)).is_some_and(|tag| *tag == value)
        });
        found.extend(ours.filter_map(|template| template.id()).map(str::to_owned));
        next = page.next_token().map(str::to_owned);
        if next.is_none() {
            return Ok(found);
        }
    }
}

async fn stop(clients: &Clients, id: &str) -> Result<()> {
    match clients.fis.stop_experiment().id(id).send().await.doing(format_args!("Stopping the experiment {id}")) {
        Ok(_) => Ok(()),
        // It is being stopped already, or has ended since it was listed: what follows tells.
        Err(error) if error.has_code(&["ValidationException", "ConflictException", "ResourceNotFoundException"]) => {
            Ok(())
        }
        Err(error) => Err(error),
    }
}

async fn wait(
    clients: &Clients,
    mut experiment: Experiment,
    on_change: &mut impl FnMut(&Experiment),
) -> Result<Experiment> {
    let id = experiment.experiment_id.clone();
    let mut patience = Patience::new(clients, LIMIT);
    loop {
        let now = get(clients, &id).await?;
        if now.status != experiment.status {
            on_change(&now);
            patience.renew();
        }
        if now.is_over() {
            return Ok(now);
        }
        experiment = now;
        if !patience.wait().await {
            return Err(Error::failed(format!("The experiment {id} does not end: it is still {}.", experiment.status))
                .cause(if experiment.reason.is_empty() { "FIS names no reason" } else { &experiment.reason })
                .hint(format!("`aws fis stop-experiment --id {id}` asks FIS again; then repeat the command.")));
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_fis::types::ExperimentStatus;
    use serde_json::{Value, json};

    use super::*;
    use crate::aws::scripted::Script;

    const EXPERIMENT: &str = "GET /experiments/EXP1";

    fn experiment(status: &str) -> Value {
        json!({"experiment": {"id": "EXP1", "state": {"status": status, "reason": ""}}})
    }

    fn listed() -> Script {
        let tags = json!({ENVIRONMENT_TAG: "seat-1"});
        let state = |status: &str| json!({"status": status, "reason": ""});
        Script::default()
            .answer(
                "GET /experimentTemplates",
                json!({"experimentTemplates": [{"id": "EXT0", "tags": {}}], "nextToken": "t"}),
            )
            .answer("GET /experimentTemplates", json!({"experimentTemplates": [{"id": "EXT1", "tags": tags}]}))
            .answer(
                "GET /experiments",
                json!({"experiments": [
                    {"id": "EXP0", "experimentTemplateId": "EXT1", "state": state("completed")},
                    {"id": "EXP1", "experimentTemplateId": "EXT1", "state": state("running")},
                ]}),
            )
    }

    fn environment() -> Environment {
        "seat-1".parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn what_runs_is_stopped_and_waited_for() {
        let script = listed()
            .answer("DELETE /experiments/EXP1", experiment("stopping"))
            .answer(EXPERIMENT, experiment("stopping"))
            .answer(EXPERIMENT, experiment("stopped"));
        let mut seen = Vec::new();
        let ended = stop_running(&script.clients(), &environment(), |now| seen.push(now.status.clone())).await.unwrap();
        assert_eq!((ended.len(), seen), (1, vec![ExperimentStatus::Stopping, ExperimentStatus::Stopped]));
        assert_eq!(script.requests("DELETE /experiments/EXP1").len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_ends_by_itself_meanwhile_is_fine_and_one_that_does_not_end_is_named() {
        let over = listed()
            .refusal("DELETE /experiments/EXP1", 400, "ValidationException", "has already ended")
            .answer(EXPERIMENT, experiment("completed"));
        assert_eq!(stop_running(&over.clients(), &environment(), |_| {}).await.unwrap().len(), 1);
        let stuck = listed()
            .answer("DELETE /experiments/EXP1", experiment("stopping"))
            .answer(EXPERIMENT, experiment("stopping"));
        let error = stop_running(&stuck.clients(), &environment(), |_| {}).await.unwrap_err();
        assert!(error.to_string().contains("EXP1 does not end: it is still stopping"), "{error}");
    }
}
