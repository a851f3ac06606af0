//! The network under an environment: a task that starts before the NAT gateway is there cannot pull its image.

use aws_sdk_cloudformation::types::StackStatus;

use crate::aws::clients::Clients;
use crate::aws::stack::{self, Event, Follower, Stack, status};
use crate::environment::NETWORK_STACK;
use crate::error::{Error, Result};

/// Waits until tasks can run in the network; `on_event` sees what is still being made. An environment's stack is complete
/// minutes before the network's.
///
/// # Errors
/// When the network has failed or goes away, with the root cause.
pub(crate) async fn ready(clients: &Clients, mut on_event: impl FnMut(&Event)) -> Result<()> {
    loop {
        // Without a stack of that name, the environment was given the subnets of another network.
        let Some(stack) = stack::find(clients, NETWORK_STACK).await? else { return Ok(()) };
        match state(&stack) {
            State::Ready => return Ok(()),
            State::Going => {
                return Err(Error::failed(format!(
                    "The network is going away: {NETWORK_STACK} is in {}.",
                    stack.status
                ))
                .cause(stack.reason.as_deref().unwrap_or("somebody deletes it"))
                .hint("When it is gone, `fis-workshop up` makes a new one."));
            }
            State::Busy | State::Failed => {}
        }
        let end = Follower::of_operation(clients, &stack).await?.until_end(&mut on_event).await?;
        if state(&Stack { status: end.status.clone(), ..stack }) == State::Failed {
            let what =
                format!("The network could not be made ({NETWORK_STACK}: {}); no task can run in it.", end.status);
            return Err(end
                .failure(what)
                .hint("`fis-workshop up` makes it again, and says what to do about the cause."));
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Ready,
    Busy,
    Going,
    Failed,
}

fn state(stack: &Stack) -> State {
    use StackStatus::{
        DeleteFailed, DeleteInProgress, ImportRollbackComplete, UpdateCompleteCleanupInProgress,
        UpdateRollbackComplete, UpdateRollbackCompleteCleanupInProgress,
    };
    use status::Category::{Busy, Complete, Failed, Gone, Review, RolledBack};
    match (status::meaning(stack.status.as_str()).category, &stack.status) {
        // What is cleaned up is what no task uses any more.
        (Complete | Review, _)
        | (_, UpdateCompleteCleanupInProgress | UpdateRollbackCompleteCleanupInProgress)
        // What was there before is there again.
        | (_, UpdateRollbackComplete | ImportRollbackComplete) => State::Ready,
        (Gone, _) | (_, DeleteInProgress | DeleteFailed) => State::Going,
        (Busy | RolledBack, _) if stack.is_busy() => State::Busy,
        (Busy | RolledBack | Failed, _) => State::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::scripted::Script;

    fn stacks(status: &str) -> String {
        format!(
            "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><DescribeStacksResult>\
             <Stacks><member><StackName>FisStackVpc</StackName><StackId>arn:S</StackId><StackStatus>{status}</StackStatus>\
             <CreationTime>2026-01-01T00:00:00Z</CreationTime></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
        )
    }

    /// Newest first, as AWS gives them: (logical id, status, reason).
    fn events(events: &[(&str, &str, &str)]) -> String {
        let event = |(id, status, reason): &(&str, &str, &str)| {
            let physical = if *id == "FisStackVpc" { "arn:S" } else { "p" };
            format!(
                "<member><EventId>{id}-{status}</EventId><StackId>arn:S</StackId><StackName>FisStackVpc</StackName>\
                 <LogicalResourceId>{id}</LogicalResourceId><PhysicalResourceId>{physical}</PhysicalResourceId>\
                 <ResourceType>AWS::EC2::X</ResourceType><Timestamp>2026-01-01T00:00:00Z</Timestamp>\
                 <ResourceStatus>{status}</ResourceStatus><ResourceStatusReason>{reason}</ResourceStatusReason></member>"
            )
        };
        format!(
            "<DescribeStackEventsResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\
             <DescribeStackEventsResult><StackEvents>{}</StackEvents></DescribeStackEventsResult></DescribeStackEventsResponse>",
            events.iter().map(event).collect::<String>()
        )
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_still_being_made_is_followed_to_its_end() {
        let begun = ("FisStackVpc", "CREATE_IN_PROGRESS", "User Initiated");
        let making = [("NatGateway", "CREATE_IN_PROGRESS", ""), begun];
        let made = [("FisStackVpc", "CREATE_COMPLETE", ""), ("NatGateway", "CREATE_COMPLETE", ""), making[0], begun];
        let script = Script::default()
            .answers("DescribeStacks", 200, stacks("CREATE_IN_PROGRESS"))
            .answers("DescribeStacks", 200, stacks("CREATE_COMPLETE"))
            .answers("DescribeStackEvents", 200, events(&making))
            .answers("DescribeStackEvents", 200, events(&making))
            .answers("DescribeStackEvents", 200, events(&made));
        let mut seen = Vec::new();
        ready(&script.clients(), |event| seen.push(format!("{} {}", event.logical_id, event.status))).await.unwrap();
        assert!(seen.contains(&"NatGateway CREATE_COMPLETE".to_owned()), "{seen:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_network_is_an_error_with_its_root_cause() {
        let failed = [
            ("FisStackVpc", "ROLLBACK_COMPLETE", ""),
            ("FisStackVpc", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [NatAddress]."),
            ("NatAddress", "CREATE_FAILED", "The maximum number of addresses has been reached."),
            ("FisStackVpc", "CREATE_IN_PROGRESS", "User Initiated"),
        ];
        let script = Script::default().answers("DescribeStacks", 200, stacks("ROLLBACK_COMPLETE")).answers(
            "DescribeStackEvents",
            200,
            events(&failed),
        );
        let error = ready(&script.clients(), |_| {}).await.unwrap_err();
        assert!(error.aws_message().contains("maximum number of addresses"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_complete_or_none_of_ours_asks_for_nothing_more() {
        for status in ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"] {
            let script = Script::default().answers("DescribeStacks", 200, stacks(status));
            ready(&script.clients(), |_| {}).await.unwrap();
        }
        let going = Script::default().answers("DescribeStacks", 200, stacks("DELETE_IN_PROGRESS"));
        assert!(ready(&going.clients(), |_| {}).await.unwrap_err().to_string().contains("going away"));
    }
}
