//! One invocation: an environment gets the event, and its answer becomes an outcome.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use super::environment::{Environment, Prepared, Sign};
use super::environments::{Environments, Slot};
use super::function::Function;
use super::log::{self, Log, Report, Status};
use super::request::Request;
use super::runtime_api::{Call, Event, MAX_RESPONSE};
use crate::endpoint::Endpoint;
use crate::error::ApiError;

/// How long a process may take until it asks for its first event, before it is started again.
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// How much of the log goes with an answer.
const TAIL: usize = 4096;

/// What came of it.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) payload: Bytes,
    /// Whether the payload is that of an error.
    pub(super) is_error: bool,
    /// The last of the log.
    pub(super) tail: Vec<u8>,
}

/// How an attempt to handle the event ended.
enum Ending {
    Sign(Sign),
    /// There is no program: the type of the error, and its text.
    NotStarted(&'static str, String),
}

/// Handles the event in an environment of the function.
///
/// # Errors
/// When the function was not asked at all: there is no room for it, its image or its role is gone.
pub(super) async fn run(endpoint: &Arc<Endpoint>, function: &Function, request: &Request) -> Result<Outcome, ApiError> {
    let slot = Environments::of(endpoint).reserve(function)?;
    if let Some(environment) = slot.take(endpoint, function) {
        return handle(endpoint, function, request, environment, slot, None).await;
    }
    let begun = Instant::now();
    match initialize(endpoint, function).await? {
        Ok(environment) => handle(endpoint, function, request, environment, slot, Some(begun.elapsed())).await,
        Err((log, ending)) => fail(endpoint, function, request, &log, ending, begun.elapsed()),
    }
}

/// Starts an environment. As on AWS a process that fails is started once more, and then has the function's own time.
async fn initialize(
    endpoint: &Arc<Endpoint>,
    function: &Function,
) -> Result<Result<Environment, (Log, Ending)>, ApiError> {
    let timeout = Duration::from_secs(function.settings.timeout.into());
    let mut last = None;
    for (phase, limit) in [("init", INIT_LIMIT), ("invoke", timeout)] {
        let begun = Instant::now();
        let prepared = Prepared::new(endpoint, function).await?;
        let log = prepared.log.clone();
        let mut environment = match prepared.start(endpoint, function).await? {
            Ok(environment) => environment,
            Err((kind, why)) => return Ok(Err((log, Ending::NotStarted(kind, why)))),
        };
        let Some(sign) = environment.initialize(endpoint, limit).await? else { return Ok(Ok(environment)) };
        environment.end(endpoint).await?;
        environment.discard(endpoint);
        let ending = Ending::Sign(sign);
        log.write(endpoint, &[log::init_report(milliseconds(begun.elapsed()), phase, &ending.status())])?;
        last = Some((log, ending));
    }
    last.map(Err).ok_or_else(|| ApiError::internal("A function was not started."))
}

/// The outcome of an event that no environment could be made for.
fn fail(
    endpoint: &Endpoint,
    function: &Function,
    request: &Request,
    log: &Log,
    ending: Ending,
    took: Duration,
) -> Result<Outcome, ApiError> {
    let mut lines = vec![log::start(&request.id)];
    lines.extend(ending.line(function, &request.id));
    lines.extend(log::end(&Report {
        request_id: request.id.clone(),
        duration_ms: milliseconds(took),
        init_ms: None,
        memory_size: function.settings.memory_size,
        peak_memory: None,
        status: ending.status(),
    }));
    log.write(endpoint, &lines)?;
    Ok(ending.outcome(function, &request.id, last_of(lines.concat().into_bytes())))
}

async fn handle(
    endpoint: &Arc<Endpoint>,
    function: &Function,
    request: &Request,
    mut environment: Environment,
    slot: Slot,
    init: Option<Duration>,
) -> Result<Outcome, ApiError> {
    let start = log::start(&request.id);
    environment.log.write(endpoint, std::slice::from_ref(&start))?;
    let (from, begun) = (environment.written(), Instant::now());
    let timeout = Duration::from_secs(function.settings.timeout.into());
    let event = event(function, request, timeout);
    let ending = Ending::Sign(environment.handle(endpoint, &event, begun + timeout).await?);
    let took = begun.elapsed();
    let peak_memory = environment.peak_memory();
    let is_over = ending.is_end_of_environment();
    if is_over {
        environment.end(endpoint).await?;
    } else {
        environment.settle(endpoint).await?;
    }
    let written = environment.written_since(from, TAIL);
    let mut lines: Vec<String> = ending.line(function, &request.id).into_iter().collect();
    lines.extend(log::end(&Report {
        request_id: request.id.clone(),
        duration_ms: milliseconds(took),
        init_ms: init.map(milliseconds),
        memory_size: function.settings.memory_size,
        peak_memory,
        status: ending.status(),
    }));
    environment.log.write(endpoint, &lines)?;
    if is_over {
        environment.discard(endpoint);
    } else {
        slot.put_back(endpoint, environment);
    }
    let tail = last_of([start.as_bytes(), &written, lines.concat().as_bytes()].concat());
    Ok(ending.outcome(function, &request.id, tail))
}

fn event(function: &Function, request: &Request, timeout: Duration) -> Event {
    let deadline = TimeDelta::from_std(timeout).ok().and_then(|timeout| Utc::now().checked_add_signed(timeout));
    Event {
        request_id: request.id.clone(),
        payload: request.payload.clone(),
        deadline_ms: deadline.unwrap_or_else(Utc::now).timestamp_millis(),
        function_arn: function.arn.clone(),
        client_context: request.client_context.clone(),
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn last_of(mut text: Vec<u8>) -> Vec<u8> {
    text.split_off(text.len().saturating_sub(TAIL))
}

impl Ending {
    /// Whether the process is over, or in a state that nobody knows.
    fn is_end_of_environment(&self) -> bool {
        match self {
            Self::Sign(Sign::Call(call)) => matches!(call, Call::InitError(..)),
            Self::Sign(Sign::Exited(_) | Sign::TimedOut) | Self::NotStarted(..) => true,
        }
    }

    fn status(&self) -> Status {
        match self {
            Self::Sign(Sign::TimedOut) => Status::TimedOut,
            Self::Sign(Sign::Exited(_)) => Status::Error("Runtime.ExitError".to_owned()),
            Self::Sign(Sign::Call(Call::InitError(kind, _))) => {
                Status::Error(kind.clone().unwrap_or_else(|| "Runtime.Unknown".to_owned()))
            }
            Self::Sign(Sign::Call(Call::TooLarge)) => Status::Error("Function.ResponseSizeTooLarge".to_owned()),
            Self::NotStarted(kind, _) => Status::Error((*kind).to_owned()),
            Self::Sign(Sign::Call(Call::Response(_) | Call::Error(..) | Call::Next(_))) => Status::Success,
        }
    }

    /// What the service adds to the log.
    fn line(&self, function: &Function, request_id: &str) -> Option<String> {
        match self {
            Self::Sign(Sign::TimedOut) => Some(log::timed_out(request_id, Utc::now(), function.settings.timeout)),
            Self::Sign(Sign::Exited(code)) => Some(log::exited(request_id, &exit_reason(*code), "Runtime.ExitError")),
            Self::NotStarted(kind, why) => Some(log::exited(request_id, why, kind)),
            Self::Sign(Sign::Call(_)) => None,
        }
    }

    fn outcome(self, function: &Function, request_id: &str, tail: Vec<u8>) -> Outcome {
        let error = |kind: &str, message: String| {
            let body: Value = json!({"errorType": kind, "errorMessage": message});
            (Bytes::from(body.to_string()), true)
        };
        let (payload, is_error) = match self {
            Self::Sign(Sign::Call(Call::Response(payload))) => (payload, false),
            Self::Sign(Sign::Call(Call::Error(payload) | Call::InitError(_, payload))) => (payload, true),
            Self::Sign(Sign::Call(Call::TooLarge)) => error(
                "Function.ResponseSizeTooLarge",
                format!("Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE} bytes)."),
            ),
            Self::Sign(Sign::TimedOut) => error(
                "Sandbox.Timedout",
                format!("RequestId: {request_id} Error: Task timed out after {}.00 seconds", function.settings.timeout),
            ),
            Self::Sign(Sign::Exited(code)) => {
                error("Runtime.ExitError", format!("RequestId: {request_id} Error: {}", exit_reason(code)))
            }
            Self::NotStarted(kind, why) => error(kind, format!("RequestId: {request_id} Error: {why}")),
            // The environment keeps these to itself.
            Self::Sign(Sign::Call(Call::Next(_))) => error("Runtime.Unknown", String::new()),
        };
        Outcome { payload, is_error, tail }
    }
}

/// The words of AWS for the end of a process; 128 + n is the shell's way to tell of signal n.
fn exit_reason(code: Option<i32>) -> String {
    let signal = match code {
        None | Some(0) => return "Runtime exited without providing a reason".to_owned(),
        Some(129) => "hangup",
        Some(130) => "interrupt",
        Some(132) => "illegal instruction",
        Some(134) => "aborted",
        Some(135) => "bus error",
        Some(136) => "floating point exception",
        Some(137) => "killed",
        Some(139) => "segmentation fault",
        Some(141) => "broken pipe",
        Some(143) => "terminated",
        Some(code) => return format!("Runtime exited with error: exit status {code}"),
    };
    format!("Runtime exited with error: signal: {signal}")
}
