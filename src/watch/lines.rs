//! What has changed, in lines.

use std::collections::BTreeMap;

use super::seen::Seen;
use super::step;
use crate::aws::arn::short_id;

/// What is there now and was not before: at first, all of it.
pub(super) fn lines(before: Option<&Seen>, now: &Seen) -> Vec<String> {
    let known: BTreeMap<String, String> = before.map(facts).unwrap_or_default().into_iter().collect();
    let new = facts(now).into_iter().filter(|(name, value)| known.get(name) != Some(value));
    let mut lines: Vec<_> = new.map(|(name, value)| format!("{name} {value}")).collect();
    let said = before.map_or(&[][..], |before| &before.log);
    // A log that does not go on where it was is another batch's.
    let told = if now.log.starts_with(said) { said.len() } else { 0 };
    let log = now.log.iter().skip(told);
    lines.extend(log.map(|it| format!("{} | {}", short_id(&it.task_id), it.line.message)));
    let next = step::next(now);
    if before.is_none_or(|before| step::next(before) != next) {
        lines.push(format!("next: {}. {}", next.title, next.why));
        lines.extend(next.command.map(|command| format!("next: `{command}`")));
    }
    lines
}

/// What has one value at a time, by its name.
fn facts(seen: &Seen) -> Vec<(String, String)> {
    let status = &seen.status;
    let stacks = status.stacks.iter().map(|stack| {
        (format!("stack {}", stack.stack), stack.status.clone().unwrap_or_else(|| "is not set up".to_owned()))
    });
    let tasks = status.tasks.iter().rev().map(|it| {
        let code = it.task.exit_code.map(|code| format!(", exit code {code}")).unwrap_or_default();
        let name = format!("task {} {}", short_id(&it.task.task_arn), it.variant.unwrap_or("another"));
        (name, format!("{}{code}", it.task.last_status))
    });
    let experiments = status.experiments.iter().rev();
    let experiments = experiments.map(|it| (format!("experiment {}", it.experiment_id), it.status.to_string()));
    let items = seen.progress().map(|(written, size)| ("items".to_owned(), format!("{written} of {size}")));
    let problem = status.problem.as_ref().map(|problem| ("problem:".to_owned(), problem.text.clone()));
    stacks.chain(tasks).chain(experiments).chain(items).chain(problem).collect()
}
