use std::collections::BTreeMap;

use serde_json::json;

use super::super::experiment::ResolvedTask;
use super::super::tag::Tags;
use super::super::template::Template;
use super::*;

/// An endpoint on which no driver runs, with one experiment that is about to begin.
fn started(actions: serde_json::Value) -> (tempfile::TempDir, Arc<Endpoint>, String) {
    let dir = tempfile::tempdir().unwrap();
    let endpoint =
        Arc::new(Endpoint::open(dir.path(), "http://127.0.0.1:1".into(), crate::Options::default()).unwrap());
    let spec = json!({
        "description": "d", "roleArn": "arn:aws:iam::000000000000:role/r", "actions": actions,
        "targets": {"T": {"resourceType": "aws:ecs:task", "resourceTags": {"a": "b"}, "selectionMode": "ALL"}},
        "stopConditions": [{"source": "none"}],
    });
    let experiment = endpoint.store.write(|tx| {
        let template = Template::create(&endpoint, tx, serde_json::from_value(spec).unwrap(), Tags::new())?;
        Experiment::create(&endpoint, tx, template, ActionsMode::RunAll, Tags::new())
    });
    (dir, endpoint, experiment.unwrap().id)
}

fn change(endpoint: &Endpoint, id: &str, body: impl FnOnce(&mut Experiment)) {
    let changed = endpoint.store.write(|tx| {
        let mut experiment = tx.get::<Experiment>(id)?.unwrap();
        body(&mut experiment);
        tx.put(&experiment)
    });
    changed.unwrap();
}

fn one_step(endpoint: &Endpoint, id: &str, resumed: bool) -> (Work, Experiment) {
    let work = endpoint.store.write(|tx| step(endpoint, tx, id, resumed)).unwrap();
    (work, endpoint.store.read(|tx| tx.get::<Experiment>(id)).unwrap().unwrap())
}

/// As a killed endpoint leaves it between StopTask and the record of its success.
fn amid_stop_task(endpoint: &Endpoint, id: &str) {
    change(endpoint, id, |experiment| {
        let task = ResolvedTask { arn: "arn:task".into(), cluster_arn: "arn:cluster".into() };
        experiment.resolved = BTreeMap::from([("T".into(), vec![task])]);
        experiment.status = Status::Running;
        experiment.progress.get_mut("Stop").unwrap().start(Utc::now());
    });
}

fn stop_then_wait() -> serde_json::Value {
    json!({
        "Stop": {"actionId": STOP_TASK, "targets": {"Tasks": "T"}},
        "Wait": {"actionId": WAIT, "parameters": {"duration": "PT1H"}, "startAfter": ["Stop"]},
    })
}

#[test]
fn only_a_restart_sends_again_what_may_have_been_sent() {
    let (_dir, endpoint, id) = started(stop_then_wait());
    amid_stop_task(&endpoint, &id);
    assert!(matches!(one_step(&endpoint, &id, false).0, Work::Nothing));
    let (work, _) = one_step(&endpoint, &id, true);
    let Work::Inject(faults) = work else { panic!("nothing to stop") };
    assert_eq!((faults[0].name.as_str(), faults[0].tasks.as_slice()), ("Stop", &["arn:task".to_owned()][..]));
    endpoint.store.write(|tx| finish(tx, &id, "Stop", Ok(()))).unwrap();
    let (work, experiment) = one_step(&endpoint, &id, false);
    assert!(matches!(work, Work::Until(_)));
    assert_eq!(experiment.progress["Stop"].status, ActionStatus::Completed);
    assert_eq!(experiment.progress["Wait"].status, ActionStatus::Running);
}

#[test]
fn a_stop_lets_what_was_sent_be_recorded_first() {
    let (_dir, endpoint, id) = started(stop_then_wait());
    amid_stop_task(&endpoint, &id);
    change(&endpoint, &id, |experiment| experiment.status = Status::Stopping);
    let (_, experiment) = one_step(&endpoint, &id, false);
    assert_eq!(experiment.status, Status::Stopping);
    assert_eq!(experiment.progress["Wait"].status, ActionStatus::Cancelled);
    endpoint.store.write(|tx| finish(tx, &id, "Stop", Ok(()))).unwrap();
    let (_, experiment) = one_step(&endpoint, &id, false);
    assert_eq!(experiment.status, Status::Stopped);
    assert_eq!(experiment.progress["Stop"].status, ActionStatus::Completed);
    assert!(endpoint.store.read(|tx| tx.list::<Active>()).unwrap().is_empty());
}

#[test]
fn a_failed_action_fails_the_experiment_and_starts_nothing_more() {
    let (_dir, endpoint, id) = started(stop_then_wait());
    amid_stop_task(&endpoint, &id);
    let failure = Failure::new("DependentServiceFailure", "no", "Stop");
    endpoint.store.write(|tx| finish(tx, &id, "Stop", Err(failure.clone()))).unwrap();
    let (_, experiment) = one_step(&endpoint, &id, false);
    assert_eq!((experiment.status, experiment.failure), (Status::Failed, Some(failure)));
    assert_eq!(experiment.progress["Wait"].status, ActionStatus::Cancelled);
    assert!(experiment.ended_at.is_some());
}
