//! SIGKILL of workers that share a batch, and of the endpoint under them: the queue loses nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::tasks::stopped;
use super::{Dice, kill_endpoint, programs};
use crate::census::{config, nothing_left};
use crate::harness::{Sandbox, found, signal};

const WORKERS: usize = 5;

/// More than they get done before the last kill. An item is in hand when its worker is killed, and comes back after half a
/// minute: hardly one comes back twice before the end, and it would have to five times to be given up.
const ITEMS: &str = "1200";

/// Two tests at once, so a hundred of them.
const KILLS: usize = 50;

#[test]
fn workers_that_are_killed_lose_no_item_and_do_none_twice() {
    play(|_| false);
}

#[test]
fn workers_and_an_endpoint_that_are_killed_lose_no_item_and_do_none_twice() {
    play(|dice| dice.below(3) == 0);
}

/// Kills a worker each time, or the endpoint when `is_endpoint` says so, and starts as many workers as are gone.
fn play(is_endpoint: impl Fn(&mut Dice) -> bool) {
    let (sandbox, mut dice) = (Sandbox::with_endpoint(), Dice::new());
    sandbox.ok(&["up"]);
    let run = |workers: usize, item_seconds: &str| {
        let workers = workers.to_string();
        let how = ["--count", &workers, "--batch-size", ITEMS, "--item-seconds", item_seconds];
        sandbox.ok(&[&["run", "queue", "--detach"][..], &how].concat());
    };
    run(WORKERS, "0.15");
    let mut killed = 0;
    for _ in 0..KILLS {
        dice.wait(Duration::from_millis(200));
        let missing = if is_endpoint(&mut dice) {
            kill_endpoint(&sandbox);
            sandbox.ok(&["local", "start"]);
            WORKERS.saturating_sub(active(&sandbox))
        } else {
            let is_hit = kill_worker(&sandbox, &mut dice);
            killed += usize::from(is_hit);
            usize::from(is_hit)
        };
        if missing > 0 {
            run(missing, "0.15");
        }
    }
    assert_eq!(items(&sandbox)["complete"], false, "the last kills had nobody to hit");
    run(WORKERS, "0");
    let tasks = stopped(&sandbox);
    let codes: Vec<_> = tasks.iter().map(|task| task["exit_code"].as_i64()).collect();
    // 1: the endpoint was away for longer than the SDK's three attempts.
    assert!(codes.iter().all(|code| [Some(0), Some(1), Some(137)].contains(code)), "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == Some(137)).count(), killed, "{codes:?}");
    every_item_is_done_once(&sandbox);
    nobody_tells_of_an_item_twice(&sandbox);
    sandbox.ok(&["down"]);
    nothing_left(&sandbox);
}

/// One of those that run, if any does at this moment; whether that was its end.
fn kill_worker(sandbox: &Sandbox, dice: &mut Dice) -> bool {
    let running = programs(sandbox);
    let Some((task, pid)) = running.get(dice.below(running.len().max(1))) else { return false };
    signal("KILL", pid);
    let code = found("the worker's task is STOPPED", || {
        let status = sandbox.json(&["status", "--all-tasks"]);
        let is_it = |it: &&Value| it["task_arn"].as_str().unwrap().ends_with(task) && it["last_status"] == "STOPPED";
        Some(status["tasks"].as_array().unwrap().iter().find(is_it)?["exit_code"].clone())
    });
    code == 137
}

fn items(sandbox: &Sandbox) -> Value {
    sandbox.json(&["items", "--batch-size", ITEMS])
}

fn active(sandbox: &Sandbox) -> usize {
    let status = sandbox.json(&["status"]);
    status["tasks"].as_array().unwrap().iter().filter(|task| task["desired_status"] == "RUNNING").count()
}

fn every_item_is_done_once(sandbox: &Sandbox) {
    let items = items(sandbox);
    assert_eq!((&items["complete"], &items["missing"]), (&json!(true), &json!([])));
    assert_eq!((&items["dead"], &items["rewritten"]), (&json!([]), &json!([])));
    let size: u64 = ITEMS.parse().unwrap();
    let primes = primes(size * 10_000);
    let mut expected = vec![0; size as usize];
    primes.into_iter().for_each(|prime| expected[prime as usize / 10_000] += 1);
    let items = items["items"].as_array().unwrap();
    let seen: Vec<_> = items.iter().map(|item| (item["item_index"].as_u64(), item["result"].as_str())).collect();
    let expected: Vec<_> = expected.iter().map(usize::to_string).collect();
    let expected: Vec<_> = (0..).zip(&expected).map(|(index, count)| (Some(index), Some(count.as_str()))).collect();
    assert_eq!(seen, expected);
    let queue = &sandbox.json(&["status"])["queue"];
    assert_eq!(*queue, json!({"waiting": 0, "in_work": 0, "dead": 0}));
}

/// By the sieve of Eratosthenes.
fn primes(end: u64) -> Vec<u64> {
    let mut is_prime = vec![true; end as usize];
    is_prime[..2].fill(false);
    for divisor in (2..).take_while(|divisor| divisor * divisor < end as usize) {
        if is_prime[divisor] {
            (divisor * divisor..end as usize).step_by(divisor).for_each(|multiple| is_prime[multiple] = false);
        }
    }
    (0..end).filter(|number| is_prime[*number as usize]).collect()
}

/// Each item is told of by one line at most, in the log of the task that the table names. A worker that was killed between
/// writing the item and saying so has no line.
fn nobody_tells_of_an_item_twice(sandbox: &Sandbox) {
    let items = items(sandbox)["items"].as_array().unwrap().clone();
    let writer = |item: &Value| (item["item_index"].as_u64().unwrap(), item["task_id"].as_str().unwrap().to_owned());
    let writers: BTreeMap<_, _> = items.iter().map(writer).collect();
    let mut told = BTreeMap::new();
    for (task, line) in log(sandbox) {
        let Some(rest) = line.strip_prefix("Successfully PUT item ") else { continue };
        let index: u64 = rest.split(' ').next().unwrap().parse().unwrap();
        assert_eq!(writers[&index], task, "{line}");
        assert_eq!(told.insert(index, task), None, "twice: {line}");
    }
    assert!(told.len() > items.len() / 2, "{told:?}");
}

/// All lines of all queue workers, with their tasks.
fn log(sandbox: &Sandbox) -> Vec<(String, String)> {
    let up = sandbox.json(&["up"]);
    let group = up["workshop"]["outputs"]["QueueLogGroupName"].as_str().unwrap();
    let client = aws_sdk_cloudwatchlogs::Client::new(&config(&sandbox.variables()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pages = client.filter_log_events().log_group_name(group).into_paginator().send();
    let pages = runtime.block_on(pages.collect::<Result<Vec<_>, _>>()).unwrap();
    let task = |stream: &str| stream.rsplit('/').next().unwrap().to_owned();
    let line = |event: &aws_sdk_cloudwatchlogs::types::FilteredLogEvent| {
        (task(event.log_stream_name().unwrap()), event.message().unwrap().to_owned())
    };
    pages.iter().flat_map(|page| page.events()).map(line).collect()
}
