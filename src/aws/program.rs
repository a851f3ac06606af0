//! The workers' programs. What runs a batch and how it is interrupted is a design: see `lab::variant`.

use std::fmt;

/// Logical id of the log group of the function that restarts the watched job.
const WATCHDOG_FUNCTION_LOG_GROUP: &str = "WatchdogFunctionLogGroup";

/// A program of the workers: it has an image, a task definition and a log group in each environment.
///
/// The watchdog's own image is a function; what runs as tasks in its name is the improved worker once more. A worker of one's
/// own has neither image nor task definition before somebody brings it (`super::own`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Program {
    Original,
    Improved,
    Watchdog,
    Queue,
    Own,
}

impl Program {
    /// All of them, in the order of the chapter.
    pub(crate) const ALL: &[Self] = &[Self::Original, Self::Improved, Self::Watchdog, Self::Queue, Self::Own];

    /// Those that are ours: the template has their images and task definitions.
    pub(crate) const OURS: &[Self] = &[Self::Original, Self::Improved, Self::Watchdog, Self::Queue];

    /// Its name, and that of its image.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Improved => "improved",
            Self::Watchdog => "watchdog",
            Self::Queue => "queue",
            Self::Own => "own",
        }
    }

    /// The one of ours that has this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::OURS.iter().copied().find(|program| program.name() == name)
    }

    /// `NAME=URI` for each of them, as `--image` takes it.
    pub(crate) fn image_flags() -> String {
        let flags: Vec<_> = Self::OURS.iter().map(|program| format!("--image {program}=URI")).collect();
        flags.join(" ")
    }

    /// The template's parameter with its image.
    pub(crate) fn image_parameter(self) -> String {
        format!("{}ImageUri", self.key())
    }

    /// The template's output with its task definition.
    pub(crate) fn task_definition_output(self) -> String {
        format!("{}TaskDefinitionArn", self.key())
    }

    /// The template's output with the role that it runs with.
    pub(crate) fn task_role_output(self) -> String {
        format!("{}TaskRoleArn", self.key())
    }

    /// The template's output with its log group.
    pub(crate) fn log_group_output(self) -> String {
        format!("{}LogGroupName", self.key())
    }

    /// Logical id of its log group, which is in the group's generated name.
    pub(crate) fn log_group_id(self) -> String {
        format!("{}LogGroup", self.key())
    }

    /// Logical ids of all log groups of the template.
    pub(crate) fn all_log_group_ids() -> Vec<String> {
        let of_function = std::iter::once(WATCHDOG_FUNCTION_LOG_GROUP.to_owned());
        Self::ALL.iter().map(|program| program.log_group_id()).chain(of_function).collect()
    }

    /// Start of the names of all that the template has of it.
    fn key(self) -> &'static str {
        match self {
            Self::Original => "Original",
            Self::Improved => "Improved",
            Self::Watchdog => "Watchdog",
            Self::Queue => "Queue",
            Self::Own => "Own",
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
#[path = "program_tests.rs"]
mod tests;
