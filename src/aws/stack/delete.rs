//! Deleting a stack.

use aws_sdk_cloudformation::types::StackStatus;

use super::follow::{Event, Follower};
use super::{Stack, find};
use crate::aws::clients::{Clients, token};
use crate::error::{Doing, Error, Result};

/// How often a deletion is asked for: the network interfaces of stopped tasks go away late, and hold their subnet and
/// security group meanwhile.
const ATTEMPTS: usize = 4;

/// Deletes `stack` and follows it to its end; attaches to a deletion that is under way.
///
/// # Errors
/// When it cannot be deleted, with the reasons of the resources that stay.
pub(crate) async fn delete(clients: &Clients, stack: &Stack, mut on_event: impl FnMut(&Event)) -> Result<()> {
    // A stack in review has nothing but change sets: it is gone at once, and without events to follow.
    if stack.is_shell() {
        return delete_shell(clients, stack).await;
    }
    let mut pace = clients.pace();
    let mut last = None;
    for attempt in 0..ATTEMPTS {
        let mut follower = if stack.status == StackStatus::DeleteInProgress && attempt == 0 {
            Follower::of_operation(clients, stack).await?
        } else {
            let follower = Follower::from_now(clients, &stack.id, &stack.name).await?;
            request(clients, stack).await?;
            // Somebody else's deletion may have ended before our look at the events: there are no more to come then.
            if find(clients, &stack.id).await?.is_none_or(|stack| stack.status == StackStatus::DeleteComplete) {
                return Ok(());
            }
            follower
        };
        let end = follower.until_end(&mut on_event).await?;
        if end.status == StackStatus::DeleteComplete {
            return Ok(());
        }
        last = Some(end.failure(format!("The stack {} could not be deleted.", stack.name)));
        pace.wait().await;
    }
    let failure = last.unwrap_or_else(|| Error::failed(format!("The stack {} was not deleted.", stack.name)));
    Err(failure.hint("Remove what the first cause names, or wait until it is gone, then repeat the command."))
}

async fn request(clients: &Clients, stack: &Stack) -> Result<()> {
    let deletion = clients.cloudformation.delete_stack().stack_name(&stack.id).client_request_token(token());
    deletion.send().await.doing(format_args!("Deleting the stack {}", stack.name)).map(drop)
}

async fn delete_shell(clients: &Clients, stack: &Stack) -> Result<()> {
    request(clients, stack).await?;
    let mut pace = clients.pace();
    while find(clients, &stack.id).await?.is_some_and(|stack| stack.status != StackStatus::DeleteComplete) {
        pace.wait().await;
    }
    Ok(())
}
