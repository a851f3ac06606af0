//! A failed call of the SDK as an [`Error`]: AWS's code and words, or why there was no answer.

use std::fmt;

use aws_sdk_ecs::config::http::HttpResponse;
use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_ecs::error::SdkError;

use super::remedy::Remedy;
use super::{Error, Result};

/// Gives a failed call to AWS the words of what we were doing.
pub(crate) trait Doing<T> {
    /// `what` continues the sentence "… failed", e.g. `Deleting the stack FisStackVpc`.
    fn doing(self, what: impl fmt::Display) -> Result<T>;
}

impl<T, E> Doing<T> for std::result::Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    fn doing(self, what: impl fmt::Display) -> Result<T> {
        self.map_err(|error| translate(&error, what))
    }
}

fn translate<E>(error: &SdkError<E, HttpResponse>, what: impl fmt::Display) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let failure = Error::failed(format!("{what} failed."));
    match error {
        SdkError::ServiceError(refusal) => {
            let meta = refusal.err().meta();
            let code = meta.code().unwrap_or("an error without a code");
            let message = meta.message().unwrap_or("no message");
            let mut failure = failure.cause(format!("{code}: {message}"));
            failure.remedy = Remedy::of(code, message);
            failure.code = Some(code.to_owned());
            failure
        }
        SdkError::DispatchFailure(dispatch) => {
            let text = root_cause(error);
            // The SDK appends each place where it has looked for credentials, a line each.
            let summary = text.lines().next().unwrap_or_default().trim_end_matches(" Attempted:");
            let mut failure = failure.cause(summary);
            let chain = chain(error);
            // Only the links in between say that it was credentials that somebody was asked for.
            let no_credentials = dispatch.is_other() && chain.contains("credential");
            let no_such_host = ["lookup address", "Name or service not known", "nodename nor servname", "resolve"];
            let no_such_host = no_such_host.iter().any(|words| text.contains(words));
            failure.remedy = Some(match (no_credentials, no_such_host) {
                (true, _) => Remedy::of_credentials(&chain),
                (false, true) => Remedy::Region,
                (false, false) => Remedy::Connection,
            });
            failure
        }
        SdkError::TimeoutError(_) => {
            let mut failure = failure.cause("no answer in time");
            failure.remedy = Some(Remedy::Connection);
            failure
        }
        // Not an error that the service defines: a page of HTML, or half an answer.
        SdkError::ResponseError(response) => {
            let status = response.raw().status().as_u16();
            let mut failure =
                failure.cause(format_args!("an answer that is not AWS's (HTTP {status}): {}", root_cause(error)));
            failure.remedy = Some(Remedy::NotAws);
            failure
        }
        other => failure.cause(root_cause(other)),
    }
}

/// What each error of a chain says, outermost first.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let links = std::iter::successors(Some(error), |error| error.source());
    links.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The innermost of a chain of errors: the outer ones of the SDK only say that something went wrong.
pub(crate) fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
