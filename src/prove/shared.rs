//! Several tasks share the work: what a killed one leaves undone, the others do.

use super::lane::Playing;
use super::schedule::{How, Schedule};
use crate::error::Result;

pub(super) async fn play(playing: &Playing<'_>, schedule: &Schedule) -> Result<()> {
    // One more than are killed, all of them from the start.
    let count = match schedule.how {
        How::Undisturbed | How::Message(..) => 1,
        _ => schedule.kills().max(1) + 1,
    };
    let mut tasks = Vec::new();
    for _ in 0..count {
        let task = playing.start().await?;
        playing.seen(&task).await?;
        tasks.push(task);
    }
    for task in &tasks {
        playing.end(task).await?;
    }
    Ok(())
}
