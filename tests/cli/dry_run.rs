//! FIS's own preview: which tasks an experiment would hit, before it does.

use serde_json::json;

use crate::harness::Sandbox;

#[test]
fn fis_names_what_it_would_hit_and_stops_nothing() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let arn = sandbox.ok(&["run", "original", "--detach", "--item-seconds", "2"]);
    // It waits until the task runs, as a real one does.
    let run = sandbox.run(&["interrupt", "--dry-run"]);
    assert_eq!(run.code, 0, "{run:?}");
    let mut lines = run.stdout.lines();
    assert_eq!(lines.next().unwrap(), format!("The target WorkshopTasks is {}.", arn.trim()));
    assert!(lines.next().unwrap().starts_with("Nothing was stopped: EXP"), "{run:?}");
    assert!(!run.stderr.contains("hits"), "{run:?}");
    let preview = sandbox.json(&["interrupt", "--dry-run"]);
    insta::assert_json_snapshot!("dry_run_schema", crate::lab::schema(&preview));
    assert_eq!(preview["experiment"]["actions_mode"], "skip-all");
    assert_eq!(preview["targets"][0]["target_information"], json!({"arn": arn.trim()}));

    let status = sandbox.json(&["status"]);
    assert_eq!(status["tasks"][0]["desired_status"], "RUNNING");
    let text = sandbox.ok(&["status"]);
    assert!(text.contains("  preview EXP") && !text.contains("  experiment EXP"), "{text}");
    let last = |sandbox: &Sandbox| sandbox.ok(&["status", "--all"]).lines().nth(1).unwrap().to_owned();
    assert!(!last(&sandbox).contains("completed"), "{}", last(&sandbox));
    let hit = sandbox.json(&["interrupt"]);
    assert_eq!((&hit["tasks"][0]["task_arn"], &hit["tasks"][0]["exit_code"]), (&json!(arn.trim()), &json!(143)));
    assert_eq!(hit["experiment"]["actions_mode"], "run-all");
    assert!(last(&sandbox).contains("completed"), "{}", last(&sandbox));
}

#[test]
fn of_several_tasks_it_names_all_or_the_one_that_fis_picks_this_time() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let arns = sandbox.ok(&["run", "queue", "--detach", "--count", "3", "--item-seconds", "2"]);
    crate::harness::until("all run", || {
        let status = sandbox.json(&["status"]);
        status["tasks"].as_array().unwrap().iter().filter(|task| task["last_status"] == "RUNNING").count() == 3
    });
    let all = sandbox.json(&["interrupt", "--dry-run"]);
    assert_eq!(all["targets"].as_array().unwrap().len(), 3);
    let run = sandbox.run(&["interrupt", "--dry-run", "--one"]);
    assert!(run.code == 0 && run.stderr.contains("FIS picks one of 3 tasks, each time anew."), "{run:?}");
    assert_eq!(arns.lines().filter(|arn| run.stdout.contains(arn)).count(), 1, "{run:?}");
}

#[test]
fn what_would_hit_nothing_is_refused_as_a_real_one_is() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let [dry, real] = [&["interrupt", "--dry-run"][..], &["interrupt"]].map(|args| sandbox.run(args));
    assert_eq!((dry.code, dry.stderr), (1, real.stderr));
    for other in [&["--at-index", "3"][..], &["--predict", "redone=0"]] {
        assert_eq!(sandbox.run(&[&["interrupt", "--dry-run"], other].concat()).code, 2, "{other:?}");
    }
}
