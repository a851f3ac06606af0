//! The batch job as it was first written: it does not know what was done before it.
//!
//! Interrupted and run again, it does every item again. Read it beside `improved.rs`.

use std::process::ExitCode;

use fis_workshop_worker::{Failure, Job, run};

pub(crate) fn main() -> ExitCode {
    run(original)
}

/// Works through the batch from its first item, whatever the table holds.
async fn original(job: &Job) -> Result<(), Failure> {
    let start = 0;

    job.log_start(start)?;
    for index in start..job.batch_size() {
        let result = job.work_on(index).await?;
        job.table().put(index, &result).await?;
        job.log_put(index)?;
    }
    Ok(())
}
