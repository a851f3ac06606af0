//! A request's way: socket, guard, signature, protocol, service, and back.

use std::future::{Future, IntoFuture};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Request, StatusCode, request::Parts};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use crate::auth::{Caller, authenticate};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::latency::Options;
use crate::wire::{self, Service};
use crate::{cloudformation, dynamodb, ec2, ecr, ecs, fis, iam, images, logs, quotas, registry, sts, tagging};

/// DynamoDB takes the largest requests of our services: 16 MB.
const MAX_BODY: usize = 16 * 1024 * 1024;

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
    dynamodb::resume(&endpoint)?;
    images::resume(&endpoint)?;
    ecs::resume(&endpoint)?;
    cloudformation::resume(&endpoint)?;
    fis::resume(&endpoint)?;
    let app = Router::new().fallback(handle).with_state(endpoint);
    let listener = listener.tap_io(|stream| {
        // Small requests and answers: without this, Nagle's algorithm adds up to 40 ms to each.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::warn!(%error, "TCP_NODELAY not set");
        }
    });
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let server = axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async move {
            shutdown.await;
            let _ = stopping.send(());
        })
        .into_future();
    let patience = async {
        if stopped.await.is_ok() {
            tokio::time::sleep(SHUTDOWN_GRACE).await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        result = server => result.map_err(|error| ApiError::internal(format!("The server failed: {error}"))),
        () = patience => Ok(()),
    }
}

/// One endpoint a state directory: the lock is the kernel's, so it is gone with the process however that ends.
fn lock(state_dir: &Path) -> Result<std::fs::File, ApiError> {
    let path = state_dir.join("lock");
    let file = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(state_dir)
        .and_then(|()| std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&path));
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
    State(endpoint): State<Arc<Endpoint>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    let (parts, body) = request.into_parts();
    if let Some(refusal) = refuse_foreigners(peer, &parts.headers) {
        return refusal;
    }
    // Layers are larger than any other request, and go to their file as they come.
    if registry::is_for(&parts) {
        return registry::handle(&endpoint, &parts, body).await;
    }
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "The request is larger than 16 MiB.\n").into_response();
    };
    // Containers reach their credentials and metadata unsigned, by an unguessable path, as on Fargate.
    if let Some(answer) = ecs::container_endpoint(&endpoint, &parts) {
        return wire::plain_json(answer);
    }
    let Some(service) = Service::of(&parts, &body) else {
        return (
            StatusCode::NOT_FOUND,
            "This is fis-workshop's local AWS endpoint; the request is for no AWS service that it knows.\n",
        )
            .into_response();
    };
    let result = answer(&endpoint, service, &parts, &body).await;
    if let Err(error) = &result {
        tracing::info!(service = service.signing_name, %error, "refused");
    }
    wire::respond(service, result)
}

/// The parts of [`wire::Reply`] for one signed request.
async fn answer(endpoint: &Arc<Endpoint>, service: &'static Service, parts: &Parts, body: &Bytes) -> wire::Outcome {
    let caller = match authenticate(endpoint, service.signing_name, parts, body).await {
        Ok(caller) => caller,
        Err(error) => return Err(error),
    };
    let call = wire::decode_request(service, parts, body)?;
    tracing::debug!(service = service.signing_name, operation = %call.operation, caller = %caller.name(), "call");
    let output = dispatch(endpoint, service, &caller, &call).await?;
    Ok(wire::Reply { operation: call.operation, output })
}

async fn dispatch(
    endpoint: &Arc<Endpoint>,
    service: &'static Service,
    caller: &Caller,
    call: &wire::Call,
) -> Result<serde_json::Value, ApiError> {
    let wire::Call { operation, input } = call;
    let input = input.clone();
    if service.signing_name != "dynamodb" && service.signing_name != "sts" {
        iam::only_user(caller, service.signing_name, operation)?;
    }
    match service.signing_name {
        "cloudformation" => cloudformation::call(endpoint, operation, input).await,
        "dynamodb" => dynamodb::call(endpoint, caller, operation, input).await,
        "ec2" => ec2::call(endpoint, operation, input),
        "ecr" => ecr::call(endpoint, operation, input),
        "ecs" => ecs::call(endpoint, operation, input).await,
        "fis" => fis::call(endpoint, operation, input).await,
        "iam" => iam::call(endpoint, operation, input),
        "logs" => logs::call(endpoint, operation, input),
        "servicequotas" => quotas::call(endpoint, operation, input),
        "sts" => sts::call(endpoint, caller, operation),
        "tagging" => tagging::call(endpoint, operation, input),
        other => Err(ApiError::unsupported(format!("The service {other}"))),
    }
}

/// Only processes on this machine, and no browser page: a page of any site can send requests to loopback, with its
/// own `Origin`, or with a foreign `Host` when its DNS name was made to point at 127.0.0.1.
fn refuse_foreigners(peer: SocketAddr, headers: &HeaderMap) -> Option<Response> {
    let refuse = |why: &'static str| Some((StatusCode::FORBIDDEN, why).into_response());
    if !peer.ip().is_loopback() {
        return refuse("This endpoint serves loopback peers only.\n");
    }
    if headers.contains_key("origin") {
        return refuse("This endpoint does not serve browser pages.\n");
    }
    let host = headers.get("host").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if matches!(name, "127.0.0.1" | "localhost" | "[::1]") {
        None
    } else {
        refuse("The Host header must name loopback.\n")
    }
}
