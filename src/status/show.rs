//! The text of it, in 80 columns.

use std::fmt;

use comfy_table::{Table, presets};

use super::{Problem, Several, Status, TableStatus, TaskStatus};
use crate::aws::arn::{last_part, short_id};
use crate::aws::program::Program;
use crate::aws::queue::Depth;
use crate::aws::stack::status;
use crate::aws::stop_reason;
use crate::ui::{BAD, paint};

impl fmt::Display for Several {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.environments.is_empty() {
            return writeln!(f, "No environment is set up.");
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(["environment", "stack", "running", "last experiment", "items"]);
        for status in &self.environments {
            let Status { environment, stacks, tasks, experiments, .. } = status;
            let stack = stacks.last().map_or("-", |stack| stack.status.as_deref().unwrap_or("not set up"));
            let running = tasks.iter().filter(|task| !task.task.is_stopped()).count();
            let experiment =
                experiments.iter().find(|it| !it.is_preview()).map_or("-", |experiment| experiment.status.as_str());
            table.add_row([&environment.to_string(), stack, &running.to_string(), experiment, &status.items()]);
        }
        writeln!(f, "{}", table.trim_fmt())?;
        for Status { environment, problem, .. } in &self.environments {
            if let Some(Problem { text, .. }) = problem {
                writeln!(f, "{} {environment}: {text}", paint(BAD, '✗'))?;
            }
        }
        Ok(())
    }
}

impl Status {
    /// How far the table is, or why nobody knows.
    fn items(&self) -> String {
        let problem = self.problem.as_ref().map(|problem| problem.short.clone());
        problem.or_else(|| self.table.as_ref().map(TableStatus::progress)).unwrap_or_else(|| "-".to_owned())
    }
}

impl TableStatus {
    fn progress(&self) -> String {
        format!("{} of {}", self.batch_size - self.missing.len() as u64, self.batch_size)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "environment {}", self.environment)?;
        for stack in &self.stacks {
            match &stack.status {
                Some(status) => {
                    let meaning = status::meaning(status);
                    writeln!(f, "{} stack {} {status}", paint(meaning.style, meaning.symbol), stack.stack)?;
                }
                None => writeln!(f, "- stack {} is not set up", stack.stack)?,
            }
        }
        if let Some(Problem { text, .. }) = &self.problem {
            writeln!(f, "{} {text}", paint(BAD, '✗'))?;
        }
        if let Some(table) = &self.table {
            writeln!(f, "  {} items in the table {}", table.progress(), table.table)?;
        }
        if let Some(Depth { waiting, in_work, dead }) = self.queue.filter(|depth| *depth != Depth::default()) {
            writeln!(f, "  {waiting} messages in the queue, {in_work} in work, {dead} given up")?;
        }
        if let Some(said) = &self.watchdog {
            let symbol = if said.has_given_up() { paint(BAD, '✗').to_string() } else { " ".to_owned() };
            writeln!(f, "{symbol} watchdog: {}", said.message)?;
        }
        for experiment in &self.experiments {
            let kind = if experiment.is_preview() { "preview" } else { "experiment" };
            writeln!(f, "  {kind} {} {}: {}", experiment.experiment_id, experiment.status, experiment.reason)?;
        }
        self.tasks.iter().try_for_each(|task| task.fmt(f))?;
        if self.older_tasks > 0 {
            writeln!(f, "  and {} more tasks that have stopped; `--all-tasks` shows them", self.older_tasks)?;
        }
        Ok(())
    }
}

impl fmt::Display for TaskStatus {
    /// In one line: its id as far as `logs --task` needs it, and what its end means rather than AWS's words for it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variant, task } = self;
        let is_own = *variant == Some(Program::Own.name());
        let meaning = if is_own { stop_reason::meaning_of_own(task) } else { stop_reason::meaning(task) };
        let variant = variant.unwrap_or_else(|| last_part(&task.task_definition_arn));
        let mut line = format!("  task {} {variant} {}", short_id(&task.task_arn), task.last_status);
        if let Some(code) = task.exit_code {
            line.push_str(&format!(", exit code {code}"));
        }
        if let Some(meaning) = meaning.filter(|_| task.is_stopped()) {
            line.push_str(&format!(": {}", meaning.what));
        }
        writeln!(f, "{}", fitting(&line))
    }
}

/// `line`, cut where a terminal of the usual width would break it.
fn fitting(line: &str) -> String {
    const WIDTH: usize = 80;
    match line.char_indices().nth(WIDTH) {
        None => line.to_owned(),
        Some(_) => line.chars().take(WIDTH - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_80_columns_is_left_alone_and_a_longer_one_ends_in_dots() {
        let line = "é".repeat(80);
        assert_eq!(fitting(&line), line);
        assert_eq!(fitting(&format!("{line}x")), format!("{}…", "é".repeat(79)));
    }
}
