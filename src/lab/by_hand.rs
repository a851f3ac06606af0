//! Run, interrupted, and run again by hand: how the chapter plays its two designs.

use super::evidence::Evidence;
use super::stage::Stage;
use crate::error::Result;
use crate::ui::{NOTICE, paint};

pub(super) async fn play(stage: Stage<'_>) -> Result<Evidence> {
    stage.clear().await?;
    let first = stage.run().await?;
    let at_index = stage.conditions.at_index;
    let (interrupted, interruption) = tokio::try_join!(stage.follow(&first), stage.interrupt(&first, at_index))?;
    let last = interruption.last_index();
    let last = last.map_or_else(|| "anything was written".to_owned(), |index| format!("index {index} was written"));
    stage.ui.note(format_args!("{} The task was stopped after {last}. Running it again.", paint(NOTICE, '!')));
    let second = stage.run().await?;
    let restarted = stage.follow(&second).await?;
    stage.evidence(vec![interrupted, restarted], vec![interruption]).await
}
