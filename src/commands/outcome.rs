//! How tasks have ended: in words, and as an exit code.

use serde::Serialize;

use super::context::Context;
use super::run::Job;
use crate::aws::arn::task_id;
use crate::aws::clients::Clients;
use crate::aws::deployed::Deployed;
use crate::aws::program::Program;
use crate::aws::stop_reason;
use crate::aws::table::{self, Item};
use crate::aws::tasks::Task;
use crate::error::Result;
use crate::lab::checks::wrong_results;

/// What came of a run.
#[derive(Debug, Serialize)]
struct Ended {
    task_arns: Vec<String>,
    exit_code: Option<i32>,
    tasks: Vec<Task>,
}

/// How the tasks ended; the exit code is the first one that is not 0.
///
/// # Errors
/// When one of them did not start.
pub(super) async fn report(
    context: &Context,
    clients: &Clients,
    deployed: &Deployed,
    job: &Job,
    tasks: Vec<Task>,
) -> Result<u8> {
    let mut worst = 0;
    for task in &tasks {
        let code = tell(context, clients, deployed, job, task).await?;
        worst = if worst == 0 { code } else { worst };
    }
    if worst == 0 {
        let flag = deployed.environment.flag();
        context.ui.hint(format_args!("`fis-workshop items{flag}` shows what is in the table now."));
    }
    if context.ui.is_json() {
        let task_arns = tasks.iter().map(|task| task.task_arn.clone()).collect();
        context.ui.json(&Ended { task_arns, exit_code: Some(worst), tasks })?;
    }
    Ok(u8::try_from(worst).unwrap_or(u8::MAX))
}

async fn tell(context: &Context, clients: &Clients, deployed: &Deployed, job: &Job, task: &Task) -> Result<i32> {
    let Some(code) = task.exit_code else {
        return Err(stop_reason::failure(format!("The task {} did not start.", task_id(&task.task_arn)), task));
    };
    let reason = task.stopped_reason.as_deref().unwrap_or("ECS names no reason");
    let reason = reason.trim_end_matches('.');
    let is_own = job.program == Program::Own;
    let meaning = if is_own { stop_reason::meaning_of_own(task) } else { stop_reason::meaning(task) };
    match meaning.filter(|_| code != 0) {
        Some(meaning) => {
            context.ui.note(format_args!("The task ended with exit code {code}: {reason}. {}", meaning.what));
            // The worker gave up: in a workshop, mostly for this.
            let lost = if code == 1 { lost_table(clients, deployed).await } else { None };
            context.ui.hint(lost.as_deref().unwrap_or(meaning.remedy));
        }
        None => context.ui.note(format_args!("The task ended with exit code {code}: {reason}.")),
    }
    if is_own {
        tell_items(context, clients, deployed, job, task).await?;
    }
    Ok(code)
}

/// What to do when a worker failed because somebody has deleted its table.
async fn lost_table(clients: &Clients, deployed: &Deployed) -> Option<String> {
    let error = table::items(clients, deployed).await.err()?;
    let is_lost = error.has_code(&["ResourceNotFoundException"]);
    is_lost.then(|| format!("The table is gone: {}.", deployed.environment.remedy()))
}

/// What a worker of one's own has done, by what counts: neither its log nor its exit code, but the table.
async fn tell_items(context: &Context, clients: &Clients, deployed: &Deployed, job: &Job, task: &Task) -> Result<()> {
    let size = job.overrides.batch_size.map_or_else(|| deployed.batch_size(), Ok)?;
    let items = match table::items(clients, deployed).await {
        Ok(items) => items,
        Err(error) => {
            context.ui.warn(error);
            return Ok(());
        }
    };
    let id = task_id(&task.task_arn);
    let written = items.iter().filter(|item| item.task_id == id).count();
    let there = items.len() as u64;
    context.ui.note(format_args!("It has written {written} items; the table has {there} of {size}."));
    for finding in findings(&items, written, size, task.exit_code == Some(0)) {
        context.ui.warn(finding);
    }
    Ok(())
}

/// What is wrong with that, in sentences.
fn findings(items: &[Item], written: usize, size: u64, says_done: bool) -> Vec<String> {
    let missing = table::missing(items, size);
    let wrong = wrong_results(items, size);
    let list = |indexes: &[u64]| indexes.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let mut findings = Vec::new();
    if written == 0 && !missing.is_empty() {
        findings.push("Nothing in the table bears its task id: has it asked DynamoDB for anything?".to_owned());
    }
    if says_done && !missing.is_empty() {
        findings.push(format!("Exit code 0 means that all is done; the table lacks {}.", list(&missing)));
    }
    if !wrong.is_empty() {
        findings.push(format!("These items have a wrong result: {}.", list(&wrong)));
    }
    findings
}
