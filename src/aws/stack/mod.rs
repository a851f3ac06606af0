//! CloudFormation: stacks as they are, and their deletion.

mod change_set;
mod deploy;
mod follow;
pub mod status;

pub use change_set::Change;
pub use deploy::{Action, Prepared, apply, prepare, settle};
pub use follow::{Event, Follower};

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types;

use super::clients::{Clients, token};
use crate::error::{Doing, Error, Result};

/// A stack as we want it.
#[derive(Debug, Clone)]
pub struct StackSpec {
    /// Its name.
    pub name: String,
    /// Its template.
    pub template: &'static str,
    /// Values of its parameters; a stack that exists keeps the values of those that are not named.
    pub parameters: BTreeMap<String, String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A stack as it is.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// Its ARN, which still names it when it is deleted.
    pub id: String,
    /// Status, in AWS's words.
    pub status: String,
    /// Why, if AWS says.
    pub reason: Option<String>,
    /// Outputs by key.
    pub outputs: BTreeMap<String, String>,
    /// Parameters by key.
    pub parameters: BTreeMap<String, String>,
    /// Tags by key.
    pub tags: BTreeMap<String, String>,
}

impl Stack {
    /// The output `key`.
    ///
    /// # Errors
    /// When the stack does not have it, for example because it is not complete.
    pub fn output(&self, key: &str) -> Result<&str> {
        self.outputs.get(key).map(String::as_str).ok_or_else(|| {
            Error::failed(format!("The stack {} ({}) has no output {key}.", self.name, self.status))
                .hint("`fis-workshop up` completes or updates it.")
        })
    }

    /// Whether an operation is under way.
    pub fn is_busy(&self) -> bool {
        !status::meaning(&self.status).settled
    }

    /// A stack of which only the name is known.
    fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            id: name.to_owned(),
            status: String::new(),
            reason: None,
            outputs: BTreeMap::new(),
            parameters: BTreeMap::new(),
            tags: BTreeMap::new(),
        }
    }

    fn of(stack: &types::Stack) -> Self {
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        let outputs = stack.outputs().iter().map(|o| (text(o.output_key()), text(o.output_value())));
        let parameters = stack.parameters().iter().map(|p| (text(p.parameter_key()), text(p.parameter_value())));
        let tags = stack.tags().iter().map(|tag| (text(tag.key()), text(tag.value())));
        Self {
            name: text(stack.stack_name()),
            id: text(stack.stack_id()),
            status: stack.stack_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
            reason: stack.stack_status_reason().map(str::to_owned),
            outputs: outputs.collect(),
            parameters: parameters.collect(),
            tags: tags.collect(),
        }
    }
}

/// The stack with this name (or ARN), unless there is none.
///
/// # Errors
/// When AWS does not answer or refuses.
pub async fn find(clients: &Clients, name: &str) -> Result<Option<Stack>> {
    let answer = clients.cloudformation.describe_stacks().stack_name(name).send().await;
    match answer.doing(format_args!("Describing the stack {name}")) {
        Ok(answer) => Ok(answer.stacks().first().map(Stack::of)),
        Err(error) if does_not_exist(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// All stacks of the account in this region.
///
/// # Errors
/// When AWS does not answer or refuses.
pub async fn all(clients: &Clients) -> Result<Vec<Stack>> {
    let mut stacks = Vec::new();
    let mut next = None;
    loop {
        let page =
            clients.cloudformation.describe_stacks().set_next_token(next).send().await.doing("Listing the stacks")?;
        stacks.extend(page.stacks().iter().map(Stack::of));
        next = page.next_token().map(str::to_owned);
        if next.is_none() {
            return Ok(stacks);
        }
    }
}

/// CloudFormation has no error of its own for that.
fn does_not_exist(error: &Error) -> bool {
    error.has_code(&["ValidationError"]) && error.aws_message().contains("does not exist")
}

/// How often a deletion that failed is asked for again: network interfaces of stopped tasks go away late.
const DELETE_ATTEMPTS: usize = 3;

/// Deletes `stack` and follows it to its end; attaches to a deletion that is under way.
///
/// # Errors
/// When it cannot be deleted, with the reasons of the resources that stay.
pub async fn delete(clients: &Clients, stack: &Stack, mut on_event: impl FnMut(&Event)) -> Result<()> {
    // A stack in review has nothing but change sets: it is gone at once, and without events to follow.
    if status::meaning(&stack.status).category == status::Category::Review {
        return delete_shell(clients, stack).await;
    }
    let mut last = None;
    for _ in 0..DELETE_ATTEMPTS {
        let mut follower = if stack.status == "DELETE_IN_PROGRESS" && last.is_none() {
            Follower::of_operation(clients, stack).await?
        } else {
            let follower = Follower::from_now(clients, stack).await?;
            let deletion = clients.cloudformation.delete_stack().stack_name(&stack.id).client_request_token(token());
            deletion.send().await.doing(format_args!("Deleting the stack {}", stack.name))?;
            // Somebody else's deletion may have ended before our look at the events: there are no more to come then.
            if find(clients, &stack.id).await?.is_none_or(|stack| stack.status == "DELETE_COMPLETE") {
                return Ok(());
            }
            follower
        };
        let end = follower.to_end(&mut on_event).await?;
        if end.status == "DELETE_COMPLETE" {
            return Ok(());
        }
        last = Some(end.failure(format!("The stack {} could not be deleted.", stack.name)));
    }
    Err(last.unwrap_or_else(|| Error::failed(format!("The stack {} was not deleted.", stack.name))))
}

async fn delete_shell(clients: &Clients, stack: &Stack) -> Result<()> {
    let deletion = clients.cloudformation.delete_stack().stack_name(&stack.id).client_request_token(token());
    deletion.send().await.doing(format_args!("Deleting the stack {}", stack.name))?;
    let mut pace = clients.pace();
    while find(clients, &stack.id).await?.is_some_and(|stack| stack.status != "DELETE_COMPLETE") {
        pace.wait().await;
    }
    Ok(())
}
