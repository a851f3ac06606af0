//! The job's checkpoint: the items it has written to DynamoDB.

use std::collections::HashMap;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    operation::put_item::PutItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use chrono::{SecondsFormat, Utc};

use crate::Failure;

type Item = HashMap<String, AttributeValue>;

/// The DynamoDB table, seen by one task that works on one batch.
#[derive(Debug)]
pub struct Table {
    client: Client,
    name: String,
    batch_id: String,
    task_id: String,
}

/// What came of writing an item that may be there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// This request wrote it.
    Now,
    /// This request wrote it, too, but its answer got lost and the SDK sent it again.
    Earlier,
    /// It was there: written by the task with this id.
    ByOther(String),
}

impl Table {
    pub(crate) fn new(configuration: &SdkConfig, name: String, batch_id: String, task_id: String) -> Self {
        Self { client: Client::new(configuration), name, batch_id, task_id }
    }

    /// Where to go on: the first index that is not in the table.
    ///
    /// Writes go up one by one from 0 and an item once written stays, so there are no gaps and the highest index says
    /// it all: one item read, however many there are. The read is strongly consistent, because an eventually
    /// consistent one may not see yet what the interrupted task wrote last.
    pub async fn continue_at(&self) -> Result<u64, Failure> {
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("BatchId = :batch")
            .expression_attribute_values(":batch", self.batch_key())
            .projection_expression("ItemIndex")
            .scan_index_forward(false)
            .limit(1)
            .consistent_read(true)
            .send()
            .await
            .map_err(|e| Failure::request(&e, format!("reading from table {}", self.name)))?;
        match answer.items().first() {
            None => Ok(0),
            Some(highest) => self.index_after(highest),
        }
    }

    /// Writes item `index`, over whatever is there.
    pub async fn put(&self, index: u64, result: &str) -> Result<(), Failure> {
        self.client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(self.item(index, result)))
            .send()
            .await
            .map_err(|e| self.not_written(index, &e))?;
        Ok(())
    }

    /// Writes item `index` unless it is there; if another task wrote it, that task owns the batch.
    pub async fn put_once(&self, index: u64, result: &str) -> Result<(), Failure> {
        match self.put_if_absent(index, result).await? {
            Written::Now | Written::Earlier => Ok(()),
            Written::ByOther(owner) => Err(Failure::OtherOwner { index, owner }),
        }
    }

    /// Writes item `index` unless it is there, and says which of the two it was.
    pub async fn put_if_absent(&self, index: u64, result: &str) -> Result<Written, Failure> {
        let item = self.item(index, result);
        let outcome = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item.clone()))
            .condition_expression("attribute_not_exists(BatchId)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = outcome else {
            return Ok(Written::Now);
        };
        match error.as_service_error() {
            // The condition fails on our own item, to the millisecond, when the SDK had to send the request twice.
            Some(PutItemError::ConditionalCheckFailedException(refusal)) if refusal.item() == Some(&item) => {
                Ok(Written::Earlier)
            }
            Some(PutItemError::ConditionalCheckFailedException(refusal)) => {
                let owner = refusal.item().and_then(|stored| stored.get("TaskId"));
                let owner = owner.and_then(|id| id.as_s().ok());
                Ok(Written::ByOther(owner.map_or_else(|| "unknown".to_owned(), Clone::clone)))
            }
            _ => Err(self.not_written(index, &error)),
        }
    }

    fn item(&self, index: u64, result: &str) -> Item {
        let written_at = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        HashMap::from([
            ("BatchId".to_owned(), self.batch_key()),
            ("ItemIndex".to_owned(), AttributeValue::N(index.to_string())),
            ("Result".to_owned(), AttributeValue::S(result.to_owned())),
            ("TaskId".to_owned(), AttributeValue::S(self.task_id.clone())),
            ("WrittenAt".to_owned(), AttributeValue::S(written_at)),
        ])
    }

    fn batch_key(&self) -> AttributeValue {
        AttributeValue::S(self.batch_id.clone())
    }

    fn index_after(&self, highest: &Item) -> Result<u64, Failure> {
        let index = highest.get("ItemIndex").and_then(|n| n.as_n().ok());
        match index.and_then(|n| n.parse::<u64>().ok()) {
            Some(index) => Ok(index.saturating_add(1)),
            None => Err(Failure::Request {
                cause: format!("The ItemIndex {highest:?} is not one that this job writes"),
                doing: format!("reading from table {}", self.name),
            }),
        }
    }

    fn not_written<R: std::fmt::Debug + 'static>(
        &self,
        index: u64,
        error: &aws_sdk_dynamodb::error::SdkError<PutItemError, R>,
    ) -> Failure {
        Failure::request(error, format!("writing item {index} to table {}", self.name))
    }
}
