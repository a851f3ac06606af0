//! The log of an execution environment: a stream in the function's group, as far as the function's role may write it.

use chrono::{DateTime, SecondsFormat, Utc};

use super::function::Function;
use super::name::LATEST;
use super::role::may;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::logs::{self, LogGroup};
use crate::store::Tx;

/// Group and stream; a function whose role is too small, or whose group is not there, has no log.
#[derive(Debug, Clone)]
pub(super) struct Log(pub(super) Option<(String, String)>);

/// What the service says of an invocation that is over.
#[derive(Debug, Clone)]
pub(super) struct Report {
    pub(super) request_id: String,
    pub(super) duration_ms: f64,
    /// Of a new environment.
    pub(super) init_ms: Option<f64>,
    pub(super) memory_size: u32,
    pub(super) peak_memory: Option<u64>,
    pub(super) status: Status,
}

#[derive(Debug, Clone)]
pub(super) enum Status {
    Success,
    TimedOut,
    /// With the type of the error.
    Error(String),
}

impl Log {
    /// Makes the stream of a new environment, whose id has 32 hex digits.
    pub(super) fn open(endpoint: &Endpoint, tx: &Tx<'_>, function: &Function, id: &str) -> Result<Self, ApiError> {
        let group = function.settings.log_group(&function.name);
        let date = Utc::now().format("%Y/%m/%d");
        // Functions may share a group of somebody's choice.
        let stream = match &function.settings.log_group {
            None => format!("{date}/[{LATEST}]{id}"),
            Some(_) => format!("{date}/{}[{LATEST}]{id}", function.name),
        };
        let group_arn = endpoint.arn("logs", &format!("log-group:{group}"));
        let stream_arn = format!("{group_arn}:log-stream:{stream}");
        for action in ["logs:CreateLogStream", "logs:PutLogEvents"] {
            if !may(tx, function, action, &stream_arn)? {
                return Ok(Self(None));
            }
        }
        if tx.get::<LogGroup>(&group)?.is_none() {
            if !may(tx, function, "logs:CreateLogGroup", &format!("{group_arn}:*"))? {
                return Ok(Self(None));
            }
            LogGroup::create(endpoint, tx, &group, None, std::collections::BTreeMap::new())?;
        }
        logs::ensure_stream(tx, &group, &stream)?;
        Ok(Self(Some((group, stream))))
    }

    /// Writes lines of the service's own.
    pub(super) fn write(&self, endpoint: &Endpoint, lines: &[String]) -> Result<(), ApiError> {
        let Some((group, stream)) = &self.0 else { return Ok(()) };
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        match endpoint.store.write(|tx| logs::append(tx, group, stream, Utc::now(), &lines)) {
            // Group or stream was deleted under the environment: its lines are nowhere, as on AWS.
            Err(error) if error.code == "ResourceNotFoundException" => Ok(()),
            result => result,
        }
    }
}

pub(super) fn start(request_id: &str) -> String {
    format!("START RequestId: {request_id} Version: {LATEST}\n")
}

/// What is said of a process that ended before it answered.
pub(super) fn exited(request_id: &str, reason: &str, kind: &str) -> String {
    format!("RequestId: {request_id} Error: {reason}\n{kind}\n")
}

pub(super) fn timed_out(request_id: &str, now: DateTime<Utc>, timeout: u32) -> String {
    let now = now.to_rfc3339_opts(SecondsFormat::Millis, true);
    format!("{now} {request_id} Task timed out after {timeout}.00 seconds\n\n")
}

/// What is said of an initialization that failed, in the phase `init` or, again, in the phase `invoke`.
pub(super) fn init_report(duration_ms: f64, phase: &str, status: &Status) -> String {
    format!("INIT_REPORT Init Duration: {duration_ms:.2} ms\tPhase: {phase}{}\n", shown(status))
}

fn shown(status: &Status) -> String {
    match status {
        Status::Success => String::new(),
        Status::TimedOut => "\tStatus: timeout".to_owned(),
        Status::Error(kind) => format!("\tStatus: error\tError Type: {kind}"),
    }
}

/// The last two lines of an invocation.
pub(super) fn end(report: &Report) -> [String; 2] {
    let Report { request_id, duration_ms, init_ms, memory_size, peak_memory, status } = report;
    // Since 2025 the initialization is billed, too.
    let billed = (duration_ms + init_ms.unwrap_or_default()).ceil();
    let mut line = format!(
        "REPORT RequestId: {request_id}\tDuration: {duration_ms:.2} ms\tBilled Duration: {billed:.0} ms\tMemory Size: {memory_size} MB\t"
    );
    if let Some(bytes) = peak_memory {
        line += &format!("Max Memory Used: {} MB\t", bytes.div_ceil(1024 * 1024));
    }
    if let Some(init) = init_ms {
        line += &format!("Init Duration: {init:.2} ms\t");
    }
    let status = shown(status);
    if !status.is_empty() {
        line += status.trim_start();
        line.push('\t');
    }
    [format!("END RequestId: {request_id}\n"), format!("{line}\n")]
}
