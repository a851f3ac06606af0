//! What the phases of an operation have in common.

use std::cell::RefCell;
use std::sync::Arc;

use crate::cloudformation::resources::Context;
use crate::cloudformation::schema::Schemas;
use crate::cloudformation::stack::{Stack, Target};
use crate::cloudformation::stack_resource::ActualState;
use crate::cloudformation::status::StackStatus;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

/// What the phases of one operation work on.
#[derive(Clone)]
pub(super) struct Run {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) schemas: Arc<Schemas>,
    pub(super) stack_id: String,
}

impl Run {
    /// Ends a phase: `change` alters the record and enters the next status. When a call has sent the stack
    /// elsewhere in the meantime (DeleteStack during a creation), its word stands.
    pub(super) fn end_phase(
        &self,
        phase: StackStatus,
        change: impl FnOnce(&Tx<'_>, &mut Stack) -> Result<(), ApiError>,
    ) -> Result<Stack, ApiError> {
        self.endpoint.store.write(|tx| {
            let mut stack = Stack::of(tx, &self.stack_id)?;
            if stack.status == phase {
                change(tx, &mut stack)?;
            }
            Ok(stack)
        })
    }

    /// What a resource type is told of the resource.
    pub(super) fn context<'a>(
        &'a self,
        tx: &'a Tx<'a>,
        stack: &'a Stack,
        logical_id: &'a str,
        reality: &'a ActualState,
    ) -> Context<'a> {
        Context {
            endpoint: &self.endpoint,
            tx,
            stack_id: &stack.stack_id,
            stack_name: &stack.name,
            logical_id,
            tags: &reality.tags,
            generation: reality.generation,
            ready_at: None,
            repeated: false,
            remark: RefCell::default(),
        }
    }
}

/// The target that a failed update goes back to.
pub(super) fn settle(stack: &mut Stack, target: Target) {
    stack.target = target.clone();
    stack.stable = Some(target);
    stack.unsettled.clear();
}

/// `The following resource(s) failed to VERB: [A, B]. `, as AWS writes it, or nothing.
pub(super) fn failed_to(verb: &str, names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    format!("The following resource(s) failed to {verb}: [{}]. ", names.join(", "))
}
