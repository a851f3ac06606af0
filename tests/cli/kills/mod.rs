//! SIGKILL at random moments, two commands at once, states that cannot be used: through the front door.

mod deployer;
mod endpoint;
mod queue;
mod sleep;
mod state;
mod tasks;
mod watchdog;

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::harness::{Run, Sandbox, signal, until};

/// Another seed than a new one, to play a failure again.
const SEED: &str = "TEST_SEED";

/// Random moments, the same again with the same seed.
pub(crate) struct Dice {
    seed: u64,
    rng: StdRng,
}

impl Dice {
    pub(crate) fn new() -> Self {
        let seed = std::env::var(SEED).map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
        Self { seed, rng: StdRng::seed_from_u64(seed) }
    }

    /// Waits for a random time of at most `longest`: the moment of a kill.
    pub(crate) fn wait(&mut self, longest: Duration) {
        std::thread::sleep(longest.mul_f64(self.rng.random_range(0.0..1.0)));
    }

    pub(crate) fn flip(&mut self) -> bool {
        self.rng.random()
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.rng.random_range(0..end)
    }

    /// Dice for somebody else, thrown as often as they like: ours fall the same with the same seed.
    pub(crate) fn fork(&mut self) -> StdRng {
        StdRng::seed_from_u64(self.rng.random())
    }
}

impl Drop for Dice {
    #[expect(clippy::print_stderr, reason = "a failing test says how to play it again")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{SEED}={} plays this again", self.seed);
        }
    }
}

/// SIGKILL of the endpoint, as the state directory knows it.
fn kill_endpoint(sandbox: &Sandbox) {
    let status = sandbox.json(&["local", "status"]);
    if status["running"] == true {
        signal("KILL", &status["pid"]);
        let dead = || sandbox.json(&["local", "status"])["pid"] != status["pid"];
        until("the endpoint dies", dead);
    }
}

/// SIGKILL of the endpoint with this process id; nothing is asked before, so that the moment is the caller's.
fn kill_at_once(pid: &Value) {
    signal("KILL", pid);
}

fn endpoint_pid(sandbox: &Sandbox) -> Value {
    let status = sandbox.json(&["local", "status"]);
    assert_eq!(status["running"], true, "{status}");
    status["pid"].clone()
}

/// The programs of the tasks that run, with their process ids, by the tasks' ids.
fn programs(sandbox: &Sandbox) -> Vec<(String, String)> {
    processes_in(sandbox, "tasks")
}

/// What runs in the directories below this one of the endpoint's state: their names, and the process ids in their files.
fn processes_in(sandbox: &Sandbox, directory: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(sandbox.state_dir().join("local").join(directory)).into_iter().flatten().flatten();
    let process = |entry: std::fs::DirEntry| {
        let pid = std::fs::read_to_string(entry.path().join("pid")).ok()?.strip_suffix('\n')?.to_owned();
        Some((entry.file_name().to_string_lossy().into_owned(), pid))
    };
    let mut processes: Vec<_> = entries.filter_map(process).collect();
    processes.sort_unstable();
    processes
}

/// The longer of two times that `args` take, `before` before each of them.
fn usual_time(sandbox: &Sandbox, args: &[&str], before: &[&str]) -> Duration {
    let time = |_| {
        sandbox.ok(before);
        let begin = Instant::now();
        sandbox.ok(args);
        begin.elapsed()
    };
    (0..2).map(time).max().unwrap()
}

/// A command that lost its endpoint: it has done what it should, or says in one error what to do.
fn done_or_cut_off(run: &Run) {
    let is_clear = run.code == 1
        && run.stderr.matches("error: ").count() == 1
        && run.stderr.contains("The local endpoint does not answer")
        && run.stderr.contains("hint: ");
    assert!(run.code == 0 || is_clear, "{run:?}");
}
