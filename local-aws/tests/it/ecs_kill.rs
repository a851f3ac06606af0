//! Tasks outlive the endpoint, however that ends.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_sdk_ecs::types::TaskStopCode;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::ecs_lab::Lab;
use crate::harness::{Endpoint, Seed, until};

/// An endpoint in a process of its own, for SIGKILL.
pub(crate) struct Victim {
    process: Child,
    pub(crate) port: u16,
}

/// Names the state directory and port to [`victim`].
const VARIABLE: &str = "LOCAL_AWS_TEST_VICTIM";

impl Victim {
    pub(crate) async fn start(state_dir: &Path, port: u16) -> Self {
        // The port answers before the state is open.
        local_aws::Identity::load_or_create(state_dir, local_aws::DEFAULT_REGION).unwrap();
        let process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "ecs_kill::victim", "--ignored"])
            .env(VARIABLE, format!("{port}:{}", state_dir.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        until("the endpoint answers", async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()).await;
        Self { process, port }
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) async fn kill_and_restart(mut self, state_dir: &Path) -> Self {
        self.kill();
        Self::start(state_dir, self.port).await
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
#[ignore = "the endpoint that the other tests kill"]
async fn victim() {
    let Ok(setting) = std::env::var(VARIABLE) else { return };
    let (port, state_dir) = setting.split_once(':').unwrap();
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await.unwrap();
    local_aws::serve(listener, Path::new(state_dir), local_aws::Options::default(), std::future::pending())
        .await
        .unwrap();
}

pub(crate) fn config(state_dir: &Path, port: u16) -> SdkConfig {
    use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
    let identity = local_aws::Identity::load(state_dir).unwrap().unwrap();
    let (key, secret) = (identity.access_key_id, identity.secret_access_key);
    let credentials = aws_sdk_ecs::config::Credentials::new(key, secret, None, None, "test");
    SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new(local_aws::DEFAULT_REGION))
        .endpoint_url(format!("http://127.0.0.1:{port}"))
        .credentials_provider(aws_sdk_ecs::config::SharedCredentialsProvider::new(credentials))
        .http_client(
            aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https(),
        )
        .build()
}

pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn sigkill_of_the_endpoint_loses_no_line_and_no_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let mut victim = Victim::start(dir.path(), free_port()).await;
    let config = config(dir.path(), victim.port);
    let lab = Lab::new(&config).await;
    let count = "i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo $i; sleep 0.01; done; printf end; exit 5";
    let arn = lab.start(count).await;
    let seed = Seed::new();
    let mut moments = StdRng::seed_from_u64(seed.0);
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_millis(moments.random_range(20..400))).await;
        victim = victim.kill_and_restart(dir.path()).await;
    }
    let task = lab.stopped(&arn).await;
    assert_eq!(task.containers()[0].exit_code(), Some(5));
    assert_eq!(task.stop_code(), Some(&TaskStopCode::EssentialContainerExited));
    let expected: Vec<String> = (1..=300).map(|i| i.to_string()).chain(["end".to_owned()]).collect();
    assert_eq!(lab.log(&arn).await, expected);
}

#[tokio::test]
async fn sigkill_at_any_step_starts_every_acknowledged_task_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut victim = Victim::start(dir.path(), free_port()).await;
    let config = config(dir.path(), victim.port);
    let lab = Lab::new(&config).await;
    let mut tasks = Vec::new();
    for round in 0..20_u64 {
        let arn = lab.start("echo run; exec sleep 60").await;
        tokio::time::sleep(Duration::from_micros(round * 1500)).await;
        victim = victim.kill_and_restart(dir.path()).await;
        tasks.push(arn);
    }
    for (round, arn) in tasks.iter().enumerate() {
        lab.wait_for_line(arn, "run").await;
        lab.stop(arn).await;
        if round % 2 == 0 {
            victim = victim.kill_and_restart(dir.path()).await;
        }
    }
    for arn in &tasks {
        let task = lab.stopped(arn).await;
        assert_eq!(
            (task.stop_code(), task.containers()[0].exit_code()),
            (Some(&TaskStopCode::UserInitiated), Some(143))
        );
        assert_eq!(lab.log(arn).await, ["run"]);
    }
    drop(victim);
}

#[tokio::test]
async fn what_ended_while_no_endpoint_was_there_is_told_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let mut victim = Victim::start(dir.path(), free_port()).await;
    let config = config(dir.path(), victim.port);
    let lab = Lab::new(&config).await;
    let ends = lab.start("echo up; sleep 0.3; echo last; exit 4").await;
    let vanishes = lab.start("echo up; exec sleep 60").await;
    for arn in [&ends, &vanishes] {
        lab.wait_for_line(arn, "up").await;
    }
    victim.process.kill().unwrap();
    victim.process.wait().unwrap();
    // As a reboot would: init and program, without a word.
    let id = vanishes.rsplit('/').next().unwrap();
    let init = std::fs::read_to_string(dir.path().join("tasks").join(id).join("init")).unwrap();
    let group = rustix::process::Pid::from_raw(init.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process_group(group, rustix::process::Signal::KILL).unwrap();
    let ended = exit_noted(&dir.path().join("tasks").join(ends.rsplit('/').next().unwrap())).await;
    let _victim = Victim::start(dir.path(), victim.port).await;
    let task = lab.stopped(&ends).await;
    assert_eq!(task.containers()[0].exit_code(), Some(4));
    let told = task.execution_stopped_at().unwrap().as_secs_f64();
    let ended = ended.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
    assert!((told - ended).abs() < 0.002, "the program's end is when it ended: {told}, {ended}");
    assert_eq!(lab.log(&ends).await, ["up", "last"]);
    let task = lab.stopped(&vanishes).await;
    assert_eq!(task.containers()[0].exit_code(), None);
    assert_eq!(task.stopped_reason(), Some("Task stopped while the local endpoint was down"));
}

/// When the program's end was noted, while no endpoint is there.
async fn exit_noted(directory: &Path) -> SystemTime {
    let exit = directory.join("exit");
    let noted = async || std::fs::read_to_string(&exit).ok().filter(|text| text.ends_with('\n'));
    until("the program's end is noted", noted).await;
    std::fs::metadata(exit).unwrap().modified().unwrap()
}

#[tokio::test]
async fn a_restarted_endpoint_stops_what_an_earlier_one_started() {
    let endpoint = Endpoint::start().await;
    let lab = Lab::new(&endpoint.sdk_config()).await;
    let arn = lab.start("trap 'echo bye; exit 143' TERM; echo up; while :; do sleep 0.01; done").await;
    lab.wait_for_line(&arn, "up").await;
    let endpoint = endpoint.restart().await;
    let lab = lab.again(&endpoint.sdk_config());
    lab.stop(&arn).await;
    assert_eq!(lab.stopped(&arn).await.containers()[0].exit_code(), Some(143));
    assert_eq!(lab.log(&arn).await, ["up", "bye"]);
}
