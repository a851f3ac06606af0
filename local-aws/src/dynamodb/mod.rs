//! DynamoDB: dynoxide in our process, behind our signatures and the roles' policies.
//!
//! - `engine`: dynoxide's database and its operations; `deletion`, `time_to_live`: what it leaves to its host
//! - `tags`: tables by their tags; `permission`: what roles must be allowed

mod deletion;
mod engine;
mod permission;
mod tags;
mod time_to_live;

use std::sync::Arc;

use serde_json::json;

use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::Service;
use crate::wire;

pub(crate) use engine::run;
pub(crate) use tags::tags;

pub(crate) static SERVICE: Service = Service {
    resume,
    tagged: tags::tagged,
    needs: Some(permission::needs),
    ..Service::new(
        "DynamoDB, DynamoDB Streams",
        wire::Service::json("dynamodb", "1.0", &["DynamoDB_20120810", "DynamoDBStreams_20120810"]).with_checksum(),
        "ValidationException",
        engine::OPERATIONS,
    )
};

/// Takes up what an earlier endpoint left unfinished, and begins to expire items.
fn resume(endpoint: &Arc<Endpoint>) -> Result<(), ApiError> {
    let database = engine::database(endpoint)?;
    deletion::resume(endpoint, |name| run(endpoint, "DeleteTable", &json!({"TableName": name})))?;
    time_to_live::start(&database);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use std::sync::Arc;

    use super::deletion::Deletion;
    use super::{resume, run, tags};
    use crate::endpoint::Endpoint;

    #[tokio::test]
    async fn a_deletion_that_was_cut_off_is_ended_at_the_next_start() {
        let dir = tempfile::tempdir().unwrap();
        let endpoint = Arc::new(Endpoint::open(dir.path(), String::new(), crate::Options::default()).unwrap());
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
        assert!(endpoint.store.read(|tx| tags::tagged(&endpoint, tx)).is_ok());
        resume(&endpoint).unwrap();
        assert_eq!(run(&endpoint, "ListTables", &json!({})).unwrap()["TableNames"], json!([]));
        assert!(endpoint.store.read(|tx| tx.list::<Deletion>()).unwrap().is_empty());
    }
}
