//! Faults while stacks are planned, made and deleted.

use std::collections::BTreeSet;

use super::{ALL, Line, PASSING, side_by_side};
use crate::census::{converged, full_census, nothing_left};
use crate::wire::Fault;

#[test]
fn plan_up_regenerate_and_down_converge_whatever_operation_a_fault_befalls() {
    side_by_side(&ALL, |fault| {
        let line = Line::new();
        let census = full_census(&line.sandbox);
        line.sandbox.ok(&["down"]);
        let plan = line.operations(&["plan"]);
        let up = line.operations(&["up"]);
        // Puts the images where the endpoint's tasks find them.
        line.sandbox.ok(&["up"]);
        let regenerate = line.operations(&["regenerate"]);
        line.sandbox.ok(&["run", "original", "--detach"]);
        let down = line.operations(&["down"]);
        let all: BTreeSet<_> = plan.iter().chain(&up).chain(&regenerate).chain(&down).cloned().collect();
        for operation in &all {
            let befalls = |operations: &BTreeSet<String>| operations.contains(operation);
            if befalls(&plan) || befalls(&up) {
                if befalls(&plan) {
                    twice(&line, fault, operation, &["plan"]);
                }
                twice(&line, fault, operation, &["up"]);
                converged(&line.sandbox, &census);
            } else {
                line.sandbox.ok(&["up"]);
            }
            if befalls(&regenerate) {
                twice(&line, fault, operation, &["regenerate"]);
                converged(&line.sandbox, &census);
            }
            if befalls(&down) {
                line.sandbox.ok(&["run", "original", "--detach"]);
                twice(&line, fault, operation, &["down"]);
            } else {
                line.sandbox.ok(&["down"]);
            }
            nothing_left(&line.sandbox);
        }
    });
}

/// With a fault that stays, then with one that passes.
fn twice(line: &Line, fault: Fault, operation: &str, args: &[&str]) {
    line.always(fault, operation, args);
    if PASSING.contains(&fault) {
        line.once(fault, operation, args);
    } else {
        line.operations(args);
    }
}
