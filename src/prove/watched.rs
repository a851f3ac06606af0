//! The watchdog starts the job again: it is told of each task that has stopped, and that a minute is over.

use serde_json::Value;

use super::lane::Turn;
use super::observed::Starter;
use super::schedule::{Delivery, How, Schedule};
use crate::aws::arn::family;
use crate::aws::tasks;
use crate::aws::watchdog;
use crate::error::Result;

pub(super) async fn play(turn: &Turn<'_>, schedule: &Schedule) -> Result<()> {
    let mut task = turn.start().await?;
    let mut delivery = match schedule.how {
        How::Event(delivery) => Some(delivery),
        _ => None,
    };
    loop {
        let exit_code = turn.end(&task).await?;
        let event = stopped(turn, &task).await?;
        if exit_code == Some(0) {
            // Whatever comes now starts nothing.
            call(turn, &event).await?;
            call(turn, &watchdog::minute()).await?;
            return next(turn).await.map(drop);
        }
        deliver(turn, &event, delivery.take()).await?;
        let Some(started) = next(turn).await? else { return Ok(()) };
        if !turn.may_start(schedule) {
            return Ok(());
        }
        task = started;
    }
}

/// Tells the watchdog of a task that has stopped; if nothing comes of that, the minute does it.
async fn deliver(turn: &Turn<'_>, event: &Value, delivery: Option<Delivery>) -> Result<()> {
    let minute = watchdog::minute();
    match delivery {
        None => {
            call(turn, event).await?;
            call(turn, &minute).await
        }
        Some(Delivery::Twice) => {
            tokio::try_join!(call(turn, event), call(turn, event))?;
            call(turn, event).await
        }
        Some(Delivery::Late) => {
            call(turn, &minute).await?;
            call(turn, event).await
        }
        Some(Delivery::Lost) => call(turn, &minute).await,
    }
}

async fn call(turn: &Turn<'_>, event: &Value) -> Result<()> {
    let lane = turn.lane;
    lane.clients.functions.call(lane.deployed.watchdog_function()?, event).await
}

async fn stopped(turn: &Turn<'_>, task: &str) -> Result<Value> {
    let deployed = &turn.lane.deployed;
    let task = tasks::get(turn.lane.clients, deployed, task).await?;
    let family = family(deployed.task_definition(turn.design.program)?);
    Ok(watchdog::stopped(deployed.cluster()?, family, deployed.container()?, &task))
}

/// The task that the watchdog has started. All that it has started are noted: two would be one too many.
async fn next(turn: &Turn<'_>) -> Result<Option<String>> {
    let others = turn.others().await?;
    let ids: Vec<_> = others.iter().map(|task| turn.note(&task.task_arn, Starter::Watchdog)).collect();
    for spare in ids.iter().skip(1) {
        turn.end(spare).await?;
    }
    Ok(ids.into_iter().next())
}
