//! What a role must be allowed for a call of ECR: which action on which repository.

use serde_json::Value;

use crate::error::ApiError;
use crate::service::{Call, Need};

pub(super) fn needs(call: &Call) -> Result<Vec<Need>, ApiError> {
    if call.operation.name == "GetAuthorizationToken" {
        return Ok(vec![Need::of(call, "*")]);
    }
    if let Some(arn) = call.input["resourceArn"].as_str() {
        return Ok(vec![Need::of(call, arn)]);
    }
    let named = call.input["repositoryNames"].as_array().into_iter().flatten().chain([&call.input["repositoryName"]]);
    let mut names: Vec<&str> = named.filter_map(Value::as_str).collect();
    if names.is_empty() {
        names.push("*");
    }
    let arn = |name: &str| call.endpoint.arn("ecr", &format!("repository/{name}"));
    Ok(names.into_iter().map(|name| Need::of(call, arn(name))).collect())
}
