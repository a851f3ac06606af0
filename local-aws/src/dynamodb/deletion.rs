//! DeleteTable, to its end: dynoxide drops a table in several steps, and a kill may come between two of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Record;

/// A deletion that has begun.
#[derive(Serialize, Deserialize)]
pub(super) struct Deletion {
    pub(super) table_name: String,
}

impl Record for Deletion {
    const KIND: &'static str = "dynamodb.deletion";
    fn id(&self) -> String {
        self.table_name.clone()
    }
}

/// Deletes the table, noted as long as that lasts. (CloudFormation repeats its own deletions.)
pub(super) fn noted(
    endpoint: &Endpoint,
    table_name: &str,
    delete: impl FnOnce() -> Result<Value, ApiError>,
) -> Result<Value, ApiError> {
    let deletion = Deletion { table_name: table_name.to_owned() };
    endpoint.store.write(|tx| tx.put(&deletion))?;
    let deleted = delete();
    endpoint.store.write(|tx| tx.delete::<Deletion>(&deletion.table_name))?;
    deleted
}

/// Ends the deletions that were cut off.
pub(super) fn resume(endpoint: &Endpoint, delete: impl Fn(&str) -> Result<Value, ApiError>) -> Result<(), ApiError> {
    for Deletion { table_name } in endpoint.store.read(|tx| tx.list::<Deletion>())? {
        match delete(&table_name) {
            // Gone already, or it was refused before, too.
            Err(error) if error.status < 500 => {}
            other => drop(other?),
        }
        endpoint.store.write(|tx| tx.delete::<Deletion>(&table_name))?;
    }
    Ok(())
}
