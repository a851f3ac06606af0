//! The order in which requests pass, whatever order they come in.

use proptest::prelude::*;
use serde_json::json;

use super::gates::State;
use super::record::{Outcome, Request};
use super::script::{Cut, Script, Turn};

fn state(turns: Vec<Turn>) -> State {
    let mut state = State::default();
    state.script = Script::new(turns).unwrap();
    state
}

fn arrive(state: &mut State, task: &str) -> usize {
    let task = state.number(task);
    let (service, operation, outcome) = ("dynamodb", "PutItem", Outcome::Held);
    state.requests.push(Request {
        task,
        service,
        operation,
        input: json!({}),
        outcome,
        error: None,
        cut: None,
        passed: None,
    });
    state.requests.len() - 1
}

/// What each of the tasks has to say, in which order they say it, and whose turn it is for how many requests.
fn cases() -> impl Strategy<Value = (Vec<usize>, Vec<(usize, usize)>)> {
    (prop::collection::vec(0..3_usize, 0..24), prop::collection::vec((1..4_usize, 0..5_usize), 0..8))
}

proptest! {
    /// A task has one request at a time, as workers do. Those that wait are asked in any order.
    #[test]
    fn requests_pass_in_the_order_of_the_turns_and_none_is_lost((arrivals, turns) in cases()) {
        let turns: Vec<_> =
            turns.iter().map(|(task, requests)| Turn { task: *task, requests: Some(*requests), cut: None }).collect();
        let mut state = state(turns.clone());
        for task in ["a", "b", "c"] {
            state.number(task);
        }
        let mut held: Vec<usize> = Vec::new();
        let mut passed = Vec::new();
        for task in &arrivals {
            held.push(arrive(&mut state, ["a", "b", "c"][*task]));
            while let Some(place) = held.iter().position(|request| state.pass(*request).is_some()) {
                let request = held.remove(place);
                passed.push(state.requests[request].task);
                let turn = state.script.over();
                state.script.end_request(turn);
            }
        }
        // What the turns leave over passes as it comes; what they ask for and nobody sends keeps the rest waiting.
        let wanted: Vec<usize> =
            turns.iter().flat_map(|turn| std::iter::repeat_n(turn.task, turn.requests.unwrap())).collect();
        let scripted = passed.len().min(wanted.len());
        prop_assert_eq!(&passed[..scripted], &wanted[..scripted]);
        prop_assert_eq!(passed.len() + held.len(), arrivals.len());
        if passed.len() >= wanted.len() {
            prop_assert!(held.is_empty(), "after the last turn nobody waits");
        }
    }

    #[test]
    fn without_turns_everything_passes_as_it_comes(arrivals in prop::collection::vec(0..3_usize, 0..24)) {
        let mut state = state(Vec::new());
        for task in &arrivals {
            let request = arrive(&mut state, ["a", "b", "c"][*task]);
            prop_assert_eq!(state.pass(request), Some((0, None)));
        }
        prop_assert!(state.requests.iter().all(|request| request.outcome == Outcome::Begun));
    }
}

#[test]
fn a_cut_is_at_the_last_request_of_its_turn_and_the_condemned_pass_no_more() {
    let mut state = state(vec![Turn { task: 1, requests: Some(2), cut: Some(Cut::AfterEffect) }]);
    let (first, second) = (arrive(&mut state, "a"), arrive(&mut state, "a"));
    assert_eq!(state.pass(first), Some((0, None)));
    assert_eq!(state.pass(second), Some((0, Some(Cut::AfterEffect))));
    state.condemned.push(1);
    state.script.end_request(0);
    let (third, other) = (arrive(&mut state, "a"), arrive(&mut state, "b"));
    assert_eq!(state.pass(third), None);
    assert_eq!(state.pass(other), Some((1, None)));
}

#[test]
fn scripts_that_mean_nothing_are_refused() {
    let turn = |task, requests, cut| Script::new(vec![Turn { task, requests, cut }]);
    assert!(turn(0, None, None).is_err());
    assert!(turn(1, None, Some(Cut::BeforeEffect)).is_err());
    assert!(turn(1, Some(0), Some(Cut::BeforeEffect)).is_err());
    assert!(turn(1, Some(0), None).is_ok());
}
