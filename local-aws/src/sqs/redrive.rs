//! Where messages go that nobody gets done: RedrivePolicy and RedriveAllowPolicy.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::refusal::{invalid_attribute, invalid_value};
use crate::error::ApiError;

/// The dead-letter queue of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RedrivePolicy {
    pub(super) dead_letter_target_arn: String,
    pub(super) max_receive_count: i64,
}

impl RedrivePolicy {
    /// Reads the attribute; the number may be a text.
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let refuse = |reason: &str| invalid_value("RedrivePolicy", text, reason);
        let policy: Value = serde_json::from_str(text).unwrap_or_default();
        let members = policy.as_object().ok_or_else(|| refuse("Redrive policy is not a valid JSON map."))?;
        if let Some(other) =
            members.keys().find(|name| !matches!(name.as_str(), "deadLetterTargetArn" | "maxReceiveCount"))
        {
            return Err(refuse(&format!("Redrive policy contains unknown attribute: {other}.")));
        }
        let member = |name: &str| {
            let reason = format!("Redrive policy does not contain mandatory attribute: {name}.");
            members.get(name).ok_or_else(|| refuse(&reason))
        };
        let target = member("deadLetterTargetArn")?.as_str().unwrap_or_default();
        let count = member("maxReceiveCount")?;
        let number = count.as_i64().or_else(|| count.as_str()?.parse().ok());
        let Some(max_receive_count) = number.filter(|number| (1..=1000).contains(number)) else {
            let reason =
                format!("Invalid value for maxReceiveCount: {count}, valid values are from 1 to 1000 both inclusive.");
            return Err(refuse(&reason));
        };
        Ok(Self { dead_letter_target_arn: target.to_owned(), max_receive_count })
    }

    /// The attribute as it is shown.
    pub(super) fn text(&self) -> String {
        json!({"deadLetterTargetArn": self.dead_letter_target_arn, "maxReceiveCount": self.max_receive_count})
            .to_string()
    }
}

/// Whose dead-letter queue a queue may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RedriveAllowPolicy {
    redrive_permission: Permission,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    source_queue_arns: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Permission {
    AllowAll,
    DenyAll,
    ByQueue,
}

impl RedriveAllowPolicy {
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let policy: Self = serde_json::from_str(text).map_err(|error| {
            let refusal = invalid_attribute("RedriveAllowPolicy");
            ApiError::new(refusal.code, format!("{} Reason: {error}.", refusal.message))
        })?;
        let sources = policy.source_queue_arns.len();
        if (policy.redrive_permission == Permission::ByQueue) != (1..=10).contains(&sources) {
            let reason =
                "sourceQueueArns has 1 to 10 queues with the redrivePermission byQueue, and none with another.";
            return Err(invalid_value("RedriveAllowPolicy", text, reason));
        }
        Ok(policy)
    }

    pub(super) fn text(&self) -> String {
        let mut text = json!({"redrivePermission": self.redrive_permission});
        if !self.source_queue_arns.is_empty() {
            text["sourceQueueArns"] = json!(self.source_queue_arns);
        }
        text.to_string()
    }

    pub(super) fn allows(&self, source_arn: &str) -> bool {
        match self.redrive_permission {
            Permission::AllowAll => true,
            Permission::DenyAll => false,
            Permission::ByQueue => self.source_queue_arns.iter().any(|arn| arn == source_arn),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redrive_policy_has_a_target_and_a_number_that_may_be_a_text() {
        let arn = "arn:aws:sqs:us-east-1:000000000000:d";
        for count in [json!(5), json!("5")] {
            let text = json!({"deadLetterTargetArn": arn, "maxReceiveCount": count}).to_string();
            let policy = RedrivePolicy::parse(&text).unwrap();
            assert_eq!(policy.text(), format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":5}}"#));
        }
        for (text, reason) in [
            ("no", "is not a valid JSON map"),
            (r#"{"maxReceiveCount":5}"#, "mandatory attribute: deadLetterTargetArn."),
            (r#"{"deadLetterTargetArn":"a"}"#, "mandatory attribute: maxReceiveCount."),
            (r#"{"deadLetterTargetArn":"a","maxReceiveCount":0}"#, "from 1 to 1000"),
            (r#"{"deadLetterTargetArn":"a","maxReceiveCount":1001}"#, "from 1 to 1000"),
            (r#"{"deadLetterTargetArn":"a","maxReceiveCount":1,"more":1}"#, "unknown attribute: more."),
        ] {
            let refusal = RedrivePolicy::parse(text).unwrap_err();
            assert_eq!(refusal.code, "InvalidParameterValueException");
            let words = format!("Value {text} for parameter RedrivePolicy is invalid. Reason: ");
            assert!(refusal.message.starts_with(&words) && refusal.message.contains(reason), "{refusal}");
        }
    }

    #[test]
    fn an_allow_policy_says_all_none_or_which() {
        let parse = |text: &str| RedriveAllowPolicy::parse(text).unwrap();
        assert!(parse(r#"{"redrivePermission":"allowAll"}"#).allows("a"));
        assert!(!parse(r#"{"redrivePermission":"denyAll"}"#).allows("a"));
        let some = parse(r#"{"redrivePermission":"byQueue","sourceQueueArns":["a"]}"#);
        assert!(some.allows("a") && !some.allows("b"));
        for text in [
            "{}",
            r#"{"redrivePermission":"some"}"#,
            r#"{"redrivePermission":"byQueue"}"#,
            r#"{"redrivePermission":"denyAll","sourceQueueArns":["a"]}"#,
        ] {
            assert!(RedriveAllowPolicy::parse(text).is_err(), "{text}");
        }
    }
}
