//! Measures what the project promises and prints one table: `make bench`.
//!
//! Everything is measured from outside, with the release binary and the AWS SDK, against an endpoint of its own in a
//! temporary state directory. Nothing is asserted: machines differ; read the medians.
//!
//! `cargo bench --bench promises -- designs` measures one part only: one, starts, class, designs, proofs or
//! latencies.

#[path = "promises/designs.rs"]
mod designs;
#[path = "promises/proofs.rs"]
mod proofs;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use aws_sdk_ecs::types::{AssignPublicIp, AwsVpcConfiguration, LaunchType, NetworkConfiguration, PropagateTags};
use comfy_table::Table;
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const RUNS: usize = 11;

/// Seconds at the end of a `queue` task: three times in a row, SQS is asked to wait a second for a message (it knows no
/// shorter wait), before the queue counts as empty.
const LAST_LOOKS: f64 = 3.0;

fn main() -> Result<()> {
    // `cargo bench` passes --bench; `cargo test --benches` must not start a five-minute measurement.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let parts: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
    let mut table = Table::new();
    table.set_header(["promise", "median", "min", "max", "runs", "wanted"]);
    let runtime = tokio::runtime::Runtime::new()?;
    let mut show = |rows: Vec<Measured>| rows.into_iter().for_each(|row| add(&mut table, row));
    if is_wanted("one") {
        show(Lab::new()?.measure(&runtime)?);
    }
    if is_wanted("starts") {
        show(Lab::new()?.starts(&runtime)?);
    }
    if is_wanted("class") {
        show(Lab::new()?.class()?);
    }
    if is_wanted("designs") {
        show(Lab::new()?.designs(&runtime)?);
    }
    if is_wanted("proofs") {
        show(Lab::new()?.proofs()?);
    }
    if is_wanted("latencies") {
        show(latencies(&runtime)?);
    }
    anstream::println!("{table}");
    Ok(())
}

fn add(table: &mut Table, (name, mut samples, wanted): Measured) {
    samples.sort_by(f64::total_cmp);
    let show = |value: f64| if value.abs() < 10.0 { format!("{value:.2}") } else { format!("{value:.1}") };
    table.add_row([
        name.to_owned(),
        show(samples[samples.len() / 2]),
        show(samples[0]),
        show(samples[samples.len() - 1]),
        samples.len().to_string(),
        wanted.to_owned(),
    ]);
}

/// How many environments a class has.
const CLASS: &str = "40";

/// With the latencies of AWS, shortened: for one environment more than for forty, whose own work takes seconds.
fn latencies(runtime: &tokio::runtime::Runtime) -> Result<Vec<Measured>> {
    let (mut one, mut class) = (Vec::new(), Vec::new());
    let (mut regenerate, mut seconds) = (Vec::new(), Vec::new());
    let lab = Lab::with(&["--latency", "aws", "--speed", "20"])?;
    for _ in 0..3 {
        one.push(lab.over_network(runtime, &["up"])?);
        let typical = runtime.block_on(lab.typical_of_regenerate())?;
        let taken = lab.time(&["regenerate"])? * 20.0 / 1000.0;
        regenerate.push((taken / typical - 1.0) * 100.0);
        seconds.push(taken);
        lab.run(&["down"])?;
    }
    let lab = Lab::with(&["--latency", "aws", "--speed", "5"])?;
    class.push(lab.over_network(runtime, &["up", "--count", CLASS, "--parallel", CLASS])?);
    Ok(vec![
        ("up with AWS latencies, % over the network's own time", one, "<= 5"),
        ("up of 40 environments with AWS latencies, % over it", class, "<= 15"),
        ("regenerate with AWS latencies, % over CloudFormation's own slowest chains", regenerate, "<= 10"),
        ("the same, simulated seconds", seconds, ""),
    ])
}

/// The binary with a state directory of its own.
struct Lab {
    state: tempfile::TempDir,
}

type Measured = (&'static str, Vec<f64>, &'static str);

impl Lab {
    fn new() -> Result<Self> {
        Self::with(&[])
    }

    fn with(options: &[&str]) -> Result<Self> {
        let lab = Self { state: tempfile::tempdir()? };
        lab.run(&[&["local", "start", "--port", "0"], options].concat())?;
        Ok(lab)
    }

    /// Forty environments, without latencies.
    fn class(&self) -> Result<Vec<Measured>> {
        let (mut up, mut down) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            up.push(self.time(&["up", "--count", CLASS, "--parallel", CLASS])? / 1000.0);
            down.push(self.time(&["down", "--count", CLASS, "--parallel", CLASS])? / 1000.0);
        }
        Ok(vec![("up of 40 environments, s", up, "< 5"), ("down of 40 environments, s", down, "< 5")])
    }

    /// Percent that the command takes longer than the network's stack, whose NAT gateway is the slowest resource.
    fn over_network(&self, runtime: &tokio::runtime::Runtime, arguments: &[&str]) -> Result<f64> {
        let taken = self.time(arguments)? / 1000.0;
        let network = runtime.block_on(async {
            let client = aws_sdk_cloudformation::Client::new(&self.sdk_config().await?);
            let answer = client.describe_stack_events().stack_name("FisStackVpc").send().await?;
            let times = answer.stack_events().iter().filter_map(|event| event.timestamp());
            let seconds: Vec<f64> = times.map(aws_sdk_cloudformation::primitives::DateTime::as_secs_f64).collect();
            let (first, last) = (seconds.last(), seconds.first());
            Result::Ok(last.zip(first).map(|(last, first)| last - first).ok_or("the network has no events")?)
        })?;
        Ok((taken / network - 1.0) * 100.0)
    }

    /// Seconds that CloudFormation takes on AWS to delete the environment's resources and to make them again, however many of
    /// them at once.
    async fn typical_of_regenerate(&self) -> Result<f64> {
        let client = aws_sdk_cloudformation::Client::new(&self.sdk_config().await?);
        let answer = client.describe_stacks().stack_name("FisStopTaskStack").send().await?;
        let stack = answer.stacks().first().ok_or("there is no environment")?;
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let parameters = stack.parameters().iter().map(|it| (text(it.parameter_key()), text(it.parameter_value())));
        let template = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/workshop.yaml"))?;
        let estimate = local_aws::Estimate::of(&template, &parameters.collect()).map_err(|error| error.to_string())?;
        let chain = |way| estimate.longest_chain(way, |_, typical| typical).as_secs_f64();
        Ok(chain(local_aws::Direction::Deletion) + chain(local_aws::Direction::Creation))
    }

    /// DynamoDB requests that `improved` makes before its first item, on an empty and on a large table. The endpoint
    /// counts them in its own log.
    fn starts(&self, runtime: &tokio::runtime::Runtime) -> Result<Vec<Measured>> {
        self.run(&["local", "stop"])?;
        let mut start = self.command(&["local", "start", "--port", "0"]);
        if !start.env("FIS_WORKSHOP_LOG", "local_aws=debug").output()?.status.success() {
            return Err("the endpoint does not start".into());
        }
        self.run(&["up"])?;
        let empty = self.requests_of(&["run", "improved", "--batch-size", "1", "--item-seconds", "0"])? - 1.0;
        runtime.block_on(self.fill())?;
        let large = self.requests_of(&["run", "improved", "--batch-size", "100000", "--item-seconds", "0"])?;
        Ok(vec![
            ("improved's requests before its first item, empty table", vec![empty], "<= 2"),
            ("the same, 100,000 items in the table", vec![large], "the same"),
        ])
    }

    fn requests_of(&self, arguments: &[&str]) -> Result<f64> {
        let log = self.state.path().join("local.log");
        // Those of the deployer are Scans and tag calls; a worker asks by Query and writes by PutItem.
        let count = || -> Result<usize> {
            let text = std::fs::read_to_string(&log)?;
            let of_worker = |line: &&str| line.contains("operation=Query") || line.contains("operation=PutItem");
            // The decision about the worker's role is a line of its own.
            Ok(text.lines().filter(|line| line.contains("service=\"dynamodb\"")).filter(of_worker).count())
        };
        let before = count()?;
        self.run(arguments)?;
        Ok((count()? - before) as f64)
    }

    /// Items 0 to 99,999, as the worker writes them.
    async fn fill(&self) -> Result<()> {
        use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
        let table = find_output(&self.environment()?, "TableName")?;
        let client = aws_sdk_dynamodb::Client::new(&self.sdk_config().await?);
        let text = |value: &str| AttributeValue::S(value.to_owned());
        for first in (0..100_000).step_by(25) {
            let requests: std::result::Result<Vec<WriteRequest>, _> = (first..first + 25)
                .map(|index: u32| {
                    let item = PutRequest::builder()
                        .item("BatchId", text("batch"))
                        .item("ItemIndex", AttributeValue::N(index.to_string()))
                        .item("Result", text("0"))
                        .item("TaskId", text("bench"))
                        .item("WrittenAt", text("2026-01-01T00:00:00.000Z"))
                        .build();
                    item.map(|item| WriteRequest::builder().put_request(item).build())
                })
                .collect();
            client.batch_write_item().request_items(&table, requests?).send().await?;
        }
        Ok(())
    }

    fn measure(&self, runtime: &tokio::runtime::Runtime) -> Result<Vec<Measured>> {
        let mut rows = vec![("endpoint idle, MiB resident", vec![self.resident_mib()?], "< 25")];
        self.run(&["up"])?; // the first one also unpacks nothing and pays for cold caches
        self.run(&["down"])?;
        let (mut up, mut again, mut repair, mut down) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..RUNS {
            up.push(self.time(&["up"])?);
            again.push(self.time(&["up"])?);
            runtime.block_on(self.delete_table())?;
            repair.push(self.time(&["up"])?);
            down.push(self.time(&["down"])?);
        }
        rows.push(("up of both stacks, with all designs, ms", up, "< 120"));
        rows.push(("up where everything is as it should be, ms", again, "< 20"));
        rows.push(("up that makes a deleted table again, ms", repair, "< 100"));
        rows.push(("down, ms", down, "< 300"));

        self.run(&["up"])?;
        let (first_line, sigterm) = runtime.block_on(self.tasks())?;
        rows.push(("RunTask to first log line by FilterLogEvents, ms", first_line, "< 150"));
        rows.push(("StartExperiment to the process gone by SIGTERM, ms", sigterm, "< 50"));
        rows.extend(self.images()?);
        self.run(&["down"])?;

        let mut overhead = Vec::new();
        for _ in 0..3 {
            let started = Instant::now();
            let report: Value = serde_json::from_slice(&self.run(&["lab", "--output", "json"])?)?;
            let seconds = started.elapsed().as_secs_f64();
            overhead.push((seconds / (item_seconds(&report) + LAST_LOOKS) - 1.0) * 100.0);
        }
        rows.push(("lab at the default pace, % over its items and the last looks at the queue", overhead, "<= 10"));
        rows.push(("endpoint after all that, MiB resident", vec![self.resident_mib()?], ""));
        Ok(rows)
    }

    /// As somebody does by hand.
    async fn delete_table(&self) -> Result<()> {
        let table = find_output(&self.environment()?, "TableName")?;
        let client = aws_sdk_dynamodb::Client::new(&self.sdk_config().await?);
        client.delete_table().table_name(&table).send().await?;
        Ok(())
    }

    /// Sizes of the images, and what a push sends of images that the repository has.
    fn images(&self) -> Result<Vec<Measured>> {
        let inspected: Value = serde_json::from_slice(&self.run(&["image", "inspect", "--output", "json"])?)?;
        let images = inspected["images"].as_array().cloned().unwrap_or_default();
        let megabytes =
            images.iter().map(|image| image["compressed_bytes"].as_f64().unwrap_or(f64::NAN) / 1e6).collect();
        let pushed: Value = serde_json::from_slice(&self.run(&["image", "push", "--output", "json"])?)?;
        let blobs = pushed["blobs_sent"].as_f64().unwrap_or(f64::NAN);
        Ok(vec![("image, MB", megabytes, "< 12"), ("blobs sent by a second push", vec![blobs], "0")])
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fis-workshop"));
        command.args(arguments).env("FIS_WORKSHOP_STATE_DIR", self.state.path()).env_remove("FIS_WORKSHOP_TARGET");
        command
    }

    fn run(&self, arguments: &[&str]) -> Result<Vec<u8>> {
        let output = self.command(arguments).stdin(Stdio::null()).output()?;
        if !output.status.success() {
            return Err(format!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(output.stdout)
    }

    fn time(&self, arguments: &[&str]) -> Result<f64> {
        let started = Instant::now();
        self.run(arguments)?;
        Ok(milliseconds(started.elapsed()))
    }

    /// What `up` says of the environment that is set up.
    fn environment(&self) -> Result<Value> {
        Ok(serde_json::from_slice(&self.run(&["up", "--output", "json"])?)?)
    }

    fn status(&self) -> Result<Value> {
        Ok(serde_json::from_slice(&self.run(&["local", "status", "--output", "json"])?)?)
    }

    fn resident_mib(&self) -> Result<f64> {
        let pid = self.status()?["pid"].to_string();
        let output = Command::new("ps").args(["-o", "rss=", "-p", &pid]).output()?;
        Ok(String::from_utf8(output.stdout)?.trim().parse::<f64>()? / 1024.0)
    }

    /// Runs a task and stops it by the experiment, `RUNS` times; milliseconds to the first log line and to the end of
    /// the process. The latter is seen by polling, so it is an upper bound of the way to the signal.
    async fn tasks(&self) -> Result<(Vec<f64>, Vec<f64>)> {
        let environment = self.environment()?;
        let output = |name: &str| find_output(&environment, name);
        let config = self.sdk_config().await?;
        let (ecs, fis, logs) = (
            aws_sdk_ecs::Client::new(&config),
            aws_sdk_fis::Client::new(&config),
            aws_sdk_cloudwatchlogs::Client::new(&config),
        );
        let network = AwsVpcConfiguration::builder()
            .subnets(output("PrivateSubnetIds")?.split(',').next().unwrap_or_default())
            .security_groups(output("TaskSecurityGroupId")?)
            .assign_public_ip(AssignPublicIp::Disabled)
            .build()?;
        let (mut first_line, mut sigterm) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let started = Instant::now();
            let task = ecs
                .run_task()
                .cluster(output("ClusterName")?)
                .task_definition(output("OriginalTaskDefinitionArn")?)
                .launch_type(LaunchType::Fargate)
                .propagate_tags(PropagateTags::TaskDefinition)
                .network_configuration(NetworkConfiguration::builder().awsvpc_configuration(network.clone()).build())
                .send()
                .await?;
            let arn = task.tasks()[0].task_arn().unwrap_or_default().to_owned();
            let id = arn.rsplit('/').next().unwrap_or_default().to_owned();
            let stream = format!("{}/{id}", output("LogStreamPrefix")?);
            loop {
                let page = logs
                    .filter_log_events()
                    .log_group_name(output("OriginalLogGroupName")?)
                    .log_stream_names(&stream)
                    .send()
                    .await;
                if page.is_ok_and(|page| !page.events().is_empty()) {
                    break;
                }
            }
            first_line.push(milliseconds(started.elapsed()));

            let pid = self.program_of(&id)?;
            let started = Instant::now();
            fis.start_experiment().experiment_template_id(output("ExperimentTemplateId")?).send().await?;
            while rustix::process::test_kill_process(pid).is_ok() {
                std::thread::sleep(Duration::from_micros(200));
            }
            sigterm.push(milliseconds(started.elapsed()));
            self.until_stopped(&ecs, &output("ClusterName")?, &arn).await?;
        }
        Ok((first_line, sigterm))
    }

    async fn until_stopped(&self, ecs: &aws_sdk_ecs::Client, cluster: &str, arn: &str) -> Result<()> {
        loop {
            let tasks = ecs.describe_tasks().cluster(cluster).tasks(arn).send().await?;
            if tasks.tasks().first().is_some_and(|task| task.last_status() == Some("STOPPED")) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn program_of(&self, task_id: &str) -> Result<rustix::process::Pid> {
        let path: PathBuf = self.state.path().join("local/tasks").join(task_id).join("pid");
        let pid = std::fs::read_to_string(&path)?.trim().parse()?;
        rustix::process::Pid::from_raw(pid).ok_or_else(|| format!("{} holds no process id", path.display()).into())
    }

    async fn sdk_config(&self) -> Result<aws_config::SdkConfig> {
        let endpoint = self.status()?["endpoint"].as_str().unwrap_or_default().to_owned();
        let identity = local_aws::Identity::load(&Path::new(self.state.path()).join("local"))?.ok_or("no identity")?;
        let credentials = aws_sdk_ecs::config::Credentials::new(
            identity.access_key_id,
            identity.secret_access_key,
            None,
            None,
            "bench",
        );
        let client = aws_smithy_http_client::Builder::new()
            .tls_provider(aws_smithy_http_client::tls::Provider::Rustls(
                aws_smithy_http_client::tls::rustls_provider::CryptoMode::Ring,
            ))
            .build_https();
        Ok(aws_config::defaults(aws_config::BehaviorVersion::latest())
            .http_client(client)
            .endpoint_url(endpoint)
            .region(aws_config::Region::new(identity.region))
            .credentials_provider(credentials)
            .load()
            .await)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for arguments in [["down", "--yes"], ["local", "stop"]] {
            if let Err(error) = self.run(&arguments) {
                anstream::eprintln!("{error}");
            }
        }
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The time that the items of a lab take: those written, as often as they were. Tasks that share the work have a batch for
/// each of them, and work at the same time.
fn item_seconds(report: &Value) -> f64 {
    let number = |value: &Value| value.as_f64().unwrap_or_default();
    let variants = report["variants"].as_array().cloned().unwrap_or_default();
    let items = variants.iter().map(|variant| {
        let tasks = number(&variant["batch_size"]) / number(&report["batch_size"]);
        (number(&variant["items"]) + number(&variant["items_redone"])) / tasks
    });
    items.sum::<f64>() * number(&report["item_seconds"])
}

/// The output of this name in whichever stack has it.
fn find_output(environment: &Value, name: &str) -> Result<String> {
    ["workshop", "network"]
        .iter()
        .find_map(|stack| environment[stack]["outputs"][name].as_str())
        .map(str::to_owned)
        .ok_or_else(|| format!("no stack has the output {name}").into())
}
