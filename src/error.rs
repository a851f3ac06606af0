//! The one error type at the edge: what failed, why (root cause first), what to do, and with which exit code.

use std::fmt;

use aws_sdk_ecs::config::http::HttpResponse;
use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_ecs::error::SdkError;
use serde::Serialize;

use crate::settings::Target;

/// What every fallible function of the deployer returns.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// What a failure means for the caller of the program; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Something did not work: 1.
    Failed,
    /// The command line, a variable or the settings file is wrong: 2.
    Usage,
    /// The lab ran, and its hypothesis or an invariant did not hold: 3.
    HypothesisFailed,
    /// `down` could not remove everything: 4.
    Survivors,
    /// Ctrl-C or SIGTERM; 128 + the number of the signal, as a shell reports it.
    Interrupted(i32),
    /// The reader of our output is gone (`| head`); nobody is left to tell, and nothing is wrong: 0.
    OutputClosed,
}

impl Kind {
    /// The exit code of the process.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::OutputClosed => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::HypothesisFailed => 3,
            Self::Survivors => 4,
            Self::Interrupted(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
        }
    }
}

/// Failures whose remedy depends on the target, which the place of failure does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remedy {
    Connection,
    Credentials,
    Expired,
    Denied,
    Throttled,
    NotAws,
    Quota,
    Clock,
    Region,
}

/// A failure in JSON.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Document {
    pub(crate) message: String,
    /// Why, root cause first.
    pub(crate) causes: Vec<String>,
    pub(crate) hints: Vec<String>,
}

/// A failure on its way to the user.
#[derive(Debug, Clone)]
pub(crate) struct Error {
    kind: Kind,
    message: String,
    /// Root cause first.
    causes: Vec<String>,
    hints: Vec<String>,
    remedy: Option<Remedy>,
    /// AWS's code of the refusal, for the callers that know what to make of it.
    code: Option<String>,
}

impl Error {
    /// A failure of `kind`; `message` is one full sentence.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), hints: Vec::new(), remedy: None, code: None }
    }

    /// Something did not work.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// The user asked for something that cannot be.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Adds what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds a cause behind those that are known already: the root cause is the first that is added.
    #[must_use]
    pub(crate) fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// The other side did not answer at all: what to do about it depends on the target.
    #[must_use]
    pub(crate) fn unreachable(mut self) -> Self {
        self.remedy = Some(Remedy::Connection);
        self
    }

    /// Adds the remedy for what CloudFormation names as the reason of a resource's failure: there, the code of AWS's
    /// refusal is part of a text.
    #[must_use]
    pub(crate) fn because(mut self, reason: &str) -> Self {
        self.remedy = self.remedy.or_else(|| Remedy::of_reason(reason));
        self
    }

    /// What the failure means.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The exit code that it leads to.
    pub(crate) fn exit_code(&self) -> u8 {
        self.kind.exit_code()
    }

    /// Whether AWS refused with one of these codes.
    pub(crate) fn has_code(&self, codes: &[&str]) -> bool {
        self.code.as_deref().is_some_and(|code| codes.contains(&code))
    }

    /// AWS's own words, when it was AWS that refused.
    pub(crate) fn aws_message(&self) -> &str {
        self.causes.first().map_or("", String::as_str)
    }

    /// Whether the endpoint could not be reached at all.
    pub(crate) fn is_connection(&self) -> bool {
        matches!(self.remedy, Some(Remedy::Connection | Remedy::Region))
    }

    /// The same for machines.
    pub(crate) fn document(&self) -> Document {
        Document { message: self.message.clone(), causes: self.causes.clone(), hints: self.hints.clone() }
    }

    /// What to do about it, in one line.
    pub(crate) fn advice(&self, target: Target) -> Option<String> {
        let remedy = self.remedy.map(|remedy| remedy.hint(target).to_owned());
        let all: Vec<_> = self.hints.iter().cloned().chain(remedy).collect();
        (!all.is_empty()).then(|| all.join(" "))
    }

    /// Message, causes and hints, each on a line of its own, as they are printed after `error: `.
    pub(crate) fn report(&self, target: Target) -> String {
        let mut text = self.message.clone();
        for (index, cause) in self.causes.iter().enumerate() {
            let label = if index == 0 { "cause" } else { "  led to" };
            text.push_str(&format!("\n  {label}: {cause}"));
        }
        let remedy = self.remedy.map(|remedy| remedy.hint(target).to_owned());
        for hint in self.hints.iter().cloned().chain(remedy) {
            text.push_str(&format!("\n  hint: {hint}"));
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.causes.iter().try_for_each(|cause| write!(f, " ({cause})"))
    }
}

impl std::error::Error for Error {}

impl From<local_aws::ApiError> for Error {
    fn from(error: local_aws::ApiError) -> Self {
        Self::failed(error.message)
    }
}

impl Remedy {
    fn of(code: &str, message: &str) -> Option<Self> {
        // By family: the JSON services, REST and the query protocol spell the same refusal differently.
        match code {
            "RequestTimeTooSkewed" => Some(Self::Clock),
            // A signature that is too old or from the future has the code of any wrong signature.
            "SignatureDoesNotMatch" | "InvalidSignatureException"
                if ["Signature expired", "Signature not yet current"].iter().any(|words| message.contains(words)) =>
            {
                Some(Self::Clock)
            }
            "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => Some(Self::Expired),
            "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "AuthFailure"
            | "IncompleteSignature"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException" => Some(Self::Credentials),
            "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => Some(Self::Denied),
            "Throttling" | "ThrottlingException" | "TooManyRequestsException" | "RequestLimitExceeded" => {
                Some(Self::Throttled)
            }
            "VpcLimitExceeded"
            | "AddressLimitExceeded"
            | "NatGatewayLimitExceeded"
            | "LimitExceeded"
            | "LimitExceededException"
            | "ServiceQuotaExceededException" => Some(Self::Quota),
            _ => None,
        }
    }

    /// `HandlerErrorCode` is the contract of resource handlers; older types give only the service's own words.
    fn of_reason(reason: &str) -> Option<Self> {
        let has = |words: &[&str]| words.iter().any(|word| reason.contains(word));
        if has(&["ServiceLimitExceeded", "LimitExceeded", "maximum number of", "quota"]) {
            Some(Self::Quota)
        } else if has(&["HandlerErrorCode: AccessDenied", "not authorized to perform", "UnauthorizedOperation"]) {
            Some(Self::Denied)
        } else {
            None
        }
    }

    fn hint(self, target: Target) -> &'static str {
        match (self, target) {
            (Self::Connection, Target::Local) => {
                "The local endpoint does not answer; `fis-workshop local status` shows its state, \
                 `fis-workshop local start` starts it."
            }
            (Self::Connection, Target::Aws) => "Check the network connection and the region (`--region`).",
            (Self::Credentials | Self::Expired | Self::Denied, Target::Local) => {
                "The key pair in the state directory is not the endpoint's; check `--state-dir`, \
                 or stop and start it with `fis-workshop local stop` and `fis-workshop local start`."
            }
            (Self::Credentials, Target::Aws) => {
                "AWS needs credentials that it accepts: `aws configure` or `aws sso login` sets some up, \
                 `--profile` takes others, `aws sts get-caller-identity` shows whose they are."
            }
            (Self::Expired, Target::Aws) => {
                "The credentials have expired; get new ones, for example with `aws sso login`."
            }
            (Self::Denied, Target::Aws) => {
                "These credentials may not do that; have the action that AWS names allowed, or use a role that may \
                 (`--profile`). `fis-workshop doctor --target aws` lists what is missing, docs/permissions.md has the policies."
            }
            (Self::Quota, Target::Aws) => {
                "A quota of the account is reached. `fis-workshop doctor --target aws` shows which and how to raise \
                 it; `fis-workshop down` frees what an environment that is not needed any more takes."
            }
            (Self::Quota, Target::Local) => {
                "The local endpoint has AWS's default quotas; `fis-workshop down` frees what is not needed any more."
            }
            (Self::Clock, _) => {
                "The clock of this machine differs from that of AWS by more than 5 minutes; set it, for example by \
                 `sudo timedatectl set-ntp true`."
            }
            (Self::Region, _) => {
                "There is no such host: the region does not exist or does not have the service (`--region` names \
                 another, `AWS_REGION` and the AWS profile do, too), or this machine cannot resolve names."
            }
            (Self::NotAws, _) => {
                "This is no answer of AWS: a proxy or gateway on the way may have given it (`HTTPS_PROXY`, \
                 `AWS_ENDPOINT_URL`); repeat the command."
            }
            (Self::Throttled, _) => "AWS limits how often this can be asked; wait a minute and repeat the command.",
        }
    }
}

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
            let no_credentials = dispatch.is_other() && text.contains("credential");
            let no_such_host = ["lookup address", "Name or service not known", "nodename nor servname", "resolve"];
            let no_such_host = no_such_host.iter().any(|words| text.contains(words));
            failure.remedy = Some(match (no_credentials, no_such_host) {
                (true, _) => Remedy::Credentials,
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

/// The innermost of a chain of errors: the outer ones of the SDK only say that something went wrong.
fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_the_root_cause_first_and_the_hints_last() {
        let error = Error::failed("The stack was not created.")
            .cause("Table: name taken")
            .cause("Stack: rolled back")
            .hint("Choose another name.");
        assert_eq!(
            error.report(Target::Local),
            "The stack was not created.\n  cause: Table: name taken\n    led to: Stack: rolled back\n  hint: Choose another name."
        );
    }

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        let codes = [Kind::Failed, Kind::Usage, Kind::HypothesisFailed, Kind::Survivors, Kind::Interrupted(2)]
            .map(Kind::exit_code);
        assert_eq!(codes, [1, 2, 3, 4, 130]);
    }

    #[test]
    fn refusals_of_one_family_have_one_remedy() {
        assert_eq!(Remedy::of("ExpiredToken", ""), Remedy::of("ExpiredTokenException", ""));
        assert_eq!(Remedy::of("Throttling", ""), Some(Remedy::Throttled));
        assert_eq!(Remedy::of("VpcLimitExceeded", ""), Some(Remedy::Quota));
        assert_eq!(Remedy::of("ServiceQuotaExceededException", ""), Some(Remedy::Quota));
        let vpcs = "Resource handler returned message: \"The maximum number of VPCs has been reached.\" (HandlerErrorCode: \
                    ServiceLimitExceeded)";
        assert_eq!(Remedy::of_reason(vpcs), Some(Remedy::Quota));
        assert_eq!(Remedy::of_reason("You are not authorized to perform this operation."), Some(Remedy::Denied));
        assert_eq!(Remedy::of_reason("Resource creation cancelled"), None);
        assert_eq!(Remedy::of("ValidationError", ""), None);
    }

    #[test]
    fn a_signature_that_is_too_old_is_a_matter_of_the_clock() {
        for code in ["SignatureDoesNotMatch", "InvalidSignatureException"] {
            assert_eq!(Remedy::of(code, "Signature expired: 2024 is now earlier than 2025"), Some(Remedy::Clock));
            assert_eq!(
                Remedy::of(code, "The request signature we calculated does not match"),
                Some(Remedy::Credentials)
            );
        }
        assert_eq!(Remedy::of("RequestTimeTooSkewed", ""), Some(Remedy::Clock));
    }
}
