//! The chapter: one design after the other, played and judged.

use super::evidence::Conditions;
use super::network;
use super::prediction::Predictions;
use super::report::{Report, Verdict};
use super::stage::Stage;
use super::variant::{Design, Restart};
use super::verdict::{Outcome, judge};
use super::{by_hand, by_watchdog, shared};
use crate::aws::arn::task_id;
use crate::aws::deployed::Deployed;
use crate::aws::tasks;
use crate::error::{Error, Result};
use crate::record::{Recorder, What};
use crate::setup::Scene;
use crate::ui::{BUSY, GOOD, NOTICE, paint};

/// Plays the designs in the environment.
///
/// # Errors
/// When AWS refuses, or something else runs in the environment.
pub(crate) async fn play(
    scene: Scene<'_>,
    record: &Recorder,
    deployed: &Deployed,
    designs: &[Design],
    conditions: Conditions,
    predictions: &Predictions,
) -> Result<Report> {
    let network = network::ready(scene.clients, |_| {});
    let (active, ()) = tokio::try_join!(tasks::active(scene.clients, deployed.cluster()?), network)?;
    if let Some(task) = active.first() {
        return Err(Error::failed(format!(
            "The task {} runs in the environment {}; the lab needs it for itself.",
            task_id(&task.task_arn),
            deployed.environment
        ))
        .hint("Wait for its end, or choose another environment with `--env`."));
    }
    let mut outcomes = Vec::new();
    for design in designs {
        let conditions = &conditions.of(design);
        let stage = Stage { ui: scene.ui, record, clients: scene.clients, deployed, conditions, design };
        stage.ui.note(paint(BUSY, format_args!("--- {} ---", design.name)));
        // Before anything runs: nobody has to think against the clock.
        let prediction = predictions.of(design, stage.ui, &conditions.first_fault()).await?;
        let Conditions { batch_size, item_seconds, .. } = *conditions;
        record.turn(&design.name, What::Turn { batch_size, item_seconds });
        outcomes.push(Outcome { prediction, ..turn(stage).await? });
    }
    let holds = outcomes.iter().all(Outcome::holds);
    Ok(Report {
        target: scene.settings.target,
        environment: deployed.environment.clone(),
        verdict: if holds { Verdict::Pass } else { Verdict::Fail },
        conditions,
        variants: outcomes,
        deleted_stacks: Vec::new(),
        survivors: Vec::new(),
        report: None,
    })
}

async fn turn(stage: Stage<'_>) -> Result<Outcome> {
    let (ui, design) = (stage.ui, stage.design);
    let evidence = match design.restart {
        Restart::ByHand => by_hand::play(stage).await?,
        Restart::ByWatchdog => by_watchdog::play(stage).await?,
        Restart::NotNeeded => shared::play(stage).await?,
    };
    let outcome = judge(design, &evidence);
    let good = if outcome.holds() { paint(GOOD, '✓') } else { paint(NOTICE, '✗') };
    let Outcome { variant, items, items_redone, .. } = &outcome;
    ui.note(format_args!("{good} {variant}: {items} items in the table, {items_redone} of them done twice."));
    Ok(outcome)
}
