//! The watchdog where events come twice and in any order, where several of it are at work at once, and where AWS refuses:
//! one task at most goes on after each that has stopped.

use serde_json::{Value, json};

use crate::boto::Boto;
use crate::census::nothing_left;
use crate::harness::{Sandbox, found, signal, until};
use crate::wire::{Answer, Fault, Proxy};

#[test]
fn the_lab_of_the_watchdog_holds_when_events_come_twice_and_in_any_order() {
    let sandbox = Sandbox::new();
    let events = ["--duplicate-events", "1", "--shuffle-events", "0.2", "--delay-events", "0.05", "--events-seed", "7"];
    sandbox.ok(&[&["local", "start", "--port", "0"][..], &events].concat());
    let report = sandbox.json(&["lab", "watchdog", "--item-seconds", "0.2", "--keep"]);
    assert_eq!(report["verdict"], "pass", "{report}");
    let variant = &report["variants"][0];
    let count = |member: &str| variant[member].as_array().unwrap().len();
    assert_eq!(count("tasks"), count("experiments") + 1, "{report}");
    let log = sandbox.ok(&["logs", "watchdog", "--function", "--env", "lab"]);
    for task in &variant["tasks"].as_array().unwrap()[..count("experiments")] {
        let after = format!(" goes on after task {}", id(task));
        let successors: Vec<_> =
            log.lines().filter_map(|line| line.split(" Task ").nth(1)?.strip_suffix(&after)).collect();
        assert!(!successors.is_empty() && successors.windows(2).all(|pair| pair[0] == pair[1]), "{log}");
    }
    // Each event has woken it twice, whatever the second one has found.
    let decisions = log.lines().filter(|line| line.contains(" Restarted at ") || line.contains(" Nothing to do: "));
    assert!(decisions.count() >= 2 * count("experiments"), "{log}");
    // The knobs are those of the endpoint, not of one start of it.
    sandbox.ok(&["local", "stop"]);
    sandbox.ok(&["local", "start"]);
    let record = std::fs::read_to_string(sandbox.state_dir().join("local.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    let knobs = json!({"delay": 0.05, "shuffle": 0.2, "duplicate_every": 1, "seed": 7});
    assert_eq!(record["deliveries"], knobs);
    sandbox.ok(&["down", "--env", "lab"]);
    nothing_left(&sandbox);
}

/// Each has looked at the tasks before any of them starts the next one: what the table says takes its time.
#[test]
fn of_many_watchdogs_at_once_one_restarts_the_job() {
    const CALLS: usize = 12;
    let watched = Watched::new();
    let proxy = Proxy::of(&watched.sandbox);
    watched.send_by(&proxy);
    proxy.plan(|call| (call.name() == "dynamodb:Query").then_some(Fault::Slow));
    let mut boto = Boto::start(watched.sandbox.variables());
    let mut call_all = || {
        let call = json!({"FunctionName": watched.function, "InvocationType": "Event", "Payload": "{}"});
        (0..CALLS).for_each(|_| drop(boto.call("lambda", "Invoke", &call).unwrap()));
    };
    // So that processes are there.
    call_all();
    until("all have looked", || watched.log().matches(" Nothing to do: there is no job").count() >= CALLS);
    watched.interrupt(call_all);
    let log = watched.log();
    assert!(log.matches(" Restarted at item ").count() > 2, "there were not many at once: {log}");
}

/// A refusal of ECS or DynamoDB, or an answer that gets lost on the way: Lambda tries again.
#[test]
fn a_watchdog_that_is_refused_says_so_and_restarts_the_job_once() {
    let watched = Watched::new();
    let proxy = Proxy::of(&watched.sandbox);
    watched.send_by(&proxy);
    let capacity = json!({"tasks": [], "failures": [{"reason": "Capacity is unavailable at this time"}]});
    proxy.answer(vec![Answer::new("ecs:RunTask", capacity)]);
    watched.interrupt(|| ());
    let log = watched.log();
    assert!(log.contains("Capacity is unavailable at this time"), "{log}");
    for (operation, fault, times) in [
        // Three attempts of the SDK, so that the function fails.
        ("dynamodb:Query", Fault::Throttled, 3),
        ("dynamodb:PutItem", Fault::Throttled, 3),
        ("ecs:RunTask", Fault::Throttled, 3),
        ("ecs:ListTasks", Fault::ServerError, 3),
        // What nobody has heard of was done nevertheless.
        ("ecs:RunTask", Fault::ResetAfter, 1),
    ] {
        let mut left = times;
        proxy.plan(move |call| {
            let is_hit = call.name() == operation && left > 0;
            left -= i32::from(is_hit);
            is_hit.then_some(fault)
        });
        let before = watched.log().len();
        watched.interrupt(|| ());
        if times > 1 {
            let code = if fault == Fault::Throttled { "ThrottlingException: " } else { "InternalServerException: " };
            until(&format!("the log tells of {operation}"), || watched.log()[before..].contains(code));
        }
    }
}

/// AWS promises no event: the rule that hears of the end of a task is off, and the other one's minute has to pass.
#[test]
fn the_schedule_restarts_a_job_of_whose_end_no_event_tells() {
    let watched = Watched::new();
    let mut boto = Boto::start(watched.sandbox.variables());
    let rules = boto.call("events", "ListRules", &json!({})).unwrap();
    let rules = rules["Rules"].as_array().unwrap();
    let (by_event, by_time): (Vec<_>, Vec<_>) = rules.iter().partition(|rule| rule["EventPattern"].is_string());
    assert_eq!((by_event.len(), by_time.len()), (1, 1), "{rules:?}");
    boto.call("events", "DisableRule", &json!({"Name": by_event[0]["Name"]})).unwrap();
    assert_eq!(by_time[0]["ScheduleExpression"], "rate(1 minute)");
    watched.interrupt(|| ());
    assert_eq!(watched.log().matches(" Restarted at item ").count(), 1, "{}", watched.log());
}

/// A job that is watched, in a sandbox of its own.
struct Watched {
    sandbox: Sandbox,
    function: Value,
}

impl Watched {
    fn new() -> Self {
        let sandbox = Sandbox::with_endpoint();
        let function = sandbox.json(&["up"])["workshop"]["outputs"]["WatchdogFunctionName"].clone();
        Self { sandbox, function }
    }

    /// The function's own requests go through the proxy.
    fn send_by(&self, proxy: &Proxy) {
        let mut boto = Boto::start(self.sandbox.variables());
        let mut changed = json!({"FunctionName": self.function});
        let mut environment = boto.call("lambda", "GetFunctionConfiguration", &changed).unwrap()["Environment"].take();
        environment["Variables"]["AWS_ENDPOINT_URL"] = json!(proxy.url());
        changed["Environment"] = environment;
        boto.call("lambda", "UpdateFunctionConfiguration", &changed).unwrap();
    }

    /// Kills the program of a job, does `meanwhile`, and sees the job completed by one other task.
    fn interrupt(&self, meanwhile: impl FnOnce()) {
        let sandbox = &self.sandbox;
        sandbox.ok(&["clear"]);
        let known = self.tasks().len();
        let arn = sandbox.ok(&["run", "watchdog", "--detach", "--item-seconds", "0.1"]);
        until("an item is written", || sandbox.json(&["items"])["items"].as_array().unwrap().len() > 1);
        let pid = sandbox.state_dir().join("local/tasks").join(arn.trim().rsplit('/').next().unwrap()).join("pid");
        signal("KILL", &std::fs::read_to_string(pid).unwrap().trim());
        meanwhile();
        let tasks = found("the job is done", || {
            let tasks = self.tasks();
            (tasks.len() > known + 1 && tasks[0]["exit_code"] == 0).then_some(tasks)
        });
        assert_eq!(tasks.len(), known + 2, "{tasks:#?}");
        let (first, second) = (&tasks[1], &tasks[0]);
        assert_eq!((&first["exit_code"], &first["task_arn"]), (&json!(137), &json!(arn.trim())));
        assert!(first["stopped_at"].as_str() <= second["created_at"].as_str(), "{tasks:#?}");
        assert!(second["started_by"].as_str().unwrap().starts_with("watchdog/0/"), "{second}");
        let items = sandbox.json(&["items"]);
        assert_eq!((&items["complete"], &items["rewritten"]), (&json!(true), &json!([])), "{items}");
    }

    /// All tasks, the newest first.
    fn tasks(&self) -> Vec<Value> {
        // Whatever its exit code says of the rule that a test has switched off.
        let status = self.sandbox.run(&["status", "--all-tasks", "--output", "json"]).stdout;
        serde_json::from_str::<Value>(&status).unwrap()["tasks"].as_array().unwrap().clone()
    }

    fn log(&self) -> String {
        self.sandbox.ok(&["logs", "watchdog", "--function"])
    }
}

fn id(task: &Value) -> &str {
    task["task_arn"].as_str().unwrap().rsplit('/').next().unwrap()
}
