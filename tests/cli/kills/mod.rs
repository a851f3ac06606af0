//! SIGKILL at random moments, two commands at once, states that cannot be used: through the front door.

mod deployer;
mod endpoint;
mod state;
mod tasks;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::harness::{Run, Sandbox};

/// Longer than anything here takes, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);

/// Another seed than a new one, to play a failure again.
const SEED: &str = "KILLS_SEED";

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

/// A command under way, its output in files: a pipe that nobody reads would stop it.
struct Running {
    child: Child,
    args: String,
    output: [PathBuf; 2],
}

impl Running {
    fn start(sandbox: &Sandbox, args: &[&str]) -> Self {
        Self::of(sandbox, sandbox.command(args), &args.join(" "))
    }

    fn of(sandbox: &Sandbox, mut command: Command, args: &str) -> Self {
        let number = std::fs::read_dir(sandbox.path()).unwrap().count();
        let output = ["out", "err"].map(|name| sandbox.path().join(format!("{number}.{name}")));
        let [out, err] = output.each_ref().map(|path| File::create_new(path).unwrap());
        let child = command.stdout(out).stderr(err).spawn().unwrap();
        Self { child, args: args.to_owned(), output }
    }

    fn text(&self) -> [String; 2] {
        self.output.each_ref().map(|path| std::fs::read_to_string(path).unwrap())
    }

    /// Waits until a line with `text` is on stdout or stderr.
    fn wait_for(&self, text: &str) {
        until(&format!("{}: {text}", self.args), || self.text().iter().any(|output| output.contains(text)));
    }

    fn signal(&self, name: &str) {
        signal(name, &self.child.id().to_string());
    }

    /// Waits for its end, however it comes.
    fn end(mut self) -> Run {
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
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(name: &str, pid: &str) {
    // It may have ended by itself.
    let _ = Command::new("kill").args([&format!("-{name}"), pid]).output().unwrap();
}

/// SIGKILL of the endpoint, as the state directory knows it.
fn kill_endpoint(sandbox: &Sandbox) {
    let status = sandbox.json(&["local", "status"]);
    if status["running"] == true {
        signal("KILL", &status["pid"].to_string());
        let dead = || sandbox.json(&["local", "status"])["pid"] != status["pid"];
        until("the endpoint dies", dead);
    }
}

/// SIGKILL of the endpoint with this process id; nothing is asked before, so that the moment is the caller's.
fn kill_at_once(pid: &Value) {
    signal("KILL", &pid.to_string());
}

fn endpoint_pid(sandbox: &Sandbox) -> Value {
    let status = sandbox.json(&["local", "status"]);
    assert_eq!(status["running"], true, "{status}");
    status["pid"].clone()
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

/// Processes that have something of the sandbox on their command line: endpoint, workers and their init processes.
fn processes(sandbox: &Sandbox) -> Vec<String> {
    let listing = match std::fs::read_dir("/proc") {
        Ok(entries) => entries
            .filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok())
            .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
            .collect(),
        // macOS.
        Err(_) => {
            let output = Command::new("ps").args(["-axo", "args"]).output().unwrap();
            String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect::<Vec<_>>()
        }
    };
    let directory = sandbox.path().display().to_string();
    listing.into_iter().filter(|line| line.contains(&directory)).collect()
}

/// The processes of tasks.
fn workers(sandbox: &Sandbox) -> Vec<String> {
    processes(sandbox).into_iter().filter(|line| !line.contains(" local serve ")).collect()
}

/// What there is of each kind, asked of the services and not of the stacks.
pub(crate) fn census(sandbox: &Sandbox) -> BTreeMap<String, usize> {
    let variables = sandbox.json(&["local", "env"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(count(&config(&variables)))
}

pub(crate) fn config(variables: &Value) -> aws_config::SdkConfig {
    use aws_sdk_ecs::config::{Credentials, SharedCredentialsProvider};
    let text = |name: &str| variables[name].as_str().unwrap().to_owned();
    let credentials =
        Credentials::new(text("AWS_ACCESS_KEY_ID"), text("AWS_SECRET_ACCESS_KEY"), None, None, "local env");
    aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new(text("AWS_REGION")))
        .endpoint_url(text("AWS_ENDPOINT_URL"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build()
}

async fn count(config: &aws_config::SdkConfig) -> BTreeMap<String, usize> {
    let mut census = BTreeMap::new();
    let mut add = |kind: &str| *census.entry(kind.to_owned()).or_insert(0) += 1;
    // Of each resource that bears a tag, which all of the lab's do that can: `ec2 vpc`, `fis experiment-template`, ...
    let tagged = aws_sdk_resourcegroupstagging::Client::new(config).get_resources().into_paginator().send();
    for resource in tagged.try_collect().await.unwrap().iter().flat_map(|page| page.resource_tag_mapping_list()) {
        let mut parts = resource.resource_arn().unwrap().splitn(6, ':').skip(2);
        let (service, name) = (parts.next().unwrap(), parts.nth(2).unwrap());
        // Deleted resources are still listed for a while: tasks, experiments.
        let kind = name.split(['/', ':']).next().unwrap();
        if !["task", "experiment"].contains(&kind) {
            add(&format!("{service} {kind}"));
        }
    }
    let ecs = aws_sdk_ecs::Client::new(config);
    ecs.list_clusters().send().await.unwrap().cluster_arns().iter().for_each(|_| add("clusters"));
    let active = aws_sdk_ecs::types::TaskDefinitionFamilyStatus::Active;
    let families = ecs.list_task_definition_families().status(active).send().await.unwrap();
    families.families().iter().for_each(|_| add("task definition families"));
    let tables = aws_sdk_dynamodb::Client::new(config).list_tables().send().await.unwrap();
    tables.table_names().iter().for_each(|_| add("tables"));
    let templates = aws_sdk_fis::Client::new(config).list_experiment_templates().send().await.unwrap();
    templates.experiment_templates().iter().for_each(|_| add("experiment templates"));
    let groups = aws_sdk_cloudwatchlogs::Client::new(config).describe_log_groups().send().await.unwrap();
    groups.log_groups().iter().for_each(|_| add("log groups"));
    let stacks = aws_sdk_cloudformation::Client::new(config).describe_stacks().send().await.unwrap();
    for stack in stacks.stacks() {
        add(&format!("stack {} {}", stack.stack_name().unwrap(), stack.stack_status().unwrap().as_str()));
    }
    census
}

/// What a clean `up` makes, by [`census`].
pub(crate) fn full_census(sandbox: &Sandbox) -> BTreeMap<String, usize> {
    sandbox.ok(&["up"]);
    let census = census(sandbox);
    for kind in ["ec2 vpc", "clusters", "tables", "experiment templates"] {
        assert_eq!(census[kind], 1, "{kind}: {census:?}");
    }
    assert_eq!(census["ec2 subnet"], 4, "{census:?}");
    assert_eq!(census["log groups"], 2, "{census:?}");
    census
}

/// The environment is complete, without anything twice, and another `up` changes nothing.
pub(crate) fn converged(sandbox: &Sandbox, expected: &BTreeMap<String, usize>) {
    assert_eq!(&census(sandbox), expected);
    assert_eq!(sandbox.json(&["up"])["changed"], false);
}

/// Nothing is left but the endpoint's own databases: no process, no resource, no file of a task or an image.
pub(crate) fn nothing_left(sandbox: &Sandbox) {
    assert_eq!(workers(sandbox), Vec::<String>::new());
    assert_eq!(census(sandbox), BTreeMap::new());
    assert_eq!(sandbox.json(&["down"])["deleted_stacks"], serde_json::json!([]));
    let data = sandbox.state_dir().join("local");
    let tasks = std::fs::read_dir(data.join("tasks")).map_or(0, Iterator::count);
    assert_eq!(tasks, 0, "files of tasks");
    let index = std::fs::read_to_string(data.join("images/index.json")).unwrap_or_default();
    assert!(!index.contains("ref.name"), "images: {index}");
}
