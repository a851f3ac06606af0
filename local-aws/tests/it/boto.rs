//! botocore, AWS's client library for Python, as a judge: what it sends and how it reads the answers is none of ours. One
//! process for all calls of a test, of the virtual environment that `make test` makes.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A refusal, as the service put it.
#[derive(Debug)]
#[allow(dead_code, reason = "one of the two packages only prints it")]
pub(crate) struct Refusal {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// A process that calls what it is told to. It ends with the test.
pub(crate) struct Boto {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Boto {
    /// With these variables and no others: where AWS is, and who asks.
    pub(crate) fn start<N: AsRef<str>>(variables: impl IntoIterator<Item = (N, String)>) -> Self {
        // Of the repository: this file serves the tests of two packages.
        let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        let python = above.map(|directory| directory.join(".venv/bin/python")).find(|path| path.exists());
        let mut command = Command::new(python.expect(".venv is missing: run `make test`, which makes it"));
        command.arg("-c").arg(include_str!("boto.py")).env_clear();
        // Nothing of this machine's: without HOME, it would ask the system for one.
        command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        for (name, value) in variables {
            command.env(name.as_ref(), value);
        }
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (requests, answers) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Self { process, requests, answers: BufReader::new(answers) }
    }

    /// One call, e.g. of `iam`, `GetRole`.
    pub(crate) fn call(&mut self, service: &str, operation: &str, input: &Value) -> Result<Value, Refusal> {
        writeln!(self.requests, "{}", json!([service, operation, input])).unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let mut answer: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{service}:{operation}: botocore gave up, see above: {error}: {line}"));
        let text = |member: &str| answer[member].as_str().map(str::to_owned);
        match (text("code"), text("message")) {
            (Some(code), Some(message)) => Err(Refusal { code, message }),
            _ => Ok(answer["output"].take()),
        }
    }
}

impl Drop for Boto {
    fn drop(&mut self) {
        // A test that fails has said why already.
        let _ = self.process.kill().and_then(|()| self.process.wait());
    }
}
