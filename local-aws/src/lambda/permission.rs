//! What a role must be allowed for a call of Lambda: which action on which function.

use serde_json::Value;

use super::function::Function;
use super::name;
use crate::error::ApiError;
use crate::service::{Call, Need};
use crate::store::Tx;

pub(super) fn needs(call: &Call) -> Result<Vec<Need>, ApiError> {
    let text = |member: &str| call.input[member].as_str();
    let function = |identifier: &str| {
        let name = name::of(&call.endpoint, identifier).map(str::to_owned);
        name.map_or_else(|_| identifier.to_owned(), |name| Function::arn_of(&call.endpoint, &name))
    };
    let on_function = || text("FunctionName").or(text("Resource")).map_or_else(|| "*".to_owned(), function);
    let mut needs = vec![match call.operation.name {
        "Invoke" => Need::new("lambda:InvokeFunction", on_function()),
        "ListFunctions" | "GetAccountSettings" => Need::of(call, "*"),
        _ => Need::of(call, on_function()),
    }];
    if let ("CreateFunction" | "UpdateFunctionConfiguration", Some(role)) = (call.operation.name, text("Role")) {
        needs.push(Need::new("iam:PassRole", role).with("iam:PassedToService", "lambda.amazonaws.com"));
    }
    if call.operation.name == "CreateFunction" && call.input["Tags"].as_object().is_some_and(|tags| !tags.is_empty()) {
        needs.push(Need::new("lambda:TagResource", on_function()));
    }
    Ok(needs)
}

/// The policy of the function with this ARN.
pub(super) fn resource_policy(tx: &Tx<'_>, arn: &str) -> Result<Option<Value>, ApiError> {
    let name = arn.rsplit(':').next().unwrap_or_default();
    Ok(tx.get::<Function>(name)?.filter(|function| function.arn == arn).and_then(|function| function.policy()))
}
