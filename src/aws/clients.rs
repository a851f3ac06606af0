//! The SDK clients: for both targets the same, with another endpoint and other credentials.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ecs::config::retry::RetryConfig;
use aws_sdk_ecs::config::{Credentials, IdentityCache, SharedCredentialsProvider, StalledStreamProtectionConfig};
use local_aws::Identity;

use super::ec2::Ec2;
use super::gate::Gate;
use super::iam::Iam;
use super::pace::{Pace, Place, Turns};
use super::profile;
use super::watchdog::{Functions, Rules};
use super::way_out::{self, Trust};
use crate::endpoint::{Record, StateDir};
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::target::Target;

/// How often a call is sent: over about 15 s, with the SDK's waits.
const ATTEMPTS: u32 = 5;

/// A client for each service.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    pub(crate) target: Target,
    pub(crate) place: Place,
    /// Region of all of them.
    pub(crate) region: String,
    /// CloudFormation.
    pub(crate) cloudformation: aws_sdk_cloudformation::Client,
    /// ECS.
    pub(crate) ecs: aws_sdk_ecs::Client,
    /// FIS.
    pub(crate) fis: aws_sdk_fis::Client,
    /// DynamoDB.
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    /// CloudWatch Logs.
    pub(crate) logs: aws_sdk_cloudwatchlogs::Client,
    /// Resource Groups Tagging.
    pub(crate) tagging: aws_sdk_resourcegroupstagging::Client,
    /// EC2: the network.
    pub(crate) ec2: Ec2,
    /// ECR: the image repository.
    pub(crate) ecr: aws_sdk_ecr::Client,
    /// IAM.
    pub(crate) iam: Iam,
    /// EventBridge: what calls the watchdog.
    pub(crate) rules: Rules,
    /// The local endpoint's gate.
    pub(crate) gate: Gate,
    /// Lambda: the watchdog.
    pub(crate) functions: Functions,
    /// Service Quotas.
    pub(crate) quotas: aws_sdk_servicequotas::Client,
    /// SQS: the batch as messages.
    pub(crate) sqs: aws_sdk_sqs::Client,
    /// STS: whose credentials these are.
    pub(crate) sts: aws_sdk_sts::Client,
    /// Whose certificates are trusted.
    pub(crate) trust: Trust,
    turns: Turns,
}

impl Clients {
    /// For the local endpoint that `record` describes.
    ///
    /// # Errors
    /// When the key pair cannot be read, or another region is asked for than the endpoint's.
    pub(crate) fn local(settings: &Settings, record: &Record) -> Result<Self> {
        let state = StateDir::new(&settings.state_dir);
        let identity = Identity::load(&state.data_dir())?.ok_or_else(|| {
            Error::failed(format!("The key pair of the local endpoint is not in {}.", state.data_dir().display()))
                .hint("`fis-workshop local reset` starts afresh.")
        })?;
        if let Some(region) = settings.region.as_ref().filter(|region| **region != identity.region) {
            return Err(Error::usage(format!(
                "The local endpoint is in {}, and one endpoint serves one region; {region} was asked for.",
                identity.region
            ))
            .hint(
                "Leave `--region` out, use another `--state-dir`, or start afresh with `fis-workshop local reset`.",
            ));
        }
        let credentials =
            Credentials::new(&identity.access_key_id, &identity.secret_access_key, None, None, "local endpoint");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(identity.region.clone()))
            .endpoint_url(&record.endpoint)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .identity_cache(IdentityCache::no_cache())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .http_client(way_out::to_loopback())
            .build();
        Ok(Self::of(Target::Local, identity.region, &config, Trust::Machine))
    }

    /// For AWS, with the credentials that the AWS CLI would use.
    ///
    /// # Errors
    /// When there is no region or no such profile, or the certificates to trust cannot be read.
    pub(crate) async fn aws(settings: &Settings) -> Result<Self> {
        let profile = profile::read(settings.profile.as_deref()).await?;
        let trust = Trust::of(&profile)?;
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(way_out::to_aws(&trust)?)
            .timeout_config(way_out::patience());
        if let Some(profile) = &settings.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &settings.region {
            loader = loader.region(Region::new(region.clone()));
        }
        let config = patient(loader.load().await);
        let region = config.region().map(ToString::to_string).ok_or_else(|| {
            Error::usage("No AWS region is set.").hint("Name one with `--region`, `AWS_REGION` or in the AWS profile.")
        })?;
        Ok(Self::of(Target::Aws, region, &config, trust))
    }

    /// How often to ask.
    pub(crate) fn pace(&self) -> Pace {
        Pace::new(self.place, self.turns.clone())
    }

    pub(super) fn of(target: Target, region: String, config: &SdkConfig, trust: Trust) -> Self {
        Self {
            target,
            place: Place::of(config.endpoint_url()),
            region,
            cloudformation: aws_sdk_cloudformation::Client::new(config),
            ecs: aws_sdk_ecs::Client::new(config),
            fis: aws_sdk_fis::Client::new(config),
            dynamodb: aws_sdk_dynamodb::Client::new(config),
            logs: aws_sdk_cloudwatchlogs::Client::new(config),
            tagging: aws_sdk_resourcegroupstagging::Client::new(config),
            ec2: Ec2::new(config),
            ecr: aws_sdk_ecr::Client::new(config),
            iam: Iam::new(config),
            rules: Rules::new(config),
            gate: Gate::new(config),
            functions: Functions::new(config),
            quotas: aws_sdk_servicequotas::Client::new(config),
            sqs: aws_sdk_sqs::Client::new(config),
            sts: aws_sdk_sts::Client::new(config),
            trust,
            turns: Turns::new(Place::of(config.endpoint_url())),
        }
    }
}

/// More attempts than the SDK's three: a class that shares an account shares its rates. Who asks for another number
/// (`AWS_MAX_ATTEMPTS`, `max_attempts` of the profile) or mode gets it.
fn patient(config: SdkConfig) -> SdkConfig {
    let default = RetryConfig::standard();
    let asked = config
        .retry_config()
        .is_some_and(|retries| retries.mode() != default.mode() || retries.max_attempts() != default.max_attempts());
    if asked {
        return config;
    }
    config.into_builder().retry_config(default.with_max_attempts(ATTEMPTS)).build()
}

/// A token that makes a mutating call safe to repeat. Starts with a letter, as CloudFormation asks for.
pub(crate) fn token() -> String {
    format!("fis-workshop-{}", uuid::Uuid::new_v4())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_attempts_that_was_asked_for_is_kept() {
        let attempts = |asked: Option<RetryConfig>| {
            let mut config = SdkConfig::builder();
            config.set_retry_config(asked);
            patient(config.build()).retry_config().map(RetryConfig::max_attempts)
        };
        assert_eq!(attempts(None), Some(ATTEMPTS));
        assert_eq!(attempts(Some(RetryConfig::standard())), Some(ATTEMPTS));
        assert_eq!(attempts(Some(RetryConfig::standard().with_max_attempts(9))), Some(9));
        assert_eq!(attempts(Some(RetryConfig::disabled())), Some(1));
    }
}
