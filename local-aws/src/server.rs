//! A request's way: socket, guard, signature, protocol, service, and back.

use std::future::{Future, IntoFuture};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{Request, StatusCode, request::Parts};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::auth::{authenticate, signed_for};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::gate;
use crate::latency::Options;
use crate::loopback::refuse_foreigners;
use crate::reserve;
use crate::service::{Call, Service};
use crate::services::{self, DOORS};
use crate::store::NO_FOLLOW;
use crate::wire;

/// DynamoDB takes the largest requests of our services: 16 MB.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// Stack of a thread that reads requests: the deepest input that is taken goes with a tenth of it.
const STACK: usize = 8 * 1024 * 1024;

/// How long a stopping endpoint waits for requests under way.
const SHUTDOWN_GRACE: std::time::Duration = std::time::Duration::from_secs(2);

/// Serves AWS on `listener` out of `state_dir` until `shutdown` is ready.
///
/// Work that an earlier endpoint left unfinished in `state_dir` (stacks, experiments, running tasks) is taken up
/// before the first request is answered. Tasks outlive the endpoint: their processes go on when it stops.
///
/// # Errors
/// When the listener is not on loopback, another endpoint uses `state_dir`, or the state cannot be opened.
pub async fn serve(
    listener: TcpListener,
    state_dir: &Path,
    options: Options,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ApiError> {
    let address =
        listener.local_addr().map_err(|error| ApiError::internal(format!("The listener has no address: {error}")))?;
    if !address.ip().is_loopback() {
        return Err(ApiError::internal(format!(
            "{address} is not a loopback address; the endpoint serves this machine only."
        )));
    }
    let _lock = lock(state_dir)?;
    let endpoint = Arc::new(Endpoint::open(state_dir, format!("http://{address}"), options)?);
    services::resume(&endpoint)?;
    let app = Router::new().fallback(handle).with_state(App { endpoint, background: Handle::current() });
    let failed = |error: std::io::Error| ApiError::internal(format!("The server cannot be started: {error}"));
    let listener = listener.into_std().map_err(failed)?;
    // What goes on for stacks and tasks keeps no request waiting: the kernel shares the processors out between threads.
    let (_threads, server) = on_other_threads(async move {
        // Small requests and answers: without this, Nagle's algorithm adds up to 40 ms to each.
        let listener = TcpListener::from_std(listener)?.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::warn!(%error, "TCP_NODELAY not set");
            }
        });
        let server = axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>());
        let (stopping, stopped) = oneshot::channel();
        let server = server.with_graceful_shutdown(async move {
            shutdown.await;
            let _ = stopping.send(());
        });
        let patience = async {
            if stopped.await.is_ok() {
                tokio::time::sleep(SHUTDOWN_GRACE).await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            result = server.into_future() => result,
            () = patience => Ok(()),
        }
    })
    .map_err(failed)?;
    let ended = |error: &dyn std::fmt::Display| ApiError::internal(format!("The server failed: {error}"));
    server.await.map_err(|error| ended(&error))?.map_err(|error| ended(&error))
}

/// Threads that are waited for, with all that they hold: who comes after them may open the state.
struct Threads(Option<std::thread::JoinHandle<()>>);

impl Drop for Threads {
    fn drop(&mut self) {
        // One that has panicked has given no result, which is told elsewhere.
        let _ = self.0.take().map(std::thread::JoinHandle::join);
    }
}

/// Does the work on threads of its own, until it ends or nobody waits for its result any more.
fn on_other_threads<F>(work: F) -> std::io::Result<(Threads, oneshot::Receiver<F::Output>)>
where
    F: Future<Output: Send> + Send + 'static,
{
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).thread_stack_size(STACK).enable_all().build()?;
    let (mut result, waits) = oneshot::channel();
    let thread = std::thread::Builder::new().name("requests".to_owned()).spawn(move || {
        let output = runtime.block_on(async {
            tokio::select! {
                output = work => Some(output),
                () = result.closed() => None,
            }
        });
        if let Some(output) = output {
            let _ = result.send(output);
        }
    })?;
    Ok((Threads(Some(thread)), waits))
}

/// What a request needs.
#[derive(Clone)]
struct App {
    endpoint: Arc<Endpoint>,
    /// Where everything else is done.
    background: Handle,
}

/// One endpoint a state directory: the lock is the kernel's, so it is gone with the process however that ends.
fn lock(state_dir: &Path) -> Result<std::fs::File, ApiError> {
    let path = state_dir.join("lock");
    let file = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(state_dir).and_then(|()| {
        std::fs::OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(NO_FOLLOW).open(&path)
    });
    let file = file.map_err(|error| {
        ApiError::internal(format!(
            "{} cannot be written: {error}; check the owner and mode of the state directory.",
            path.display()
        ))
    })?;
    file.try_lock().map_err(|_| {
        ApiError::internal(format!(
            "Another local endpoint already serves {}; `fis-workshop local status` shows it.",
            state_dir.display()
        ))
    })?;
    Ok(file)
}

async fn handle(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    let (parts, body) = request.into_parts();
    if let Some(refusal) = refuse_foreigners(peer, &parts.headers) {
        return refusal;
    }
    if let Some(door) = DOORS.iter().find(|door| (door.is_for)(&parts)) {
        let answer = app.background.spawn((door.handle)(app.endpoint, parts, body)).await;
        return answer.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response());
    }
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "The request is larger than 16 MiB.\n").into_response();
    };
    let Some(service) = services::of(&parts, &body) else {
        return match signed_for(&parts.headers) {
            Some(name) => wire::unknown_service(&parts, &name, &services::unknown(&name)),
            None => (
                StatusCode::NOT_FOUND,
                "This is fis-workshop's local AWS endpoint; the request is for no AWS service that it knows.\n",
            )
                .into_response(),
        };
    };
    let result = answer(app, service, &parts, body).await;
    if let Err(error) = &result {
        tracing::info!(service = service.wire.signing_name, %error, "refused");
    }
    wire::respond(&service.wire, result)
}

/// One signed request, from its signature to what the service says.
async fn answer(
    App { endpoint, background }: App,
    service: &'static Service,
    parts: &Parts,
    body: Bytes,
) -> Result<wire::Reply, ApiError> {
    let caller = authenticate(&endpoint, &service.wire, parts, &body).await?;
    let wire::Request { operation, mut input } = wire::decode_request(&service.wire, parts, &body)?;
    tracing::debug!(service = service.wire.signing_name, %operation, caller = %caller.name(), "call");
    let operation = service.operation(&operation)?;
    (service.prepare)(&mut input);
    let call = Call { endpoint, caller, service, operation, input, body };
    services::authorize(&call)?;
    let output = match gate::enter(&call).await? {
        Some(passage) => passage.leave(run(call, &background).await).await?,
        None => run(call, &background).await?,
    };
    Ok(wire::Reply { operation: operation.name, output })
}

/// Does it; what makes room, on a full disk with the room that is kept for it.
async fn run(call: Call, background: &Handle) -> Result<Value, ApiError> {
    let again = reserve::is_for(call.operation.name).then(|| call.clone());
    match (call.run(background).await, again) {
        (Err(error), Some(again)) if reserve::is_needed(&error) && reserve::give_away(&again.endpoint.state_dir) => {
            again.run(background).await
        }
        (result, _) => result,
    }
}
