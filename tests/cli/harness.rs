//! A place of its own for each test: home, current directory and state directory in a temporary directory, no variable
//! of the machine, an endpoint on a free port.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longer than anything here takes, on a busy machine too: some wait for a schedule's minute.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

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

    /// The same by way of a shell, which has done `before`.
    pub(crate) fn command_after(&self, before: &str, args: &[&str]) -> Command {
        let command = self.command(args);
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(format!(r#"{before}; exec "$0" "$@""#)).arg(command.get_program()).args(args);
        shell.current_dir(self.path()).env_clear();
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell
    }

    #[must_use]
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        Run::of(self.command(args).output().unwrap())
    }

    /// All that a command prints on a terminal where somebody types `input`.
    pub(crate) fn on_terminal(&self, args: &[&str], input: &str) -> String {
        let run = self.typed_on_terminal(self.command(args), &[("", input)]);
        assert_eq!(run.stderr, "");
        run.stdout
    }

    /// A command on a terminal: what appears there is its stdout. Somebody waits for each text there, then types the other.
    pub(crate) fn typed_on_terminal(&self, command: Command, typed: &[(&str, &str)]) -> Run {
        let mut python = Command::new("python3");
        python.args(["-c", include_str!("terminal.py"), &serde_json::to_string(typed).unwrap()]);
        python.arg(command.get_program()).args(command.get_args()).current_dir(self.path());
        python.env_clear().env("TERM", "xterm").env("PATH", std::env::var_os("PATH").unwrap_or_default());
        python.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let Output { status, stdout, stderr } = python.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Run { code: status.code().unwrap_or(-1), stdout: text(stdout), stderr: text(stderr) }
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

    /// What `local env` tells a shell to export: where the endpoint is, and who asks.
    pub(crate) fn variables(&self) -> BTreeMap<String, String> {
        serde_json::from_value(self.json(&["local", "env"])).unwrap()
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

/// A command under way, its output in files: a pipe that nobody reads would stop it.
pub(crate) struct Running {
    child: Child,
    args: String,
    output: [PathBuf; 2],
}

impl Running {
    pub(crate) fn start(sandbox: &Sandbox, args: &[&str]) -> Self {
        Self::of(sandbox, sandbox.command(args), &args.join(" "))
    }

    pub(crate) fn of(sandbox: &Sandbox, mut command: Command, args: &str) -> Self {
        let number = std::fs::read_dir(sandbox.path()).unwrap().count();
        let output = ["out", "err"].map(|name| sandbox.path().join(format!("{number}.{name}")));
        let [out, err] = output.each_ref().map(|path| File::create_new(path).unwrap());
        let child = command.stdout(out).stderr(err).spawn().unwrap();
        Self { child, args: args.to_owned(), output }
    }

    fn text(&self) -> [String; 2] {
        self.output.each_ref().map(|path| std::fs::read_to_string(path).unwrap())
    }

    /// What it has written so far.
    pub(crate) fn stdout(&self) -> String {
        let [stdout, _] = self.text();
        stdout
    }

    /// Waits until a line with `text` is on stdout or stderr.
    pub(crate) fn wait_for(&self, text: &str) {
        until(&format!("{}: {text}", self.args), || self.text().iter().any(|output| output.contains(text)));
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(name, &self.id());
    }

    /// Waits for its end, however it comes.
    pub(crate) fn end(mut self) -> Run {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let [stdout, stderr] = self.text();
                return Run { code: status.code().unwrap_or(-1), stdout, stderr };
            }
            if begin.elapsed() > PATIENCE {
                self.child.kill().unwrap();
                panic!("`{}` does not end: {:?}", self.args, self.text());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Waits until `condition` holds.
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    found(what, || condition().then_some(()));
}

/// Asks until the answer is this one.
pub(crate) fn becomes<T: PartialEq + std::fmt::Debug>(wanted: &T, mut ask: impl FnMut() -> T) {
    let begin = Instant::now();
    loop {
        let answer = ask();
        if answer == *wanted {
            return;
        }
        assert!(begin.elapsed() < PATIENCE, "waited in vain for {wanted:?}: {answer:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Asks until there is an answer.
pub(crate) fn found<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begin.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Sends a signal to a process.
pub(crate) fn signal(name: &str, pid: &impl Display) {
    // It may have ended by itself.
    let _ = Command::new("kill").args([format!("-{name}"), "--".to_owned(), pid.to_string()]).output().unwrap();
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
