//! SIGKILL and SIGINT of the deployer, and two of it at once: the endpoint lives.

use serde_json::json;

use super::{Dice, kill_endpoint, usual_time};
use crate::census::{census, converged, full_census, nothing_left, processes};
use crate::harness::{Run, Running, Sandbox, until};

/// Each round kills one `up` and one `down`; two tests, so 56 of each.
const ROUNDS: usize = 28;

#[test]
fn up_and_down_converge_whenever_the_deployer_is_killed() {
    let (sandbox, mut dice) = (Sandbox::with_endpoint(), Dice::new());
    let census = full_census(&sandbox);
    let longest_down = usual_time(&sandbox, &["down"], &["up"]);
    let longest_up = usual_time(&sandbox, &["up"], &["down"]);
    for _ in 0..ROUNDS {
        killed(&sandbox, &mut dice, "down", longest_down);
        sandbox.ok(&["down"]);
        nothing_left(&sandbox);
        killed(&sandbox, &mut dice, "up", longest_up);
        sandbox.ok(&["up"]);
        converged(&sandbox, &census);
    }
}

#[test]
fn up_converges_from_a_down_that_was_killed_and_down_from_an_up() {
    let (sandbox, mut dice) = (Sandbox::with_endpoint(), Dice::new());
    let census = full_census(&sandbox);
    let longest_down = usual_time(&sandbox, &["down"], &["up"]);
    for _ in 0..ROUNDS {
        killed(&sandbox, &mut dice, "down", longest_down);
        sandbox.ok(&["up"]);
        converged(&sandbox, &census);
        sandbox.ok(&["down"]);
        killed(&sandbox, &mut dice, "up", longest_down);
        sandbox.ok(&["down"]);
        nothing_left(&sandbox);
        sandbox.ok(&["up"]);
    }
}

const THREE: [&str; 5] = ["up", "--count", "3", "--parallel", "2"];
const NONE: [&str; 2] = ["down", "--all"];

#[test]
fn several_environments_converge_whenever_the_deployer_is_killed() {
    let (sandbox, mut dice) = (Sandbox::with_endpoint(), Dice::new());
    sandbox.ok(&THREE);
    let full = census(&sandbox);
    assert_eq!((full["ec2 vpc"], full["clusters"], full["tables"]), (1, 3, 3), "{full:?}");
    let longest_down = usual_time(&sandbox, &NONE, &THREE);
    let longest_up = usual_time(&sandbox, &THREE, &NONE);
    for _ in 0..ROUNDS / 4 {
        killed_at(&sandbox, &mut dice, &NONE, longest_down);
        sandbox.ok(&NONE);
        nothing_left(&sandbox);
        killed_at(&sandbox, &mut dice, &THREE, longest_up);
        sandbox.ok(&THREE);
        assert_eq!(census(&sandbox), full);
        assert_eq!(sandbox.json(&THREE)["changed"], false);
        killed_at(&sandbox, &mut dice, &["regenerate", "--count", "3"], longest_up);
        sandbox.ok(&THREE);
        assert_eq!(census(&sandbox), full);
    }
}

fn killed(sandbox: &Sandbox, dice: &mut Dice, verb: &str, longest: std::time::Duration) {
    killed_at(sandbox, dice, &[verb], longest);
}

/// At a random moment, of which `longest` is the last.
fn killed_at(sandbox: &Sandbox, dice: &mut Dice, args: &[&str], longest: std::time::Duration) {
    let command = Running::start(sandbox, args);
    dice.wait(longest);
    command.signal("KILL");
    let run = command.end();
    assert!(matches!(run.code, -1 | 0), "{run:?}");
    let port = sandbox.json(&["local", "status"])["port"].as_u64().unwrap();
    until("the endpoint ends the last request of the dead", || !is_at_work_for_the_dead(port));
}

/// Whether the endpoint has still to end a request whose client is gone: on a busy machine that can take longer than a
/// whole command, which then looks before the last wish of the dead has come true. On Linux the socket tells.
fn is_at_work_for_the_dead(port: u64) -> bool {
    const CLOSE_WAIT: &str = "08";
    let Ok(sockets) = std::fs::read_to_string("/proc/net/tcp") else { return false };
    let local = format!(":{port:04X}");
    sockets.lines().skip(1).any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        fields.next().is_some_and(|address| address.ends_with(&local)) && fields.nth(1) == Some(CLOSE_WAIT)
    })
}

#[test]
fn after_ctrl_c_up_goes_on_and_the_next_one_attaches() {
    let sandbox = Sandbox::with_endpoint();
    let census = full_census(&sandbox);
    let interrupted = |_| {
        sandbox.ok(&["down"]);
        let up = Running::start(&sandbox, &["up"]);
        up.wait_for("CREATE_COMPLETE");
        up.signal("INT");
        let run = up.end();
        // On a busy machine it may have been done already.
        (run.code != 0).then_some(run)
    };
    let run: Run = (0..5).find_map(interrupted).expect("none of five `up` was interrupted");
    assert_eq!(run.code, 130, "{run:?}");
    assert!(run.stdout.is_empty(), "{run:?}");
    assert!(run.stderr.ends_with(
        "error: Interrupted.\n  hint: CloudFormation goes on; `fis-workshop up` follows it and completes the rest.\n"
    ), "{run:?}");
    sandbox.ok(&["up"]);
    converged(&sandbox, &census);
}

#[test]
fn after_ctrl_c_the_task_of_run_goes_on() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let run = Running::start(&sandbox, &["run", "original", "--item-seconds", "0.1"]);
    run.wait_for("PUT item 1 ");
    run.signal("INT");
    let run = run.end();
    assert_eq!(run.code, 130, "{run:?}");
    assert!(run.stderr.contains("`fis-workshop logs original --follow` follows it"), "{run:?}");
    let log = sandbox.ok(&["logs", "original", "--follow"]);
    assert!(log.starts_with(&run.stdout), "{log}\n{run:?}");
    assert!(log.ends_with("Successfully PUT item 9 out of 10 into DDB\n"), "{log}");
    let status = sandbox.json(&["status"]);
    assert_eq!((&status["tasks"][0]["exit_code"], &status["tasks"][1]), (&json!(0), &json!(null)), "{status}");
    sandbox.ok(&["down"]);
    nothing_left(&sandbox);
}

#[test]
fn two_at_once_end_well() {
    let (sandbox, mut dice) = (Sandbox::with_endpoint(), Dice::new());
    let census = full_census(&sandbox);
    let longest = usual_time(&sandbox, &["down"], &["up"]);
    for _ in 0..6 {
        for run in both(&sandbox, &mut dice, longest, &["down"]) {
            assert_eq!(run.code, 0, "{run:?}");
        }
        nothing_left(&sandbox);
        // Half of them with an endpoint that was killed: then both want to start it.
        if dice.flip() {
            kill_endpoint(&sandbox);
        }
        for run in both(&sandbox, &mut dice, longest, &["up"]) {
            assert_eq!(run.code, 0, "{run:?}");
        }
        converged(&sandbox, &census);
    }
}

#[test]
fn two_starts_at_once_after_a_kill_find_the_same_endpoint() {
    let (sandbox, mut dice) = (Sandbox::with_endpoint(), Dice::new());
    let longest = std::time::Duration::from_millis(40);
    for _ in 0..12 {
        kill_endpoint(&sandbox);
        let [first, second] = both(&sandbox, &mut dice, longest, &["local", "start", "--output", "json"]);
        assert_eq!((first.code, second.code), (0, 0), "{first:?} {second:?}");
        assert_eq!(first.stdout, second.stdout);
        let serving = || processes(&sandbox).iter().filter(|line| line.contains(" local serve ")).count();
        until("one endpoint is left", || serving() == 1);
        // Whatever the record says answers.
        sandbox.json(&["status"]);
        assert_eq!(sandbox.json(&["local", "status"])["running"], true);
    }
}

/// Two of the same command, the second a random time after the first.
fn both(sandbox: &Sandbox, dice: &mut Dice, longest: std::time::Duration, args: &[&str]) -> [Run; 2] {
    let first = Running::start(sandbox, args);
    dice.wait(longest);
    let second = Running::start(sandbox, args);
    [first.end(), second.end()]
}
