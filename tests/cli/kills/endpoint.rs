//! SIGKILL of the endpoint while stacks are made and deleted.

use super::{Dice, done_or_cut_off, endpoint_pid, kill_at_once, usual_time};
use crate::census::{converged, full_census, nothing_left, workers};
use crate::harness::{Running, Sandbox};

const ROUNDS: usize = 16;

#[test]
fn up_converges_whenever_the_endpoint_is_killed() {
    let (sandbox, mut dice) = (Sandbox::with_endpoint(), Dice::new());
    let census = full_census(&sandbox);
    let longest = usual_time(&sandbox, &["up"], &["down"]);
    for _ in 0..ROUNDS {
        sandbox.ok(&["down"]);
        sandbox.ok(&["local", "start"]);
        let pid = endpoint_pid(&sandbox);
        let up = Running::start(&sandbox, &["up"]);
        dice.wait(longest);
        kill_at_once(&pid);
        // The first one may still be at it, and go on as soon as there is an endpoint again.
        let first = if dice.flip() { Some(up) } else { cut_off(up) };
        sandbox.ok(&["up"]);
        if let Some(up) = first {
            done_or_cut_off(&up.end());
        }
        converged(&sandbox, &census);
    }
    assert_eq!(workers(&sandbox), Vec::<String>::new());
}

#[test]
fn down_leaves_nothing_whenever_the_endpoint_is_killed() {
    let (sandbox, mut dice) = (Sandbox::with_endpoint(), Dice::new());
    sandbox.ok(&["up"]);
    let run = ["run", "original", "--detach", "--item-seconds", "0.05", "--force"];
    let longest = usual_time(&sandbox, &["down"], &["up"]);
    for round in 0..ROUNDS {
        sandbox.ok(&["up"]);
        // With a task and without one: stopping it is most of the time that `down` takes.
        if round % 2 == 0 {
            sandbox.ok(&run);
        }
        let pid = endpoint_pid(&sandbox);
        let down = Running::start(&sandbox, &["down"]);
        dice.wait(longest);
        kill_at_once(&pid);
        let first = if dice.flip() { Some(down) } else { cut_off(down) };
        sandbox.ok(&["down"]);
        if let Some(down) = first {
            done_or_cut_off(&down.end());
        }
        nothing_left(&sandbox);
    }
}

/// It has come to its end before the next command.
fn cut_off(command: Running) -> Option<Running> {
    done_or_cut_off(&command.end());
    None
}
