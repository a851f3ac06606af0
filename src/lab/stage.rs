//! What can be done on a design's turn; what is done, and in which order, is in a file for each way to play it.

use std::time::Duration;

use futures_util::future::try_join_all;

use super::aim::Trigger;
use super::evidence::{Conditions, Evidence, Interruption, Run};
use super::follow::follow;
use super::interrupt::interrupt;
use super::silence::{Limit, Silence};
use super::variant::Design;
use crate::aws::arn::task_id;
use crate::aws::clients::Clients;
use crate::aws::deployed::Deployed;
use crate::aws::experiment::{Fault, Selection};
use crate::aws::logs::Line;
use crate::aws::patience::Patience;
use crate::aws::program::Program;
use crate::aws::stop_reason;
use crate::aws::tasks::{self, Overrides, Task};
use crate::aws::{queue, table, watchdog};
use crate::error::{Error, Result};
use crate::record::{Recorder, What};
use crate::ui::{FAINT, Ui, paint};

/// How long the watchdog may take: its schedule wakes it every minute, and Fargate takes a while to start a task.
const RESTART_LIMIT: Duration = Duration::from_secs(240);

/// One design's turn.
#[derive(Clone, Copy)]
pub(super) struct Stage<'a> {
    pub(super) ui: &'a Ui,
    pub(super) record: &'a Recorder,
    pub(super) clients: &'a Clients,
    pub(super) deployed: &'a Deployed,
    pub(super) conditions: &'a Conditions,
    pub(super) design: &'a Design,
}

impl Stage<'_> {
    /// Empties the table, and the queue.
    pub(super) async fn clear(self) -> Result<()> {
        let cleared = table::clear(self.clients, self.deployed, |_| ()).await?;
        queue::clear(self.clients, self.deployed, || self.ui.note("SQS takes a minute to empty a queue.")).await?;
        self.ui.note(format_args!("Cleared the table ({cleared} items)."));
        Ok(())
    }

    /// Sends a message for each item.
    pub(super) async fn seed(self) -> Result<()> {
        let sent = queue::seed(self.clients, self.deployed, self.conditions.batch_size, |_| ()).await?;
        self.record.now(What::Sent { messages: sent });
        self.ui.note(format_args!("Sent {sent} items to the queue."));
        Ok(())
    }

    /// Starts a task.
    pub(super) async fn run(self) -> Result<Task> {
        let Conditions { batch_size, item_seconds, .. } = *self.conditions;
        let overrides = Overrides { item_seconds: Some(item_seconds), batch_size: Some(batch_size) };
        let on_wait = |reason: &str| self.ui.note(format_args!("{reason}. Trying again."));
        let task = tasks::run(self.clients, self.deployed, self.design.program, overrides, on_wait).await?;
        self.ui.note(format_args!("Started the task {}.", task_id(&task.task_arn)));
        Ok(task)
    }

    /// Starts as many tasks as share the work.
    pub(super) async fn run_several(self) -> Result<Vec<Task>> {
        try_join_all((0..self.conditions.tasks).map(|_| self.run())).await
    }

    /// Shows the task's log to its last line.
    pub(super) async fn follow(self, task: &Task) -> Result<Run> {
        let Design { name, program, .. } = self.design;
        let (mut log, mut began_at) = (Vec::new(), None);
        let limit = if *program == Program::Own { Limit::Usual } else { Limit::None };
        let silence = Silence::new(self.clients, self.deployed, limit, self.conditions.item_seconds);
        let on_line = |line: &Line| {
            silence.begin();
            self.record.line(&task.task_arn, line);
            self.ui.note(paint(FAINT, format_args!("  {name} | {}", line.message)));
            began_at.get_or_insert_with(|| line.timestamp.clone());
            log.push(line.message.clone());
            Ok(())
        };
        let on_state = |task: &Task| {
            silence.note(task);
            self.record.task(task);
        };
        let arn = &task.task_arn;
        let task = tokio::select! {
            task = follow(self.clients, self.deployed, *program, arn, on_state, on_line) => task?,
            said = silence.ends(task) => return Err(Error::failed(said?).hint("`fis-workshop try` runs it alone.")),
        };
        // Never started: no evidence, and the reason is what the user needs.
        if task.exit_code.is_none() {
            return Err(stop_reason::failure(format!("The task {} did not run.", task_id(&task.task_arn)), &task));
        }
        Ok(Run { task, log, began_at })
    }

    /// The same for several tasks at once.
    pub(super) async fn follow_all(self, tasks: &[Task]) -> Result<Vec<Run>> {
        try_join_all(tasks.iter().map(|task| self.follow(task))).await
    }

    /// Lets the experiment stop what runs, when `task` has written the index.
    pub(super) async fn interrupt(self, task: &Task, at_index: u64) -> Result<Interruption> {
        let trigger = Trigger { at_index: Some(at_index), task_arn: Some(&task.task_arn), ..Trigger::default() };
        interrupt(self.ui, self.record, self.clients, self.deployed, trigger, || ()).await
    }

    /// Lets an experiment stop one of the tasks, or all, when there are so many items: tasks that share the work write
    /// them in no particular order.
    pub(super) async fn interrupt_several(self, selection: Selection, items: u64) -> Result<Interruption> {
        let mut pace = self.clients.pace();
        // Without a task that runs, there is nothing to wait for, and the refusal says why.
        while self.written().await? < items && !tasks::active(self.clients, self.deployed.cluster()?).await?.is_empty()
        {
            pace.wait().await;
        }
        let trigger = Trigger { fault: Fault { selection, ..Fault::default() }, ..Trigger::default() };
        interrupt(self.ui, self.record, self.clients, self.deployed, trigger, || ()).await
    }

    /// The task that somebody else starts; `None` if nobody does in time.
    pub(super) async fn wait_for_next(self, runs: &[Run]) -> Result<Option<Task>> {
        let is_known = |task: &Task| runs.iter().any(|run| run.task.task_arn == task.task_arn);
        let mut patience = Patience::new(self.clients, RESTART_LIMIT);
        loop {
            // One that is short of work may have ended before it was seen.
            let tasks = tasks::of_environment(self.clients, self.deployed).await?;
            let is_next = |task: &&Task| {
                self.deployed.program_of(&task.task_definition_arn) == Some(self.design.program)
                    && !is_known(task)
                    && runs.iter().all(|run| run.task.created_at < task.created_at)
            };
            if let Some(task) = tasks.iter().filter(is_next).min_by_key(|task| &task.created_at) {
                self.ui.note(format_args!("The watchdog has started the task {}.", task_id(&task.task_arn)));
                return Ok(Some(task.clone()));
            }
            let said = watchdog::said(self.clients, self.deployed).await?;
            if said.is_some_and(|said| said.has_given_up()) || !patience.wait().await {
                return Ok(None);
            }
        }
    }

    /// How many items are in the table.
    async fn written(self) -> Result<u64> {
        let items = table::items(self.clients, self.deployed).await?;
        self.record.items(&items);
        Ok(items.len() as u64)
    }

    /// All that the design has left behind.
    pub(super) async fn evidence(self, runs: Vec<Run>, interruptions: Vec<Interruption>) -> Result<Evidence> {
        let items = table::items(self.clients, self.deployed).await?;
        self.record.items(&items);
        Ok(Evidence {
            conditions: self.conditions.clone(),
            expected: self.design.expected,
            runs,
            interruptions,
            items,
            dead_items: queue::dead_items(self.clients, self.deployed).await?,
            watchdog: watchdog::said(self.clients, self.deployed).await?,
        })
    }
}
