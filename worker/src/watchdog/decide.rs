//! What is to be done about a job, out of nothing but what was seen of it.

use std::{fmt, str::FromStr, time::Duration};

use aws_sdk_ecs::types::TaskOverride;
use chrono::{DateTime, SecondsFormat, Utc};

/// After a task that stopped longer ago, nothing is started: less than the hour of which the [`watchdog`](super) can be sure, by
/// more than an invocation takes.
const MEMORY: Duration = Duration::from_secs(55 * 60);

/// What an invocation sees.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What the table says.
    pub progress: Progress,
    /// A task of the family that has not stopped, if there is one.
    pub running: Option<String>,
    /// The last of the stopped tasks, if all have stopped.
    pub last: Option<Ended>,
    pub(super) batch_id: String,
    pub(super) overrides: Option<TaskOverride>,
}

/// How far the batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The first item that is not in the table.
    pub next: u64,
    /// How many items there are to be.
    pub size: u64,
}

/// A task that has stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its id.
    pub task: String,
    /// `None` if its program never ran.
    pub exit_code: Option<i32>,
    /// When it stopped.
    pub at: DateTime<Utc>,
    /// What the watchdog that started it knew; `None` if a person started it.
    pub mark: Option<Mark>,
}

/// What a watchdog tells the next one, in `startedBy` of the task: `watchdog/IN_VAIN/NEXT`. The chain of tasks is the
/// watchdog's memory; it has no other that could contradict it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// How many restarts there have been, right before this one, that wrote no item.
    pub in_vain: u32,
    /// The item at which this restart begins.
    pub next: u64,
}

/// When to lose patience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// So many restarts in a row may write no item.
    pub restarts: u32,
    /// How long to wait after the first of them; after each further one, twice as long.
    pub backoff: Duration,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nobody has started a job, or it is too long ago.
    NoJob,
    /// The job goes on without help.
    Running {
        /// The task that does it.
        task: String,
    },
    /// All items are written.
    Complete {
        /// How many.
        size: u64,
    },
    /// The job says that it is done; if items are missing, somebody has taken them away.
    Done {
        /// Its last task.
        task: String,
    },
    /// Not yet: the last restarts were in vain.
    Wait {
        /// How many.
        in_vain: u32,
        /// The first moment at which the next one makes sense.
        until: DateTime<Utc>,
    },
    /// The job was interrupted.
    Restart {
        /// The task after which it goes on.
        after: Ended,
        /// What the next task is started by.
        mark: Mark,
    },
    /// A further restart would be in vain, too. A person has to look, and start the job.
    GiveUp {
        /// The last task.
        after: Ended,
        /// The item at which nothing moves.
        next: u64,
        /// How many restarts have written nothing.
        in_vain: u32,
    },
    /// The job was interrupted when nobody watched, and now it cannot be told any more whether it was restarted.
    TooLate {
        /// The last task that is known.
        after: Ended,
    },
}

/// What is to be done about a job.
pub fn decide(seen: &Seen, limits: &Limits, now: DateTime<Utc>) -> Decision {
    let Progress { next, size } = seen.progress;
    if let Some(task) = &seen.running {
        return Decision::Running { task: task.clone() };
    }
    let Some(last) = &seen.last else {
        return Decision::NoJob;
    };
    if next >= size {
        return Decision::Complete { size };
    }
    if last.exit_code == Some(0) {
        return Decision::Done { task: last.task.clone() };
    }
    let in_vain = match last.mark {
        Some(mark) if mark.next == next => mark.in_vain.saturating_add(1),
        _ => 0,
    };
    if in_vain >= limits.restarts {
        return Decision::GiveUp { after: last.clone(), next, in_vain };
    }
    if now > last.at + MEMORY {
        return Decision::TooLate { after: last.clone() };
    }
    let until = last.at + limits.pause(in_vain);
    if now < until {
        return Decision::Wait { in_vain, until };
    }
    Decision::Restart { after: last.clone(), mark: Mark { in_vain, next } }
}

impl Limits {
    /// How long a task that stopped has to have been stopped, after so many restarts in vain.
    fn pause(&self, in_vain: u32) -> Duration {
        match in_vain {
            0 => Duration::ZERO,
            // Longer would be too late, which the next decision says then.
            n => self.backoff.saturating_mul(2_u32.saturating_pow(n - 1)).min(MEMORY),
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "watchdog/{}/{}", self.in_vain, self.next)
    }
}

impl FromStr for Mark {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (in_vain, next) = text.strip_prefix("watchdog/").and_then(|rest| rest.split_once('/')).ok_or(())?;
        Ok(Self { in_vain: in_vain.parse().map_err(drop)?, next: next.parse().map_err(drop)? })
    }
}

impl Decision {
    /// `State` of what others read in the table.
    pub(super) fn state(&self) -> &'static str {
        match self {
            Self::NoJob | Self::Running { .. } | Self::Complete { .. } | Self::Done { .. } => "watching",
            Self::Wait { .. } => "waiting",
            Self::Restart { .. } => "restarted",
            Self::GiveUp { .. } | Self::TooLate { .. } => "gave up",
        }
    }
}

/// One line for the log.
impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoJob => f.write_str("Nothing to do: there is no job"),
            Self::Running { task } => write!(f, "Nothing to do: task {task} is at work"),
            Self::Complete { size } => write!(f, "Nothing to do: all {size} items are written"),
            Self::Done { task } => write!(f, "Nothing to do: task {task} ended with exit code 0"),
            Self::Wait { in_vain, until } => {
                let until = until.to_rfc3339_opts(SecondsFormat::Secs, true);
                write!(f, "Waiting until {until}: restarts that wrote no item: {in_vain}")
            }
            Self::Restart { after, mark } => write!(f, "Restarted at item {}: {after}", mark.next),
            Self::GiveUp { after, next, in_vain } => {
                write!(f, "Giving up at item {next}: restarts that wrote no item: {in_vain}; {after}; ")?;
                f.write_str("find out why, and start the job by hand")
            }
            Self::TooLate { after } => write!(f, "Giving up: {after}, too long ago; start the job by hand"),
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.exit_code {
            Some(code) => write!(f, "task {} stopped with exit code {code}", self.task),
            None => write!(f, "task {} stopped without an exit code", self.task),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_mark_is_read_as_it_was_written(in_vain: u32, next: u64) {
            let mark = Mark { in_vain, next };
            let text = mark.to_string();
            prop_assert_eq!(text.parse(), Ok(mark));
            // What ECS takes as `startedBy`.
            prop_assert!(text.len() <= 128 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-/_".contains(&b)));
        }

        #[test]
        fn nobody_elses_mark_is_taken_for_one(text in "(watchdog)?/?[0-9-]{0,3}/?[a-z0-9]{0,3}") {
            if let Ok(mark) = text.parse::<Mark>() {
                prop_assert!(text.starts_with("watchdog/"));
                prop_assert_eq!(mark.to_string().parse(), Ok(mark));
            }
        }
    }
}
