//! An environment as it is: stacks, tasks, experiments, the table, and what of it somebody has deleted.
//!
//! # Layout
//! - `look`: the questions to AWS
//! - `parts`: what was deleted by hand
//! - `show`: the text of it

mod look;
mod parts;
mod show;

pub(crate) use self::look::{Look, look, look_at};

use serde::{Serialize, Serializer};

use crate::aws::experiment::Experiment;
use crate::aws::queue::Depth;
use crate::aws::table::Item;
use crate::aws::tasks::Task;
use crate::aws::watchdog::Said;
use crate::environment::{Environment, NETWORK_STACK};
use crate::error::Error;
use crate::target::Target;

/// Several environments, in a table.
#[derive(Debug, Serialize)]
pub(crate) struct Several {
    pub(crate) target: Target,
    pub(crate) environments: Vec<Status>,
}

/// One environment.
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    pub(crate) target: Target,
    pub(crate) environment: Environment,
    pub(crate) stacks: Vec<StackStatus>,
    pub(crate) tasks: Vec<TaskStatus>,
    /// Stopped tasks that `--all-tasks` would show, too.
    pub(crate) older_tasks: usize,
    pub(crate) experiments: Vec<Experiment>,
    pub(crate) table: Option<TableStatus>,
    /// Messages of the queue.
    pub(crate) queue: Option<Depth>,
    /// What the watchdog has last said, if there was something to tell.
    pub(crate) watchdog: Option<Said>,
    /// `null`: everything is there, and could be read.
    pub(crate) problem: Option<Problem>,
}

/// One of its two stacks.
#[derive(Debug, Serialize)]
pub(crate) struct StackStatus {
    pub(crate) stack: String,
    /// `null`: there is no such stack.
    pub(crate) status: Option<String>,
    pub(crate) reason: Option<String>,
}

/// One of its tasks.
#[derive(Debug, Serialize)]
pub(crate) struct TaskStatus {
    /// The word for `run`; `null` when its definition is none of the environment's.
    pub(crate) variant: Option<&'static str>,
    #[serde(flatten)]
    pub(crate) task: Task,
}

/// How far the batch is.
#[derive(Debug, Serialize)]
pub(crate) struct TableStatus {
    pub(crate) table: String,
    pub(crate) items: usize,
    /// Those items; in JSON, `items` shows them.
    #[serde(skip)]
    pub(crate) written: Vec<Item>,
    pub(crate) batch_size: u64,
    pub(crate) missing: Vec<u64>,
}

/// What is wrong with an environment; in JSON, a sentence.
#[derive(Debug)]
pub(crate) struct Problem {
    /// In the few words that a table has room for.
    pub(crate) short: String,
    pub(crate) text: String,
    /// Unless it only means that something is gone.
    pub(crate) error: Option<Error>,
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl Status {
    /// What there is when there is nothing.
    pub(crate) fn of_nothing(target: Target, environment: Environment) -> Self {
        let stacks = [NETWORK_STACK.to_owned(), environment.stack_name()].map(StackStatus::missing).into();
        Self {
            target,
            environment,
            stacks,
            tasks: Vec::new(),
            older_tasks: 0,
            experiments: Vec::new(),
            table: None,
            queue: None,
            watchdog: None,
            problem: None,
        }
    }

    /// Whether the environment has a stack.
    pub(crate) fn is_set_up(&self) -> bool {
        self.stacks.last().is_some_and(|stack| stack.status.is_some())
    }
}

impl StackStatus {
    fn missing(stack: String) -> Self {
        Self { stack, status: None, reason: None }
    }
}

impl Problem {
    /// Something could not be read.
    fn of(error: Error, target: Target) -> Self {
        Self { short: "cannot be read".to_owned(), text: error.told(target), error: Some(error) }
    }
}
