//! Following what CloudFormation does, by its events.

use std::time::SystemTime;

use aws_sdk_cloudformation::types::{ResourceStatus, StackEvent, StackStatus};

use super::{Stack, status};
use crate::aws::clients::Clients;
use crate::aws::pace::Pace;
use crate::error::{Doing, Error, Result};

/// One event of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: String,
    /// When it happened, by AWS's clock.
    pub(crate) time: SystemTime,
    /// Logical id of the resource.
    pub(crate) logical_id: String,
    /// Physical id of the resource, once it has one.
    pub(crate) physical_id: String,
    /// Type of the resource.
    pub(crate) resource_type: String,
    /// Of the resource; of the stack, which is in some states that no other resource is in, if the event is about that.
    pub(crate) status: ResourceStatus,
    /// Why, if AWS says.
    pub(crate) reason: String,
    /// The event is about the stack as a whole.
    pub(crate) is_stack: bool,
}

impl Event {
    fn of(event: &StackEvent) -> Self {
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        Self {
            id: text(event.event_id()),
            // AWS gives every event its time.
            time: event.timestamp().and_then(|time| SystemTime::try_from(*time).ok()).unwrap_or_else(SystemTime::now),
            logical_id: text(event.logical_resource_id()),
            physical_id: text(event.physical_resource_id()),
            resource_type: text(event.resource_type()),
            // As with the time.
            status: event.resource_status().cloned().unwrap_or_else(|| ResourceStatus::from("unknown")),
            reason: text(event.resource_status_reason()),
            is_stack: event.stack_id().is_some() && event.stack_id() == event.physical_resource_id(),
        }
    }

    /// The resource has reached an end: there, gone, or failed.
    pub(crate) fn is_settled(&self) -> bool {
        status::meaning(self.status.as_str()).settled
    }

    fn starts_operation(&self) -> bool {
        use ResourceStatus::{CreateInProgress, DeleteInProgress, UpdateInProgress};
        self.is_stack && matches!(self.status, CreateInProgress | UpdateInProgress | DeleteInProgress)
    }

    // What CloudFormation stops because something else failed is a consequence, and names no reason of its own.
    fn is_root_failure(&self) -> bool {
        self.status.as_str().ends_with("_FAILED") && !self.is_stack && !self.reason.contains("cancelled")
    }
}

/// How an operation ended.
#[derive(Debug)]
pub(crate) struct End {
    /// Status of the stack.
    pub(crate) status: StackStatus,
    /// The events of the operation, oldest first.
    events: Vec<Event>,
}

impl End {
    /// The failure of the operation: the resource that failed first is the root cause.
    pub(crate) fn failure(&self, message: String) -> Error {
        let failed = self.events.iter().filter(|event| event.is_root_failure());
        let mut error = failed.fold(Error::failed(message), |error, event| {
            let Event { logical_id, resource_type, status, reason, .. } = event;
            error.cause(format_args!("{logical_id} ({resource_type}) {status}: {reason}")).because(reason)
        });
        let mut own = self.events.iter().filter(|event| event.is_stack && !event.reason.is_empty());
        if let Some(event) = own.rfind(|event| event.reason != "User Initiated") {
            error = error.cause(format_args!("{} {}: {}", event.logical_id, event.status, event.reason));
        }
        error
    }
}

/// Reads the events of one operation of one stack.
#[derive(Debug)]
pub(crate) struct Follower<'a> {
    clients: &'a Clients,
    stack_id: String,
    stack_name: String,
    /// The newest event that is known.
    newest: Option<String>,
    /// Events that were read and not handed out yet, oldest first.
    pending: Vec<Event>,
    pace: Pace,
}

impl<'a> Follower<'a> {
    /// Follows what happens from now on.
    pub(crate) async fn from_now(clients: &'a Clients, stack_id: &str, stack_name: &str) -> Result<Self> {
        let mut follower = Self::new(clients, stack_id, stack_name);
        follower.newest = follower.page(None).await?.0.first().map(|event| event.id.clone());
        Ok(follower)
    }

    /// Follows the operation that is under way, from its start.
    pub(crate) async fn of_operation(clients: &'a Clients, stack: &Stack) -> Result<Self> {
        let mut follower = Self::new(clients, &stack.id, &stack.name);
        let events = follower.newer_until(Event::starts_operation).await?;
        follower.newest = events.last().map(|event| event.id.clone());
        follower.pending = events;
        Ok(follower)
    }

    fn new(clients: &'a Clients, stack_id: &str, stack_name: &str) -> Self {
        Self {
            clients,
            stack_id: stack_id.to_owned(),
            stack_name: stack_name.to_owned(),
            newest: None,
            pending: Vec::new(),
            pace: clients.pace(),
        }
    }

    /// Hands every event to `on_event` until the operation is over.
    pub(crate) async fn until_end(&mut self, mut on_event: impl FnMut(&Event)) -> Result<End> {
        let mut events = Vec::new();
        loop {
            for event in std::mem::take(&mut self.pending) {
                on_event(&event);
                let status = (event.is_stack && event.is_settled()).then(|| StackStatus::from(event.status.as_str()));
                events.push(event);
                if let Some(status) = status {
                    return Ok(End { status, events });
                }
            }
            let known = self.newest.clone();
            self.pending = self.newer_until(|_| false).await?;
            if let Some(event) = self.pending.last() {
                self.newest = Some(event.id.clone());
                self.pace.reset();
            }
            if self.newest == known {
                self.pace.wait().await;
            }
        }
    }

    /// The events after the newest known one, oldest first; with `start`, not before the newest that it holds for.
    async fn newer_until(&self, start: impl Fn(&Event) -> bool) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        let mut token = None;
        'pages: loop {
            let (page, next) = self.page(token).await?;
            for event in page {
                if self.newest.as_ref() == Some(&event.id) {
                    break 'pages;
                }
                let is_start = start(&event);
                events.push(event);
                if is_start {
                    break 'pages;
                }
            }
            token = next;
            if token.is_none() {
                break;
            }
        }
        events.reverse();
        Ok(events)
    }

    /// One page, newest first, as AWS gives it.
    async fn page(&self, token: Option<String>) -> Result<(Vec<Event>, Option<String>)> {
        // By ARN: the name of a deleted stack leads to nothing.
        let request = self.clients.cloudformation.describe_stack_events().stack_name(&self.stack_id);
        let answer = request.set_next_token(token).send().await;
        let answer = answer.doing(format_args!("Reading the events of {}", self.stack_name))?;
        Ok((answer.stack_events().iter().map(Event::of).collect(), answer.next_token().map(str::to_owned)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(logical_id: &str, status: &str, reason: &str, is_stack: bool) -> Event {
        Event {
            id: format!("{logical_id}-{status}"),
            time: SystemTime::UNIX_EPOCH,
            logical_id: logical_id.into(),
            physical_id: String::new(),
            resource_type: "AWS::X::Y".into(),
            status: status.into(),
            reason: reason.into(),
            is_stack,
        }
    }

    #[test]
    fn the_first_failure_is_the_root_cause_and_cancellations_are_left_out() {
        let end = End {
            status: "ROLLBACK_COMPLETE".into(),
            events: vec![
                event("S", "CREATE_IN_PROGRESS", "User Initiated", true),
                event("Table", "CREATE_FAILED", "name taken", false),
                event("Role", "CREATE_FAILED", "Resource creation cancelled", false),
                event("S", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [Table, Role].", true),
                event("S", "ROLLBACK_COMPLETE", "", true),
            ],
        };
        let report = end.failure("No.".into()).report(crate::target::Target::Local);
        assert_eq!(
            report,
            "No.\n  cause: Table (AWS::X::Y) CREATE_FAILED: name taken\n    led to: S ROLLBACK_IN_PROGRESS: \
             The following resource(s) failed to create: [Table, Role]."
        );
    }
}
