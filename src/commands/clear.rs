use std::fmt;

use clap::Args;
use serde::Serialize;

use super::context::Context;
use crate::aws::arn::task_id;
use crate::aws::{queue, table, tasks};
use crate::error::Result;

/// Empty the table, and the queue
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  fis-workshop clear        Before the next variant")]
pub(crate) struct ClearArgs {}

#[derive(Debug, Serialize)]
struct Cleared {
    table: String,
    deleted: usize,
}

/// Empties the table.
pub(crate) async fn run(context: &Context, _args: ClearArgs) -> Result<u8> {
    let connected = context.connect().await?;
    let deployed = connected.deployed().await?;
    if let Some(task) = tasks::active(&connected.clients, deployed.cluster()?).await?.first() {
        let id = task_id(&task.task_arn);
        context.ui.warn(format_args!("The task {id} runs: it will go on writing to the table."));
    }
    let progress = context.ui.progress("Emptying the table");
    let gone = |count: usize| progress.now(format!("Emptying the table: {count} items are gone"));
    let deleted = table::clear(&connected.clients, &deployed, gone).await?;
    let on_wait = || progress.now("Emptying the queue: SQS takes a minute");
    queue::clear(&connected.clients, &deployed, on_wait).await?;
    drop(progress);
    context.ui.result(&Cleared { table: deployed.table()?.to_owned(), deleted })?;
    Ok(0)
}

impl fmt::Display for Cleared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Deleted {} items of {}.", self.deleted, self.table)
    }
}
