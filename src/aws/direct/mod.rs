//! Calls without a generated client: for the few questions that go to EC2, IAM, EventBridge and Lambda, whose clients are
//! the largest crates of the SDK; the first two took a third of the build.
//!
//! Everything but the protocols ([`query`], [`json`]) is the SDK's own: credentials, signatures, retries, timeouts,
//! partitions.

mod json;
mod place;
mod query;

pub(super) use query::Members;

use std::fmt;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_sdk_sts::config::http::{HttpRequest, HttpResponse};
use aws_sdk_sts::error::{BoxError, ErrorMetadata, ProvideErrorMetadata, SdkError};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{AuthSchemeOptionResolverParams, SharedAuthScheme};
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SigningName;
use aws_types::region::SigningRegion;

use self::place::Place;

/// A service that is asked so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Ec2,
    Iam,
    Events,
    Lambda,
    /// The local endpoint's own.
    Gate,
}

impl Service {
    /// Name in the credential scope of a signature, and in the host.
    fn signing_name(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Iam => "iam",
            Self::Events => "events",
            Self::Lambda => "lambda",
            Self::Gate => "gate",
        }
    }
}

/// A request, before it is signed.
#[derive(Debug, Clone)]
struct Message {
    method: &'static str,
    path: String,
    content_type: &'static str,
    /// What the JSON services with one address call the operation.
    target: Option<&'static str>,
    body: String,
}

/// What a call came to.
pub(super) type Answer<T> = Result<T, SdkError<Refusal, HttpResponse>>;

/// A client of one service.
#[derive(Debug, Clone)]
pub(super) struct Client {
    service: Service,
    config: SdkConfig,
}

impl Client {
    pub(super) fn new(service: Service, config: &SdkConfig) -> Self {
        Self { service, config: config.clone() }
    }

    async fn send<T>(
        &self,
        action: &'static str,
        message: Message,
        read: fn(&HttpResponse) -> Result<T, OrchestratorError<Refusal>>,
    ) -> Answer<T>
    where
        T: fmt::Debug + Send + Sync + 'static,
    {
        let place = Place::of(self.service, &self.config).await.map_err(SdkError::construction_failure)?;
        let mut operation = Operation::builder()
            .service_name(self.service.signing_name())
            .operation_name(action)
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&place.endpoint)
            .retry_classifier(TransientErrorClassifier::<Refusal>::new())
            .retry_classifier(AwsErrorCodeClassifier::<Refusal>::new())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .interceptor(RequestInfoInterceptor::new())
            .interceptor(InvocationIdInterceptor::new())
            .interceptor(UserAgentInterceptor::new())
            .standard_retry(self.config.retry_config().unwrap_or(&RetryConfig::standard()))
            .runtime_plugin(self.signing(&place));
        if let Some(client) = self.config.http_client() {
            operation = operation.http_client(client);
        }
        if let Some(timeouts) = self.config.timeout_config() {
            operation = operation.timeout_config(timeouts.clone());
        }
        operation.serializer(request).deserializer(read).build().invoke(message).await
    }

    /// What the SDK's clients get from their generated code: whose signature, for which service and region.
    fn signing(&self, place: &Place) -> StaticRuntimePlugin {
        let mut layer = Layer::new("direct");
        layer.store_put(SigningName::from_static(self.service.signing_name()));
        layer.store_put(SigningRegion::from(place.signing_region.clone()));
        layer.store_put(SigV4OperationSigningConfig::default());
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        layer.store_put(ApiMetadata::new(self.service.signing_name(), env!("CARGO_PKG_VERSION")));
        let mut components = RuntimeComponentsBuilder::new("direct");
        components.set_identity_cache(self.config.identity_cache());
        if let Some(credentials) = self.config.credentials_provider() {
            components.set_identity_resolver(SCHEME_ID, credentials);
        }
        components.push_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()));
        components.set_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID])));
        components.set_sleep_impl(self.config.sleep_impl());
        components.set_time_source(self.config.time_source());
        StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
    }
}

fn request(message: Message) -> Result<HttpRequest, BoxError> {
    let length = message.body.len().to_string();
    let mut request = HttpRequest::new(message.body.into());
    request.set_method(message.method)?;
    request.set_uri(message.path)?;
    request.headers_mut().insert("content-type", message.content_type);
    request.headers_mut().insert("content-length", length);
    if let Some(target) = message.target {
        request.headers_mut().insert("x-amz-target", target);
    }
    Ok(request)
}

/// AWS said no.
#[derive(Debug)]
pub(crate) struct Refusal(ErrorMetadata);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for Refusal {}

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

impl Refusal {
    fn new(code: &str, message: &str) -> Self {
        Self(ErrorMetadata::builder().code(code).message(message).build())
    }
}
