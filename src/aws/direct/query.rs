//! AWS's query protocol: a form in, XML out.

use std::fmt;

use aws_sdk_sts::config::http::HttpResponse;
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Answer, Client, Message, Refusal, Service};

/// Members of a request, as the form names them.
pub(in crate::aws) type Members = Vec<(String, String)>;

impl Client {
    /// One call; the answer's XML is read into `T`.
    pub(in crate::aws) async fn call<T>(&self, action: &'static str, members: &Members) -> Answer<T>
    where
        T: DeserializeOwned + fmt::Debug + Send + Sync + 'static,
    {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", action)
            .append_pair("Version", version(self.service))
            .extend_pairs(members)
            .finish();
        let content_type = "application/x-www-form-urlencoded";
        let message = Message { method: "POST", path: "/".to_owned(), content_type, target: None, body };
        self.send(action, message, read::<T>).await
    }
}

/// Of the service's API.
fn version(service: Service) -> &'static str {
    match service {
        Service::Iam => "2010-05-08",
        _ => "2016-11-15",
    }
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
        Self::new(&reason.code, &reason.message)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sts::error::ProvideErrorMetadata;

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
