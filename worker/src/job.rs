//! The run of a batch from the first log line to the exit code.

use std::process::ExitCode;

use aws_config::SdkConfig;
use tokio::time::{Instant, sleep};

use crate::{Failure, Queue, Settings, Table, Written, aws, log, stop::Stop, task, work};

/// One run of the batch: what the programs have in common.
#[derive(Debug)]
pub struct Job {
    settings: Settings,
    configuration: SdkConfig,
    table: Table,
    stop: Stop,
}

/// Sets a [`Job`] up, lets `batch` work through it, and turns the outcome into the exit code of the process.
pub fn run(batch: impl AsyncFnOnce(&Job) -> Result<(), Failure>) -> ExitCode {
    match run_to_the_end(batch) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run_to_the_end(batch: impl AsyncFnOnce(&Job) -> Result<(), Failure>) -> Result<(), Failure> {
    let settings = Settings::from_env()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::process("starting the runtime"))?;
    let outcome = runtime.block_on(async {
        // Before any work: a process that is PID 1 of its container and has no handler ignores SIGTERM, and
        // `ecs:StopTask` would have to wait for `stopTimeout` and then kill it.
        let stop = Stop::listen()?;
        log::line("Starting batch job")?;
        tokio::select! {
            outcome = async { batch(&Job::set_up(settings, stop.clone()).await?).await } => outcome,
            signal = stop.out_of_time() => Err(Failure::Abandoned { signal }),
        }
    });
    // Dropping the runtime would wait for a name resolution that hangs; a stopped task has no time for that.
    runtime.shutdown_background();
    outcome
}

impl Job {
    async fn set_up(settings: Settings, stop: Stop) -> Result<Self, Failure> {
        let task_id = task::id(settings.metadata_uri.as_deref()).await?;
        let configuration = aws::configuration().await?;
        let table = Table::new(&configuration, settings.table_name.clone(), settings.batch_id.clone(), task_id);
        Ok(Self { settings, configuration, table, stop })
    }

    /// The DynamoDB table, seen by this task and for this batch.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The SQS queue whose messages are the batch's items; says that the job takes them from there.
    pub async fn queue(&self) -> Result<Queue, Failure> {
        let queue = Queue::open(&self.configuration, &self.settings, self.stop.clone()).await?;
        log::line("Taking items from the queue")?;
        Ok(queue)
    }

    /// How many items make up the batch; their indexes are 0 to one less.
    pub fn batch_size(&self) -> u64 {
        self.settings.batch_size
    }

    /// The result of item `index`, after `ITEM_SECONDS` all in all.
    ///
    /// This is where the job notices a signal: nothing has been sent for this item yet, so stopping here leaves the
    /// table as it is.
    pub async fn work_on(&self, index: u64) -> Result<String, Failure> {
        let item = async {
            if self.settings.poison_items.contains(&index) {
                return Err(Failure::Item { index, cause: "it is one of POISON_ITEMS" });
            }
            let begin = Instant::now();
            let result = work(index);
            let left = self.settings.item_time.saturating_sub(begin.elapsed());
            // A timer that is over already would cost a millisecond.
            if !left.is_zero() {
                sleep(left).await;
            }
            Ok(result)
        };
        tokio::select! {
            biased;
            signal = self.stop.received() => Err(Failure::Stopped { signal, before: index }),
            result = item => result,
        }
    }

    /// Says where this run begins.
    pub fn log_start(&self, start: u64) -> Result<(), Failure> {
        let size = self.batch_size();
        if start >= size {
            log::line(format_args!("Nothing left to do: all {size} items are written"))
        } else if start == 0 {
            log::line("Starting at 0")
        } else {
            log::line(format_args!("Continuing at {start}"))
        }
    }

    /// Says that DynamoDB has acknowledged item `index`.
    pub fn log_put(&self, index: u64) -> Result<(), Failure> {
        let size = self.batch_size();
        log::line(format_args!("Successfully PUT item {index} out of {size} into DDB"))
    }

    /// Says that item `index` is in the table, and whether this task has put it there.
    pub fn log_written(&self, index: u64, written: &Written) -> Result<(), Failure> {
        match written {
            Written::Now | Written::Earlier => self.log_put(index),
            Written::ByOther(owner) => log::line(format_args!("Item {index} was written already, by task {owner}")),
        }
    }
}
