//! From HTTP method and path to an operation.

use axum::http::request::Parts;
use serde_json::{Map, Value, json};

use crate::error::ApiError;
use crate::wire::Call;

/// Method, path and operation; `{name}` is a member of the input. Operations that [`super::call`] does not know are
/// here so that they are refused by their names.
const ROUTES: &[(&str, &str, &str)] = &[
    ("POST", "experimentTemplates", "CreateExperimentTemplate"),
    ("GET", "experimentTemplates", "ListExperimentTemplates"),
    ("GET", "experimentTemplates/{id}", "GetExperimentTemplate"),
    ("PATCH", "experimentTemplates/{id}", "UpdateExperimentTemplate"),
    ("DELETE", "experimentTemplates/{id}", "DeleteExperimentTemplate"),
    ("GET", "experimentTemplates/{id}/targetAccountConfigurations", "ListTargetAccountConfigurations"),
    ("POST", "experimentTemplates/{id}/targetAccountConfigurations/{accountId}", "CreateTargetAccountConfiguration"),
    ("GET", "experimentTemplates/{id}/targetAccountConfigurations/{accountId}", "GetTargetAccountConfiguration"),
    ("PATCH", "experimentTemplates/{id}/targetAccountConfigurations/{accountId}", "UpdateTargetAccountConfiguration"),
    ("DELETE", "experimentTemplates/{id}/targetAccountConfigurations/{accountId}", "DeleteTargetAccountConfiguration"),
    ("POST", "experiments", "StartExperiment"),
    ("GET", "experiments", "ListExperiments"),
    ("GET", "experiments/{id}", "GetExperiment"),
    // The experiment is stopped, and stays.
    ("DELETE", "experiments/{id}", "StopExperiment"),
    ("GET", "experiments/{experimentId}/resolvedTargets", "ListExperimentResolvedTargets"),
    ("GET", "experiments/{experimentId}/targetAccountConfigurations", "ListExperimentTargetAccountConfigurations"),
    (
        "GET",
        "experiments/{experimentId}/targetAccountConfigurations/{accountId}",
        "GetExperimentTargetAccountConfiguration",
    ),
    ("GET", "actions", "ListActions"),
    ("GET", "actions/{id}", "GetAction"),
    ("GET", "targetResourceTypes", "ListTargetResourceTypes"),
    ("GET", "targetResourceTypes/{resourceType}", "GetTargetResourceType"),
    ("GET", "safetyLevers/{id}", "GetSafetyLever"),
    ("PATCH", "safetyLevers/{id}/state", "UpdateSafetyLeverState"),
    ("GET", "tags/{resourceArn}", "ListTagsForResource"),
    ("POST", "tags/{resourceArn}", "TagResource"),
    ("DELETE", "tags/{resourceArn}", "UntagResource"),
];

/// Reads the operation of a request, and its input out of path, query and body.
pub(crate) fn route(parts: &Parts, body: Value) -> Result<Call, ApiError> {
    let path = parts.uri.path().trim_matches('/');
    let method = parts.method.as_str();
    let segments: Vec<&str> = path.split('/').collect();
    let (operation, members) = ROUTES
        .iter()
        .filter(|(route_method, ..)| *route_method == method)
        .find_map(|(_, pattern, operation)| Some((*operation, matched(pattern, &segments)?)))
        .ok_or_else(|| ApiError::unknown_operation("fis", &format!("{method} /{path}")).status(404))?;
    let Value::Object(mut input) = body else {
        return Err(super::invalid(format!("{operation}: the request body must be a JSON object.")));
    };
    input.extend(query(parts.uri.query().unwrap_or_default()));
    input.extend(members);
    Ok(Call { operation: operation.to_owned(), input: Value::Object(input) })
}

/// The members in the path, if it has the pattern's form.
fn matched(pattern: &str, segments: &[&str]) -> Option<Map<String, Value>> {
    let expected: Vec<&str> = pattern.split('/').collect();
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

/// A path segment without its percent-encoding. A path is no form: `+`, `&` and `=` stand for themselves in it.
fn decoded(segment: &str) -> String {
    let form = segment.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(form.as_bytes()).next().map(|(text, _)| text.into_owned()).unwrap_or_default()
}

fn query(query: &str) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match (name.as_ref(), value.parse::<i64>()) {
            ("tagKeys", _) => {
                let keys = members.entry("tagKeys").or_insert_with(|| json!([]));
                if let Some(keys) = keys.as_array_mut() {
                    keys.push(json!(value));
                }
            }
            ("maxResults", Ok(number)) => {
                members.insert("maxResults".to_owned(), json!(number));
            }
            _ => {
                members.insert(name.into_owned(), json!(value));
            }
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: &str, uri: &str, body: Value) -> Result<Call, ApiError> {
        let request = axum::http::Request::builder().method(method).uri(uri).body(()).unwrap();
        route(&request.into_parts().0, body)
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
}
