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
    for text in
        ["", "all", "COUNT", "COUNT()", "COUNT(0)", "COUNT(-1)", "COUNT(+1)", "PERCENT(101)", "PERCENT(0)", "COUNT(1"]
    {
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
