//! What to do about the failures that are the same wherever they happen.

use crate::target::Target;

/// Failures whose remedy depends on the target, which the place of failure does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    Connection,
    Credentials,
    SignIn,
    Login,
    AssumeRole,
    Expired,
    Denied,
    Throttled,
    NotAws,
    Quota,
    Clock,
    Region,
}

impl Remedy {
    pub(super) fn of(code: &str, message: &str) -> Option<Self> {
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

    /// Why there are no credentials, by what each link of the SDK's chain of errors says.
    pub(super) fn of_credentials(chain: &str) -> Self {
        if chain.contains("sts:AssumeRole") || chain.contains("AssumeRole") {
            Self::AssumeRole
        } else if chain.contains("SSO") || chain.contains("sso") {
            Self::SignIn
        } else if chain.contains("login") {
            Self::Login
        } else if chain.contains("ExpiredToken") {
            Self::Expired
        } else {
            Self::Credentials
        }
    }

    /// `HandlerErrorCode` is the contract of resource handlers; older types give only the service's own words.
    pub(super) fn of_reason(reason: &str) -> Option<Self> {
        let has = |words: &[&str]| words.iter().any(|word| reason.contains(word));
        if has(&["ServiceLimitExceeded", "LimitExceeded", "maximum number of", "quota"]) {
            Some(Self::Quota)
        } else if has(&["HandlerErrorCode: AccessDenied", "not authorized to perform", "UnauthorizedOperation"]) {
            Some(Self::Denied)
        } else {
            None
        }
    }

    pub(super) fn hint(self, target: Target) -> &'static str {
        match (self, target) {
            (Self::Connection, Target::Local) => {
                "The local endpoint does not answer; `fis-workshop local status` shows its state, \
                 `fis-workshop local start` starts it."
            }
            (Self::Connection, Target::Aws) => "Check the network connection and the region (`--region`).",
            (
                Self::Credentials | Self::SignIn | Self::Login | Self::AssumeRole | Self::Expired | Self::Denied,
                Target::Local,
            ) => {
                "The key pair in the state directory is not the endpoint's; check `--state-dir`, \
                 or stop and start it with `fis-workshop local stop` and `fis-workshop local start`."
            }
            (Self::Credentials, Target::Aws) => {
                "AWS needs credentials that it accepts: `aws configure` or `aws sso login` sets some up, \
                 `--profile` takes others, `aws sts get-caller-identity` shows whose they are."
            }
            (Self::SignIn, Target::Aws) => {
                "The sign-in of IAM Identity Center is missing or has expired: `aws sso login`, with the same \
                 `--profile`, signs in again."
            }
            (Self::Login, Target::Aws) => {
                "The sign-in of this profile is missing or has expired: `aws login`, with the same `--profile`, signs \
                 in again."
            }
            (Self::AssumeRole, Target::Aws) => {
                "The profile's role could not be assumed. If it wants a code of an MFA device, which cannot be asked \
                 for here, the AWS CLI gets the credentials: \
                 `eval \"$(aws configure export-credentials --format env)\"`, with the same `--profile`; then leave \
                 `--profile` out here."
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

#[cfg(test)]
mod tests {
    use super::*;

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
