//! `restJson1`: from HTTP method and path to an operation.

use axum::http::request::Parts;
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
}

impl Route {
    pub(crate) const fn new(method: &'static str, path: &'static str, operation: &'static str) -> Self {
        Self { method, path, operation }
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

    /// Reads the operation of a request, and its input out of path, query and body.
    pub(super) fn decode(&self, signing_name: &str, parts: &Parts, body: Value) -> Result<Request, ApiError> {
        let path = parts.uri.path().trim_matches('/');
        let method = parts.method.as_str();
        let segments: Vec<&str> = path.split('/').collect();
        let mut routes = self.routes.iter().filter(|route| route.method == method);
        let (operation, members) = routes
            .find_map(|route| Some((route.operation, route.members(&segments)?)))
            .ok_or_else(|| ApiError::unknown_operation(signing_name, &format!("{method} /{path}")).status(404))?;
        let Value::Object(mut input) = body else {
            let message = format!("{operation}: the request body must be a JSON object.");
            return Err(ApiError::new("SerializationException", message));
        };
        input.extend(self.query(parts.uri.query().unwrap_or_default()));
        input.extend(members);
        Ok(Request { operation: operation.to_owned(), input: Value::Object(input) })
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
            Route::new("DELETE", "tags/{resourceArn}", "UntagResource"),
        ],
        lists: &["tagKeys"],
        numbers: &["maxResults"],
    };

    fn call(method: &str, uri: &str, body: Value) -> Result<Request, ApiError> {
        let request = axum::http::Request::builder().method(method).uri(uri).body(()).unwrap();
        REST.decode("fis", &request.into_parts().0, body)
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
    fn a_body_that_is_no_object_is_refused() {
        let error = call("POST", "/experiments", json!([])).err().unwrap();
        assert_eq!(error.code, "SerializationException");
    }
}
