//! A worker of one's own: how it is named, and how it gets into an environment.

use super::context::Connected;
use crate::aws::deployed::Deployed;
use crate::aws::own::{self, Worker};
use crate::error::Result;

/// Makes `worker` what tasks of `Program::Own` run in the environment.
///
/// # Errors
/// When it cannot run there, or AWS refuses.
pub(super) async fn install(connected: &Connected<'_>, deployed: Deployed, worker: &Worker) -> Result<Deployed> {
    let ui = &connected.context.ui;
    if connected.context.settings.is_local() {
        ui.note(
            "Your worker runs as you, on this machine, with no container around it: it may do all that you may do.",
        );
    }
    own::install(&connected.clients, deployed, worker, |warning| ui.warn(warning)).await
}
