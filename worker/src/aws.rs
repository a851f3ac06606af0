//! How the programs reach AWS: what all their clients have in common.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig, timeout::TimeoutConfig};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

use crate::Failure;

/// How long one attempt at a request may take. SQS is given longer, for it holds a question until there is an answer.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(5);

/// The region, credentials and endpoint that the environment names; sends nothing yet.
pub(crate) async fn configuration() -> Result<SdkConfig, Failure> {
    let http_client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    // Retries stay with the SDK: standard mode, three attempts, AWS_MAX_ATTEMPTS for another number.
    let configuration = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client)
        .timeout_config(timeouts(ATTEMPT))
        .load()
        .await;
    if configuration.region().is_none() {
        let expected = "the region of the table, such as eu-west-1";
        return Err(Failure::variable("AWS_REGION", "not set".to_owned(), expected));
    }
    Ok(configuration)
}

pub(crate) fn timeouts(attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(Duration::from_secs(3)).operation_attempt_timeout(attempt).build()
}
