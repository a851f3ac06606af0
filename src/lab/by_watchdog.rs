//! Interrupted several times, and restarted by nobody but the watchdog.

use super::evidence::Evidence;
use super::stage::Stage;
use crate::error::Result;
use crate::ui::{NOTICE, paint};

pub(super) async fn play(stage: Stage<'_>) -> Result<Evidence> {
    stage.clear().await?;
    let mut task = stage.run().await?;
    let (mut runs, mut interruptions) = (Vec::new(), Vec::new());
    for at_index in &stage.conditions.at_indexes {
        let (interrupted, interruption) = tokio::try_join!(stage.follow(&task), stage.interrupt(&task, *at_index))?;
        runs.push(interrupted);
        interruptions.push(interruption);
        stage.ui.note(format_args!("{} The task was stopped. Waiting for the watchdog.", paint(NOTICE, '!')));
        match stage.wait_for_next(&runs).await? {
            Some(next) => task = next,
            // The hypothesis does not hold, and the evidence says why.
            None => return stage.evidence(runs, interruptions).await,
        }
    }
    runs.push(stage.follow(&task).await?);
    stage.evidence(runs, interruptions).await
}
