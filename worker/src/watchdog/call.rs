//! Why the function was called: because a task has stopped, or because a minute is over.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

/// One call, whatever is in its payload.
#[derive(Debug)]
pub struct Call {
    time: DateTime<Utc>,
    news: Option<News>,
}

/// What an `ECS Task State Change` says of a task. It arrives before ECS's own lists tell the same.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct News {
    pub(super) task_arn: String,
    pub(super) cluster_arn: String,
    pub(super) group: String,
    pub(super) last_status: String,
    pub(super) version: i64,
    pub(super) stopped_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub(super) containers: Vec<Container>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Container {
    pub(super) name: String,
    pub(super) exit_code: Option<i32>,
}

impl Call {
    pub(super) fn new(payload: Value) -> Self {
        Self { time: Utc::now(), news: News::read(payload) }
    }

    /// When it began.
    pub fn time(&self) -> DateTime<Utc> {
        self.time
    }

    /// The news, if they are of a task of this family in this cluster that has stopped.
    pub(super) fn news(&self, cluster: &str, family: &str) -> Option<&News> {
        let is_ours = |news: &&News| {
            news.cluster_arn.rsplit('/').next() == Some(cluster)
                && news.group.strip_prefix("family:") == Some(family)
                && news.last_status == "STOPPED"
        };
        self.news.as_ref().filter(is_ours)
    }
}

impl News {
    /// A call by the clock, or by a person, has another payload, and no news.
    fn read(mut payload: Value) -> Option<Self> {
        (payload["detail-type"] == "ECS Task State Change")
            .then(|| payload["detail"].take())
            .and_then(|detail| serde_json::from_value(detail).ok())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event() -> Value {
        json!({
            "version": "0",
            "detail-type": "ECS Task State Change",
            "source": "aws.ecs",
            "detail": {
                "clusterArn": "arn:aws:ecs:eu-west-1:123456789012:cluster/lab",
                "containers": [
                    {"name": "aws-guardduty-agent-x", "lastStatus": "STOPPED", "exitCode": 137},
                    {"name": "BatchJob", "lastStatus": "STOPPED"},
                ],
                "group": "family:job",
                "lastStatus": "STOPPED",
                "stoppedAt": "2026-11-25T16:10:16.123Z",
                "taskArn": "arn:aws:ecs:eu-west-1:123456789012:task/lab/0f3a",
                "version": 6,
            },
        })
    }

    #[test]
    fn news_are_of_this_family_in_this_cluster() {
        let call = Call::new(event());
        let news = call.news("lab", "job").unwrap();
        assert_eq!(news.version, 6);
        assert_eq!(news.containers[1].exit_code, None);
        assert!(call.news("lab", "jo").is_none());
        assert!(call.news("la", "job").is_none());
    }

    #[test]
    fn any_other_payload_is_a_call_without_news() {
        let mut running = event();
        running["detail"]["lastStatus"] = json!("RUNNING");
        let mut maimed = event();
        maimed["detail"] = json!("STOPPED");
        let scheduled = json!({"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}});
        for payload in [running, maimed, scheduled, json!({}), json!(null), json!([1]), json!("x")] {
            assert!(Call::new(payload).news("lab", "job").is_none());
        }
    }
}
