//! What a role must be allowed for a call of CloudWatch Logs: which action on which group or stream.

use crate::error::ApiError;
use crate::service::{Call, Need};

pub(super) fn needs(call: &Call) -> Result<Vec<Need>, ApiError> {
    let text = |member: &str| call.input[member].as_str();
    // A group is named or given as an ARN, which ends in `:*` in some calls.
    let named = text("logGroupName").or_else(|| text("logGroupIdentifier")).unwrap_or("*");
    let group = match named.strip_prefix("arn:") {
        Some(_) => named.trim_end_matches(":*").to_owned(),
        None => call.endpoint.arn("logs", &format!("log-group:{named}")),
    };
    let resource = match call.operation.name {
        "GetLogEvents" | "PutLogEvents" | "DeleteLogStream" => {
            format!("{group}:log-stream:{}", text("logStreamName").unwrap_or("*"))
        }
        "TagResource" | "UntagResource" | "ListTagsForResource" => text("resourceArn").unwrap_or("*").to_owned(),
        _ => group,
    };
    Ok(vec![Need::of(call, resource)])
}
