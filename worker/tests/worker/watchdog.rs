//! `watchdog`: restarts the interrupted job, once.

use dynoxide::{AttributeValue, Item};
use serde_json::{Value, json};

use crate::{
    ecs::arn,
    lab::{Lab, Run, TABLE, text},
};

const FIRST: &str = "0f3a9c5e0f3a9c5e0f3a9c5e0f3a9c5e";

fn second() -> String {
    format!("{:032x}", 1)
}

fn tick() -> Value {
    json!({"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}})
}

fn stopped(id: &str, exit_code: Option<i32>) -> Value {
    json!({
        "version": "0",
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "detail": {
            "clusterArn": "arn:aws:ecs:eu-west-1:123456789012:cluster/lab",
            "containers": [{"name": "BatchJob", "exitCode": exit_code, "lastStatus": "STOPPED"}],
            "group": "family:job",
            "lastStatus": "STOPPED",
            "stoppedAt": chrono::Utc::now().to_rfc3339(),
            "taskArn": arn(id),
            "version": 6,
        },
    })
}

fn overrides() -> Value {
    let environment = json!([{"name": "ITEM_SECONDS", "value": "0.5"}, {"name": "BATCH_SIZE", "value": "20"}]);
    json!({"containerOverrides": [{"name": "BatchJob", "environment": environment}]})
}

/// A job that a person started, with items 0 to one less than `next` in the table.
fn job(next: u64) -> Lab {
    let lab = Lab::new();
    lab.shared.ecs.start(FIRST, "fis-workshop", overrides());
    write(&lab, 0..next);
    lab
}

fn write(lab: &Lab, indexes: std::ops::Range<u64>) {
    for index in indexes {
        let item = json!({"BatchId": {"S": "batch"}, "ItemIndex": {"N": index.to_string()}});
        let put = json!({"TableName": TABLE, "Item": item});
        lab.shared.database.put_item(serde_json::from_value(put).unwrap()).unwrap();
    }
}

/// What others read in the table.
fn state(lab: &Lab) -> Option<Item> {
    lab.items("watchdog#batch").remove(&0)
}

/// Calls a function of its own once for each payload; its log.
fn log_of(lab: &Lab, payloads: &[Value]) -> Vec<String> {
    let run = Run::start(&mut lab.watchdog());
    for payload in payloads {
        assert_eq!(lab.call(payload), Ok(()));
    }
    let outcome = run.kill();
    assert_eq!(outcome.stderr, "");
    outcome.stdout
}

fn restarted(next: u64, task: &str) -> String {
    format!("Restarted at item {next}: task {task} stopped with exit code 143")
}

#[test]
fn an_interrupted_job_goes_on_with_the_same_overrides() {
    let lab = job(5);
    lab.shared.ecs.stop(FIRST, Some(143), 0.0);

    let log = log_of(&lab, &[stopped(FIRST, Some(143))]);

    let goes_on = format!("Task {} goes on after task {FIRST}", second());
    assert_eq!(log, [goes_on, restarted(5, FIRST)]);
    let requests = &lab.shared.ecs.state.lock().unwrap().requests;
    let network =
        json!({"subnets": ["subnet-1a", "subnet-2b"], "securityGroups": ["sg-1a"], "assignPublicIp": "DISABLED"});
    let expected = json!({
        "clientToken": format!("watchdog-{FIRST}"),
        "cluster": "lab",
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": network},
        "overrides": overrides(),
        "propagateTags": "TASK_DEFINITION",
        "startedBy": "watchdog/0/5",
        "taskDefinition": "arn:aws:ecs:eu-west-1:123456789012:task-definition/job:7",
    });
    assert_eq!(*requests, [expected]);
    let told = state(&lab).unwrap();
    assert_eq!(text(&told, "State"), "restarted");
    assert_eq!(text(&told, "Message"), restarted(5, FIRST));
}

#[test]
fn whatever_calls_it_and_how_often_it_starts_one() {
    let lab = job(5);
    lab.shared.ecs.stop(FIRST, Some(143), 0.0);
    let event = stopped(FIRST, Some(143));

    let log = log_of(&lab, &[tick(), event.clone(), event, tick()]);

    assert_eq!(lab.shared.ecs.count(), 2);
    let at_work = format!("Nothing to do: task {} is at work", second());
    assert_eq!(log[2..], [at_work.as_str(); 3]);
    assert_eq!(text(&state(&lab).unwrap(), "State"), "watching");
}

#[test]
fn while_ecs_does_not_show_the_new_task_it_starts_no_other() {
    let lab = job(5);
    lab.shared.ecs.stop(FIRST, Some(143), 0.0);
    let first = log_of(&lab, &[stopped(FIRST, Some(143))]);
    lab.shared.ecs.state.lock().unwrap().not_seen = 1;

    assert_eq!(log_of(&lab, &[tick()]), first);
    // A write that was on its way: the next item is another than before, and so are the parameters.
    write(&lab, 5..6);
    let log = log_of(&lab, &[stopped(FIRST, Some(143))]);

    assert_eq!(log, [format!("Another task goes on already after task {FIRST}"), restarted(6, FIRST)]);
    assert_eq!(lab.shared.ecs.count(), 2);
}

#[test]
fn two_at_once_start_one() {
    let lab = job(5);
    lab.shared.ecs.stop(FIRST, Some(143), 0.0);
    let runs = [(); 2].map(|()| Run::start(&mut lab.watchdog()));
    let calls = [stopped(FIRST, Some(143)), tick()].map(|payload| lab.shared.lambda.call(&payload));
    for call in calls {
        assert_eq!(lab.answer(call), Ok(()));
    }
    for run in runs {
        run.kill();
    }
    assert_eq!(lab.shared.ecs.count(), 2);
}

#[test]
fn an_event_comes_before_the_lists_tell_the_same() {
    let lab = job(5);

    let log = log_of(&lab, &[tick(), stopped(FIRST, Some(143))]);

    assert_eq!(log[0], format!("Nothing to do: task {FIRST} is at work"));
    assert_eq!(log[2], restarted(5, FIRST));
}

#[test]
fn what_needs_no_restart() {
    let none = Lab::new();
    assert_eq!(log_of(&none, &[tick(), stopped(FIRST, Some(143))]), ["Nothing to do: there is no job"; 2]);

    let complete = job(20);
    complete.shared.ecs.stop(FIRST, Some(143), 0.0);
    assert_eq!(log_of(&complete, &[tick()]), ["Nothing to do: all 20 items are written"]);

    let cleared = job(0);
    cleared.shared.ecs.stop(FIRST, Some(0), 0.0);
    let done = format!("Nothing to do: task {FIRST} ended with exit code 0");
    assert_eq!(log_of(&cleared, &[stopped(FIRST, Some(0))]), [done]);

    let other = job(5);
    let mut event = stopped(FIRST, Some(143));
    event["detail"]["group"] = json!("family:other");
    assert_eq!(log_of(&other, &[event]), [format!("Nothing to do: task {FIRST} is at work")]);

    for lab in [none, complete, cleared, other] {
        assert!(lab.shared.ecs.state.lock().unwrap().requests.is_empty());
        assert!(state(&lab).is_none());
    }
}

#[test]
fn restarts_in_vain_come_later_and_later_and_then_no_more() {
    for (in_vain, seconds, is_restarted) in [(0, 30.0, false), (0, 90.0, true), (1, 90.0, false), (1, 150.0, true)] {
        let lab = job(5);
        lab.shared.ecs.stop(FIRST, Some(143), 600.0);
        lab.shared.ecs.start("b", &format!("watchdog/{in_vain}/5"), overrides());
        // It never ran.
        lab.shared.ecs.stop("b", None, seconds);

        let log = log_of(&lab, &[tick()]);

        if is_restarted {
            assert_eq!(log[1], "Restarted at item 5: task b stopped without an exit code");
            let expected = format!("watchdog/{}/5", in_vain + 1);
            assert_eq!(lab.shared.ecs.state.lock().unwrap().requests[0]["startedBy"], expected);
        } else {
            assert!(log[0].starts_with("Waiting until "), "{log:?}");
            assert_eq!(text(&state(&lab).unwrap(), "State"), "waiting");
        }
    }

    let lab = job(5);
    lab.shared.ecs.start("b", "watchdog/2/5", overrides());
    lab.shared.ecs.stop(FIRST, Some(143), 600.0);
    lab.shared.ecs.stop("b", Some(1), 600.0);
    let log = log_of(&lab, &[tick(), tick()]);
    let line = "Giving up at item 5: restarts that wrote no item: 3; task b stopped with exit code 1; \
                find out why, and start the job by hand";
    assert_eq!(log, [line; 2]);
    let told = state(&lab).unwrap();
    assert_eq!(text(&told, "State"), "gave up");
    assert_eq!(text(&told, "Message"), line);
    assert!(lab.shared.ecs.state.lock().unwrap().requests.is_empty());

    // A restart that has written an item is none in vain.
    write(&lab, 5..6);
    assert_eq!(log_of(&lab, &[tick()])[1], "Restarted at item 6: task b stopped with exit code 1");
    assert_eq!(lab.shared.ecs.state.lock().unwrap().requests[0]["startedBy"], "watchdog/0/6");
}

#[test]
fn what_stopped_an_hour_ago_is_left_to_a_person() {
    let lab = job(5);
    lab.shared.ecs.stop(FIRST, Some(143), 3600.0);

    let log = log_of(&lab, &[tick(), stopped(FIRST, Some(143))]);

    let line = format!("Giving up: task {FIRST} stopped with exit code 143, too long ago; start the job by hand");
    assert_eq!(log, [line.as_str(); 2]);
    assert_eq!(text(&state(&lab).unwrap(), "State"), "gave up");
    assert!(lab.shared.ecs.state.lock().unwrap().requests.is_empty());

    // ECS forgets it; what is told of it stays.
    lab.shared.ecs.state.lock().unwrap().tasks.clear();
    assert_eq!(log_of(&lab, &[tick()]), ["Nothing to do: there is no job"]);
    assert_eq!(text(&state(&lab).unwrap(), "Message"), line);
}

#[test]
fn an_invocation_that_took_long_does_not_overwrite_what_a_later_one_said() {
    let lab = job(5);
    lab.shared.ecs.stop(FIRST, Some(143), 0.0);
    let put = json!({"TableName": TABLE, "Item": {
        "BatchId": {"S": "watchdog#batch"}, "ItemIndex": {"N": "0"},
        "State": {"S": "gave up"}, "Message": {"S": "later"}, "LookedAt": {"S": "2100-01-01T00:00:00.000Z"},
    }});
    lab.shared.database.put_item(serde_json::from_value(put).unwrap()).unwrap();

    log_of(&lab, &[tick()]);

    assert_eq!(state(&lab).unwrap()["Message"], AttributeValue::S("later".to_owned()));
}

#[test]
fn a_failure_is_told_to_lambda_and_the_next_call_tries_again() {
    let lab = job(5);
    lab.shared.ecs.stop(FIRST, Some(143), 0.0);
    lab.shared.ecs.state.lock().unwrap().is_full = true;
    let run = Run::start(&mut lab.watchdog());

    let error: Value = serde_json::from_str(&lab.call(&tick()).unwrap_err()).unwrap();
    assert_eq!(error["errorType"], "Request");
    assert_eq!(
        error["errorMessage"],
        format!(
            "Capacity is unavailable at this time.: try later\n  while starting a task after {FIRST}, one of the tasks \
             of family job in cluster lab"
        )
    );
    lab.shared.ecs.state.lock().unwrap().is_full = false;
    assert_eq!(lab.call(&tick()), Ok(()));
    let log = run.kill().stdout;
    assert_eq!(log[0], "Capacity is unavailable at this time.: try later", "{log:?}");
    assert_eq!(lab.shared.ecs.count(), 2);
}

#[test]
fn a_bad_variable_is_one_line_and_exit_2() {
    let lab = Lab::new();
    for name in ["TABLE_NAME", "CLUSTER", "TASK_DEFINITION", "SUBNETS", "SECURITY_GROUPS"] {
        let outcome = Run::start(lab.watchdog().env_remove(name)).wait();
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        assert!(outcome.stderr.starts_with(&format!("{name} is not set: expected ")), "{outcome:?}");
        assert_eq!(outcome.stderr.lines().count(), 1);
    }
}
