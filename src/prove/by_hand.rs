//! Whoever has started the job starts it again, until it comes to its end.

use super::lane::Turn;
use super::schedule::{How, Schedule};
use crate::error::Result;

pub(super) async fn play(turn: &Turn<'_>, schedule: &Schedule) -> Result<()> {
    if schedule.how == How::TwoCopies {
        let first = turn.start().await?;
        // So that it is the first one at the gate.
        turn.seen(&first).await?;
        let second = turn.start().await?;
        let (first, second) = tokio::try_join!(turn.end(&first), turn.end(&second))?;
        if first == Some(0) && second == Some(0) {
            return Ok(());
        }
    }
    while turn.may_start(schedule) {
        let task = turn.start().await?;
        if turn.end(&task).await? == Some(0) {
            break;
        }
    }
    Ok(())
}
