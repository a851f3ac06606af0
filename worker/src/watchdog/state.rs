//! What the watchdog lets others see: one item in the job's table. It never reads it in order to decide.
//!
//! The item has a partition key of its own, so a Query for the batch does not find it, and neither does the job.

use std::collections::HashMap;

use aws_sdk_dynamodb::{operation::put_item::PutItemError, types::AttributeValue};
use chrono::{DateTime, SecondsFormat, Utc};

use super::{Decision, Watchdog};
use crate::Failure;

impl Watchdog {
    /// Writes the item if there is something to tell, and it says something else so far.
    pub(super) async fn note(&self, batch_id: &str, decision: &Decision, time: DateTime<Utc>) -> Result<(), Failure> {
        if matches!(decision, Decision::NoJob) {
            // ECS has forgotten the job of which the item tells.
            return Ok(());
        }
        let key = HashMap::from([
            ("BatchId".to_owned(), AttributeValue::S(format!("watchdog#{batch_id}"))),
            ("ItemIndex".to_owned(), AttributeValue::N("0".to_owned())),
        ]);
        let message = AttributeValue::S(decision.to_string());
        let request = self.dynamodb.get_item().table_name(&self.settings.table_name);
        let answer = request.set_key(Some(key.clone())).consistent_read(true).send().await;
        let answer = answer.map_err(|e| Failure::request(&e, self.noting("reading")))?;
        let is_told = match answer.item() {
            Some(told) => told.get("Message") == Some(&message),
            // Whoever empties the table finds it empty, as long as the job goes its way.
            None => decision.state() == "watching",
        };
        if is_told {
            return Ok(());
        }
        let looked_at = AttributeValue::S(time.to_rfc3339_opts(SecondsFormat::Millis, true));
        let mut item = key;
        item.insert("State".to_owned(), AttributeValue::S(decision.state().to_owned()));
        item.insert("Message".to_owned(), message);
        item.insert("LookedAt".to_owned(), looked_at.clone());
        let written = self
            .dynamodb
            .put_item()
            .table_name(&self.settings.table_name)
            .set_item(Some(item))
            // An invocation that took long has nothing new to tell.
            .condition_expression("attribute_not_exists(BatchId) OR LookedAt < :time")
            .expression_attribute_values(":time", looked_at)
            .send()
            .await;
        match written {
            Ok(_) => Ok(()),
            Err(error)
                if matches!(error.as_service_error(), Some(PutItemError::ConditionalCheckFailedException(_))) =>
            {
                Ok(())
            }
            Err(error) => Err(Failure::request(&error, self.noting("writing"))),
        }
    }

    fn noting(&self, what: &str) -> String {
        format!("{what} the watchdog's item in table {}", self.settings.table_name)
    }
}
