//! A place of its own for each test: home, current directory and state directory in a temporary directory, no variable
//! of the machine, an endpoint on a free port.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Where one test works. Its endpoint and tasks end with it.
pub(crate) struct Sandbox {
    directory: tempfile::TempDir,
}

/// What a command has left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// With an endpoint on a free port.
    pub(crate) fn with_endpoint() -> Self {
        let sandbox = Self::new();
        sandbox.ok(&["local", "start", "--port", "0"]);
        sandbox
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.path().join("state")
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("fis-workshop"));
        command.env_clear().current_dir(self.path()).args(args);
        command.env("HOME", self.path()).env("FIS_WORKSHOP_STATE_DIR", self.state_dir());
        command.env("COLUMNS", "100").env("TMPDIR", self.path());
        command
    }

    #[must_use]
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        Run::of(self.command(args).output().unwrap())
    }

    /// stdout of a command that must succeed.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let run = self.run(args);
        assert_eq!(run.code, 0, "{args:?}: {run:?}");
        run.stdout
    }

    /// The JSON document of a command that must succeed.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let stdout = self.ok(&[args, &["--output", "json"]].concat());
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{args:?}: {error}: {stdout}"))
    }

    /// All that a command printed, with what differs from run to run replaced.
    #[must_use]
    pub(crate) fn transcript(&self, args: &[&str]) -> String {
        self.run(args).transcript(self.path())
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // A test that fails has said why already.
        let _ = self.command(&["local", "reset"]).output();
    }
}

/// A tool that judges ours, from the virtual environment that `make test` makes.
pub(crate) fn judge(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin").join(name);
    assert!(path.exists(), "{} is missing: run `make test`, which installs it", path.display());
    path
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    pub(crate) fn transcript(&self, directory: &Path) -> String {
        let text = format!("exit code {}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr);
        text.replace(&directory.display().to_string(), "[DIR]")
    }
}
