//! Why a job did not write all its items, and the exit code that says so.

use std::{
    error::Error,
    io::{self, Write, stderr},
    process::ExitCode,
};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::{log, stop::Signal};

/// Why a job ended before its batch was complete.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// An environment variable is missing or wrong; nothing has been done yet.
    #[error("{name} is {found}: expected {expected}")]
    Variable {
        /// The variable's name.
        name: &'static str,
        /// `not set`, or its value in quotes.
        found: String,
        /// What it has to be.
        expected: String,
    },

    /// AWS, or the task metadata endpoint, did not do what it was asked to.
    #[error("{cause}\n  while {doing}")]
    Request {
        /// The innermost error: what actually went wrong.
        cause: String,
        /// What the job wanted.
        doing: String,
    },

    /// An item that this task was about to write is there already.
    #[error("Another task owns the batch: item {index} was written by task {owner}")]
    OtherOwner {
        /// The item both tasks worked on.
        index: u64,
        /// The `TaskId` of the item in the table.
        owner: String,
    },

    /// An item cannot be worked on, whoever tries.
    #[error("Item {index} failed: {cause}")]
    Item {
        /// Which one.
        index: u64,
        /// Why.
        cause: &'static str,
    },

    /// A signal arrived, and the job stopped between two items.
    #[error("Received {}: stopping before item {before}", signal.name())]
    Stopped {
        /// Which signal.
        signal: Signal,
        /// The first item that this task does not write.
        before: u64,
    },

    /// A signal arrived while the task had no item in hand.
    #[error("Received {}: stopping, with no item in hand", signal.name())]
    StoppedIdle {
        /// Which signal.
        signal: Signal,
    },

    /// A signal arrived, and a request took longer than a stopping task may wait for it.
    ///
    /// PutItem is atomic: the item is in the table as a whole or not at all.
    #[error("Received {}: stopping, without the answer to the request in flight", signal.name())]
    Abandoned {
        /// Which signal.
        signal: Signal,
    },

    /// The operating system refused something the process cannot do without, e.g. writing its log.
    #[error("{cause}\n  while {doing}")]
    Process {
        /// What the operating system says.
        cause: io::Error,
        /// What the process wanted.
        doing: &'static str,
    },
}

impl Failure {
    pub(crate) fn process(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Process { cause, doing }
    }

    pub(crate) fn variable(name: &'static str, found: String, expected: &str) -> Self {
        let expected = expected.to_owned();
        Self::Variable { name, found, expected }
    }

    pub(crate) fn request<E, R>(error: &SdkError<E, R>, doing: String) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: std::fmt::Debug + 'static,
    {
        let cause = match (error.code(), error.message()) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code.to_owned(),
            (None, _) => root_cause(error),
        };
        Self::Request { cause, doing }
    }

    pub(crate) fn metadata(url: &str, error: &(dyn Error + 'static)) -> Self {
        Self::Request {
            cause: root_cause(error),
            doing: format!("asking the task metadata endpoint {url} which task this is"),
        }
    }

    /// Tells the reader of the log what happened, and the caller of the process by its exit code.
    pub(crate) fn report(&self) -> ExitCode {
        // Whether or not the line finds a reader, the exit code tells.
        let _ = match self {
            Self::Stopped { .. } | Self::StoppedIdle { .. } | Self::Abandoned { .. } => log::line(self).is_ok(),
            _ => writeln!(stderr(), "{self}").is_ok(),
        };
        ExitCode::from(self.exit_code())
    }

    /// One word for it, as Lambda wants it beside the text.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Variable { .. } => "Variable",
            Self::Request { .. } => "Request",
            Self::OtherOwner { .. } => "OtherOwner",
            Self::Item { .. } => "Item",
            Self::Stopped { .. } | Self::StoppedIdle { .. } | Self::Abandoned { .. } => "Stopped",
            Self::Process { .. } => "Process",
        }
    }

    fn exit_code(&self) -> u8 {
        match self {
            Self::Request { .. } | Self::Item { .. } | Self::Process { .. } => 1,
            Self::Variable { .. } => 2,
            Self::OtherOwner { .. } => 3,
            Self::Stopped { signal, .. } | Self::StoppedIdle { signal } | Self::Abandoned { signal } => {
                signal.exit_code()
            }
        }
    }
}

/// The last error of the chain, in one line. Those around it only say which layer of the SDK passed it on, except that
/// a missing file or address of a credential source means little without saying that it is about credentials.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    let mut kind = "";
    while let Some(source) = innermost.source() {
        innermost = source;
        if innermost.is::<CredentialsError>() {
            kind = "No AWS credentials: ";
        }
    }
    let text = innermost.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    format!("{kind}{}", lines.join(" "))
}
