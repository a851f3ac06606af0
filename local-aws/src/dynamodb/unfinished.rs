//! CreateTable and DeleteTable, all or nothing: dynoxide makes and drops a table in several steps, and a kill or a full
//! disk may come between two of them. A table that is half made or half deleted is gone at the next start.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::keep_private;

/// One change at a time: nobody makes a table between another one's look and its note.
#[derive(Default)]
struct Turn(Mutex<()>);

/// How dynoxide is asked: the operation, and its input as text.
type Ask = fn(&Endpoint, &str, &[u8]) -> Result<Value, ApiError>;

/// Makes or deletes the table, noted as long as that lasts.
pub(super) fn noted(
    endpoint: &Endpoint,
    operation: &str,
    table_name: &str,
    text: &[u8],
    ask: Ask,
) -> Result<Value, ApiError> {
    let change = || ask(endpoint, operation, text);
    let turn = endpoint.memory_or(|| Ok::<_, ApiError>(Turn::default()))?;
    let _turn = turn.0.lock().unwrap_or_else(PoisonError::into_inner);
    let note = directory(endpoint).join(table_name);
    if operation == "CreateTable" {
        if is_name(table_name) && note.exists() {
            delete(endpoint, table_name, ask)?;
        }
        // A table that is there already stays as it is: the call is refused, and nothing is noted.
        if ask(endpoint, "DescribeTable", &named(table_name)).is_ok() {
            return change();
        }
    }
    if !is_name(table_name) {
        return change();
    }
    // A file, and not a record of the store: CloudFormation makes a table inside a transaction, which a kill rolls back.
    DirBuilder::new().recursive(true).mode(0o700).create(directory(endpoint)).map_err(not_noted)?;
    keep_private(&note)?;
    let changed = change();
    if !changed.as_ref().is_err_and(|error| error.status >= 500) {
        fs::remove_file(&note).map_err(not_noted)?;
    }
    changed
}

/// Deletes the tables that are half made or half deleted.
pub(super) fn resume(endpoint: &Endpoint, ask: Ask) -> Result<(), ApiError> {
    let notes = match fs::read_dir(directory(endpoint)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        notes => notes.map_err(not_noted)?,
    };
    for note in notes {
        let note = note.map_err(not_noted)?;
        delete(endpoint, &note.file_name().to_string_lossy(), ask)?;
        fs::remove_file(note.path()).map_err(not_noted)?;
    }
    Ok(())
}

fn delete(endpoint: &Endpoint, table_name: &str, ask: Ask) -> Result<(), ApiError> {
    match ask(endpoint, "DeleteTable", &named(table_name)) {
        // Gone already, or it was refused before, too.
        Err(error) if error.status < 500 => Ok(()),
        other => other.map(drop),
    }
}

fn named(table_name: &str) -> Vec<u8> {
    json!({"TableName": table_name}).to_string().into_bytes()
}

fn directory(endpoint: &Endpoint) -> PathBuf {
    endpoint.state_dir.join("unfinished-tables")
}

/// dynoxide refuses every other name.
fn is_name(text: &str) -> bool {
    (3..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

fn not_noted(error: io::Error) -> ApiError {
    ApiError::internal(format!("The note about a table that is being made or deleted failed: {error}."))
}
