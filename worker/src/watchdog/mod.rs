//! The watchdog: what an invocation of the function sees, decides and does.
//!
//! # Why one restart, and never two
//!
//! Invocations may be twice, late, out of order and at once, and what ECS lists may be a second old. So two of them can see
//! the same task stopped, and both decide to go on after it. Nothing is locked: both call RunTask with the same client
//! token, which follows from the stopped task alone, and for one token ECS starts one task, whoever asks and how often; a
//! request with the token and other parameters is refused. So a task has one successor at most, and the tasks that follow
//! from the one that a person started are a chain, in which a link is added only after the one before has stopped.
//!
//! That holds as long as ECS remembers the token of a task's successor: until an hour after the successor has stopped, and
//! for a day at most. Nothing is started after a task that stopped longer than nearly an hour ago, and before that hour is
//! over ECS remembers the token, and shows the successor, too, for it cannot have stopped any earlier. An event only says
//! where to look, so one that is a day late changes nothing.

mod call;
mod decide;
mod settings;
mod state;
mod tasks;

#[cfg(test)]
mod model;

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::Value;

pub use call::Call;
pub use decide::{Decision, Ended, Limits, Mark, Progress, Seen, decide};
pub use settings::Settings;
use tasks::Task;

use crate::{Failure, Table, aws, log};

/// The function, for as long as Lambda keeps the process.
#[derive(Debug)]
pub struct Watchdog {
    settings: Settings,
    configuration: aws_config::SdkConfig,
    ecs: aws_sdk_ecs::Client,
    dynamodb: aws_sdk_dynamodb::Client,
}

/// Lets `watchdog` answer one call after the other; ends only if Lambda cannot be asked for the next one.
pub fn serve(watchdog: impl AsyncFn(&Watchdog, &Call) -> Result<(), Failure>) -> ExitCode {
    match serve_to_the_end(watchdog) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn serve_to_the_end(watchdog: impl AsyncFn(&Watchdog, &Call) -> Result<(), Failure>) -> Result<(), Failure> {
    let settings = Settings::from_env()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::process("starting the runtime"))?;
    runtime.block_on(async {
        let own = &Watchdog::set_up(settings).await?;
        let watchdog = &watchdog;
        let answer = async |event: LambdaEvent<Value>| {
            let outcome = watchdog(own, &Call::new(event.payload)).await;
            // Lambda tells the caller only, and EventBridge does not listen: who looks at the log is to find it there.
            if let Err(failure) = &outcome {
                log::line(failure)?;
            }
            outcome
        };
        let ended = Runtime::new(service_fn(answer)).run().await;
        ended.map_err(|error| Failure::Request {
            cause: error.to_string(),
            doing: "asking Lambda for a call".to_owned(),
        })
    })
}

impl Watchdog {
    async fn set_up(settings: Settings) -> Result<Self, Failure> {
        let configuration = aws::configuration().await?;
        let ecs = aws_sdk_ecs::Client::new(&configuration);
        let dynamodb = aws_sdk_dynamodb::Client::new(&configuration);
        Ok(Self { settings, configuration, ecs, dynamodb })
    }

    /// When to lose patience.
    pub fn limits(&self) -> &Limits {
        &self.settings.limits
    }

    /// The tasks of the family first, the table afterwards: what a task has written before it stopped is seen.
    pub async fn look(&self, call: &Call) -> Result<Seen, Failure> {
        let tasks = self.tasks(call).await?;
        let running = tasks.iter().find(|task| !task.is_stopped).map(|task| task.id().to_owned());
        let last = tasks.into_iter().max_by_key(|task| (task.created_at, task.arn.clone()));
        let batch = last.as_ref().map_or_else(|| self.settings.batch.clone(), |task| self.batch_of(task));
        let table = self.settings.table_name.clone();
        let table = Table::new(&self.configuration, table, batch.id.clone(), "watchdog".to_owned());
        let progress = Progress { next: table.continue_at().await?, size: batch.size };
        let overrides = last.as_ref().and_then(|task| task.overrides.clone());
        let last = last.filter(|_| running.is_none()).map(Task::ended);
        Ok(Seen { progress, running, last, batch_id: batch.id, overrides })
    }

    /// Says in the log, and to those who read the table, what was decided.
    pub async fn report(&self, seen: &Seen, decision: &Decision, time: DateTime<Utc>) -> Result<(), Failure> {
        log::line(decision)?;
        self.note(&seen.batch_id, decision, time).await
    }
}

/// What the callers of the function see of a failure.
impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: failure.kind().to_owned(), error_message: failure.to_string() }
    }
}
