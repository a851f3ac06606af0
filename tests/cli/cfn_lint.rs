//! cfn-lint on the templates as they are printed.

use std::process::Command;

use crate::harness::{Run, Sandbox, judge};

#[test]
fn cfn_lint_finds_nothing_in_what_is_rendered() {
    let sandbox = Sandbox::new();
    let mut files = Vec::new();
    for template in ["network", "workshop"] {
        for (format, ending) in [("text", "yaml"), ("json", "json")] {
            let file = sandbox.path().join(format!("{template}.{ending}"));
            std::fs::write(&file, sandbox.ok(&["render", template, "--output", format])).unwrap();
            files.push(file);
        }
    }
    let mut command = Command::new(judge("cfn-lint"));
    command.env_clear().env("HOME", sandbox.path()).current_dir(sandbox.path());
    let run = Run::of(command.args(["--include-checks", "I", "--"]).args(files).output().unwrap());
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (0, "", ""));
}

#[test]
fn cfn_lint_would_say_so() {
    let sandbox = Sandbox::new();
    let file = sandbox.path().join("network.yaml");
    std::fs::write(&file, sandbox.ok(&["render", "network"]).replace("CidrBlock: !Ref VpcCidr", "CidrBlok: 1"))
        .unwrap();
    let mut command = Command::new(judge("cfn-lint"));
    command.env_clear().env("HOME", sandbox.path()).current_dir(sandbox.path());
    let run = Run::of(command.args(["--include-checks", "I", "--"]).arg(file).output().unwrap());
    assert_ne!(run.code, 0);
    assert!(run.stdout.contains("CidrBlok"), "{run:?}");
}
