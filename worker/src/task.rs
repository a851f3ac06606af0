//! Which task this process is: the task metadata endpoint version 4 of ECS.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::Value;
use tokio::time::timeout;

use crate::Failure;

/// The endpoint is on the task's own host; it answers at once or is not there.
const PATIENCE: Duration = Duration::from_secs(3);

/// The id of this task, or `local` when the process does not run in one.
pub(crate) async fn id(metadata_uri: Option<&str>) -> Result<String, Failure> {
    let Some(base) = metadata_uri else {
        return Ok("local".to_owned());
    };
    let url = format!("{base}/task");
    match timeout(PATIENCE, task_arn(&url)).await {
        Ok(Ok(arn)) => Ok(last_segment(&arn).to_owned()),
        Ok(Err(error)) => Err(Failure::metadata(&url, error.as_ref())),
        Err(elapsed) => Err(Failure::metadata(&url, &elapsed)),
    }
}

async fn task_arn(url: &str) -> Result<String, Box<dyn std::error::Error>> {
    let client = Client::builder(TokioExecutor::new()).build_http::<String>();
    let answer = client.get(url.parse()?).await?;
    if !answer.status().is_success() {
        return Err(format!("HTTP status {}", answer.status()).into());
    }
    let body = answer.into_body().collect().await?.to_bytes();
    let task: Value = serde_json::from_slice(&body)?;
    match task.get("TaskARN").and_then(Value::as_str) {
        Some(arn) => Ok(arn.to_owned()),
        None => Err("the answer has no TaskARN".into()),
    }
}

/// `arn:aws:ecs:REGION:ACCOUNT:task/CLUSTER/ID`, and in accounts with the old format `task/ID`.
fn last_segment(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::last_segment;

    #[test]
    fn both_arn_formats_end_in_the_id() {
        assert_eq!(last_segment("arn:aws:ecs:eu-west-1:123456789012:task/lab/0f3a"), "0f3a");
        assert_eq!(last_segment("arn:aws:ecs:eu-west-1:123456789012:task/0f3a"), "0f3a");
    }
}
