//! DynamoDB (dynoxide, in memory), SQS, ECS, Lambda's runtime API and the task metadata endpoint behind one port, with a
//! record of what was asked.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use dynoxide::{Database, errors::DynoxideError};
use tokio::sync::watch;

use crate::{ecs::Ecs, lambda::Lambda, sqs::Sqs};

/// What the endpoint and a test share.
pub(crate) struct Shared {
    pub(crate) database: Database,
    /// The operations asked for, in order of arrival.
    pub(crate) requests: watch::Sender<Vec<String>>,
    /// The items that DynamoDB took, in order: batch, index, task.
    pub(crate) accepted: Mutex<Vec<(String, u64, String)>>,
    /// While true, a PutItem waits before it reaches DynamoDB.
    pub(crate) puts_held: watch::Sender<bool>,
    /// The next PutItem is done, but its answer is a 500.
    pub(crate) next_answer_lost: AtomicBool,
    pub(crate) sqs: Sqs,
    pub(crate) ecs: Ecs,
    pub(crate) lambda: Lambda,
}

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", post(aws))
        .route("/metadata/{task}/task", get(task_metadata))
        .route("/2018-06-01/runtime/invocation/next", get(next_invocation))
        .route("/2018-06-01/runtime/invocation/{id}/{outcome}", post(invocation_over))
        .with_state(shared)
}

async fn task_metadata(Path(task): Path<String>) -> String {
    format!(r#"{{"TaskARN":"arn:aws:ecs:eu-west-1:123456789012:task/lab/{task}","Family":"job"}}"#)
}

async fn next_invocation(State(shared): State<Arc<Shared>>) -> Response {
    let (id, payload) = shared.lambda.next().await;
    let headers = [
        ("lambda-runtime-aws-request-id", id.to_string()),
        ("lambda-runtime-deadline-ms", "4102444800000".to_owned()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:123456789012:function:watchdog".to_owned()),
    ];
    (headers, payload).into_response()
}

async fn invocation_over(
    State(shared): State<Arc<Shared>>,
    Path((id, outcome)): Path<(u64, String)>,
    body: String,
) -> StatusCode {
    shared.lambda.over(id, &outcome, body);
    StatusCode::ACCEPTED
}

async fn aws(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers["x-amz-target"].to_str().unwrap();
    let (service, operation) = target.split_once('.').unwrap();
    shared.requests.send_modify(|requests| requests.push(operation.to_owned()));
    let answer = match service {
        "DynamoDB_20120810" => return dynamodb(&shared, operation, &body).await,
        "AmazonSQS" => shared.sqs.answer(operation, &serde_json::from_slice(&body).unwrap()).await,
        "AmazonEC2ContainerServiceV20141113" => shared.ecs.answer(operation, serde_json::from_slice(&body).unwrap()),
        other => panic!("nobody has a use for {other}"),
    };
    match answer {
        Ok(json) => json.to_string().into_response(),
        Err(json) => (StatusCode::BAD_REQUEST, json.to_string()).into_response(),
    }
}

async fn dynamodb(shared: &Shared, operation: &str, body: &[u8]) -> Response {
    let answer = match operation {
        "PutItem" => put_item(shared, body).await,
        "Query" => shared
            .database
            .query(serde_json::from_slice(body).unwrap())
            .map(|answer| serde_json::to_string(&answer).unwrap()),
        "GetItem" => shared
            .database
            .get_item(serde_json::from_slice(body).unwrap())
            .map(|answer| serde_json::to_string(&answer).unwrap()),
        other => panic!("the job has no use for {other}"),
    };
    match answer {
        Ok(_) if operation == "PutItem" && shared.next_answer_lost.swap(false, Ordering::SeqCst) => {
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Ok(json) => json.into_response(),
        Err(error) => (StatusCode::from_u16(error.status_code()).unwrap(), error.to_json()).into_response(),
    }
}

async fn put_item(shared: &Shared, body: &[u8]) -> Result<String, DynoxideError> {
    let mut held = shared.puts_held.subscribe();
    held.wait_for(|held| !held).await.unwrap();
    let answer = shared.database.put_item(serde_json::from_slice(body).unwrap())?;
    let sent: serde_json::Value = serde_json::from_slice(body).unwrap();
    let text = |name: &str, kind: &str| sent["Item"][name][kind].as_str().unwrap_or_default().to_owned();
    shared.accepted.lock().unwrap().push((
        text("BatchId", "S"),
        text("ItemIndex", "N").parse().unwrap(),
        text("TaskId", "S"),
    ));
    Ok(serde_json::to_string(&answer).unwrap())
}
