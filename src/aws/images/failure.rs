//! Why a registry did not do what it was asked.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;
use serde::Deserialize;

use super::reference::RepositoryUri;
use crate::error::Error;

/// A registry never makes us wait longer than this between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// One request that failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// No answer, or not a whole one.
    Unreachable(String),
    /// An answer that means no.
    Refused {
        status: StatusCode,
        /// The first error of the answer, in the registry's words.
        code: String,
        message: String,
        retry_after: Option<Duration>,
    },
}

/// The body of a refusal, as OCI's distribution specification has it.
#[derive(Deserialize)]
struct Refusal {
    errors: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    code: String,
    #[serde(default)]
    message: String,
}

impl Failure {
    /// What an answer other than the wanted one means.
    pub(super) async fn of(response: reqwest::Response) -> Self {
        let status = response.status();
        let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = header.and_then(|text| text.parse().ok()).map(Duration::from_secs);
        // The status says enough when the body does not come.
        let text = response.text().await.unwrap_or_default();
        let reason = serde_json::from_str::<Refusal>(&text).ok().and_then(|refusal| refusal.errors.into_iter().next());
        let Reason { code, message } = reason.unwrap_or_else(|| Reason {
            code: format!("HTTP {status}"),
            message: text.chars().take(200).collect::<String>().trim().to_owned(),
        });
        Self::Refused { status, code, message, retry_after }
    }

    /// Whether the same request may succeed a moment later.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused { status, .. } => {
                status.is_server_error()
                    || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(status)
            }
        }
    }

    /// What the registry asks us to wait.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => retry_after.map(|wait| wait.min(LONGEST_WAIT)),
            Self::Unreachable(_) => None,
        }
    }

    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: StatusCode::NOT_FOUND, .. })
    }

    /// Whether it is the repository that does not exist.
    pub(super) fn is_name_unknown(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "NAME_UNKNOWN")
    }

    /// In one line, without what to do about it.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Unreachable(reason) => reason.clone(),
            Self::Refused { code, message, .. } if message.is_empty() => code.clone(),
            Self::Refused { code, message, .. } => format!("{code}: {message}"),
        }
    }

    /// Whether the registry says that it has this already. ECR refuses to move a tag of an immutable repository, even to
    /// where it is.
    pub(super) fn is_already_there(&self) -> bool {
        match self {
            Self::Refused { code, message, .. } => {
                code.contains("AlreadyExists")
                    || message.contains("AlreadyExists")
                    || message.contains("already exists")
            }
            Self::Unreachable(_) => false,
        }
    }

    /// The failure for the user; `what` continues the sentence "… failed".
    pub(super) fn error(self, what: impl std::fmt::Display, repository: &RepositoryUri) -> Error {
        let failed = Error::failed(format!("{what} failed.")).cause(self.text());
        let status = match &self {
            Self::Unreachable(_) => {
                return failed.unreachable().hint(format!(
                    "The registry {} does not answer. Repeat the command then: what has arrived is not sent again.",
                    repository.host
                ));
            }
            Self::Refused { .. } if self.is_name_unknown() => {
                return Error::failed(format!("There is no repository {} in {}.", repository.name, repository.host))
                    .cause(self.text())
                    .hint("Check the name; `fis-workshop up` makes the repository of the lab.");
            }
            Self::Refused { status, .. } => *status,
        };
        match status {
            StatusCode::UNAUTHORIZED => failed.hint(format!(
                "{} does not accept the credentials: name others with `--username` and `--password-stdin`; for ECR, \
                 with `--profile`.",
                repository.host
            )),
            StatusCode::FORBIDDEN => failed.hint(format!(
                "These credentials may not do that in {repository}; docs/instructor.md lists what pushing takes."
            )),
            status if status.is_server_error() => {
                failed.hint("The registry has trouble of its own; repeat the command in a minute.")
            }
            StatusCode::TOO_MANY_REQUESTS => {
                failed.hint("The registry limits requests; repeat the command in a minute.")
            }
            _ => failed,
        }
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        // The innermost says what happened; the outer ones that it happened in a request.
        let mut innermost: &dyn std::error::Error = &error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        Self::Unreachable(innermost.to_string())
    }
}
