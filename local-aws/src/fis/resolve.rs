//! Which tasks a target means.

use std::collections::BTreeMap;

use serde_json::Value;

use super::spec::{Filter, Target};
use crate::ecs::active::ActiveTask;

/// How many of the identified resources are targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SelectionMode {
    All,
    /// This many at random, or all when there are fewer.
    Count(usize),
    /// This share at random, rounded down.
    Percent(usize),
}

impl SelectionMode {
    /// Reads `ALL`, `COUNT(n)` or `PERCENT(n)`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text == "ALL" {
            return Some(Self::All);
        }
        let (kind, number) = text.strip_suffix(')')?.split_once('(')?;
        // `parse` alone would take a sign.
        let number: usize = number.parse().ok().filter(|_| !number.starts_with('+'))?;
        match kind {
            "COUNT" if number > 0 => Some(Self::Count(number)),
            "PERCENT" if (1..=100).contains(&number) => Some(Self::Percent(number)),
            _ => None,
        }
    }

    /// How many of `found` resources it takes.
    fn size(self, found: usize) -> usize {
        match self {
            Self::All => found,
            Self::Count(count) => count.min(found),
            Self::Percent(percent) => found * percent / 100,
        }
    }

    /// Takes its share of `found`, in their order.
    pub(super) fn select<T>(self, found: Vec<T>) -> Vec<T> {
        let size = self.size(found.len());
        let mut chosen = rand::seq::index::sample(&mut rand::rng(), found.len(), size).into_vec();
        chosen.sort_unstable();
        let mut chosen = chosen.into_iter().peekable();
        found
            .into_iter()
            .enumerate()
            .filter(|(index, _)| chosen.next_if_eq(index).is_some())
            .map(|(_, item)| item)
            .collect()
    }
}

/// The tasks of a target by ARN, or the first ARN that is of no active task.
pub(super) fn by_arn<'t>(arns: &[String], tasks: &'t [ActiveTask]) -> Result<Vec<&'t ActiveTask>, String> {
    arns.iter().map(|arn| tasks.iter().find(|task| task.arn == *arn).ok_or_else(|| arn.clone())).collect()
}

/// The tasks of a target by tags and parameters. A task that is already being stopped is none: StopTask takes its
/// tags, and ListTasks answers tasks that shall run.
pub(super) fn by_tags<'t>(target: &Target, tasks: &'t [ActiveTask]) -> Vec<&'t ActiveTask> {
    tasks
        .iter()
        .filter(|task| task.description.get("desiredStatus").is_none_or(|status| status != "STOPPED"))
        .filter(|task| has_tags(&task.tags, &target.resource_tags) && in_place(&target.parameters, task))
        .collect()
}

/// All of the tags with exactly these values; an empty value is no wildcard.
fn has_tags(tags: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|(key, value)| tags.get(key) == Some(value))
}

fn in_place(parameters: &BTreeMap<String, String>, task: &ActiveTask) -> bool {
    let last = |text: &str| text.rsplit('/').next().map(str::to_owned);
    let cluster = parameters
        .get("cluster")
        .is_none_or(|cluster| *cluster == task.cluster_arn || last(&task.cluster_arn).as_ref() == Some(cluster));
    let service = parameters.get("service").is_none_or(|service| {
        let group = task.description.get("group").and_then(Value::as_str);
        group.and_then(|group| group.strip_prefix("service:")).map(str::to_owned) == last(service)
    });
    cluster && service
}

/// Whether the description of a resource has, at each filter's path, one of the filter's values.
pub(super) fn passes(description: &Value, filters: &[Filter]) -> bool {
    filters.iter().all(|filter| {
        let path: Vec<&str> = filter.path.split('.').collect();
        values_at(description, &path).iter().any(|value| filter.values.contains(value))
    })
}

/// The values at a path, through all items of the lists on the way. Paths are in Pascal case although the members
/// are in camel case: `LastStatus` finds `lastStatus`, and `lastStatus` finds nothing.
fn values_at(value: &Value, path: &[&str]) -> Vec<String> {
    match (value, path) {
        (Value::Array(items), _) => items.iter().flat_map(|item| values_at(item, path)).collect(),
        (Value::Object(members), [name, rest @ ..]) => {
            camel(name).and_then(|name| members.get(&name)).map(|value| values_at(value, rest)).unwrap_or_default()
        }
        (Value::String(text), []) => vec![text.clone()],
        (Value::Bool(_) | Value::Number(_), []) => vec![value.to_string()],
        _ => Vec::new(),
    }
}

fn camel(pascal: &str) -> Option<String> {
    let first = pascal.chars().next().filter(char::is_ascii_uppercase)?;
    Some(format!("{}{}", first.to_ascii_lowercase(), pascal.get(1..)?))
}

#[cfg(test)]
mod tests;
