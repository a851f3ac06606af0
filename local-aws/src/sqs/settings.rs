//! What a queue's owner may choose of it, as the attributes of the API, which CloudFormation's properties are called after.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::redrive::{RedriveAllowPolicy, RedrivePolicy};
use super::refusal::{invalid_attribute, unknown_attribute};
use crate::error::ApiError;
use crate::iam;

/// The attributes that can be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(super) delay_seconds: i64,
    pub(super) maximum_message_size: i64,
    pub(super) message_retention_period: i64,
    pub(super) receive_message_wait_time_seconds: i64,
    pub(super) visibility_timeout: i64,
    pub(super) sqs_managed_sse_enabled: bool,
    /// JSON text.
    pub(crate) policy: Option<String>,
    pub(super) redrive_policy: Option<RedrivePolicy>,
    pub(super) redrive_allow_policy: Option<RedriveAllowPolicy>,
}

/// AWS's default values.
impl Default for Settings {
    fn default() -> Self {
        Self {
            delay_seconds: 0,
            maximum_message_size: 1_048_576,
            message_retention_period: 345_600,
            receive_message_wait_time_seconds: 0,
            visibility_timeout: 30,
            sqs_managed_sse_enabled: true,
            policy: None,
            redrive_policy: None,
            redrive_allow_policy: None,
        }
    }
}

/// The names of the attributes that can be set.
pub(crate) const NAMES: &[&str] = &[
    "DelaySeconds",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "Policy",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
];

impl Settings {
    /// Sets an attribute. An empty text takes a policy away.
    ///
    /// # Errors
    /// AWS's for a value that it would not take, and the refusal by name of what there is not here.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        let number = |least: i64, most: i64| {
            let number = value.parse().ok().filter(|number| (least..=most).contains(number));
            number.ok_or_else(|| invalid_attribute(name))
        };
        match name {
            "DelaySeconds" => self.delay_seconds = number(0, 900)?,
            "MaximumMessageSize" => self.maximum_message_size = number(1_024, 1_048_576)?,
            "MessageRetentionPeriod" => self.message_retention_period = number(60, 1_209_600)?,
            "ReceiveMessageWaitTimeSeconds" => self.receive_message_wait_time_seconds = number(0, 20)?,
            "VisibilityTimeout" => self.visibility_timeout = number(0, 43_200)?,
            "SqsManagedSseEnabled" => {
                self.sqs_managed_sse_enabled = value.parse().map_err(|_| invalid_attribute(name))?;
            }
            "Policy" => self.policy = some(value).map(policy).transpose()?,
            "RedrivePolicy" => self.redrive_policy = some(value).map(RedrivePolicy::parse).transpose()?,
            "RedriveAllowPolicy" => {
                self.redrive_allow_policy = some(value).map(RedriveAllowPolicy::parse).transpose()?;
            }
            "KmsMasterKeyId" | "KmsDataKeyReusePeriodSeconds" => {
                return Err(ApiError::unsupported(format!("The attribute {name}")));
            }
            "FifoQueue" if value == "true" => return Err(ApiError::unsupported("A FIFO queue (FifoQueue)")),
            _ => return Err(unknown_attribute(name)),
        }
        Ok(())
    }

    /// The value of an attribute; policies that are not there have none.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        match name {
            "DelaySeconds" => Some(self.delay_seconds.to_string()),
            "MaximumMessageSize" => Some(self.maximum_message_size.to_string()),
            "MessageRetentionPeriod" => Some(self.message_retention_period.to_string()),
            "ReceiveMessageWaitTimeSeconds" => Some(self.receive_message_wait_time_seconds.to_string()),
            "VisibilityTimeout" => Some(self.visibility_timeout.to_string()),
            "SqsManagedSseEnabled" => Some(self.sqs_managed_sse_enabled.to_string()),
            "Policy" => self.policy.clone(),
            "RedrivePolicy" => self.redrive_policy.as_ref().map(RedrivePolicy::text),
            "RedriveAllowPolicy" => self.redrive_allow_policy.as_ref().map(RedriveAllowPolicy::text),
            _ => None,
        }
    }
}

fn some(value: &str) -> Option<&str> {
    (!value.is_empty()).then_some(value)
}

/// A policy as it was written, if it is one.
fn policy(text: &str) -> Result<String, ApiError> {
    iam::check_resource_policy(&Value::String(text.to_owned())).map_err(|error| {
        let refusal = invalid_attribute("Policy");
        ApiError::new(refusal.code, format!("{} Reason: {}", refusal.message, error.message))
    })?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attribute_can_be_set_and_shown() {
        let mut settings = Settings::default();
        let policy = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"}]}"#;
        for (name, value) in [
            ("DelaySeconds", "900"),
            ("MaximumMessageSize", "1024"),
            ("MessageRetentionPeriod", "60"),
            ("Policy", policy),
            ("ReceiveMessageWaitTimeSeconds", "20"),
            ("RedriveAllowPolicy", r#"{"redrivePermission":"denyAll"}"#),
            ("RedrivePolicy", r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:d","maxReceiveCount":3}"#),
            ("SqsManagedSseEnabled", "false"),
            ("VisibilityTimeout", "43200"),
        ] {
            assert!(NAMES.contains(&name));
            settings.set(name, value).unwrap();
            assert_eq!(settings.get(name).as_deref(), Some(value));
        }
        for name in ["Policy", "RedriveAllowPolicy", "RedrivePolicy"] {
            settings.set(name, "").unwrap();
            assert_eq!(settings.get(name), None);
        }
    }

    #[test]
    fn what_is_out_of_range_or_not_there_is_refused_by_name() {
        for (name, value, code) in [
            ("DelaySeconds", "901", "InvalidAttributeValue"),
            ("DelaySeconds", "-1", "InvalidAttributeValue"),
            ("MaximumMessageSize", "1023", "InvalidAttributeValue"),
            ("MessageRetentionPeriod", "59", "InvalidAttributeValue"),
            ("ReceiveMessageWaitTimeSeconds", "21", "InvalidAttributeValue"),
            ("VisibilityTimeout", "soon", "InvalidAttributeValue"),
            ("SqsManagedSseEnabled", "yes", "InvalidAttributeValue"),
            ("Policy", "{}", "InvalidAttributeValue"),
            ("KmsMasterKeyId", "alias/aws/sqs", "UnsupportedOperation"),
            ("FifoQueue", "true", "UnsupportedOperation"),
            ("FifoQueue", "false", "InvalidAttributeName"),
            ("ContentBasedDeduplication", "true", "InvalidAttributeName"),
            ("QueueArn", "arn", "InvalidAttributeName"),
        ] {
            let refusal = Settings::default().set(name, value).unwrap_err();
            assert_eq!(refusal.code, code, "{name}={value}: {refusal}");
            let named = if name == "FifoQueue" { "Fifo" } else { name };
            assert!(refusal.message.contains(named), "{refusal}");
        }
    }
}
