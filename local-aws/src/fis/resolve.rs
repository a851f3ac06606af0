//! Which tasks a target means.

use std::collections::BTreeMap;

use serde_json::Value;

use super::template::{Filter, Target};
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
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Clone)]
    struct Sample {
        cluster: u8,
        service: Option<u8>,
        status: &'static str,
        stopping: bool,
        tags: BTreeMap<String, String>,
    }

    fn task(index: usize, sample: &Sample) -> ActiveTask {
        let cluster = format!("c{}", sample.cluster);
        let group = sample.service.map_or("family:f".to_owned(), |service| format!("service:s{service}"));
        let desired = if sample.stopping { "STOPPED" } else { "RUNNING" };
        ActiveTask {
            arn: format!("arn:aws:ecs:us-east-1:000000000000:task/{cluster}/{index}"),
            cluster_arn: format!("arn:aws:ecs:us-east-1:000000000000:cluster/{cluster}"),
            tags: sample.tags.clone(),
            description: json!({
                "lastStatus": sample.status, "desiredStatus": desired, "group": group, "version": index,
                "containers": [{"name": "a"}, {"name": "b"}],
            }),
        }
    }

    fn tags() -> impl Strategy<Value = BTreeMap<String, String>> {
        proptest::collection::btree_map("[ab]", "[xy]?", 0..3)
    }

    fn samples() -> impl Strategy<Value = Vec<ActiveTask>> {
        let status = prop_oneof![Just("RUNNING"), Just("PENDING"), Just("ACTIVATING")];
        let service = proptest::option::of(0..2_u8);
        let sample = (0..2_u8, service, status, proptest::bool::weighted(0.2), tags());
        let sample = sample.prop_map(|(cluster, service, status, stopping, tags)| Sample {
            cluster,
            service,
            status,
            stopping,
            tags,
        });
        proptest::collection::vec(sample, 0..20)
            .prop_map(|samples| samples.iter().enumerate().map(|(index, sample)| task(index, sample)).collect())
    }

    fn target() -> impl Strategy<Value = Target> {
        let parameters = proptest::option::of(prop_oneof![
            Just("c0".to_owned()),
            Just("arn:aws:ecs:us-east-1:000000000000:cluster/c1".to_owned())
        ]);
        (tags(), parameters).prop_map(|(resource_tags, cluster)| Target {
            resource_tags,
            parameters: cluster.map(|cluster| ("cluster".to_owned(), cluster)).into_iter().collect(),
            ..Target::default()
        })
    }

    proptest! {
        #[test]
        fn tags_and_parameters_choose_exactly_the_tasks_that_have_them(tasks in samples(), target in target()) {
            let found: BTreeSet<&str> = by_tags(&target, &tasks).iter().map(|task| task.arn.as_str()).collect();
            for task in &tasks {
                let tagged = target.resource_tags.iter().all(|(key, value)| task.tags.get(key) == Some(value));
                let placed = target.parameters.get("cluster").is_none_or(|cluster| {
                    task.cluster_arn.ends_with(&format!("/{}", cluster.rsplit('/').next().unwrap()))
                });
                let runs = task.description["desiredStatus"] == "RUNNING";
                prop_assert_eq!(found.contains(task.arn.as_str()), tagged && placed && runs);
            }
        }

        #[test]
        fn filters_are_or_within_and_and_between(tasks in samples(), values in proptest::collection::vec("RUNNING|PENDING", 1..3)) {
            let filters = [
                Filter { path: "LastStatus".into(), values: values.clone() },
                Filter { path: "DesiredStatus".into(), values: vec!["RUNNING".into()] },
            ];
            for task in &tasks {
                let expected = values.iter().any(|value| task.description["lastStatus"] == *value)
                    && task.description["desiredStatus"] == "RUNNING";
                prop_assert_eq!(passes(&task.description, &filters), expected);
            }
        }

        #[test]
        fn a_selection_is_an_ordered_subset_of_the_right_size(found in 0..40_usize, number in 1..=100_usize) {
            let items: Vec<usize> = (0..found).collect();
            let modes = [
                (SelectionMode::All, found),
                (SelectionMode::Count(number), number.min(found)),
                (SelectionMode::Percent(number), found * number / 100),
            ];
            for (mode, size) in modes {
                let chosen = mode.select(items.clone());
                prop_assert_eq!(chosen.len(), size);
                prop_assert!(chosen.is_sorted_by(|a, b| a < b) && chosen.iter().all(|item| *item < found));
                if size == found {
                    prop_assert_eq!(&chosen, &items);
                }
            }
        }

        #[test]
        fn arns_are_found_or_named(tasks in samples(), index in 0..25_usize) {
            let arn = tasks.get(index).map_or("arn:missing".to_owned(), |task| task.arn.clone());
            match by_arn(std::slice::from_ref(&arn), &tasks) {
                Ok(found) => prop_assert!(found.len() == 1 && found[0].arn == arn),
                Err(missing) => prop_assert!(missing == arn && index >= tasks.len()),
            }
        }
    }

    #[test]
    fn half_of_one_is_none() {
        assert_eq!(SelectionMode::Percent(50).select(vec!["task"]), Vec::<&str>::new());
    }

    #[test]
    fn a_random_choice_is_not_always_the_same() {
        let seen: BTreeSet<_> = (0..200).map(|_| SelectionMode::Count(1).select(vec![1, 2, 3])).collect();
        assert_eq!(seen.len(), 3);
    }

    #[test]
    fn selection_modes_are_read() {
        assert_eq!(SelectionMode::parse("ALL"), Some(SelectionMode::All));
        assert_eq!(SelectionMode::parse("COUNT(2)"), Some(SelectionMode::Count(2)));
        assert_eq!(SelectionMode::parse("PERCENT(50)"), Some(SelectionMode::Percent(50)));
        for text in [
            "",
            "all",
            "COUNT",
            "COUNT()",
            "COUNT(0)",
            "COUNT(-1)",
            "COUNT(+1)",
            "PERCENT(101)",
            "PERCENT(0)",
            "COUNT(1",
        ] {
            assert_eq!(SelectionMode::parse(text), None, "{text}");
        }
    }

    #[test]
    fn paths_are_in_pascal_case_and_go_through_lists() {
        let sample = Sample { cluster: 0, service: None, status: "RUNNING", stopping: false, tags: BTreeMap::new() };
        let description = task(3, &sample).description;
        let passes = |path: &str, value: &str| {
            super::passes(&description, &[Filter { path: path.into(), values: vec![value.into()] }])
        };
        assert!(passes("LastStatus", "RUNNING"));
        assert!(!passes("lastStatus", "RUNNING"));
        assert!(passes("Containers.Name", "b"));
        assert!(passes("Version", "3"));
        assert!(!passes("Containers", "b") && !passes("Nothing.Name", "b") && !passes("", ""));
    }
}
