//! FIS's own preview: an experiment like the real one, of which every action is skipped.

use std::fmt;

use aws_sdk_fis::types::ActionsMode;
use serde::Serialize;

use super::aim::{Aim, Trigger};
use crate::aws::clients::Clients;
use crate::aws::deployed::Deployed;
use crate::aws::experiment::{self, Experiment, Fault, ResolvedTarget, Selection};
use crate::error::Result;
use crate::record::Recorder;
use crate::ui::Ui;

/// What FIS would hit.
#[derive(Debug, Serialize)]
pub(crate) struct Preview {
    experiment: Experiment,
    /// What each target of the template was resolved to.
    targets: Vec<ResolvedTarget>,
}

/// Has FIS resolve the targets of the experiment, and stop none of them. `on_start` is called before it is started.
///
/// # Errors
/// When there is nothing to hit, with the reason; when FIS cannot resolve the targets.
pub(crate) async fn preview(
    ui: &Ui,
    clients: &Clients,
    deployed: &Deployed,
    fault: Fault,
    on_start: impl Fn(),
) -> Result<Preview> {
    let nobody = Recorder::off();
    let aim = Aim::take(ui, &nobody, clients, deployed, fault).await?;
    let running = aim.wait_for_targets(Trigger { fault, ..Trigger::default() }).await?;
    let experiment = aim.run_experiment(ActionsMode::SkipAll, &running, on_start).await?;
    let targets = experiment::resolved_targets(clients, &experiment.experiment_id).await?;
    if fault.selection == Selection::One && running.len() > 1 {
        ui.note(format_args!("FIS picks one of {} tasks, each time anew.", running.len()));
    }
    Ok(Preview { experiment, targets })
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ResolvedTarget { target_name, target_information, .. } in &self.targets {
            let what: Vec<_> = target_information.values().map(String::as_str).collect();
            writeln!(f, "The target {target_name} is {}.", what.join(", "))?;
        }
        writeln!(f, "Nothing was stopped: {} skipped every action.", self.experiment.experiment_id)
    }
}
