//! Completion, as the shells ask for it: bash itself, with what it gives to the function that the script registers; fish
//! and zsh by what their scripts call.

use std::process::Command;

use crate::harness::Sandbox;

/// Sources the script, and completes the last one of the words.
const COMPLETE_IN_BASH: &str = r#"
eval "$("$PROGRAM" completions bash)"
function=$(complete -p fis-workshop) && function=${function##*-F } && function=${function%% *}
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_TYPE=9
"$function" fis-workshop "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

/// With what the sandbox gives to the program.
fn shell(sandbox: &Sandbox, mut command: Command) -> Vec<String> {
    let program = sandbox.command(&[]);
    command.env_clear().envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.env("PROGRAM", program.get_program()).current_dir(sandbox.path()).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn bash(sandbox: &Sandbox, words: &[&str]) -> Vec<String> {
    let mut command = Command::new("bash");
    command.args(["--norc", "-c", COMPLETE_IN_BASH, "bash", "fis-workshop"]).args(words);
    shell(sandbox, command)
}

/// What the fish script calls.
fn fish(sandbox: &Sandbox, words: &[&str]) -> Vec<String> {
    let mut command = sandbox.command(&["--", "fis-workshop"]);
    let output = command.env("COMPLETE", "fish").args(words).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The first word of each line: what is inserted.
fn values(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| line.split('\t').next().unwrap()).collect()
}

#[test]
fn bash_completes_verbs_options_and_values() {
    let sandbox = Sandbox::new();
    assert_eq!(bash(&sandbox, &["inter"]), ["interrupt"]);
    assert_eq!(bash(&sandbox, &["run", "--item"]), ["--item-seconds"]);
    assert_eq!(bash(&sandbox, &["run", ""])[..2], ["original", "improved"]);
    assert_eq!(bash(&sandbox, &["run", "imp"]), ["improved"]);
    assert_eq!(bash(&sandbox, &["--target", "aws", "image", "pu"]), ["push"]);
    assert_eq!(bash(&sandbox, &["status", "--output", ""]), ["text", "json"]);
}

#[test]
fn fish_gets_the_same_with_what_it_means() {
    let sandbox = Sandbox::new();
    let variants = fish(&sandbox, &["run", ""]);
    assert_eq!(values(&variants)[..2], ["original", "improved"]);
    assert!(variants[0].contains('\t'), "{variants:?}");
}

#[test]
fn zsh_asks_by_number() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["--", "fis-workshop", "lab"]);
    let output = command.env("COMPLETE", "zsh").env("_CLAP_COMPLETE_INDEX", "2").output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("original:"));
}

#[test]
fn what_is_hidden_is_not_offered() {
    let sandbox = Sandbox::new();
    for offered in [bash(&sandbox, &["local", ""]), bash(&sandbox, &["local", "s"]), fish(&sandbox, &["local", "s"])] {
        let offered = values(&offered);
        assert!(offered.contains(&"start") && !offered.contains(&"serve"), "{offered:?}");
    }
}

#[test]
fn environments_that_exist_are_offered_and_no_endpoint_is_started_for_it() {
    let sandbox = Sandbox::new();
    assert!(fish(&sandbox, &["status", "--env", ""]).is_empty());
    assert!(!sandbox.state_dir().exists());
    sandbox.ok(&["local", "start", "--port", "0"]);
    sandbox.ok(&["up", "--env", "alice", "--env", "bob"]);
    let mut all = bash(&sandbox, &["status", "--env", ""]);
    all.sort_unstable();
    assert_eq!(all, ["alice", "bob"]);
    assert_eq!(bash(&sandbox, &["run", "original", "--env", "a"]), ["alice"]);
    assert_eq!(fish(&sandbox, &["down", "--env", "alice,b"]), ["alice,bob"]);
    // The words that are typed count: this is another endpoint's directory.
    assert!(fish(&sandbox, &["--state-dir", "elsewhere", "status", "--env", ""]).is_empty());
    sandbox.ok(&["local", "stop"]);
    assert!(fish(&sandbox, &["status", "--env", ""]).is_empty());
}
