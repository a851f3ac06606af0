//! What `--help` says, of every command.

use crate::harness::{Run, Sandbox};

/// A command, and its help.
pub(crate) struct Help {
    pub(crate) command: Vec<String>,
    pub(crate) text: String,
}

/// What help does not name, so that all verbs that it names are on one screen.
const HIDDEN: [&str; 2] = ["completions", "man"];

/// Every command, each before its own commands.
pub(crate) fn all(sandbox: &Sandbox) -> Vec<Help> {
    let hidden = HIDDEN.iter().flat_map(|verb| of(sandbox, vec![(*verb).to_owned()]));
    of(sandbox, Vec::new()).into_iter().chain(hidden).collect()
}

fn of(sandbox: &Sandbox, command: Vec<String>) -> Vec<Help> {
    let words: Vec<_> = command.iter().map(String::as_str).chain(["--help"]).collect();
    let text = sandbox.ok(&words);
    let below = verbs(&text).into_iter().flat_map(|verb| of(sandbox, [&command[..], &[verb.to_owned()]].concat()));
    let below: Vec<_> = below.collect();
    [Help { command, text }].into_iter().chain(below).collect()
}

/// The names under `Commands:`; what is further to the right goes on with the line before.
fn verbs(help: &str) -> Vec<&str> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names.filter(|name| !name.is_empty() && *name != "help").collect()
}

#[test]
fn help_of_every_command() {
    for Help { command, text: help } in all(&Sandbox::new()) {
        let name = if command.is_empty() { "help".to_owned() } else { format!("help_{}", command.join("_")) };
        insta::assert_snapshot!(name, help);
        assert!(help.contains("\nExample"), "{command:?} has no example");
    }
}

#[test]
fn in_80_columns_no_example_is_broken_and_all_verbs_are_on_the_screen() {
    let sandbox = Sandbox::new();
    let narrow = |args: Vec<&str>| {
        let output = sandbox.command(&args).env("COLUMNS", "80").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for Help { command, text } in all(&sandbox) {
        let narrow = narrow(command.iter().map(String::as_str).chain(["--help"]).collect());
        assert_eq!(examples(&narrow), examples(&text), "{command:?}");
        assert!(examples(&text).iter().all(|line| line.len() <= 80), "{text}");
    }
    let short = narrow(vec!["-h"]);
    // Of a terminal of 30 lines, with the prompt in the last one.
    let last: Vec<_> = short.lines().rev().take(29).collect();
    assert!(last.iter().any(|line| line.starts_with("  up ")), "{short}");
}

fn examples(help: &str) -> Vec<&str> {
    let lines = help.lines().skip_while(|line| !line.starts_with("Example"));
    lines.take_while(|line| !line.is_empty()).collect()
}

#[test]
fn the_short_help_has_the_options_of_the_command_alone() {
    let sandbox = Sandbox::new();
    let short = sandbox.ok(&["run", "-h"]);
    assert!(short.contains("--detach") && !short.contains("--state-dir"), "{short}");
    assert!(short.contains("see more with '--help'"), "{short}");
}

#[test]
fn doctor_does_not_ask_how_many_to_work_on_at_once() {
    let help = Sandbox::new().ok(&["doctor", "--help"]);
    assert!(help.contains("--count") && !help.contains("--parallel"), "{help}");
}

#[test]
fn every_shell_has_a_completion_script_and_the_manual_a_page_for_each_command() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = sandbox.ok(&["completions", shell]);
        assert!(script.contains("COMPLETE"), "{shell}: {script}");
    }
    assert!(sandbox.ok(&["man"]).contains(".TH fis-workshop 1"));
    sandbox.ok(&["man", "--dir", "pages"]);
    assert!(sandbox.path().join("pages/fis-workshop-interrupt.1").exists());
}

/// Also where an attendee has named the seat once and for all.
#[test]
fn the_program_alone_shows_its_verbs() {
    let sandbox = Sandbox::new();
    let short = sandbox.ok(&["-h"]);
    assert_eq!(sandbox.ok(&[]), short);
    let run = Run::of(sandbox.command(&[]).env("FIS_WORKSHOP_ENV", "seat-07").output().unwrap());
    assert_eq!((run.code, run.stdout), (0, short));
}
