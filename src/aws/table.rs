//! DynamoDB: the items that the workers have written.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, Tag, WriteRequest};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use super::clients::Clients;
use super::deployed::Deployed;
use super::patience::Patience;
use crate::error::{Doing, Error, Result};

/// Tag of the table with the time of the last `clear`: what the logs tell of the time before is about other items.
const CLEARED_TAG: &str = "fis-workshop:cleared-at";

/// How long DynamoDB may have no capacity at all for a deletion.
const CAPACITY_LIMIT: Duration = Duration::from_secs(60);

/// One item of the batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Item {
    pub(crate) item_index: u64,
    pub(crate) result: String,
    /// The task that wrote it (last).
    pub(crate) task_id: String,
    pub(crate) written_at: String,
}

impl Item {
    fn of(attributes: &HashMap<String, AttributeValue>) -> Result<Self> {
        let text = |name: &str| {
            attributes.get(name).and_then(|value| value.as_s().ok()).cloned().ok_or_else(|| unknown(attributes, name))
        };
        let index = attributes.get("ItemIndex").and_then(|value| value.as_n().ok());
        Ok(Self {
            item_index: index.and_then(|n| n.parse().ok()).ok_or_else(|| unknown(attributes, "ItemIndex"))?,
            result: text("Result")?,
            task_id: text("TaskId")?,
            written_at: text("WrittenAt")?,
        })
    }
}

fn unknown(attributes: &HashMap<String, AttributeValue>, name: &str) -> Error {
    let mut names: Vec<_> = attributes.keys().cloned().collect();
    names.sort();
    Error::failed(format!("The table holds an item without a usable {name}."))
        .cause(format_args!("it has {}", names.join(", ")))
        .hint("Something other than the workers wrote it; `fis-workshop clear` empties the table.")
}

/// All items of the batch by index; strongly consistent, so that what a task has written is seen.
pub(crate) async fn items(clients: &Clients, deployed: &Deployed) -> Result<Vec<Item>> {
    let table = deployed.table()?;
    let mut items = Vec::new();
    let mut start = None;
    loop {
        let request = clients.dynamodb.query().table_name(table).consistent_read(true);
        let request = request.key_condition_expression("BatchId = :batch");
        let request = request.expression_attribute_values(":batch", AttributeValue::S(deployed.batch_id()?.to_owned()));
        let page = request.set_exclusive_start_key(start).send().await;
        let page =
            page.doing(format_args!("Reading the table {table}")).map_err(|error| deployed.without("table", error))?;
        for item in page.items() {
            items.push(Item::of(item)?);
        }
        start = page.last_evaluated_key().cloned();
        if start.is_none() {
            return Ok(items);
        }
    }
}

/// Empties the table, whatever is in it; says how many items of batches there were, and meanwhile how many are gone.
pub(crate) async fn clear(clients: &Clients, deployed: &Deployed, gone: impl Fn(usize)) -> Result<usize> {
    // As many as BatchWriteItem takes.
    const CHUNK: usize = 25;
    // A table on demand begins with 4,000 writes a second.
    const AT_ONCE: usize = 8;
    let table = deployed.table()?;
    let mut count = 0;
    let mut start = None;
    loop {
        let request = clients.dynamodb.scan().table_name(table).consistent_read(true);
        let request = request.projection_expression("BatchId, ItemIndex").set_exclusive_start_key(start);
        let page = request
            .send()
            .await
            .doing(format_args!("Reading the table {table}"))
            .map_err(|error| deployed.without("table", error))?;
        let deletions = page
            .items()
            .chunks(CHUNK)
            .map(|keys| async move { delete(clients, table, keys).await.map(|()| items_among(keys)) });
        let mut deletions = stream::iter(deletions).buffer_unordered(AT_ONCE);
        while let Some(deleted) = deletions.try_next().await? {
            count += deleted;
            gone(count);
        }
        start = page.last_evaluated_key().cloned();
        if start.is_none() {
            break;
        }
    }
    note_clearing(clients, table).await?;
    Ok(count)
}

/// Beside the items of the batch, the table holds what the queue and the watchdog note: `queue#batch`, `watchdog#batch`.
fn items_among(keys: &[HashMap<String, AttributeValue>]) -> usize {
    let is_note = |batch: &String| batch.starts_with("queue#") || batch.starts_with("watchdog#");
    let batch = |key: &HashMap<String, AttributeValue>| key.get("BatchId").and_then(|id| id.as_s().ok()).cloned();
    keys.iter().filter(|key| !batch(key).is_some_and(|batch| is_note(&batch))).count()
}

/// Notes the time in the tag, and waits until it can be read there: DynamoDB answers TagResource before that.
async fn note_clearing(clients: &Clients, table: &str) -> Result<()> {
    let time = chrono::Utc::now().timestamp_millis();
    let tag = Tag::builder().key(CLEARED_TAG).value(time.to_string()).build();
    let tag = tag.map_err(|error| Error::failed("The tag for the clearing time could not be built.").cause(error))?;
    let arn = arn(clients, table).await?;
    let request = clients.dynamodb.tag_resource().resource_arn(&arn).tags(tag);
    request.send().await.doing(format_args!("Tagging the table {table}"))?;
    let mut patience = Patience::for_visibility(clients);
    while tagged_time(clients, table, &arn).await? < time {
        if !patience.wait().await {
            return Err(Error::failed(format!(
                "The table {table} is empty, but does not show the tag that says since when."
            ))
            .hint("Repeat the command: until the tag is there, `fis-workshop items` counts earlier writes, too."));
        }
    }
    Ok(())
}

/// When the table was last cleared, in milliseconds; 0 if never.
pub(crate) async fn cleared_at(clients: &Clients, deployed: &Deployed) -> Result<i64> {
    let table = deployed.table()?;
    let arn = arn(clients, table).await.map_err(|error| deployed.without("table", error))?;
    tagged_time(clients, table, &arn).await
}

async fn tagged_time(clients: &Clients, table: &str, arn: &str) -> Result<i64> {
    let request = clients.dynamodb.list_tags_of_resource().resource_arn(arn);
    let answer = request.send().await.doing(format_args!("Reading the tags of the table {table}"))?;
    let tag = answer.tags().iter().find(|tag| tag.key() == CLEARED_TAG);
    Ok(tag.and_then(|tag| tag.value().parse().ok()).unwrap_or_default())
}

async fn arn(clients: &Clients, table: &str) -> Result<String> {
    let answer = clients.dynamodb.describe_table().table_name(table).send().await;
    let answer = answer.doing(format_args!("Describing the table {table}"))?;
    let arn = answer.table().and_then(|table| table.table_arn());
    arn.map(str::to_owned).ok_or_else(|| Error::failed(format!("The table {table} has no ARN.")))
}

async fn delete(clients: &Clients, table: &str, keys: &[HashMap<String, AttributeValue>]) -> Result<()> {
    let mut requests = Vec::new();
    for key in keys {
        let request = DeleteRequest::builder().set_key(Some(key.clone())).build();
        let request = request.map_err(|error| Error::failed("An item has no key.").cause(error))?;
        requests.push(WriteRequest::builder().delete_request(request).build());
    }
    let mut patience = Patience::new(clients, CAPACITY_LIMIT);
    // DynamoDB answers 200 with what it had no capacity for.
    loop {
        let before = requests.len();
        let answer = clients.dynamodb.batch_write_item().request_items(table, requests).send().await;
        let answer = answer.doing(format_args!("Emptying the table {table}"))?;
        requests = answer.unprocessed_items().and_then(|left| left.get(table)).cloned().unwrap_or_default();
        if requests.is_empty() {
            return Ok(());
        }
        if requests.len() < before {
            patience.renew();
        }
        if !patience.wait().await {
            return Err(Error::failed(format!("Emptying the table {table} failed."))
                .cause(format_args!(
                    "DynamoDB has left {} items unprocessed for {} s",
                    requests.len(),
                    CAPACITY_LIMIT.as_secs()
                ))
                .hint("Repeat the command; something else may write to the table at a high rate."));
        }
    }
}

/// Names of the tables that start with `prefix`.
pub(crate) async fn names(clients: &Clients, prefix: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut start = None;
    loop {
        let request = clients.dynamodb.list_tables().set_exclusive_start_table_name(start);
        let page = request.send().await.doing("Listing the tables")?;
        names.extend(page.table_names().iter().filter(|name| name.starts_with(prefix)).cloned());
        start = page.last_evaluated_table_name().map(str::to_owned);
        if start.is_none() {
            return Ok(names);
        }
    }
}

/// The indexes of a batch of `size` that are not among `items`.
pub(crate) fn missing(items: &[Item], size: u64) -> Vec<u64> {
    let written: std::collections::BTreeSet<u64> = items.iter().map(|item| item.item_index).collect();
    (0..size).filter(|index| !written.contains(index)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::aws::scripted::{Script, deployed};

    #[test]
    fn an_item_of_the_worker_is_read_and_another_one_is_named() {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let mut attributes = HashMap::from([
            ("BatchId".to_owned(), text("batch")),
            ("ItemIndex".to_owned(), AttributeValue::N("9".to_owned())),
            ("Result".to_owned(), text("879")),
            ("TaskId".to_owned(), text("0f3a")),
            ("WrittenAt".to_owned(), text("2026-01-01T00:00:00.000Z")),
        ]);
        assert_eq!(Item::of(&attributes).unwrap().item_index, 9);
        attributes.remove("Result");
        assert!(Item::of(&attributes).unwrap_err().to_string().contains("Result"));
    }

    #[test]
    fn missing_indexes_are_those_without_an_item() {
        let item =
            |item_index| Item { item_index, result: String::new(), task_id: String::new(), written_at: String::new() };
        assert_eq!(missing(&[item(0), item(2)], 4), [1, 3]);
    }

    fn keys(indexes: std::ops::Range<u64>) -> Vec<Value> {
        indexes.map(|index| json!({"BatchId": {"S": "batch"}, "ItemIndex": {"N": index.to_string()}})).collect()
    }

    /// A table with its tags; the one that is written is seen at the second look.
    fn table() -> Script {
        let late = i64::MAX.to_string();
        Script::default()
            .answer("DescribeTable", json!({"Table": {"TableArn": "arn:T"}}))
            .answer("TagResource", json!({}))
            .answer("ListTagsOfResource", json!({"Tags": []}))
            .answer("ListTagsOfResource", json!({"Tags": [{"Key": CLEARED_TAG, "Value": late}]}))
    }

    #[tokio::test(start_paused = true)]
    async fn clearing_goes_over_all_pages_and_repeats_what_was_left_unprocessed() {
        let left = json!({"FisStopTaskStack-DynamoTable-X": [{"DeleteRequest": {"Key": keys(0..1)[0]}}]});
        let script = table()
            .answer("Scan", json!({"Items": keys(0..30), "LastEvaluatedKey": keys(29..30)[0]}))
            .answer("Scan", json!({"Items": keys(30..31)}))
            .answer("BatchWriteItem", json!({"UnprocessedItems": left}))
            .answer("BatchWriteItem", json!({}));
        assert_eq!(clear(&script.clients(), &deployed(), |_| ()).await.unwrap(), 31);
        let mut sizes: Vec<_> = script
            .requests("BatchWriteItem")
            .iter()
            .map(|request| request["RequestItems"]["FisStopTaskStack-DynamoTable-X"].as_array().unwrap().len())
            .collect();
        // Chunks go side by side.
        sizes.sort_unstable();
        assert_eq!(sizes, [1, 1, 5, 25]);
        assert_eq!(script.requests("ListTagsOfResource").len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_table_without_capacity_is_an_error_after_a_minute() {
        let left = json!({"FisStopTaskStack-DynamoTable-X": [{"DeleteRequest": {"Key": keys(0..1)[0]}}]});
        let script = table()
            .answer("Scan", json!({"Items": keys(0..1)}))
            .answer("BatchWriteItem", json!({"UnprocessedItems": left}));
        let error = clear(&script.clients(), &deployed(), |_| ()).await.unwrap_err();
        assert!(error.to_string().contains("1 items unprocessed"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn items_are_read_from_all_pages() {
        let item = |index: u64| json!({"BatchId": {"S": "batch"}, "ItemIndex": {"N": index.to_string()}, "Result": {"S": "1"}, "TaskId": {"S": "0f"}, "WrittenAt": {"S": "t"}});
        let script = Script::default()
            .answer("Query", json!({"Items": [], "LastEvaluatedKey": keys(0..1)[0]}))
            .answer("Query", json!({"Items": [item(0)], "LastEvaluatedKey": keys(0..1)[0]}))
            .answer("Query", json!({"Items": [item(1)]}));
        assert_eq!(items(&script.clients(), &deployed()).await.unwrap().len(), 2);
        assert_eq!(script.requests("Query")[0]["ConsistentRead"], true);
    }
}
