//! The watchdog starts the job again: it is told of each task that has stopped, and that a minute is over.

use serde_json::Value;

use super::lane::Playing;
use super::observed::Starter;
use super::schedule::{Delivery, How, Schedule};
use crate::aws::arn::family;
use crate::aws::tasks;
use crate::aws::watchdog;
use crate::error::Result;

pub(super) async fn play(playing: &Playing<'_>, schedule: &Schedule) -> Result<()> {
    let mut task = playing.start().await?;
    let mut delivery = match schedule.how {
        How::Event(delivery) => Some(delivery),
        _ => None,
    };
    loop {
        let exit_code = playing.end(&task).await?;
        let event = stopped(playing, &task).await?;
        if exit_code == Some(0) {
            // Whatever comes now starts nothing.
            call(playing, &event).await?;
            call(playing, &watchdog::minute()).await?;
            return next(playing).await.map(drop);
        }
        deliver(playing, &event, delivery.take()).await?;
        let Some(started) = next(playing).await? else { return Ok(()) };
        if !playing.may_start(schedule) {
            return Ok(());
        }
        task = started;
    }
}

/// Tells the watchdog of a task that has stopped; if nothing comes of that, the minute does it.
async fn deliver(playing: &Playing<'_>, event: &Value, delivery: Option<Delivery>) -> Result<()> {
    let minute = watchdog::minute();
    match delivery {
        None => {
            call(playing, event).await?;
            call(playing, &minute).await
        }
        Some(Delivery::Twice) => {
            tokio::try_join!(call(playing, event), call(playing, event))?;
            call(playing, event).await
        }
        Some(Delivery::Late) => {
            call(playing, &minute).await?;
            call(playing, event).await
        }
        Some(Delivery::Lost) => call(playing, &minute).await,
    }
}

async fn call(playing: &Playing<'_>, event: &Value) -> Result<()> {
    let lane = playing.lane;
    lane.clients.functions.call(lane.deployed.watchdog_function()?, event).await
}

async fn stopped(playing: &Playing<'_>, task: &str) -> Result<Value> {
    let deployed = &playing.lane.deployed;
    let task = tasks::get(playing.lane.clients, deployed, task).await?;
    let family = family(deployed.task_definition(playing.design.program)?);
    Ok(watchdog::stopped(deployed.cluster()?, family, deployed.container()?, &task))
}

/// The task that the watchdog has started. All that it has started are noted: two would be one too many.
async fn next(playing: &Playing<'_>) -> Result<Option<String>> {
    let others = playing.others().await?;
    let ids: Vec<_> = others.iter().map(|task| playing.note(&task.task_arn, Starter::Watchdog)).collect();
    for spare in ids.iter().skip(1) {
        playing.end(spare).await?;
    }
    Ok(ids.into_iter().next())
}
