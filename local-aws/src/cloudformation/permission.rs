//! What a role must be allowed for a call of CloudFormation: which action on which stack. What CloudFormation then does
//! with the resources is not asked again here.

use super::change_set::ChangeSet;
use super::stack::Stack;
use crate::error::ApiError;
use crate::service::{Call, Need};

/// What the function `Fn::GetAZs` asks EC2 for, in the name of whoever has the stack made.
const GET_AZS: [&str; 3] = ["ec2:DescribeAccountAttributes", "ec2:DescribeAvailabilityZones", "ec2:DescribeSubnets"];

pub(super) fn needs(call: &Call) -> Result<Vec<Need>, ApiError> {
    let stack = stack(call)?;
    let mut needs = vec![Need::of(call, stack.as_deref().unwrap_or("*"))];
    if call.operation.name == "DescribeStacks" && stack.is_none() {
        needs.push(Need::new("cloudformation:ListStacks", "*"));
    }
    if call.input["Tags"].as_array().is_some_and(|tags| !tags.is_empty()) {
        needs.push(Need::new("cloudformation:TagResource", stack.unwrap_or_default()));
    }
    if call.input["TemplateBody"].as_str().is_some_and(|template| template.contains("GetAZs")) {
        needs.extend(GET_AZS.map(|action| Need::new(action, "*")));
    }
    Ok(needs)
}

/// ARN of the stack that the call names, by itself or by a change set; with a star for the id of one that is not there.
fn stack(call: &Call) -> Result<Option<String>, ApiError> {
    let text = |member: &str| call.input[member].as_str();
    let named = call.endpoint.store.read(|tx| match (text("StackName"), text("ChangeSetName")) {
        (None, Some(set)) => Ok(tx.get::<ChangeSet>(set)?.map(|set| set.stack_id)),
        (Some(name), _) => Ok(Some(Stack::find(tx, name)?.map_or_else(|| name.to_owned(), |stack| stack.stack_id))),
        (None, None) => Ok(None),
    })?;
    let arn = |name: String| match name.starts_with("arn:") {
        true => name,
        false => call.endpoint.arn("cloudformation", &format!("stack/{name}/*")),
    };
    Ok(named.map(arn))
}
