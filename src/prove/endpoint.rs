//! An endpoint of its own for one `prove`: in this process, with its state in a temporary directory. Its tasks end with it,
//! and with this process, however that ends.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use chrono::Utc;
use local_aws::{Identity, Options};
use tokio::sync::oneshot;

use crate::endpoint::{Deliveries, Pace, Record, StateDir};
use crate::error::{Error, Result};

/// Stack of a thread, as that of the endpoint's own process.
const STACK: usize = 8 * 1024 * 1024;

/// The endpoint. Dropped, it stops its tasks and deletes its state.
#[derive(Debug)]
pub(crate) struct PrivateEndpoint {
    state: StateDir,
    pub(crate) record: Record,
    shutdown: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl PrivateEndpoint {
    /// Begins to serve on a free port.
    ///
    /// # Errors
    /// When there is no room for its state, or it cannot be started.
    pub(crate) fn start() -> Result<Self> {
        let failed = |error: &dyn std::fmt::Display| Error::failed("The endpoint cannot be started.").cause(error);
        let state = StateDir::new(&directory()?);
        Identity::load_or_create(&state.data_dir(), local_aws::DEFAULT_REGION)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| failed(&error))?;
        listener.set_nonblocking(true).map_err(|error| failed(&error))?;
        let address = listener.local_addr().map_err(|error| failed(&error))?;
        let (shutdown, stopped) = oneshot::channel();
        let data = state.data_dir();
        let thread = std::thread::Builder::new()
            .name("endpoint".to_owned())
            .spawn(move || serve(listener, &data, stopped))
            .map_err(|error| failed(&error))?;
        let record = Record {
            pid: std::process::id(),
            port: address.port(),
            endpoint: format!("http://{address}"),
            started_at: Utc::now(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            automatic: true,
            pace: Pace::default(),
            deliveries: Deliveries::default(),
            max_image_size: None,
            ready: true,
        };
        Ok(Self { state, record, shutdown: Some(shutdown), thread: Some(thread) })
    }

    /// Where its state is.
    pub(crate) fn state_dir(&self) -> &Path {
        self.state.path()
    }
}

impl Drop for PrivateEndpoint {
    fn drop(&mut self) {
        if let Some(shutdown) = self.shutdown.take() {
            let _ = shutdown.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        // A program that ends just now may still write.
        if std::fs::remove_dir_all(self.state.path()).is_err() {
            let _ = std::fs::remove_dir_all(self.state.path());
        }
    }
}

fn directory() -> Result<PathBuf> {
    let directory = std::env::temp_dir().join(format!("fis-workshop-prove-{}", uuid::Uuid::new_v4().simple()));
    std::fs::DirBuilder::new().mode(0o700).create(&directory).map_err(|error| {
        Error::failed(format!("{} cannot be made.", directory.display()))
            .cause(error)
            .hint("`TMPDIR` names another directory for temporary files.")
    })?;
    Ok(directory)
}

fn serve(listener: TcpListener, data: &Path, stopped: oneshot::Receiver<()>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_stack_size(STACK).enable_all().build();
    let served = runtime.map_err(|error| error.to_string()).and_then(|runtime| {
        let served = runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).map_err(|error| error.to_string())?;
            let options = Options { ends_tasks: true, ..Options::default() };
            let stopped = async move {
                let _ = stopped.await;
            };
            local_aws::serve(listener, data, options, stopped).await.map_err(|error| error.to_string())
        });
        // With it go all tasks: nobody looks after them any more, and they are tied to that.
        runtime.shutdown_timeout(std::time::Duration::from_secs(1));
        served
    });
    if let Err(error) = served {
        tracing::error!(error, "the endpoint of `prove` has ended");
    }
}
