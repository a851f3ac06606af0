//! Faults at random, on any call, while the whole chapter is done.

use rand::RngExt;

use super::{ALL, Line, ended_clearly};
use crate::census::{converged, full_census, nothing_left};
use crate::harness::Run;
use crate::kills::Dice;
use crate::wire::Fault;

const ROUNDS: usize = 6;

/// One call in this many meets a fault.
const ODDS: u32 = 8;

#[test]
fn a_storm_of_faults_leaves_nothing_behind() {
    let (line, mut dice) = (Line::new(), Dice::new());
    let census = full_census(&line.sandbox);
    for round in 0..ROUNDS {
        storm(&line, &mut dice, &["up"]);
        line.sandbox.ok(&["up"]);
        converged(&line.sandbox, &census);
        storm(&line, &mut dice, &["run", "improved", "--detach"]);
        storm(&line, &mut dice, &["interrupt"]);
        storm(&line, &mut dice, &["status"]);
        storm(&line, &mut dice, &["clear"]);
        storm(&line, &mut dice, &["down"]);
        // Half of them from what the storm has left.
        if round % 2 == 0 {
            line.sandbox.ok(&["down"]);
            nothing_left(&line.sandbox);
        }
    }
    line.sandbox.ok(&["down"]);
    nothing_left(&line.sandbox);
}

fn storm(line: &Line, dice: &mut Dice, args: &[&str]) {
    let mut rng = dice.fork();
    line.proxy.plan(move |_| {
        let faults = [&ALL[..], &[Fault::Slow]].concat();
        rng.random_ratio(1, ODDS).then(|| faults[rng.random_range(0..faults.len())])
    });
    let run = Run::of(line.command(args).output().unwrap());
    line.proxy.plan(|_| None);
    // An `interrupt` that has nothing to interrupt says so without a cause.
    if !run.stderr.contains("The experiment would hit nothing") {
        ended_clearly(&run, &format!("{args:?} in a storm"));
    }
}
