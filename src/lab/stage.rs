//! What can be done on a design's turn; what is done, and in which order, is in a file for each way to play it.

use super::evidence::{Conditions, Interruption, Run};
use super::follow::follow;
use super::interrupt::{Trigger, interrupt};
use super::variant::Design;
use crate::aws::arn::task_id;
use crate::aws::clients::Clients;
use crate::aws::deployed::Deployed;
use crate::aws::stop_reason;
use crate::aws::table::{self, Item};
use crate::aws::tasks::{self, Overrides, Task};
use crate::error::Result;
use crate::ui::{FAINT, Ui, paint};

/// One design's turn.
#[derive(Clone, Copy)]
pub(super) struct Stage<'a> {
    pub(super) ui: &'a Ui,
    pub(super) clients: &'a Clients,
    pub(super) deployed: &'a Deployed,
    pub(super) conditions: Conditions,
    pub(super) design: &'static Design,
}

impl Stage<'_> {
    /// Empties the table.
    pub(super) async fn clear(self) -> Result<()> {
        let cleared = table::clear(self.clients, self.deployed, |_| ()).await?;
        self.ui.note(format_args!("Cleared the table ({cleared} items)."));
        Ok(())
    }

    /// Starts a task.
    pub(super) async fn run(self) -> Result<Task> {
        let Conditions { batch_size, item_seconds, .. } = self.conditions;
        let overrides = Overrides { item_seconds: Some(item_seconds), batch_size: Some(batch_size) };
        let on_wait = |reason: &str| self.ui.note(format_args!("{reason}. Trying again."));
        let task = tasks::run(self.clients, self.deployed, self.design.program, overrides, on_wait).await?;
        self.ui.note(format_args!("Started the task {}.", task_id(&task.task_arn)));
        Ok(task)
    }

    /// Shows the task's log to its last line.
    pub(super) async fn follow(self, task: &Task) -> Result<Run> {
        let Design { name, program, .. } = self.design;
        let mut log = Vec::new();
        let task = follow(
            self.clients,
            self.deployed,
            *program,
            &task.task_arn,
            |_| (),
            |line| {
                self.ui.note(paint(FAINT, format_args!("  {name} | {}", line.message)));
                log.push(line.message.clone());
                Ok(())
            },
        )
        .await?;
        // Never started: no evidence, and the reason is what the user needs.
        if task.exit_code.is_none() {
            return Err(stop_reason::failure(format!("The task {} did not run.", task_id(&task.task_arn)), &task));
        }
        Ok(Run { task, log })
    }

    /// Lets the experiment stop what runs, when `task` has written the index.
    pub(super) async fn interrupt(self, task: &Task) -> Result<Interruption> {
        let trigger = Trigger { at_index: Some(self.conditions.at_index), task_arn: Some(&task.task_arn) };
        interrupt(self.ui, self.clients, self.deployed, trigger, || ()).await
    }

    /// What is in the table.
    pub(super) async fn items(self) -> Result<Vec<Item>> {
        table::items(self.clients, self.deployed).await
    }
}
