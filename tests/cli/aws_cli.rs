//! The AWS CLI as the judge of the endpoint: what it sends and how it reads the answers is none of ours.

mod bad_input;
mod chapter;
mod command;
mod designs;
mod drift;
mod missing;
mod reads;
mod reasons;
mod refusals;
mod survivors;
mod tags;

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Run, Sandbox, found};

/// The terminal of an attendee, after `eval "$(fis-workshop local env)"`.
#[derive(Clone)]
struct Terminal<'a> {
    sandbox: &'a Sandbox,
    path: String,
    variables: BTreeMap<String, String>,
}

impl<'a> Terminal<'a> {
    fn of(sandbox: &'a Sandbox) -> Self {
        let ours = assert_cmd::cargo::cargo_bin!("fis-workshop");
        let directories = [command::aws(), ours].map(|tool| tool.parent().unwrap().display().to_string());
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", directories.join(":"));
        let mut terminal = Self { sandbox, path, variables: BTreeMap::new() };
        let environment = terminal.ok(r#"eval "$(fis-workshop local env)" && env"#);
        let variables = environment.lines().filter(|line| line.starts_with("AWS_"));
        terminal.variables = variables.filter_map(|line| line.split_once('=')).map(owned).collect();
        terminal
    }

    /// With one variable changed.
    fn with(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.variables.insert(name.to_owned(), value.to_owned());
        other
    }

    /// What a line that is typed does.
    #[must_use]
    fn run(&self, line: &str) -> Run {
        let mut shell = Command::new("/bin/sh");
        shell.env_clear().current_dir(self.sandbox.path()).args(["-c", line]).envs(&self.variables);
        shell.env("PATH", &self.path).env("HOME", self.sandbox.path()).env("LANG", "C.UTF-8");
        shell.env("FIS_WORKSHOP_STATE_DIR", self.sandbox.state_dir());
        Run::of(shell.output().unwrap())
    }

    /// stdout of a line that must succeed.
    fn ok(&self, line: &str) -> String {
        let run = self.run(line);
        assert_eq!(run.code, 0, "{line}: {run:?}");
        run.stdout
    }

    /// The answer to a call of the AWS CLI; null when it has none.
    fn aws(&self, call: &str) -> Value {
        // Version 1 of the AWS CLI has a URL of its own for SQS, that of AWS, which only the option overrides.
        let to = if call.starts_with("sqs ") { r#"--endpoint-url "$AWS_ENDPOINT_URL""# } else { "" };
        let stdout = self.ok(&format!("aws {call} {to} --output json"));
        if stdout.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{call}: {error}: {stdout}"))
    }

    /// The answers to calls that do not depend on one another.
    fn all<const N: usize>(&self, calls: [&str; N]) -> [Value; N] {
        std::thread::scope(|scope| {
            calls.map(|call| scope.spawn(move || self.aws(call))).map(|thread| thread.join().unwrap())
        })
    }

    /// Asks again until the answer has what `find` looks for.
    fn until<T>(&self, call: &str, find: impl Fn(&Value) -> Option<T>) -> T {
        found(call, || find(&self.aws(call)))
    }

    /// What the AWS CLI says of a call that must be refused: `An error occurred (CODE) when calling the ...`.
    fn refusal(&self, call: &str) -> String {
        let run = self.run(&format!("aws {call}"));
        assert!(run.code != 0 && run.stdout.is_empty(), "{call}: {run:?}");
        run.stderr.trim().to_owned()
    }

    /// A file for `file://NAME`.
    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.sandbox.path().join(name), text).unwrap();
    }

    /// The outputs of a stack that is complete.
    fn outputs(&self, stack: &str) -> BTreeMap<String, String> {
        let answer = self.aws(&format!("cloudformation describe-stacks --stack-name {stack}"));
        pairs(&answer["Stacks"][0]["Outputs"], "OutputKey", "OutputValue")
    }
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// The members of AWS's lists of keys and values.
fn pairs(list: &Value, key: &str, value: &str) -> BTreeMap<String, String> {
    let text = |entry: &Value, member: &str| entry[member].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(|entry| (text(entry, key), text(entry, value))).collect()
}

/// The tags of an answer of EC2 or CloudFormation.
fn tags(resource: &Value) -> BTreeMap<String, String> {
    pairs(&resource["Tags"], "Key", "Value")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}
