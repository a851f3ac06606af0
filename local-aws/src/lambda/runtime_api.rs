//! The Runtime API of one execution environment, by which its process takes events and answers them.
//!
//! It listens on a port of its own, for the process is told a host and a port and nothing that could be secret. There an
//! event waits for whoever asks `next` as long as the environment is there.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::AbortHandle;

use crate::loopback::refuse_foreigners;

/// Largest answer of a function: 6 MiB and a hundred bytes around it, as AWS's own runtimes count.
pub(super) const MAX_RESPONSE: usize = 6 * 1024 * 1024 + 100;

const PREFIX: &str = "/2018-06-01/runtime/";

/// An event for the function.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) request_id: String,
    pub(super) payload: Bytes,
    pub(super) deadline_ms: i64,
    pub(super) function_arn: String,
    pub(super) client_context: Option<String>,
}

/// What the process said.
#[derive(Debug)]
pub(super) enum Call {
    /// It waits for an event.
    Next(oneshot::Sender<Event>),
    Response(Bytes),
    TooLarge,
    /// An error, which tells its type itself.
    Error(Bytes),
    /// The type of the error, as the header has it, and the body.
    InitError(Option<String>, Bytes),
}

/// The side of the endpoint. The process's side is gone with it.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    pub(super) address: SocketAddr,
    pub(super) calls: mpsc::Receiver<Call>,
    pub(super) exchange: Arc<Exchange>,
    server: AbortHandle,
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// What both sides know.
#[derive(Debug)]
pub(super) struct Exchange {
    /// The invocation that is to be answered.
    current: Mutex<Option<String>>,
    /// Whether the process waits for an event, and who wants to know when it does.
    is_waiting: AtomicBool,
    asked: Notify,
    calls: mpsc::Sender<Call>,
}

impl Exchange {
    fn current(&self) -> MutexGuard<'_, Option<String>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on this invocation may be answered.
    pub(super) fn begin(&self, request_id: &str) {
        self.is_waiting.store(false, Ordering::Release);
        *self.current() = Some(request_id.to_owned());
    }

    /// From now on nothing may be answered.
    pub(super) fn end(&self) {
        *self.current() = None;
    }

    /// Ready when the process waits for an event.
    pub(super) async fn is_asked(&self) {
        while !self.is_waiting.load(Ordering::Acquire) {
            self.asked.notified().await;
        }
    }
}

impl RuntimeApi {
    /// Begins to listen.
    pub(super) async fn open() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        // One process that speaks in turn: more than a few calls are never under way.
        let (sender, calls) = mpsc::channel(8);
        let exchange = Arc::new(Exchange {
            current: Mutex::default(),
            is_waiting: AtomicBool::new(false),
            asked: Notify::new(),
            calls: sender,
        });
        let app = Router::new().fallback(handle).with_state(Arc::clone(&exchange));
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                tracing::error!(%error, "a Runtime API has ended");
            }
        });
        Ok(Self { address, calls, exchange, server: server.abort_handle() })
    }
}

async fn handle(
    State(exchange): State<Arc<Exchange>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    let (parts, body) = request.into_parts();
    if let Some(refusal) = refuse_foreigners(peer, &parts.headers) {
        return refusal;
    }
    let path = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let segments: Vec<&str> = path.split('/').collect();
    match (&parts.method, segments.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => next(&exchange).await,
        (&Method::POST, ["invocation", id, "response"]) => {
            answer(&exchange, id, body, |body| body.map_or(Call::TooLarge, Call::Response)).await
        }
        (&Method::POST, ["invocation", id, "error"]) => {
            answer(&exchange, id, body, |body| body.map_or(Call::TooLarge, Call::Error)).await
        }
        (&Method::POST, ["init", "error"]) => {
            let body = to_bytes(body, MAX_RESPONSE).await.unwrap_or_default();
            match exchange.calls.send(Call::InitError(error_type(&parts.headers), body)).await {
                Ok(()) => accepted(),
                Err(_) => gone(),
            }
        }
        _ => refusal(StatusCode::NOT_FOUND, "NotFound", "The Runtime API has no such path"),
    }
}

fn error_type(headers: &HeaderMap) -> Option<String> {
    headers.get("lambda-runtime-function-error-type")?.to_str().ok().map(str::to_owned)
}

async fn next(exchange: &Exchange) -> Response {
    if exchange.current().is_some() {
        let message = "The invocation before has to be answered first";
        return refusal(StatusCode::FORBIDDEN, "InvalidStateTransition", message);
    }
    let (sender, event) = oneshot::channel();
    if exchange.calls.send(Call::Next(sender)).await.is_err() {
        return gone();
    }
    exchange.is_waiting.store(true, Ordering::Release);
    exchange.asked.notify_one();
    let Ok(event) = event.await else { return gone() };
    let headers = [
        ("lambda-runtime-aws-request-id", event.request_id),
        ("lambda-runtime-deadline-ms", event.deadline_ms.to_string()),
        ("lambda-runtime-invoked-function-arn", event.function_arn),
        ("lambda-runtime-trace-id", trace_id()),
    ];
    let mut response = Response::new(Body::from(event.payload));
    let context = event.client_context.map(|context| ("lambda-runtime-client-context", context));
    for (name, value) in headers.into_iter().chain(context).chain([("content-type", "application/json".to_owned())]) {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Nothing is traced; runtimes want to see one.
fn trace_id() -> String {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let (time, rest) = id.split_at(8);
    format!("Root=1-{time}-{rest};Sampled=0")
}

/// An answer to the invocation `id`, with a body that is read as far as a function may answer.
async fn answer(exchange: &Exchange, id: &str, body: Body, call: impl FnOnce(Option<Bytes>) -> Call) -> Response {
    // Before anything is refused: what is not read costs the process its connection.
    let body = to_bytes(body, MAX_RESPONSE).await.ok();
    let is_too_large = body.is_none();
    if exchange.current().take_if(|current| current == id).is_none() {
        return refusal(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID");
    }
    if exchange.calls.send(call(body)).await.is_err() {
        return gone();
    }
    if is_too_large {
        let message = format!("Exceeded maximum allowed payload size ({MAX_RESPONSE} bytes).");
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message);
    }
    accepted()
}

fn accepted() -> Response {
    json_response(StatusCode::ACCEPTED, &json!({"status": "OK"}))
}

fn gone() -> Response {
    refusal(StatusCode::GONE, "EnvironmentEnded", "The execution environment has ended")
}

fn refusal(status: StatusCode, kind: &str, message: &str) -> Response {
    json_response(status, &json!({"errorMessage": message, "errorType": kind}))
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
