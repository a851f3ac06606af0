//! Whoever has started the job starts it again, until it comes to its end.

use super::lane::Playing;
use super::schedule::{How, Schedule};
use crate::error::Result;

pub(super) async fn play(playing: &Playing<'_>, schedule: &Schedule) -> Result<()> {
    if schedule.how == How::TwoCopies {
        let first = playing.start().await?;
        // So that it is the first one at the gate.
        playing.seen(&first).await?;
        let second = playing.start().await?;
        let (first, second) = tokio::try_join!(playing.end(&first), playing.end(&second))?;
        if first == Some(0) && second == Some(0) {
            return Ok(());
        }
    }
    while playing.may_start(schedule) {
        let task = playing.start().await?;
        if playing.end(&task).await? == Some(0) {
            break;
        }
    }
    Ok(())
}
