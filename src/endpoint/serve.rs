//! The endpoint's process: `fis-workshop local serve`, in the foreground.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use chrono::Utc;
use local_aws::{Identity, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::signal::unix::{SignalKind, signal};

use super::record::{Deliveries, Latency, Pace, Record, StateDir};
use crate::error::{Error, Result};

/// How to serve.
#[derive(Debug, Clone)]
pub(crate) struct ServeArgs {
    /// Port on 127.0.0.1; 0 for any.
    pub(crate) port: u16,
    /// Region of a new endpoint.
    pub(crate) region: Option<String>,
    /// Started by a command that needs it.
    pub(crate) automatic: bool,
    pub(crate) pace: Pace,
    pub(crate) deliveries: Deliveries,
    /// What an image may take on the disk, in MiB; without it, what the library takes.
    pub(crate) max_image_size: Option<u64>,
}

/// Stack of a thread: the deepest input that is taken goes with a tenth of it, in a build without optimisation.
const STACK: usize = 8 * 1024 * 1024;

/// How often it is looked whether the state directory is still there.
const WATCH: Duration = Duration::from_secs(1);

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// When another endpoint uses the state directory, the port is taken, or the state cannot be opened.
pub(crate) fn serve(state: &StateDir, args: &ServeArgs) -> Result<()> {
    close_inherited()?;
    // A session of its own: Ctrl-C and the end of the terminal concern the command that started us, not us. Refused
    // to the leader of a process group, which is what a shell makes of us when it runs us in the foreground.
    let _ = rustix::process::setsid();
    state.create()?;
    state.retire_record()?;
    // Kept to the very end of the process: who finds it free must find the process gone, too.
    std::mem::forget(lock(state)?);
    let region = args.region.as_deref().unwrap_or(local_aws::DEFAULT_REGION);
    Identity::load_or_create(&state.data_dir(), region)?;
    let listener = bind(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .map_err(|error| Error::failed("The runtime cannot be started.").cause(error))?;
    runtime.block_on(run(state, args, listener))
}

async fn run(state: &StateDir, args: &ServeArgs, listener: TcpListener) -> Result<()> {
    let failed = |error: std::io::Error| Error::failed("The local endpoint cannot be started.").cause(error);
    let address = listener.local_addr().map_err(failed)?;
    let mut record = Record {
        pid: std::process::id(),
        port: address.port(),
        endpoint: format!("http://{address}"),
        started_at: Utc::now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        automatic: args.automatic,
        pace: args.pace,
        deliveries: args.deliveries,
        max_image_size: args.max_image_size,
        ready: false,
    };
    state.write_record(&record)?;
    // What has a handler here begins with its default in the tasks: an endpoint that was started by `nohup ... &` would
    // hand on to them that SIGHUP, SIGINT and SIGQUIT are ignored.
    let ends = [SignalKind::hangup(), SignalKind::interrupt(), SignalKind::quit(), SignalKind::terminate()];
    let mut ends = ends.into_iter().map(signal).collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
    let shutdown = async move {
        futures_util::future::select_all(ends.iter_mut().map(|end| Box::pin(end.recv()))).await;
    };
    listener.set_nonblocking(true).map_err(failed)?;
    let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
    let data_dir = state.data_dir();
    let options = options(args)?;
    let ready = async {
        answers(address).await.map_err(failed)?;
        record.ready = true;
        state.write_record(&record)?;
        tracing::info!(endpoint = record.endpoint, "ready");
        std::future::pending::<Result<()>>().await
    };
    tokio::select! {
        result = local_aws::serve(listener, &data_dir, options, shutdown) => Ok(result?),
        result = ready => result,
        error = gone(state) => Err(error),
    }
}

/// Waits until the state directory has been deleted: what the endpoint would do from then on, nobody could see or stop.
async fn gone(state: &StateDir) -> Error {
    let path = state.lock_file();
    let number = || std::fs::metadata(&path).map(|file| file.ino());
    let ours = number().ok();
    while number().ok() == ours {
        tokio::time::sleep(WATCH).await;
    }
    Error::failed(format!("The state directory {} has been deleted; the local endpoint ends.", state.path().display()))
}

/// Closes what the starter had open and did not mean for us: a pipe whose reader would wait for its end, a file on a disk
/// that is to be unmounted. From here every task would get it, too.
fn close_inherited() -> Result<()> {
    let failed = |error: std::io::Error| Error::failed("The open files cannot be listed.").cause(error);
    let names = std::fs::read_dir("/dev/fd").map_err(failed)?.map(|entry| entry.map(|entry| entry.file_name()));
    let names = names.collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
    for number in names.iter().filter_map(|name| name.to_str()?.parse::<i32>().ok()).filter(|number| *number > 2) {
        // The list itself had one, which is closed by now.
        let _ = nix::unistd::close(number);
    }
    Ok(())
}

fn options(args: &ServeArgs) -> Result<Options> {
    let pace = args.pace;
    let latency = match pace.latency {
        Latency::None => local_aws::Latency::NONE,
        Latency::Aws => local_aws::Latency::aws(pace.speed).ok_or_else(|| {
            Error::usage(format!("A speed of {} is not possible.", pace.speed))
                .hint("`--speed` takes a number of at least 1, for example 60: then a minute passes in a second.")
        })?,
    };
    let max_image_bytes = match args.max_image_size {
        Some(mebibytes) => mebibytes.saturating_mul(1024 * 1024),
        None => Options::default().max_image_bytes,
    };
    let Deliveries { delay, shuffle, duplicate_every, seed } = args.deliveries;
    let delay = Duration::try_from_secs_f64(delay).unwrap_or_default();
    let shuffle = Duration::try_from_secs_f64(shuffle).unwrap_or_default();
    let deliveries = local_aws::Deliveries { delay, shuffle, duplicate_every, seed };
    Ok(Options { latency, deliveries, max_image_bytes, ends_tasks: false })
}

/// Waits until a request is answered, which is after everything unfinished was taken up.
pub(super) async fn answers(address: SocketAddr) -> std::io::Result<()> {
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    stream.write_all(format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    stream.read_u8().await.map(drop)
}

fn lock(state: &StateDir) -> Result<File> {
    let lock = StateDir::open_lock(&state.lock_file())?;
    let begin = Instant::now();
    // Whoever asks whether an endpoint runs holds the lock for a moment, shared.
    while lock.try_lock().is_err() {
        if begin.elapsed() > Duration::from_secs(1) {
            return Err(Error::failed(format!("Another local endpoint serves {}.", state.path().display()))
                .hint("`fis-workshop local status` shows it."));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(lock)
}

fn bind(args: &ServeArgs) -> Result<TcpListener> {
    let on = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let taken = |error: std::io::Error| {
        let port = args.port;
        let failure = Error::failed(format!("Port {port} on 127.0.0.1 cannot be used.")).cause(&error);
        if error.kind() == std::io::ErrorKind::AddrInUse {
            failure.hint(format!(
                "Another program listens there (`lsof -i :{port}` names it); `fis-workshop local start --port 0` takes a free port."
            ))
        } else {
            failure.hint("`fis-workshop local start --port 0` takes a free port.")
        }
    };
    match on(args.port) {
        Err(error) if args.automatic && error.kind() == std::io::ErrorKind::AddrInUse => {
            tracing::warn!(port = args.port, "port taken, using a free one");
            on(0).map_err(taken)
        }
        other => other.map_err(taken),
    }
}
