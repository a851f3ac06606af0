//! What an operation that was cut off has made and not recorded: a rollback has to find that too.

use super::run::Run;
use super::step::{handler, refuse_same_name};
use crate::cloudformation::resources::Context;
use crate::cloudformation::stack::Stack;
use crate::cloudformation::stack_resource::StackResource;
use crate::error::ApiError;

/// Deletes what a creation may have left that was cut off between the resource and its record: creating is idempotent
/// where it leaves the engine's transaction, so it finds it. Where it fails again, there is nothing of ours.
pub(super) fn undo_pending(run: &Run, stack: &Stack, record: &StackResource) -> Result<(), ApiError> {
    let Some(pending) = record.pending.as_deref() else { return Ok(()) };
    let handler = handler(&record.resource_type)?;
    let undone = run.endpoint.store.write(|tx| {
        let cx = Context { repeated: true, ..run.context(tx, stack, &record.logical_id, pending) };
        if let Some(physical_id) = &record.now.physical_id {
            refuse_same_name(physical_id, &pending.properties)?;
        }
        let created = handler.create(&cx, &pending.properties)?;
        handler.delete(&cx, &created.physical_id, &pending.properties)
    });
    match undone {
        Err(error) if error.status >= 500 => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::cloudformation::operation::cleanup;
    use crate::cloudformation::stack::Operation;
    use crate::cloudformation::stack_resource::ActualState;
    use crate::cloudformation::status::StackStatus;
    use crate::dynamodb;
    use crate::endpoint::Endpoint;

    #[tokio::test]
    async fn a_rollback_finds_what_was_made_and_not_yet_recorded() {
        let dir = tempfile::tempdir().unwrap();
        let endpoint = Arc::new(Endpoint::open(dir.path(), String::new(), crate::Options::default()).unwrap());
        let operation = Operation::new("CREATE_STACK", None);
        let stack = Stack::new("arn:aws:s/x".to_owned(), "x", StackStatus::RollbackInProgress, operation);
        let run = Run { endpoint: Arc::clone(&endpoint), schemas: Arc::default(), stack_id: stack.stack_id.clone() };
        let mut record = StackResource::new(&stack, "Table", "AWS::DynamoDB::Table");
        let schema = run.schemas.get(&record.resource_type).unwrap();
        let properties = json!({
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "Id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}],
        });
        let pending = ActualState {
            properties: properties.as_object().unwrap().clone(),
            tags: stack.tags_for(&stack.target, "Table", &schema),
            ..ActualState::default()
        };
        record.pending = Some(Box::new(pending.clone()));
        endpoint
            .store
            .write(|tx| {
                tx.put(&record)?;
                stack.save(tx)
            })
            .unwrap();
        // The kill comes after the table was made and before the transaction ends.
        let killed = endpoint.store.write(|tx| {
            let cx = run.context(tx, &stack, "Table", &pending);
            handler("AWS::DynamoDB::Table")?.create(&cx, &pending.properties)?;
            Err::<(), _>(ApiError::internal("killed"))
        });
        assert!(killed.is_err());
        let tables = || dynamodb::run(&endpoint, "ListTables", &json!({})).unwrap()["TableNames"].clone();
        assert_eq!(tables().as_array().unwrap().len(), 1);
        let stack = cleanup::rollback(&run, stack).await.unwrap();
        assert_eq!(stack.status, StackStatus::RollbackComplete);
        assert_eq!(tables(), json!([]));
    }
}
