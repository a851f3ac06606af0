//! The batch job that survives its own interruption: it asks the table where to go on.
//!
//! Interrupted and run again, it does at most the one item again that was in the making. Read it beside `original.rs`.

use std::process::ExitCode;

use fis_workshop_worker::{Failure, Job, run};

pub(crate) fn main() -> ExitCode {
    run(improved)
}

/// Works through what is left of the batch, and writes no item that is already there.
async fn improved(job: &Job) -> Result<(), Failure> {
    let start = job.table().continue_at().await?;

    job.log_start(start)?;
    for index in start..job.batch_size() {
        let result = job.work_on(index).await?;
        job.table().put_once(index, &result).await?;
        job.log_put(index)?;
    }
    Ok(())
}
