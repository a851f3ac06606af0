//! The batch job whose items are messages of a queue, for any number of tasks at once.
//!
//! Interrupted, it gives the item in the making back, and whoever is next does it. Read it beside `improved.rs`.

use std::process::ExitCode;

use fis_workshop_worker::{Failure, Job, run};

pub(crate) fn main() -> ExitCode {
    run(queue)
}

/// Works through what is left in the queue, and writes no item that is already there.
async fn queue(job: &Job) -> Result<(), Failure> {
    let queue = job.queue().await?;

    while let Some(item) = queue.next().await? {
        let Some(result) = item.hold(job.work_on(item.index)).await? else { continue };
        let written = job.table().put_if_absent(item.index, &result).await?;
        job.log_written(item.index, &written)?;
        item.delete().await?;
    }
    Ok(())
}
