//! SIGKILL of a watched job's tasks, of the function that restarts them, and of the endpoint in the middle of it. The
//! schedule sleeps for a day: nobody but the events of the tasks restarts the job, so none may get lost.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Dice, kill_endpoint, processes_in, programs};
use crate::boto::Boto;
use crate::census::nothing_left;
use crate::harness::{PATIENCE, Sandbox, signal};

/// Two tests at once, so a hundred of them.
const KILLS: usize = 50;

#[test]
fn a_watched_job_completes_however_often_its_tasks_and_its_watchdog_are_killed() {
    play(&[Victim::Task, Victim::Task, Victim::TaskAndFunction]);
}

#[test]
fn a_watched_job_completes_however_often_its_tasks_and_the_endpoint_are_killed() {
    play(&[Victim::Task, Victim::Endpoint, Victim::TaskAndEndpoint]);
}

#[derive(Debug, Clone, Copy)]
enum Victim {
    Task,
    Endpoint,
    /// The task first: what follows hits the event on its way, the function at work, or the next task's start.
    TaskAndFunction,
    TaskAndEndpoint,
}

/// One job after the other, until there were kills enough.
fn play(victims: &[Victim]) {
    let (sandbox, mut dice) = (Sandbox::with_endpoint(), Dice::new());
    let up = sandbox.json(&["up"]);
    let outputs = &up["workshop"]["outputs"];
    leave_it_to_the_events(&sandbox, outputs);
    let (mut kills, mut known) = (0, 0);
    while kills < KILLS {
        sandbox.ok(&["clear"]);
        sandbox.ok(&["run", "watchdog", "--detach", "--batch-size", "60", "--item-seconds", "0.05"]);
        let mut last = String::new();
        while let Some((task, pid)) = next_program(&sandbox, &last) {
            if kills >= KILLS {
                break;
            }
            dice.wait(Duration::from_millis(400));
            let victim = victims[dice.below(victims.len())];
            kills += kill(&sandbox, &mut dice, victim, &pid);
            // It may live on: then it is hit again.
            last = if programs(&sandbox).iter().any(|(it, _)| *it == task) { String::new() } else { task };
        }
        let tasks = completed(&sandbox);
        one_after_the_other(&tasks[known..]);
        known = tasks.len();
        let items = sandbox.json(&["items", "--batch-size", "60"]);
        assert_eq!((&items["complete"], &items["rewritten"]), (&json!(true), &json!([])), "{items}");
    }
    sandbox.ok(&["down"]);
    nothing_left(&sandbox);
}

/// Puts the schedule off, and lets the watchdog never wait or give up: the endpoint is away more often than AWS ever is,
/// and a task that does not find it writes no item.
fn leave_it_to_the_events(sandbox: &Sandbox, outputs: &Value) {
    let mut boto = Boto::start(sandbox.variables());
    let rule = json!({"Name": outputs["WatchdogScheduleRuleName"], "ScheduleExpression": "rate(1 day)"});
    boto.call("events", "PutRule", &rule).unwrap();
    let function = json!({"FunctionName": outputs["WatchdogFunctionName"]});
    let mut changed = boto.call("lambda", "GetFunctionConfiguration", &function).unwrap()["Environment"].clone();
    changed["Variables"]["BACKOFF_SECONDS"] = json!("0");
    changed["Variables"]["MAX_RESTARTS"] = json!("100");
    let change = json!({"FunctionName": outputs["WatchdogFunctionName"], "Environment": changed});
    boto.call("lambda", "UpdateFunctionConfiguration", &change).unwrap();
}

fn kill(sandbox: &Sandbox, dice: &mut Dice, victim: Victim, program: &str) -> usize {
    if !matches!(victim, Victim::Endpoint) {
        signal("KILL", &program);
    }
    match victim {
        Victim::Task => return 1,
        Victim::TaskAndFunction => {
            dice.wait(Duration::from_millis(40));
            let functions = processes_in(sandbox, "functions");
            functions.iter().for_each(|(_, pid)| signal("KILL", pid));
            return 1 + functions.len();
        }
        Victim::TaskAndEndpoint => dice.wait(Duration::from_millis(120)),
        Victim::Endpoint => {}
    }
    kill_endpoint(sandbox);
    sandbox.ok(&["local", "start"]);
    if matches!(victim, Victim::Endpoint) { 1 } else { 2 }
}

/// The program of the job's task that is not `last`, as soon as it runs, with its process id; `None` when the job has ended.
fn next_program(sandbox: &Sandbox, last: &str) -> Option<(String, String)> {
    let begin = Instant::now();
    loop {
        for _ in 0..40 {
            if let Some(next) = programs(sandbox).into_iter().find(|(task, _)| task != last) {
                return Some(next);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let newest = &tasks(sandbox)[0];
        if newest["last_status"] == "STOPPED" && newest["exit_code"] == 0 {
            return None;
        }
        assert!(begin.elapsed() < PATIENCE, "nobody restarts the job: {newest} {}", said(sandbox));
    }
}

/// All tasks, the newest first.
fn tasks(sandbox: &Sandbox) -> Vec<Value> {
    sandbox.json(&["status", "--all-tasks"])["tasks"].as_array().unwrap().clone()
}

fn said(sandbox: &Sandbox) -> String {
    sandbox.ok(&["logs", "watchdog", "--function"])
}

/// All tasks, the oldest first, once the last one has done its work.
fn completed(sandbox: &Sandbox) -> Vec<Value> {
    while next_program(sandbox, "").is_some() {
        std::thread::sleep(Duration::from_millis(100));
    }
    let mut tasks = tasks(sandbox);
    tasks.reverse();
    tasks
}

/// The tasks of one job are a chain: each but the first was started by the watchdog, after the one before it had stopped,
/// and each but the last failed.
fn one_after_the_other(tasks: &[Value]) {
    let text = |task: &Value, member: &str| task[member].as_str().unwrap_or_default().to_owned();
    for pair in tasks.windows(2) {
        let (stopped, created) = (text(&pair[0], "stopped_at"), text(&pair[1], "created_at"));
        assert!(!stopped.is_empty() && stopped <= created, "two at once: {pair:#?}");
        assert!(text(&pair[1], "started_by").starts_with("watchdog/"), "{pair:#?}");
    }
    let codes: Vec<_> = tasks.iter().map(|task| task["exit_code"].as_i64()).collect();
    let (last, before) = codes.split_last().unwrap();
    // 1: the endpoint was away for longer than the SDK's three attempts.
    assert!(*last == Some(0) && before.iter().all(|code| [Some(1), Some(137)].contains(code)), "{codes:?}");
}
