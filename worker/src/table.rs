//! The job's checkpoint: the items it has written to DynamoDB.

use std::{collections::HashMap, time::Duration};

use aws_config::{BehaviorVersion, timeout::TimeoutConfig};
use aws_sdk_dynamodb::{
    Client,
    operation::put_item::PutItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use chrono::{SecondsFormat, Utc};

use crate::{Failure, Settings};

type Item = HashMap<String, AttributeValue>;

/// The DynamoDB table, seen by one task that works on one batch.
#[derive(Debug)]
pub struct Table {
    client: Client,
    name: String,
    batch_id: String,
    task_id: String,
}

impl Table {
    /// A client for the region, credentials and endpoint that the environment names; sends nothing yet.
    pub(crate) async fn connect(settings: &Settings, task_id: String) -> Result<Self, Failure> {
        let http_client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        // Retries stay with the SDK: standard mode, three attempts, AWS_MAX_ATTEMPTS for another number.
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_attempt_timeout(Duration::from_secs(5))
            .build();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http_client)
            .timeout_config(timeouts)
            .load()
            .await;
        if config.region().is_none() {
            let expected = "the region of the table, such as eu-west-1";
            return Err(Failure::variable("AWS_REGION", "not set".to_owned(), expected));
        }
        Ok(Self {
            client: Client::new(&config),
            name: settings.table_name.clone(),
            batch_id: settings.batch_id.clone(),
            task_id,
        })
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
            return Ok(());
        };
        match error.as_service_error() {
            // The SDK sends a request again when its answer got lost; the condition then fails on our own item.
            Some(PutItemError::ConditionalCheckFailedException(refusal)) if refusal.item() == Some(&item) => Ok(()),
            Some(PutItemError::ConditionalCheckFailedException(refusal)) => {
                let owner = refusal.item().and_then(|stored| stored.get("TaskId"));
                let owner = owner.and_then(|id| id.as_s().ok());
                Err(Failure::OtherOwner { index, owner: owner.map_or_else(|| "unknown".to_owned(), Clone::clone) })
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
