//! Several tasks share the work: one of them is stopped, then all, and as many are started again.

use super::evidence::Evidence;
use super::stage::Stage;
use crate::aws::experiment::Selection;
use crate::error::Result;
use crate::ui::{NOTICE, paint};

pub(super) async fn play(stage: Stage<'_>) -> Result<Evidence> {
    stage.clear().await?;
    stage.seed().await?;
    let tasks = stage.run_several().await?;
    let (quarter, half) = (stage.conditions.batch_size / 4, stage.conditions.batch_size / 2);
    let interruptions = async {
        let one = stage.interrupt_several(Selection::One, quarter).await?;
        stage.ui.note(format_args!("{} One task was stopped; the others go on.", paint(NOTICE, '!')));
        let all = stage.interrupt_several(Selection::All, half).await?;
        Ok(vec![one, all])
    };
    let (mut runs, interruptions) = tokio::try_join!(stage.follow_all(&tasks), interruptions)?;
    stage.ui.note(format_args!("{} All tasks were stopped. Running as many again.", paint(NOTICE, '!')));
    let tasks = stage.run_several().await?;
    runs.extend(stage.follow_all(&tasks).await?);
    stage.evidence(runs, interruptions).await
}
