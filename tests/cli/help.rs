//! What `--help` says, of every command.

use crate::harness::Sandbox;

/// Every command; the last one is hidden.
pub(crate) const COMMANDS: [&[&str]; 28] = [
    &[],
    &["up"],
    &["plan"],
    &["status"],
    &["run"],
    &["interrupt"],
    &["logs"],
    &["items"],
    &["clear"],
    &["lab"],
    &["down"],
    &["regenerate"],
    &["image"],
    &["image", "build"],
    &["image", "push"],
    &["image", "inspect"],
    &["doctor"],
    &["render"],
    &["source"],
    &["local"],
    &["local", "start"],
    &["local", "stop"],
    &["local", "status"],
    &["local", "env"],
    &["local", "reset"],
    &["completions"],
    &["man"],
    &["local", "serve"],
];

#[test]
fn help_of_every_command() {
    let sandbox = Sandbox::new();
    for command in COMMANDS {
        let name = if command.is_empty() { "help".to_owned() } else { format!("help_{}", command.join("_")) };
        let help = sandbox.ok(&[command, &["--help"]].concat());
        insta::assert_snapshot!(name, help);
    }
}

#[test]
fn every_shell_has_a_completion_script_and_the_manual_a_page_for_each_command() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = sandbox.ok(&["completions", shell]);
        assert!(script.contains("interrupt"), "{shell}");
    }
    assert!(sandbox.ok(&["man"]).contains(".TH fis-workshop 1"));
    sandbox.ok(&["man", "--dir", "pages"]);
    assert!(sandbox.path().join("pages/fis-workshop-interrupt.1").exists());
}
