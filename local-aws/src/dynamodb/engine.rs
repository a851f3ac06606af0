//! dynoxide: its database, its operations, its errors.

use std::borrow::Cow;
use std::sync::Arc;

use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::unfinished;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::{Answer, Call, Operation};
use crate::store::keep_private;

/// Data and behaviour of all tables.
pub(super) fn database(endpoint: &Endpoint) -> Result<Arc<Database>, ApiError> {
    endpoint.memory_or(|| {
        let path = endpoint.state_dir.join("dynamodb.db");
        keep_private(&path)?;
        Database::new(&path.to_string_lossy()).map_err(|error| {
            ApiError::internal(format!("The DynamoDB state in {} cannot be opened ({error}) and was left as it is; run `fis-workshop local reset` to start afresh.", endpoint.state_dir.display()))
        })
    })
}

/// SQLite blocks: the database answers on a thread that may wait.
fn answer(call: Call) -> Answer {
    let answer = tokio::task::spawn_blocking(move || {
        let (endpoint, operation) = (&call.endpoint, call.operation.name);
        let text: &[u8] = if call.body.is_empty() { b"{}" } else { &call.body };
        run_text(endpoint, operation, &call.input, text)
    });
    Box::pin(async move {
        answer.await.map_err(|error| ApiError::internal(format!("The DynamoDB call was cut short: {error}")))?
    })
}

/// One call for a caller that may do everything; blocks.
pub(crate) fn run(endpoint: &Endpoint, operation: &str, input: &Value) -> Result<Value, ApiError> {
    run_text(endpoint, operation, input, input.to_string().as_bytes())
}

fn run_text(endpoint: &Endpoint, operation: &str, input: &Value, text: &[u8]) -> Result<Value, ApiError> {
    if matches!(operation, "CreateTable" | "DeleteTable") {
        let table = input["TableName"].as_str().unwrap_or_default();
        // DeleteTable takes an ARN, too.
        let table_name = table.rsplit('/').next().unwrap_or_default();
        return unfinished::noted(endpoint, operation, table_name, text, ask);
    }
    ask(endpoint, operation, text)
}

/// From text, as dynoxide reads requests: some of its types read borrowed or raw JSON. A kill may cut it off.
pub(super) fn ask(endpoint: &Endpoint, operation: &str, text: &[u8]) -> Result<Value, ApiError> {
    let database = database(endpoint)?;
    let mut output = dispatch(&database, operation, &with_names(endpoint, operation, text))?;
    if describes_tables(operation) {
        own(endpoint, &mut output);
    } else if operation == "GetRecords" {
        for record in output["Records"].as_array_mut().into_iter().flatten() {
            record["awsRegion"] = json!(endpoint.identity.region);
        }
    }
    Ok(output)
}

/// A transaction's tables by name: dynoxide takes no ARN there, as it does elsewhere.
fn with_names<'a>(endpoint: &Endpoint, operation: &str, input: &'a [u8]) -> Cow<'a, [u8]> {
    if !matches!(operation, "TransactGetItems" | "TransactWriteItems") {
        return Cow::Borrowed(input);
    }
    // What is no JSON or has another shape is dynoxide's to refuse.
    let Ok(mut request) = serde_json::from_slice::<Value>(input) else { return Cow::Borrowed(input) };
    let ours = endpoint.arn("dynamodb", "table/");
    let items = request.get_mut("TransactItems").and_then(Value::as_array_mut).into_iter().flatten();
    for part in items.filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        let Some(Value::String(table)) = part.get_mut("TableName") else { continue };
        if let Some(name) = table.strip_prefix(&ours) {
            *table = name.to_owned();
        }
    }
    Cow::Owned(request.to_string().into_bytes())
}

macro_rules! operations {
    ($($name:literal => $method:ident),* $(,)?) => {
        pub(super) static OPERATIONS: &[Operation] = &[$(Operation::later($name, answer)),*];

        fn dispatch(db: &Database, operation: &str, input: &[u8]) -> Result<Value, ApiError> {
            match operation {
                $($name => shown(operation, read(input).and_then(|request| db.$method(request))),)*
                other => Err(ApiError::unknown_operation("dynamodb", other)),
            }
        }
    };
}

operations! {
    "BatchExecuteStatement" => batch_execute_statement,
    "BatchGetItem" => batch_get_item,
    "BatchWriteItem" => batch_write_item,
    "CreateTable" => create_table,
    "DeleteItem" => delete_item,
    "DeleteTable" => delete_table,
    "DescribeStream" => describe_stream,
    "DescribeTable" => describe_table,
    "DescribeTimeToLive" => describe_time_to_live,
    "ExecuteStatement" => execute_statement,
    "ExecuteTransaction" => execute_transaction,
    "GetItem" => get_item,
    "GetRecords" => get_records,
    "GetShardIterator" => get_shard_iterator,
    "ListStreams" => list_streams,
    "ListTables" => list_tables,
    "ListTagsOfResource" => list_tags_of_resource,
    "PutItem" => put_item,
    "Query" => query,
    "Scan" => scan,
    "TagResource" => tag_resource,
    "TransactGetItems" => transact_get_items,
    "TransactWriteItems" => transact_write_items,
    "UntagResource" => untag_resource,
    "UpdateItem" => update_item,
    "UpdateTable" => update_table,
    "UpdateTimeToLive" => update_time_to_live,
}

/// dynoxide's request types name the error class of a refused value by a prefix of serde's message.
fn read<T: DeserializeOwned>(input: &[u8]) -> Result<T, DynoxideError> {
    serde_json::from_slice(input).map_err(|error| {
        let text = error.to_string();
        let plain = text.rfind(" at line ").map_or(text.as_str(), |position| &text[..position]);
        if let Some(message) = plain.strip_prefix("VALIDATION:") {
            DynoxideError::ValidationException(message.to_owned())
        } else if let Some(message) = plain.strip_prefix("VALIDATION_REQUEST:") {
            DynoxideError::EnvelopedValidation(message.to_owned())
        } else if let Some(message) = text.strip_prefix("VALIDATION_AS_READ:") {
            DynoxideError::ValidationException(message.to_owned())
        } else if let Some(message) = text.strip_prefix("SERIALIZATION_AS_READ:") {
            DynoxideError::SerializationException(message.to_owned())
        } else if let Some(message) = plain.strip_prefix("SERIALIZATION:") {
            DynoxideError::SerializationException(message.to_owned())
        } else if ["missing field", "unknown variant", "invalid type: null", "AttributeValue"]
            .iter()
            .any(|mark| plain.contains(mark))
        {
            DynoxideError::ValidationException(plain.to_owned())
        } else {
            DynoxideError::SerializationException(plain.to_owned())
        }
    })
}

fn shown<T: Serialize>(operation: &str, result: Result<T, DynoxideError>) -> Result<Value, ApiError> {
    match result {
        Ok(output) => Ok(serde_json::to_value(output)?),
        Err(DynoxideError::EnvelopedValidation(message))
            if matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem") =>
        {
            Err(ApiError::new("ValidationException", format!("1 validation error detected: {message}")))
        }
        Err(error) => Err(refusal(&error)),
    }
}

/// The error with all of its members (`CancellationReasons`, `Item`), without the model's name before the code.
fn refusal(error: &DynoxideError) -> ApiError {
    let code = error.error_type().rsplit('#').next().unwrap_or_default();
    let mut refusal = ApiError::new(code, error.to_string()).status(error.status_code());
    if let Ok(Value::Object(members)) = serde_json::from_str(&error.to_json()) {
        for (name, value) in members {
            if !matches!(name.as_str(), "__type" | "message" | "Message") {
                refusal.fields.insert(name, value);
            }
        }
    }
    refusal
}

/// Operations whose answers hold ARNs, and no item whose text could look like one.
fn describes_tables(operation: &str) -> bool {
    matches!(
        operation,
        "CreateTable" | "DeleteTable" | "DescribeTable" | "UpdateTable" | "ListStreams" | "DescribeStream"
    )
}

/// Puts our account and region into the ARNs; dynoxide's are of the region `dynoxide`.
fn own(endpoint: &Endpoint, value: &mut Value) {
    match value {
        Value::String(text) => {
            for service in ["dynamodb", "kms"] {
                if let Some(resource) = text.strip_prefix(&format!("arn:aws:{service}:dynoxide:000000000000:")) {
                    *text = endpoint.arn(service, resource);
                    return;
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| own(endpoint, item)),
        Value::Object(members) => members.values_mut().for_each(|member| own(endpoint, member)),
        _ => {}
    }
}
