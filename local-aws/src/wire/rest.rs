//! `restJson1`: from HTTP method and path to an operation, and from its output to status, headers and body.

use axum::http::HeaderMap;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::message::Request;
use crate::error::ApiError;

/// What the paths and queries of a REST service mean.
#[derive(Debug)]
pub(crate) struct Rest {
    /// Operations that the service does not do are here so that they are refused by their names.
    pub(crate) routes: &'static [Route],
    /// Members of the query that may be repeated.
    pub(crate) lists: &'static [&'static str],
    /// Members of the query that are numbers.
    pub(crate) numbers: &'static [&'static str],
}

/// Method, path and operation; a segment `{name}` is a member of the input.
#[derive(Debug)]
pub(crate) struct Route {
    method: &'static str,
    path: &'static str,
    operation: &'static str,
    /// Of a success.
    status: u16,
    payload: Option<&'static Payload>,
}

/// Of an operation whose bodies are bytes instead of JSON: what its members are on the wire.
#[derive(Debug)]
pub(crate) struct Payload {
    /// The member of the output that is the body: text in base64, as in all JSON of AWS. The input's is the request's
    /// body, which [`crate::service::Call`] carries.
    pub(crate) body: &'static str,
    /// The member of the output that is the status.
    pub(crate) status: &'static str,
    /// Headers and the members of the input that they are.
    pub(crate) request_headers: &'static [(&'static str, &'static str)],
    /// Headers and the members of the output that they are.
    pub(crate) response_headers: &'static [(&'static str, &'static str)],
}

/// A successful answer.
pub(super) struct Success {
    pub(super) status: u16,
    pub(super) content_type: Option<&'static str>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Route {
    pub(crate) const fn new(method: &'static str, path: &'static str, operation: &'static str) -> Self {
        Self { method, path, operation, status: 200, payload: None }
    }

    /// Answered by this status.
    pub(crate) const fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) const fn payload(self, payload: &'static Payload) -> Self {
        Self { payload: Some(payload), ..self }
    }

    /// The members in a path that has this one's form.
    fn members(&self, segments: &[&str]) -> Option<Map<String, Value>> {
        let expected: Vec<&str> = self.path.split('/').collect();
        if expected.len() != segments.len() {
            return None;
        }
        let mut members = Map::new();
        for (expected, segment) in expected.into_iter().zip(segments) {
            match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => {
                    members.insert(name.to_owned(), json!(decoded(segment)));
                }
                None if expected == *segment => {}
                None => return None,
            }
        }
        Some(members)
    }
}

impl Rest {
    /// Whether one of the paths begins with this segment.
    pub(super) fn owns(&self, segment: &str) -> bool {
        self.routes.iter().any(|route| route.path.split('/').next() == Some(segment))
    }

    /// Reads the operation of a request, and its input out of path, query, headers and body.
    pub(super) fn decode(
        &self,
        signing_name: &str,
        parts: &Parts,
        body: impl FnOnce() -> Result<Value, ApiError>,
    ) -> Result<Request, ApiError> {
        let path = parts.uri.path().trim_matches('/');
        let method = parts.method.as_str();
        let segments: Vec<&str> = path.split('/').collect();
        let mut routes = self.routes.iter().filter(|route| route.method == method);
        let (route, members) = routes
            .find_map(|route| Some((route, route.members(&segments)?)))
            .ok_or_else(|| ApiError::unknown_operation(signing_name, &format!("{method} /{path}")).status(404))?;
        let operation = route.operation;
        let body = match route.payload {
            Some(payload) => Value::Object(payload.members(&parts.headers)),
            None => body()?,
        };
        let Value::Object(mut input) = body else {
            let message = format!("{operation}: the request body must be a JSON object.");
            return Err(ApiError::new("SerializationException", message));
        };
        input.extend(self.query(parts.uri.query().unwrap_or_default()));
        input.extend(members);
        Ok(Request { operation: operation.to_owned(), input: Value::Object(input) })
    }

    /// The answer of an operation that has succeeded.
    pub(super) fn encode(&self, operation: &str, output: Value) -> Success {
        let route = self.routes.iter().find(|route| route.operation == operation);
        if let Some(payload) = route.and_then(|route| route.payload) {
            return payload.encode(&output);
        }
        let status = route.map_or(200, |route| route.status);
        if status == 204 {
            return Success { status, content_type: None, headers: Vec::new(), body: Vec::new() };
        }
        let body = output.to_string().into_bytes();
        Success { status, content_type: Some("application/json"), headers: Vec::new(), body }
    }

    fn query(&self, query: &str) -> Map<String, Value> {
        let mut members = Map::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let is = |names: &[&str]| names.contains(&name.as_ref());
            if is(self.lists) {
                let list = members.entry(name).or_insert_with(|| json!([]));
                if let Some(list) = list.as_array_mut() {
                    list.push(json!(value));
                }
                continue;
            }
            let value = match value.parse::<i64>() {
                Ok(number) if is(self.numbers) => json!(number),
                _ => json!(value),
            };
            members.insert(name.into_owned(), value);
        }
        members
    }
}

impl Payload {
    fn members(&self, headers: &HeaderMap) -> Map<String, Value> {
        let sent = self.request_headers.iter().filter_map(|(header, member)| Some((member, headers.get(*header)?)));
        sent.map(|(member, value)| ((*member).to_owned(), json!(String::from_utf8_lossy(value.as_bytes())))).collect()
    }

    fn encode(&self, output: &Value) -> Success {
        let text = |member: &str| output[member].as_str();
        let headers = self.response_headers.iter();
        let headers = headers.filter_map(|(header, member)| Some((*header, text(member)?.to_owned()))).collect();
        let body = text(self.body).and_then(|body| STANDARD.decode(body).ok()).unwrap_or_default();
        let status = output[self.status].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
        Success { status, content_type: (!body.is_empty()).then_some("application/json"), headers, body }
    }
}

/// A path segment without its percent-encoding. A path is no form: `+`, `&` and `=` stand for themselves in it.
fn decoded(segment: &str) -> String {
    let form = segment.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(form.as_bytes()).next().map(|(text, _)| text.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Rest = Rest {
        routes: &[
            Route::new("GET", "experiments/{experimentId}/resolvedTargets", "ListExperimentResolvedTargets"),
            Route::new("POST", "experiments", "StartExperiment"),
            Route::new("DELETE", "tags/{resourceArn}", "UntagResource").status(204),
            Route::new("POST", "functions/{name}/invocations", "Invoke").payload(&Payload {
                body: "Payload",
                status: "StatusCode",
                request_headers: &[("x-amz-log-type", "LogType")],
                response_headers: &[("x-amz-function-error", "FunctionError")],
            }),
        ],
        lists: &["tagKeys"],
        numbers: &["maxResults"],
    };

    fn call(method: &str, uri: &str, body: Value) -> Result<Request, ApiError> {
        let request = axum::http::Request::builder().method(method).uri(uri).body(()).unwrap();
        REST.decode("fis", &request.into_parts().0, || Ok(body))
    }

    #[test]
    fn path_query_and_body_become_one_input() {
        let call = call("GET", "/experiments/EXP1/resolvedTargets?maxResults=5&targetName=a%20b", json!({})).unwrap();
        assert_eq!(call.operation, "ListExperimentResolvedTargets");
        assert_eq!(call.input, json!({"experimentId": "EXP1", "maxResults": 5, "targetName": "a b"}));
    }

    #[test]
    fn arns_and_lists_are_decoded() {
        let arn = "arn%3Aaws%3Afis%3Aus-east-1%3A000000000000%3Aexperiment%2FEXP1";
        let call = call("DELETE", &format!("/tags/{arn}?tagKeys=a&tagKeys=b%2Bc"), json!({})).unwrap();
        assert_eq!(call.operation, "UntagResource");
        assert_eq!(
            call.input,
            json!({"resourceArn": "arn:aws:fis:us-east-1:000000000000:experiment/EXP1", "tagKeys": ["a", "b+c"]})
        );
    }

    #[test]
    fn an_unknown_route_is_refused_by_name() {
        for (method, uri) in [("PUT", "/experiments"), ("GET", "/experiments/EXP1/nothing"), ("POST", "/actions")] {
            let error = call(method, uri, json!({})).err().unwrap();
            assert_eq!(error.status, 404);
            assert!(error.message.contains(&format!("{method} {uri}")), "{error}");
        }
    }

    #[test]
    fn a_payload_is_no_json_and_has_its_members_in_headers() {
        let request =
            axum::http::Request::post("/functions/f/invocations?Qualifier=1").header("X-Amz-Log-Type", "Tail");
        let parts = request.body(()).unwrap().into_parts().0;
        let call = REST.decode("fis", &parts, || panic!("the body is not read")).unwrap();
        assert_eq!(call.input, json!({"name": "f", "LogType": "Tail", "Qualifier": "1"}));
        let output = json!({"StatusCode": 202, "FunctionError": "Unhandled", "Payload": "AAH/"});
        let answer = REST.encode("Invoke", output);
        assert_eq!((answer.status, answer.body.as_slice()), (202, &[0, 1, 255][..]));
        assert_eq!(answer.headers, [("x-amz-function-error", "Unhandled".to_owned())]);
        let answer = REST.encode("UntagResource", json!({}));
        assert_eq!((answer.status, answer.content_type, answer.body.len()), (204, None, 0));
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        let error = call("POST", "/experiments", json!([])).err().unwrap();
        assert_eq!(error.code, "SerializationException");
    }
}
