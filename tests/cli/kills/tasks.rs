//! SIGKILL of the endpoint while tasks run and experiments stop them; two workers at once.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Dice, done_or_cut_off, endpoint_pid, kill_at_once, kill_endpoint};
use crate::census::{config, image_files, nothing_left, workers};
use crate::harness::{Running, Sandbox, found, until};

const RUN: [&str; 5] = ["run", "improved", "--detach", "--output", "json"];

fn tasks(sandbox: &Sandbox) -> Vec<Value> {
    sandbox.json(&["status", "--all-tasks"])["tasks"].as_array().unwrap().clone()
}

/// All tasks that ECS knows, once they are STOPPED, the first one first.
pub(super) fn stopped(sandbox: &Sandbox) -> Vec<Value> {
    let mut found = Vec::new();
    until("all tasks are STOPPED", || {
        found = tasks(sandbox);
        found.iter().all(|task| task["last_status"] == "STOPPED")
    });
    assert_eq!(workers(sandbox), Vec::<String>::new());
    found.reverse();
    found
}

fn log(sandbox: &Sandbox, task: &Value) -> Vec<String> {
    let log = sandbox.ok(&["logs", "--task", task["task_arn"].as_str().unwrap()]);
    log.lines().map(str::to_owned).collect()
}

/// The indexes that a worker says it has written, one after the other and each once, and the lines after that.
fn written(log: &[String]) -> (Vec<u64>, &[String]) {
    assert_eq!(log[0], "Starting batch job", "{log:?}");
    let start = log.get(1).and_then(|line| line.strip_prefix("Starting at ").or(line.strip_prefix("Continuing at ")));
    let Some(start) = start.map(|start| start.parse::<u64>().unwrap()) else { return (Vec::new(), &log[1..]) };
    let put = |line: &String| line.strip_prefix("Successfully PUT item ")?.split(' ').next()?.parse().ok();
    let written: Vec<u64> = log[2..].iter().map_while(put).collect();
    assert_eq!(written, (start..start + written.len() as u64).collect::<Vec<_>>(), "{log:?}");
    let rest = &log[2 + written.len()..];
    (written, rest)
}

/// The log of a worker that ended by itself is complete: all of its items, or why it ended before.
fn complete_log(task: &Value, log: &[String]) {
    let (indexes, rest) = written(log);
    match task["exit_code"].as_i64() {
        Some(0) => assert_eq!((indexes.last(), rest.len()), (Some(&9), 0), "{log:?}"),
        // The endpoint was away for longer than the SDK's three attempts, or when the worker asked for its metadata.
        Some(1) => assert!(rest.len() == 2 && rest[1].starts_with("  while "), "{log:?}"),
        _ => panic!("{task} {log:?}"),
    }
}

/// Starts a task and kills the endpoint at a random moment of that; whether the task was acknowledged.
fn run_and_kill(sandbox: &Sandbox, dice: &mut Dice, longest: Duration) -> Option<String> {
    let pid = endpoint_pid(sandbox);
    let run = Running::start(sandbox, &[&RUN[..], &["--item-seconds", "0.05"]].concat());
    dice.wait(longest);
    kill_at_once(&pid);
    until("the endpoint dies", || sandbox.json(&["local", "status"])["pid"] != pid);
    // At once, so that a worker that was started finds its table again.
    sandbox.ok(&["local", "start"]);
    let run = run.end();
    done_or_cut_off(&run);
    let started: Value = serde_json::from_str(&run.stdout).ok()?;
    started["task_arns"][0].as_str().map(str::to_owned)
}

#[test]
fn an_acknowledged_task_ends_properly_whenever_the_endpoint_is_killed() {
    let (sandbox, mut dice) = (Sandbox::with_endpoint(), Dice::new());
    sandbox.ok(&["up"]);
    let begin = Instant::now();
    sandbox.ok(&[&RUN[..], &["--item-seconds", "0", "--batch-size", "1"]].concat());
    // A second time is about what it takes to get from there to RUNNING.
    let longest = begin.elapsed() * 2;
    let mut known = stopped(&sandbox).len();
    for _ in 0..10 {
        sandbox.ok(&["clear"]);
        let acknowledged = run_and_kill(&sandbox, &mut dice, longest);
        let now = tasks(&sandbox);
        assert!(now.len() <= known + 1, "{now:?}");
        if let Some(arn) = &acknowledged {
            assert_eq!((now.len(), &now[0]["task_arn"]), (known + 1, &json!(arn)));
            // And again, anywhere in the task's life.
            dice.wait(Duration::from_millis(600));
            kill_endpoint(&sandbox);
            sandbox.ok(&["local", "start"]);
        }
        let tasks = stopped(&sandbox);
        for task in &tasks[known..] {
            complete_log(task, &log(&sandbox, task));
            assert_eq!(task["stop_code"], "EssentialContainerExited");
        }
        every_index_once(&sandbox);
        known = stopped(&sandbox).len();
    }
    let files = image_files(&sandbox);
    let some = |directory: &str| files.iter().any(|file| file.starts_with(directory));
    assert!(some("images/blobs/sha256/") && some("rootfs/"), "nothing for `down` to delete: {files:?}");
    sandbox.ok(&["down"]);
    nothing_left(&sandbox);
}

/// `improved` makes the batch complete, and leaves what was written before as it is.
pub(super) fn every_index_once(sandbox: &Sandbox) {
    let before = sandbox.json(&["items"])["items"].as_array().unwrap().clone();
    let run = sandbox.run(&["run", "improved", "--item-seconds", "0"]);
    assert_eq!(run.code, 0, "{run:?}");
    let items = sandbox.json(&["items"]);
    assert_eq!(items["complete"], true, "{items}");
    let items = items["items"].as_array().unwrap();
    assert!(items.iter().map(|item| item["item_index"].as_u64()).eq((0..10).map(Some)), "{items:?}");
    assert_eq!(&items[..before.len()], before);
}

#[test]
fn a_run_that_is_followed_goes_on_when_the_endpoint_comes_back() {
    let (sandbox, mut dice) = (Sandbox::with_endpoint(), Dice::new());
    sandbox.ok(&["up"]);
    for variant in ["original", "improved", "original", "improved"] {
        sandbox.ok(&["clear"]);
        let run = Running::start(&sandbox, &["run", variant, "--item-seconds", "0.05"]);
        run.wait_for("Starting at");
        dice.wait(Duration::from_millis(500));
        kill_endpoint(&sandbox);
        sandbox.ok(&["local", "start"]);
        let run = run.end();
        let task = stopped(&sandbox).pop().unwrap();
        let log = log(&sandbox, &task);
        complete_log(&task, &log);
        // It ends as the task does, having shown each line once, or says that it has lost the endpoint.
        let shown: Vec<_> = run.stdout.lines().collect();
        if run.stderr.contains("The local endpoint does not answer") {
            assert_eq!(run.code, 1, "{run:?}");
            assert!(log.iter().map(String::as_str).zip(&shown).all(|(line, shown)| line == *shown), "{run:?}");
        } else {
            assert_eq!((json!(run.code), shown), (task["exit_code"].clone(), log.iter().map(String::as_str).collect()));
        }
        every_index_once(&sandbox);
    }
}

#[test]
fn an_acknowledged_experiment_reaches_its_end_whenever_the_endpoint_is_killed() {
    let (sandbox, mut dice) = (Sandbox::with_endpoint(), Dice::new());
    let up = sandbox.json(&["up"]);
    let template = up["workshop"]["outputs"]["ExperimentTemplateId"].as_str().unwrap().to_owned();
    for round in 0..10 {
        sandbox.ok(&["clear"]);
        sandbox.ok(&["run", "original", "--detach", "--item-seconds", "0.5"]);
        until("the task runs", || tasks(&sandbox)[0]["last_status"] == "RUNNING");
        let experiment = start_experiment(&sandbox, &template);
        // At once, too: the answer is all that the client has.
        dice.wait(Duration::from_millis(if round % 2 == 0 { 3 } else { 60 }));
        kill_endpoint(&sandbox);
        sandbox.ok(&["local", "start"]);
        let task = stopped(&sandbox).pop().unwrap();
        until("the experiment ends", || {
            sandbox.json(&["status", "--all-tasks"])["experiments"][0]["status"] == "completed"
        });
        assert_eq!(sandbox.json(&["status", "--all-tasks"])["experiments"][0]["experiment_id"], *experiment);
        let reason = format!("Task stopped by AWS FIS (Experiment ID: {experiment})");
        assert_eq!(task["stopped_reason"], *reason, "{task}");
        assert_eq!((&task["stop_code"], &task["exit_code"]), (&json!("UserInitiated"), &json!(143)), "{task}");
        let log = log(&sandbox, &task);
        assert!(log.last().unwrap().starts_with("Received SIGTERM"), "{log:?}");
    }
}

fn start_experiment(sandbox: &Sandbox, template: &str) -> String {
    let variables = sandbox.variables();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let request = aws_sdk_fis::Client::new(&config(&variables)).start_experiment().experiment_template_id(template);
    let answer = runtime.block_on(request.client_token(uuid::Uuid::new_v4().to_string()).send()).unwrap();
    answer.experiment().unwrap().id().unwrap().to_owned()
}

#[test]
fn the_chapter_holds_when_the_endpoint_is_killed_in_the_middle_of_interrupt() {
    let (sandbox, mut dice) = (Sandbox::with_endpoint(), Dice::new());
    sandbox.ok(&["up"]);
    for _ in 0..6 {
        sandbox.ok(&["clear"]);
        sandbox.ok(&["run", "improved", "--detach", "--item-seconds", "0.1"]);
        let pid = endpoint_pid(&sandbox);
        let interrupt = Running::start(&sandbox, &["interrupt", "--at-index", "2"]);
        until("index 2 is written", || sandbox.json(&["items"])["items"].as_array().unwrap().len() > 2);
        let experiments = experiments(&sandbox).len();
        dice.wait(Duration::from_millis(80));
        kill_at_once(&pid);
        until("the endpoint dies", || sandbox.json(&["local", "status"])["pid"] != pid);
        sandbox.ok(&["local", "start"]);
        let interrupt = interrupt.end();
        done_or_cut_off(&interrupt);
        if experiments == 0 && self::experiments(&sandbox).is_empty() {
            // Killed before it was started: then it can be started now, or the task has ended by itself.
            let again = sandbox.run(&["interrupt"]);
            assert!(again.code == 0 || again.stderr.contains("no task runs"), "{again:?}");
        }
        until("every experiment ends", || self::experiments(&sandbox).iter().all(|it| it["status"] == "completed"));
        let task = stopped(&sandbox).pop().unwrap();
        written(&log(&sandbox, &task));
        every_index_once(&sandbox);
    }
    sandbox.ok(&["down"]);
    nothing_left(&sandbox);
}

fn experiments(sandbox: &Sandbox) -> Vec<Value> {
    sandbox.json(&["status", "--all-tasks"])["experiments"].as_array().unwrap().clone()
}

#[test]
fn of_two_improved_workers_one_completes_the_batch_and_the_other_one_gives_way() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let run = ["run", "improved", "--item-seconds", "0.1", "--force"];
    let both = [Running::start(&sandbox, &run), Running::start(&sandbox, &run)];
    let mut runs = both.map(Running::end);
    runs.sort_by_key(|run| run.code);
    assert_eq!(runs.each_ref().map(|run| run.code), [0, 3], "{runs:?}");
    let items = sandbox.json(&["items"]);
    assert_eq!((&items["complete"], &items["missing"]), (&json!(true), &json!([])), "{items}");
    let tasks = stopped(&sandbox);
    let [winner, loser] = [0, 3].map(|code| tasks.iter().find(|task| task["exit_code"] == code).unwrap());
    let id = |task: &Value| task["task_arn"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let last = log(&sandbox, loser).pop().unwrap();
    assert!(last.starts_with("Another task owns the batch: item "), "{last}");
    assert!(last.ends_with(&format!(" was written by task {}", id(winner))), "{last}");
    // Every item is of the one whose log says so.
    let mut told: Vec<_> = [winner, loser]
        .iter()
        .flat_map(|task| written(&log(&sandbox, task)).0.into_iter().map(|index| (index, id(task))))
        .collect();
    told.sort_unstable();
    let item = |item: &Value| (item["item_index"].as_u64().unwrap(), item["task_id"].as_str().unwrap().to_owned());
    assert_eq!(items["items"].as_array().unwrap().iter().map(item).collect::<Vec<_>>(), told);
}

/// Started by `nohup ... &`, it ignores what its tasks must not.
#[cfg(target_os = "linux")]
#[test]
fn a_task_ignores_no_signal_that_its_endpoint_was_told_to_ignore() {
    let sandbox = Sandbox::new();
    let start = sandbox.command_after("trap '' HUP INT QUIT", &["local", "start", "--port", "0"]).output().unwrap();
    assert!(start.status.success(), "{start:?}");
    sandbox.ok(&["up"]);
    sandbox.ok(&RUN);
    let tasks = sandbox.state_dir().join("local/tasks");
    let pid = found("the program's process", || {
        let task = std::fs::read_dir(&tasks).ok()?.next()?.unwrap().path();
        std::fs::read_to_string(task.join("pid")).ok()?.strip_suffix('\n').map(str::to_owned)
    });
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let mask = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    };
    // Of those that it ignores, SIGPIPE is its own wish, and those above 31 are the C library's.
    let (hangup, interrupt, quit) = (1 << 0, 1 << 1, 1 << 2);
    assert_eq!((mask("SigIgn:") & (hangup | interrupt | quit), mask("SigBlk:")), (0, 0), "{status}");
    sandbox.ok(&["down"]);
}
