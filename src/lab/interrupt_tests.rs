//! Experiments that find nothing, against answers as AWS gives them.

use serde_json::{Value, json};

use super::*;
use crate::aws::scripted::{Script, deployed, task};
use crate::target::Target;

const EXPERIMENT: &str = "GET /experiments/EXP1";

fn listed(ids: &[&str]) -> Value {
    json!({"taskArns": ids.iter().map(|id| task(id, "RUNNING")["taskArn"].clone()).collect::<Vec<_>>()})
}

fn described(task: Value) -> Value {
    json!({"tasks": [task]})
}

fn experiment(status: &str, reason: &str) -> Value {
    let error = (status == "failed").then(|| json!({"code": "InvalidTarget"}));
    json!({"experiment": {"id": "EXP1", "state": {"status": status, "reason": reason, "error": error}}})
}

fn template() -> Script {
    let target = json!({"resourceType": "aws:ecs:task", "resourceTags": {"fisTarget": "true"}});
    Script::default()
        .answer("GET /experimentTemplates/EXT1", json!({"experimentTemplate": {"targets": {"t": target}}}))
        .answer("POST /experiments", json!({"experiment": {"id": "EXP1"}}))
        .answer("Query", json!({"Items": []}))
}

async fn run(script: &Script) -> Result<Interruption> {
    interrupt(&Ui::default(), &Recorder::off(), &script.clients(), &deployed(), Trigger::default(), || ()).await
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_fis_does_not_see_yet_takes_another_attempt() {
    let empty = experiment("failed", "Target resolution returned empty set.");
    let script = template()
        .answer("ListTasks", listed(&["a"]))
        .answer("DescribeTasks", described(task("a", "RUNNING")))
        .answer("DescribeTasks", described(task("a", "RUNNING")))
        .answer("DescribeTasks", described(task("a", "RUNNING")))
        .answer("DescribeTasks", described(task("a", "STOPPED")))
        .answer(EXPERIMENT, empty.clone())
        .answer(EXPERIMENT, empty)
        .answer(EXPERIMENT, experiment("completed", "Experiment completed."));
    assert_eq!(run(&script).await.unwrap().tasks.len(), 1);
    // Each attempt is another experiment: with the token of the last one, FIS would answer the last one.
    let requests = script.requests("POST /experiments");
    let tokens: std::collections::BTreeSet<_> =
        requests.iter().map(|request| request["clientToken"].to_string()).collect();
    assert_eq!(tokens.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_fis_never_sees_is_an_error_after_a_minute() {
    let script = template()
        .answer("ListTasks", listed(&["a"]))
        .answer("DescribeTasks", described(task("a", "RUNNING")))
        .answer(EXPERIMENT, experiment("failed", "Target resolution returned empty set"));
    let report = run(&script).await.unwrap_err().report(Target::Aws);
    assert!(report.contains("cause: InvalidTarget: Target resolution returned empty set"), "{report}");
    assert!(report.contains("index of tags lags behind"), "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_ended_meanwhile_is_named() {
    let mut ended = task("a", "STOPPED");
    ended["stoppedReason"] = json!("Essential container in task exited");
    let script = template()
        .answer("ListTasks", listed(&["a"]))
        .answer("ListTasks", listed(&[]))
        .answer("DescribeTasks", described(task("a", "RUNNING")))
        .answer("DescribeTasks", described(ended))
        .answer(EXPERIMENT, experiment("failed", "Target resolution returned empty set"));
    let report = run(&script).await.unwrap_err().report(Target::Aws);
    assert!(report.starts_with("The task a ended before the experiment.\n  cause: Essential container"), "{report}");
}

#[tokio::test(start_paused = true)]
async fn an_index_that_was_not_written_when_the_task_ended_and_one_that_never_will_be_are_told_apart() {
    let mut three = task("a", "RUNNING");
    three["overrides"] = json!({"containerOverrides": [{"environment": [{"name": "BATCH_SIZE", "value": "3"}]}]});
    for (task_now, index, expected) in [
        (task("a", "RUNNING"), 4, "The task a ended before index 4 was written."),
        (task("a", "RUNNING"), 10, "Index 10 is never written: the last index of the batch is 9."),
        (three, 3, "Index 3 is never written: the last index of the batch is 2."),
    ] {
        let script = template()
            .answer("ListTasks", listed(&["a"]))
            .answer("ListTasks", listed(&[]))
            .answer("DescribeTasks", described(task_now))
            .answer("DescribeTasks", described(task("a", "STOPPED")));
        let trigger = Trigger { at_index: Some(index), ..Trigger::default() };
        let end = interrupt(&Ui::default(), &Recorder::off(), &script.clients(), &deployed(), trigger, || ()).await;
        assert!(end.unwrap_err().to_string().starts_with(expected), "{expected}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_without_its_tag_is_refused_before_anything_is_started() {
    let mut untagged = task("a", "RUNNING");
    untagged["tags"] = json!([]);
    let script = template().answer("ListTasks", listed(&["a"])).answer("DescribeTasks", described(untagged));
    let report = run(&script).await.unwrap_err().report(Target::Aws);
    assert!(report.contains("the task a runs without the tag fisTarget=true"), "{report}");
    assert!(script.requests("POST /experiments").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_task_that_does_not_start_is_told_as_such() {
    let mut failed = task("a", "STOPPED");
    failed["startedAt"] = Value::Null;
    failed["stopCode"] = json!("TaskFailedToStart");
    failed["containers"][0]["reason"] = json!("CannotPullContainerError: ref x: not found");
    let script = template()
        .answer("ListTasks", listed(&["a"]))
        .answer("ListTasks", listed(&[]))
        .answer("DescribeTasks", described(task("a", "PENDING")))
        .answer("DescribeTasks", described(failed));
    let report = run(&script).await.unwrap_err().report(Target::Aws);
    assert!(report.starts_with("The task a did not start. Its image is not in the repository."), "{report}");
}
