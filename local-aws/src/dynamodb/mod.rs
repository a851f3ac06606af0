//! DynamoDB: dynoxide in our process, behind our signatures and the roles' policies.
//!
//! - `engine`: dynoxide's database and its operations; `unfinished`, `time_to_live`: what it leaves to its host
//! - `tags`: tables by their tags; `permission`: what roles must be allowed

mod engine;
mod permission;
mod tags;
mod time_to_live;
mod unfinished;

use std::sync::Arc;

use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::Service;
use crate::wire;

pub(crate) use engine::run;
pub(crate) use tags::tags;

pub(crate) static SERVICE: Service = Service {
    resume,
    tagged: tags::tagged,
    needs: permission::needs,
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
    unfinished::resume(endpoint, engine::ask)?;
    time_to_live::start(&database);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::{resume, run, tags};
    use crate::endpoint::Endpoint;

    /// An endpoint with the table `Half`, whose note is still there when `noted`.
    fn with_table(dir: &Path, noted: bool) -> (Arc<Endpoint>, Value) {
        let endpoint = Arc::new(Endpoint::open(dir, String::new(), crate::Options::default()).unwrap());
        let table = json!({
            "TableName": "Half",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "Id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}],
        });
        run(&endpoint, "CreateTable", &table).unwrap();
        if noted {
            std::fs::write(dir.join("unfinished-tables/Half"), "").unwrap();
        }
        (endpoint, table)
    }

    fn names(endpoint: &Endpoint) -> Value {
        run(endpoint, "ListTables", &json!({})).unwrap()["TableNames"].take()
    }

    #[tokio::test]
    async fn a_creation_that_was_cut_off_is_undone_at_the_next_start() {
        let dir = tempfile::tempdir().unwrap();
        let (endpoint, _) = with_table(dir.path(), true);
        resume(&endpoint).unwrap();
        assert_eq!(names(&endpoint), json!([]));
        assert_eq!(std::fs::read_dir(dir.path().join("unfinished-tables")).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_creation_that_failed_half_way_may_be_repeated() {
        let dir = tempfile::tempdir().unwrap();
        let (endpoint, table) = with_table(dir.path(), true);
        run(&endpoint, "CreateTable", &table).unwrap();
        resume(&endpoint).unwrap();
        assert_eq!(names(&endpoint), json!(["Half"]));
    }

    #[tokio::test]
    async fn a_creation_that_is_refused_leaves_the_table_that_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let (endpoint, table) = with_table(dir.path(), false);
        assert_eq!(run(&endpoint, "CreateTable", &table).unwrap_err().code, "ResourceInUseException");
        resume(&endpoint).unwrap();
        assert_eq!(names(&endpoint), json!(["Half"]));
    }

    #[tokio::test]
    async fn a_deletion_that_was_cut_off_is_ended_at_the_next_start() {
        let dir = tempfile::tempdir().unwrap();
        let (endpoint, _) = with_table(dir.path(), true);
        // What dynoxide drops first.
        let data = rusqlite::Connection::open(dir.path().join("dynamodb.db")).unwrap();
        data.execute("DROP TABLE \"Half\"", []).unwrap();
        assert!(endpoint.store.read(|tx| tags::tagged(&endpoint, tx)).is_ok());
        resume(&endpoint).unwrap();
        assert_eq!(names(&endpoint), json!([]));
    }
}
