//! AWS's JSON protocols: a JSON document in and out, at one address (`X-Amz-Target` says what it is) or at one for each
//! resource.

use std::fmt;

use aws_sdk_sts::config::http::HttpResponse;
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Answer, Client, Message, Refusal};

impl Client {
    /// One call of a service with one address; `target` is e.g. `AWSEvents.DisableRule`.
    pub(in crate::aws) async fn post<T>(
        &self,
        action: &'static str,
        target: &'static str,
        input: &impl Serialize,
    ) -> Answer<T>
    where
        T: DeserializeOwned + fmt::Debug + Send + Sync + 'static,
    {
        let body = serde_json::to_string(input).map_err(aws_sdk_sts::error::SdkError::construction_failure)?;
        let content_type = "application/x-amz-json-1.1";
        let message = Message { method: "POST", path: "/".to_owned(), content_type, target: Some(target), body };
        self.send(action, message, read::<T>).await
    }

    /// Posts a document to this path.
    pub(in crate::aws) async fn post_to<T>(
        &self,
        action: &'static str,
        path: String,
        input: &impl Serialize,
    ) -> Answer<T>
    where
        T: DeserializeOwned + fmt::Debug + Send + Sync + 'static,
    {
        let body = serde_json::to_string(input).map_err(aws_sdk_sts::error::SdkError::construction_failure)?;
        let message = Message { method: "POST", path, content_type: "application/json", target: None, body };
        self.send(action, message, read::<T>).await
    }

    /// Reads the resource at this path.
    pub(in crate::aws) async fn get<T>(&self, action: &'static str, path: String) -> Answer<T>
    where
        T: DeserializeOwned + fmt::Debug + Send + Sync + 'static,
    {
        let message =
            Message { method: "GET", path, content_type: "application/json", target: None, body: String::new() };
        self.send(action, message, read::<T>).await
    }
}

fn read<T: DeserializeOwned>(response: &HttpResponse) -> Result<T, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        // Some operations answer nothing at all.
        let body = if body.is_empty() { b"{}" } else { body };
        return serde_json::from_slice(body).map_err(OrchestratorError::other);
    }
    let reason: Reason = serde_json::from_slice(body).map_err(OrchestratorError::other)?;
    let code = response.headers().get("x-amzn-errortype").map(str::to_owned).or(reason.code);
    let code = code.ok_or_else(|| OrchestratorError::other("the answer is not AWS's"))?;
    // `com.amazonaws.events#ResourceNotFoundException`, `ResourceNotFoundException:http://...`
    let code = code.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default();
    let text = reason.message.or(reason.in_capitals).unwrap_or_default();
    Err(OrchestratorError::operation(Refusal::new(code, &text)))
}

#[derive(Debug, Deserialize)]
struct Reason {
    #[serde(rename = "__type")]
    code: Option<String>,
    message: Option<String>,
    /// Lambda has one of them, or both.
    #[serde(rename = "Message")]
    in_capitals: Option<String>,
}

#[cfg(test)]
mod tests {
    use aws_sdk_sts::error::ProvideErrorMetadata;

    use super::*;

    fn refusal(header: Option<&'static str>, body: &'static str) -> Option<String> {
        let mut response = HttpResponse::new(400.try_into().unwrap(), body.into());
        if let Some(code) = header {
            response.headers_mut().insert("x-amzn-errortype", code);
        }
        let error = read::<serde_json::Value>(&response).unwrap_err();
        error.as_operation_error().map(|error| format!("{}: {}", error.code().unwrap(), error.message().unwrap()))
    }

    #[test]
    fn errors_of_both_kinds_are_read() {
        let expected = Some("ResourceNotFoundException: none".to_owned());
        let of_events = r#"{"__type":"com.amazonaws.events#ResourceNotFoundException","message":"none"}"#;
        assert_eq!(refusal(None, of_events), expected);
        assert_eq!(
            refusal(Some("ResourceNotFoundException:http://x"), r#"{"Type":"User","Message":"none"}"#),
            expected
        );
        let both = r#"{"Type":"User","Message":"none","message":"none"}"#;
        assert_eq!(refusal(Some("ResourceNotFoundException"), both), expected);
        assert_eq!(refusal(None, "<html>"), None);
    }
}
