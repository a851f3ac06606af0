//! An endpoint of its own for each test, and what the SDK needs to reach it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use local_aws::{Identity, Options};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Longer than anything here takes, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until there is an answer.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begin.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The seed of what a test draws by chance. A test that fails says how to draw the same again.
pub(crate) struct Seed(pub(crate) u64);

impl Seed {
    const VARIABLE: &str = "TEST_SEED";

    pub(crate) fn new() -> Self {
        Self(std::env::var(Self::VARIABLE).map_or_else(|_| rand::random(), |seed| seed.parse().unwrap()))
    }
}

impl Drop for Seed {
    #[expect(clippy::print_stderr, reason = "a failing test says how to play it again")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}={} plays this again", Self::VARIABLE, self.0);
        }
    }
}

/// A running endpoint; it ends with the test.
pub(crate) struct Endpoint {
    address: SocketAddr,
    state_dir: StateDir,
    options: Options,
    shutdown: Option<oneshot::Sender<()>>,
    server: JoinHandle<Result<(), local_aws::ApiError>>,
    // A runtime of its own: dropping it ends everything that the endpoint does in the background, as a kill does.
    runtime: Option<Runtime>,
}

enum StateDir {
    Owned(tempfile::TempDir),
    Given(PathBuf),
}

impl StateDir {
    fn path(&self) -> &Path {
        match self {
            Self::Owned(dir) => dir.path(),
            Self::Given(path) => path,
        }
    }
}

impl Endpoint {
    /// An endpoint with a new, empty state.
    pub(crate) async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    /// The same with these settings.
    pub(crate) async fn start_with(options: Options) -> Self {
        Self::serve(StateDir::Owned(tempfile::tempdir().unwrap()), options).await
    }

    async fn serve(state_dir: StateDir, options: Options) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        // Before the server starts, so that `sdk_config` never waits for it: connections queue in the listener.
        Identity::load_or_create(state_dir.path(), local_aws::DEFAULT_REGION).unwrap();
        let (shutdown, stopped) = oneshot::channel::<()>();
        let directory = state_dir.path().to_owned();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let server = runtime.spawn(async move {
            local_aws::serve(TcpListener::from_std(listener).unwrap(), &directory, options, async {
                let _ = stopped.await;
            })
            .await
        });
        Self { address, state_dir, options, shutdown: Some(shutdown), server, runtime: Some(runtime) }
    }

    /// Where it listens, e.g. `http://127.0.0.1:4566`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The directory of its state.
    pub(crate) fn state_dir(&self) -> &Path {
        self.state_dir.path()
    }

    /// The account, region and key pair that it made.
    pub(crate) fn identity(&self) -> Identity {
        Identity::load(self.state_dir()).unwrap().unwrap()
    }

    /// The variables of `fis-workshop local env`.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let identity = self.identity();
        vec![
            ("AWS_ENDPOINT_URL", self.url()),
            ("AWS_ACCESS_KEY_ID", identity.access_key_id),
            ("AWS_SECRET_ACCESS_KEY", identity.secret_access_key),
            ("AWS_REGION", identity.region.clone()),
            ("AWS_DEFAULT_REGION", identity.region),
        ]
    }

    /// Configuration of an SDK client that signs with the user's key pair.
    pub(crate) fn sdk_config(&self) -> SdkConfig {
        let identity = self.identity();
        self.sdk_config_as(&identity.access_key_id, &identity.secret_access_key, None)
    }

    /// Configuration of an SDK client with other credentials, e.g. a task's.
    pub(crate) fn sdk_config_as(&self, access_key: &str, secret: &str, session_token: Option<&str>) -> SdkConfig {
        use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
        let credentials = aws_sdk_cloudformation::config::Credentials::new(
            access_key,
            secret,
            session_token.map(str::to_owned),
            None,
            "test",
        );
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(local_aws::DEFAULT_REGION))
            .endpoint_url(self.url())
            .credentials_provider(aws_sdk_cloudformation::config::SharedCredentialsProvider::new(credentials))
            .http_client(
                aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https(),
            )
            .build()
    }

    /// Stops it as SIGTERM does, and waits until its port and its state are free.
    pub(crate) async fn stop(mut self) {
        if let Some(shutdown) = self.shutdown.take() {
            let _ = shutdown.send(());
        }
        (&mut self.server).await.unwrap().unwrap();
        self.end_runtime().await;
    }

    /// Ends it in the middle of whatever it does and starts another one on the same state.
    pub(crate) async fn restart(self) -> Self {
        self.restart_after(async {}).await
    }

    /// The same with something that happens while there is no endpoint.
    pub(crate) async fn restart_after(mut self, meanwhile: impl Future<Output = ()>) -> Self {
        self.end_runtime().await;
        meanwhile.await;
        let state_dir = std::mem::replace(&mut self.state_dir, StateDir::Given(PathBuf::new()));
        Self::serve(state_dir, self.options).await
    }

    async fn end_runtime(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            tokio::task::spawn_blocking(move || runtime.shutdown_timeout(Duration::from_secs(5))).await.unwrap();
        }
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        kill_programs(&self.state_dir.path().join("tasks"));
    }
}

/// Kills what outlives its endpoint: programs whose output is still locked by their process group.
fn kill_programs(tasks: &Path) {
    for task in std::fs::read_dir(tasks).into_iter().flatten().flatten() {
        let Ok(output) = std::fs::File::open(task.path().join("output")) else { continue };
        let group = std::fs::read_to_string(task.path().join("init")).ok().and_then(|text| text.trim().parse().ok());
        if output.try_lock().is_err()
            && let Some(group) = group.and_then(rustix::process::Pid::from_raw)
        {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}
