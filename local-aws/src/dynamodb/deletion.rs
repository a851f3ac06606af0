//! DeleteTable, to its end: dynoxide drops a table in several steps, and a kill may come between two of them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::run;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Record;

/// A deletion that has begun.
#[derive(Serialize, Deserialize)]
struct Deletion {
    table_name: String,
}

impl Record for Deletion {
    const KIND: &'static str = "dynamodb.deletion";
    fn id(&self) -> String {
        self.table_name.clone()
    }
}

/// DeleteTable, noted as long as it lasts. (The engine's own deletions are repeated by the engine.)
pub(super) fn delete_table(endpoint: &Endpoint, input: &Value) -> Result<Value, ApiError> {
    let table_name = input["TableName"].as_str().unwrap_or_default().to_owned();
    let deletion = Deletion { table_name };
    endpoint.store.write(|tx| tx.put(&deletion))?;
    let deleted = run(endpoint, "DeleteTable", input);
    endpoint.store.write(|tx| tx.delete::<Deletion>(&deletion.table_name))?;
    deleted
}

/// Ends the deletions that were cut off.
pub(super) fn resume(endpoint: &Endpoint) -> Result<(), ApiError> {
    for Deletion { table_name } in endpoint.store.read(|tx| tx.list::<Deletion>())? {
        match run(endpoint, "DeleteTable", &json!({"TableName": table_name})) {
            // Gone already, or it was refused before, too.
            Err(error) if error.status < 500 => {}
            other => drop(other?),
        }
        endpoint.store.write(|tx| tx.delete::<Deletion>(&table_name))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_that_was_cut_off_is_ended_at_the_next_start() {
        let dir = tempfile::tempdir().unwrap();
        let endpoint = Endpoint::open(dir.path(), String::new(), crate::Options::default()).unwrap();
        let table = json!({
            "TableName": "Half",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "Id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}],
        });
        run(&endpoint, "CreateTable", &table).unwrap();
        endpoint.store.write(|tx| tx.put(&Deletion { table_name: "Half".to_owned() })).unwrap();
        // What dynoxide drops first.
        let data = rusqlite::Connection::open(dir.path().join("dynamodb.db")).unwrap();
        data.execute("DROP TABLE \"Half\"", []).unwrap();
        assert!(endpoint.store.read(|tx| crate::dynamodb::tagged(&endpoint, tx)).is_ok());
        resume(&endpoint).unwrap();
        assert_eq!(run(&endpoint, "ListTables", &json!({})).unwrap()["TableNames"], json!([]));
        assert!(endpoint.store.read(|tx| tx.list::<Deletion>()).unwrap().is_empty());
    }
}
