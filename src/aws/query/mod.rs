//! AWS's query protocol: a form in, XML out. For the few questions that go to EC2 and IAM, whose generated clients are
//! the largest crates of the SDK and took a third of the build.
//!
//! Everything but form and XML is the SDK's own: credentials, signatures, retries, timeouts, partitions.

mod place;

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
use serde::Deserialize;
use serde::de::DeserializeOwned;

use self::place::Place;

/// A service that speaks the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Ec2,
    Iam,
}

impl Service {
    /// Name in the credential scope of a signature, and in the host.
    fn signing_name(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Iam => "iam",
        }
    }

    /// Of its API.
    fn version(self) -> &'static str {
        match self {
            Self::Ec2 => "2016-11-15",
            Self::Iam => "2010-05-08",
        }
    }
}

/// Members of a request, as the form names them.
pub(super) type Members = Vec<(String, String)>;

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

    /// One call; the answer's XML is read into `T`.
    pub(super) async fn call<T>(&self, action: &'static str, members: &Members) -> Answer<T>
    where
        T: DeserializeOwned + fmt::Debug + Send + Sync + 'static,
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
        operation.serializer(request).deserializer(read::<T>).build().invoke(self.form(action, members)).await
    }

    /// What the SDK's clients get from their generated code: whose signature, for which service and region.
    fn signing(&self, place: &Place) -> StaticRuntimePlugin {
        let mut layer = Layer::new("query");
        layer.store_put(SigningName::from_static(self.service.signing_name()));
        layer.store_put(SigningRegion::from(place.signing_region.clone()));
        layer.store_put(SigV4OperationSigningConfig::default());
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        layer.store_put(ApiMetadata::new(self.service.signing_name(), env!("CARGO_PKG_VERSION")));
        let mut components = RuntimeComponentsBuilder::new("query");
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

    fn form(&self, action: &str, members: &Members) -> String {
        form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", action)
            .append_pair("Version", self.service.version())
            .extend_pairs(members)
            .finish()
    }
}

fn request(form: String) -> Result<HttpRequest, BoxError> {
    let length = form.len().to_string();
    let mut request = HttpRequest::new(form.into());
    request.set_method("POST")?;
    request.set_uri("/")?;
    request.headers_mut().insert("content-type", "application/x-www-form-urlencoded");
    request.headers_mut().insert("content-length", length);
    Ok(request)
}

fn read<T: DeserializeOwned>(response: &HttpResponse) -> Result<T, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        return quick_xml::de::from_reader(body).map_err(OrchestratorError::other);
    }
    let errors: Errors = quick_xml::de::from_reader(body).map_err(OrchestratorError::other)?;
    // A page of a gateway on the way is XML, too, but no refusal.
    let reason = errors.reason().ok_or_else(|| OrchestratorError::other("the answer is not AWS's"))?;
    Err(OrchestratorError::operation(reason.into()))
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

/// `ErrorResponse` of the query protocol, or EC2's `Response`, where the error is one level deeper.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Errors {
    errors: Option<Box<Self>>,
    error: Option<Reason>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reason {
    code: String,
    #[serde(default)]
    message: String,
}

impl Errors {
    fn reason(self) -> Option<Reason> {
        self.errors.map_or(self.error, |inner| inner.error)
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        let meta = ErrorMetadata::builder().code(reason.code).message(reason.message);
        Self(meta.build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &'static str) -> Refusal {
        quick_xml::de::from_str::<Errors>(body).unwrap().reason().unwrap().into()
    }

    #[test]
    fn both_services_errors_are_read() {
        let ec2 = refusal(
            "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>No.</Message></Error></Errors>\
             <RequestID>r</RequestID></Response>",
        );
        assert_eq!((ec2.code(), ec2.message()), (Some("UnauthorizedOperation"), Some("No.")));
        let iam = refusal(
            "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>\
             <Code>NoSuchEntity</Code><Message>None.</Message></Error><RequestId>r</RequestId></ErrorResponse>",
        );
        assert_eq!((iam.code(), iam.message()), (Some("NoSuchEntity"), Some("None.")));
    }
}
