//! SIGSTOP: what a closed laptop is to the processes, or one of them that gets no time, or a task that has to wait.

use std::time::Duration;

use super::tasks::{every_index_once, stopped};
use super::{endpoint_pid, kill_endpoint};
use crate::census::nothing_left;
use crate::harness::{Running, Sandbox, signal};

const SLEEP: Duration = Duration::from_secs(60);

/// A run that is followed, with some items written and some to come.
fn running() -> (Sandbox, Running) {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let run = Running::start(&sandbox, &["run", "improved", "--item-seconds", "0.3"]);
    run.wait_for("PUT item 2 ");
    (sandbox, run)
}

/// Stops the processes for a minute; a negative number is a process group.
fn sleep(processes: &[String]) {
    for name in ["STOP", "CONT"] {
        processes.iter().for_each(|process| signal(name, process));
        if name == "STOP" {
            std::thread::sleep(SLEEP);
        }
    }
}

/// The group of the one task's processes.
fn worker(sandbox: &Sandbox) -> String {
    let directory = sandbox.state_dir().join("local/tasks");
    let task = std::fs::read_dir(directory).unwrap().next().unwrap().unwrap().path();
    format!("-{}", std::fs::read_to_string(task.join("init")).unwrap().trim())
}

fn and_all_is_well(sandbox: &Sandbox) {
    stopped(sandbox);
    every_index_once(sandbox);
    sandbox.ok(&["down"]);
    nothing_left(sandbox);
}

/// All at once: they do nothing but wait.
#[test]
fn a_minute_without_time_is_survived() {
    std::thread::scope(|scope| {
        scope.spawn(a_laptop_that_sleeps_goes_on_where_it_was);
        scope.spawn(a_command_that_sleeps_shows_what_it_has_missed);
        scope.spawn(an_endpoint_that_sleeps_loses_nothing);
    });
}

fn a_laptop_that_sleeps_goes_on_where_it_was() {
    let (sandbox, run) = running();
    sleep(&[endpoint_pid(&sandbox).to_string(), worker(&sandbox), run.id().to_string()]);
    let run = run.end();
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.stdout.matches("Successfully PUT item").count(), 10, "{run:?}");
    and_all_is_well(&sandbox);
}

fn a_command_that_sleeps_shows_what_it_has_missed() {
    let (sandbox, run) = running();
    sleep(&[run.id().to_string()]);
    let run = run.end();
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.stdout.matches("Successfully PUT item").count(), 10, "{run:?}");
    and_all_is_well(&sandbox);
}

/// The worker may give up meanwhile: then the command says so, and the next run goes on.
fn an_endpoint_that_sleeps_loses_nothing() {
    let (sandbox, run) = running();
    sleep(&[endpoint_pid(&sandbox).to_string()]);
    let run = run.end();
    assert!([0, 1].contains(&run.code), "{run:?}");
    and_all_is_well(&sandbox);
}

/// A process group that is stopped gets SIGHUP when it loses the last process of its session outside of it.
#[test]
fn a_task_that_has_to_wait_goes_on_with_the_next_endpoint() {
    let stop = |sandbox: &Sandbox| drop(sandbox.ok(&["local", "stop"]));
    for end in [kill_endpoint, stop] {
        let (sandbox, run) = running();
        signal("STOP", &worker(&sandbox));
        end(&sandbox);
        sandbox.ok(&["local", "start"]);
        run.end();
        let tasks = stopped(&sandbox);
        assert_eq!(tasks[0]["exit_code"], 0, "{tasks:?}");
        and_all_is_well(&sandbox);
    }
}
