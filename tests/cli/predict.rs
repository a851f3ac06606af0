//! What people say before the fault: asked on a terminal, given on the command line, and shown beside what was measured.

use std::process::Command;

use serde_json::json;

use crate::harness::{Run, Sandbox};

const QUESTION: &str = "At which index will the job go on? ";

/// An environment in which the original job runs, slowly enough to be asked about.
fn running() -> Sandbox {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    start(&sandbox);
    sandbox
}

fn start(sandbox: &Sandbox) {
    sandbox.ok(&["run", "original", "--detach", "--item-seconds", "1"]);
}

fn interrupt(sandbox: &Sandbox, args: &[&str], typed: &[(&str, &str)]) -> Run {
    let run = sandbox.typed_on_terminal(sandbox.command(&[&["interrupt"], args].concat()), typed);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    assert!(run.stdout.contains("was stopped"), "{run:?}");
    run
}

/// The row of the lab's table, less its frame.
fn row<'a>(table: &'a str, name: &str) -> Vec<&'a str> {
    let line = table.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("no {name}: {table}"));
    line.split_whitespace().filter(|word| *word != "│").collect()
}

#[test]
fn the_lab_asks_before_each_variant_and_shows_the_answers_beside_what_it_measured() {
    let sandbox = Sandbox::with_endpoint();
    let lab = sandbox.command(&["lab", "original", "--item-seconds", "0.2"]);
    let typed = [
        ("when index 4 of 0 to 9 is written", ""),
        (QUESTION, "none\n"),
        ("none? It takes a whole number, 0 or more.", ""),
        (QUESTION, "4\n"),
        ("How many items will be done twice? ", "\n"),
        ("(who just go on)? ", "you\n"),
        ("you? It takes nobody, me, function or others.", ""),
        ("(who just go on)? ", "a function\n"),
    ];
    let run = sandbox.typed_on_terminal(lab, &typed);
    // Neither answer is right, and that changes nothing.
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    let [before, table] = [QUESTION, "items in the table"].map(|part| run.stdout.rsplit_once(part).unwrap());
    assert!(!before.0.contains("Started the task"), "{run:?}");
    assert!(before.1.contains("Started the task"), "{run:?}");
    let lines: Vec<_> = table.1.lines().filter(|line| line.contains("predicted")).collect();
    assert_eq!(lines.len(), 3, "{run:?}");
    let answers: Vec<_> = lines.iter().map(|line| row(line, "predicted")[1..].join(" ")).collect();
    assert_eq!(answers, ["by a function", "4", "-"]);
    assert_eq!(row(table.1, "resumed at index").last(), Some(&"0"));
    assert!(table.1.contains("The hypothesis holds"), "{run:?}");
}

#[test]
fn answers_on_the_command_line_are_for_all_variants_or_for_one_and_judge_nothing() {
    let sandbox = Sandbox::with_endpoint();
    let answers = ["--predict", "resume=7,restarts=others", "--predict", "original:resume=0,redone=5"];
    let lab = [&["lab", "original", "--item-seconds", "0.2", "--keep"][..], &answers].concat();
    let report = sandbox.json(&lab);
    let prediction = json!({"resumed_at_index": 0, "items_redone": 5, "restart": "others go on"});
    assert_eq!(report["variants"][0]["prediction"], prediction);
    assert_eq!((&report["variants"][0]["restart"], &report["verdict"]), (&json!("by hand"), &json!("pass")));
    // Without answers, the table has no row for them.
    let run = sandbox.run(&["lab", "improved", "--item-seconds", "0.2"]);
    assert!(run.code == 0 && !run.stdout.contains("predicted"), "{run:?}");
}

#[test]
fn interrupt_asks_before_it_waits_for_the_index() {
    let sandbox = running();
    let typed = [(QUESTION, "0\n"), ("done twice? ", "2\n"), ("(who just go on)? ", "nobody\n")];
    let run = interrupt(&sandbox, &["--at-index", "1"], &typed);
    assert!(run.stdout.contains("the experiment will stop the task when index 1 is written."), "{run:?}");
    assert!(run.stdout.rsplit_once("(who just go on)? ").unwrap().1.contains("Waiting until index 1"), "{run:?}");
    let said = "You predicted: goes on at index 0; items done twice: 2; restarted: by hand.";
    assert!(run.stdout.contains(said), "{run:?}");
    start(&sandbox);
    let told = sandbox.json(&["interrupt", "--predict", "redone=2"]);
    assert_eq!(told["prediction"], json!({"resumed_at_index": null, "items_redone": 2, "restart": null}));
}

#[test]
fn tasks_that_share_the_work_go_on_at_no_index() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    sandbox.ok(&["run", "queue", "--detach", "--count", "2", "--item-seconds", "1"]);
    let run = interrupt(&sandbox, &["--one"], &[("done twice? ", "0\n"), ("(who just go on)? ", "others\n")]);
    assert!(run.stdout.contains("the experiment will stop one of the tasks now."), "{run:?}");
    assert!(!run.stdout.contains(QUESTION), "{run:?}");
    assert!(run.stdout.contains("You predicted: items done twice: 0; restarted: others go on."), "{run:?}");
}

#[test]
fn nobody_is_asked_who_will_not_answer() {
    let sandbox = running();
    for args in [&["--no-predict"][..], &["--predict", "resume=0"], &["--output", "json"]] {
        let run = interrupt_unasked(&sandbox, sandbox.command(&[&["interrupt"], args].concat()));
        assert_eq!(run.stdout.contains("You predicted"), args.contains(&"--predict"), "{args:?}: {run:?}");
        start(&sandbox);
    }
    // Whoever reads from a terminal in the background is stopped until somebody brings it to the front.
    let ours = sandbox.command(&["interrupt"]);
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", r#"set -m; "$0" "$@" & wait"#]).arg(ours.get_program()).args(ours.get_args());
    shell.envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
    interrupt_unasked(&sandbox, shell);
    start(&sandbox);
    let run = interrupt(&sandbox, &[], &[(QUESTION, "\u{4}")]);
    assert!(!run.stdout.contains("done twice?") && !run.stdout.contains("You predicted"), "{run:?}");
}

fn interrupt_unasked(sandbox: &Sandbox, command: Command) -> Run {
    let run = sandbox.typed_on_terminal(command, &[]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    assert!(!run.stdout.contains("Predict first"), "{run:?}");
    assert_eq!(sandbox.json(&["status"])["tasks"][0]["exit_code"], 143, "{run:?}");
    run
}

#[test]
fn nothing_is_asked_where_there_is_nothing_to_interrupt() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    let refused = |args: &[&str]| sandbox.typed_on_terminal(sandbox.command(&[&["interrupt"], args].concat()), &[]);
    let run = refused(&[]);
    assert!(run.code == 1 && run.stdout.contains("no task runs in the cluster"), "{run:?}");
    start(&sandbox);
    let run = refused(&["--at-index", "10"]);
    assert!(run.code == 2 && run.stdout.contains("Index 10 is never written"), "{run:?}");
}

#[test]
fn ctrl_c_ends_the_command_that_asks() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up"]);
    sandbox.ok(&["run", "original", "--detach", "--item-seconds", "600"]);
    let run = sandbox.typed_on_terminal(sandbox.command(&["interrupt"]), &[(QUESTION, "\u{3}")]);
    assert!(run.code == 130 && run.stdout.contains("Nothing was started."), "{run:?}");
    assert_eq!(sandbox.json(&["status"])["tasks"][0]["desired_status"], "RUNNING");
    let run = sandbox.typed_on_terminal(sandbox.command(&["local", "reset"]), &[("[y/N] ", "\u{3}")]);
    assert_eq!(run.code, 130, "{run:?}");
    assert_eq!(sandbox.json(&["local", "status"])["running"], true);
}

#[test]
fn a_prediction_that_is_for_nothing_is_refused_before_anything_is_set_up() {
    let sandbox = Sandbox::new();
    for (args, words) in [
        (&["lab", "--predict", "redone=1", "--predict", "resume=1"][..], "given twice for all variants"),
        (&["lab", "queue", "--predict", "original:redone=1"], "about original, which is not played"),
    ] {
        let run = sandbox.run(args);
        assert!(run.code == 2 && run.stderr.contains(words), "{run:?}");
    }
    assert!(!sandbox.state_dir().exists());
}
