//! SQS: the batch as messages, an item in each.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use super::clients::Clients;
use super::deployed::Deployed;
use super::patience::Patience;
use crate::error::{Doing, Error, Result};
use crate::target::Target;

/// As many messages as SendMessageBatch takes.
const CHUNK: usize = 10;

/// How many such requests at once.
const AT_ONCE: usize = 8;

/// How long SQS may have no room for a message.
const CAPACITY_LIMIT: Duration = Duration::from_secs(60);

/// SQS purges a queue once a minute, and may take as long: what is sent meanwhile may go, too.
const PURGE: Duration = Duration::from_secs(60);

/// How long a message that was looked at is hidden, so that the next look shows others.
const LOOK: Duration = Duration::from_secs(2);

/// Codes of SQS for a queue that is not there, in its own words and those of its older protocol.
pub(crate) const NONE: &[&str] = &["QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"];

/// A message of the queue, as the worker reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Message {
    batch_id: String,
    item_index: u64,
}

/// Sends a message for each item of a batch of `size`; says how many were sent. A batch that was sent is not sent again, as a
/// note in the table says, until the table is cleared. The note comes last: killed before it, the messages are sent once
/// more, and a worker that finds its item written has nothing to do for it.
pub(crate) async fn seed(clients: &Clients, deployed: &Deployed, size: u64, sent: impl Fn(usize)) -> Result<usize> {
    let begin = seeded(clients, deployed).await?;
    if begin >= size {
        return Ok(0);
    }
    let count = send(clients, deployed, begin..size, sent).await?;
    note_seeded(clients, deployed, size).await?;
    Ok(count)
}

async fn send(clients: &Clients, deployed: &Deployed, indexes: Range<u64>, sent: impl Fn(usize)) -> Result<usize> {
    let indexes: Vec<_> = indexes.collect();
    let chunks = indexes.chunks(CHUNK).map(|chunk| async move {
        send_batch(clients, deployed, chunk).await?;
        Ok::<_, Error>(chunk.len())
    });
    let mut chunks = stream::iter(chunks).buffer_unordered(AT_ONCE);
    let mut count = 0;
    while let Some(more) = chunks.try_next().await? {
        count += more;
        sent(count);
    }
    Ok(count)
}

async fn send_batch(clients: &Clients, deployed: &Deployed, indexes: &[u64]) -> Result<()> {
    let mut left: BTreeSet<String> = indexes.iter().map(u64::to_string).collect();
    let mut patience = Patience::new(clients, CAPACITY_LIMIT);
    loop {
        let mut request = clients.sqs.send_message_batch().queue_url(deployed.queue_url()?);
        for index in indexes.iter().filter(|index| left.contains(&index.to_string())) {
            let entry = SendMessageBatchRequestEntry::builder().id(index.to_string());
            let entry = entry.message_body(body(deployed, *index)?).build();
            request = request.entries(entry.map_err(|error| Error::failed("No message.").cause(error))?);
        }
        let answer = request.send().await.doing("Sending the items to the queue");
        let answer = answer.map_err(|error| deployed.without("queue", error))?;
        // SQS answers 200 with what it could not take.
        let Some(failed) = answer.failed().first() else { return Ok(()) };
        left = answer.failed().iter().map(|failed| failed.id().to_owned()).collect();
        if failed.sender_fault() || !patience.wait().await {
            return Err(Error::failed(format!("SQS did not take {} items.", left.len()))
                .cause(format_args!("{}: {}", failed.code(), failed.message().unwrap_or_default()))
                .hint("Repeat the command: items that were sent twice are worked on once."));
        }
    }
}

/// What the message of an item says.
fn body(deployed: &Deployed, index: u64) -> Result<String> {
    let message = Message { batch_id: deployed.batch_id()?.to_owned(), item_index: index };
    serde_json::to_string(&message).map_err(|error| Error::failed("No message.").cause(error))
}

/// Sends one more message of an item, which comes after so many seconds.
pub(crate) async fn send_again(clients: &Clients, deployed: &Deployed, index: u64, delay: i32) -> Result<()> {
    let request = clients.sqs.send_message().queue_url(deployed.queue_url()?).message_body(body(deployed, index)?);
    request.delay_seconds(delay).send().await.doing("Sending an item to the queue").map(drop)
}

/// Sets how long a message is hidden from others when a task has taken it, in seconds.
pub(crate) async fn hide_for(clients: &Clients, deployed: &Deployed, seconds: u32) -> Result<()> {
    let request = clients.sqs.set_queue_attributes().queue_url(deployed.queue_url()?);
    let request = request.attributes(QueueAttributeName::VisibilityTimeout, seconds.to_string());
    request.send().await.doing("Setting the visibility timeout").map(drop)
}

/// Key of the note, beside the items: they are found by their batch.
fn key(deployed: &Deployed) -> Result<HashMap<String, AttributeValue>> {
    let batch = AttributeValue::S(format!("queue#{}", deployed.batch_id()?));
    Ok(HashMap::from([("BatchId".to_owned(), batch), ("ItemIndex".to_owned(), AttributeValue::N("0".to_owned()))]))
}

/// How many items of the batch were sent.
async fn seeded(clients: &Clients, deployed: &Deployed) -> Result<u64> {
    let table = deployed.table()?;
    let request = clients.dynamodb.get_item().table_name(table).set_key(Some(key(deployed)?)).consistent_read(true);
    let answer = request.send().await.doing(format_args!("Reading the table {table}"));
    let answer = answer.map_err(|error| deployed.without("table", error))?;
    let size = answer.item().and_then(|item| item.get("BatchSize")).and_then(|size| size.as_n().ok());
    Ok(size.and_then(|size| size.parse().ok()).unwrap_or_default())
}

async fn note_seeded(clients: &Clients, deployed: &Deployed, size: u64) -> Result<()> {
    let table = deployed.table()?;
    let request = clients.dynamodb.put_item().table_name(table).set_item(Some(key(deployed)?));
    let request = request.item("BatchSize", AttributeValue::N(size.to_string()));
    request.send().await.doing(format_args!("Writing to the table {table}"))?;
    Ok(())
}

/// URLs of the queues whose names start with `prefix`.
pub(crate) async fn urls(clients: &Clients, prefix: &str) -> Result<Vec<String>> {
    let mut urls = Vec::new();
    let mut next = None;
    loop {
        // Without a number of results there is no next page.
        let request = clients.sqs.list_queues().queue_name_prefix(prefix).max_results(1000).set_next_token(next);
        let page = request.send().await.doing("Listing the queues")?;
        urls.extend(page.queue_urls().iter().cloned());
        next = page.next_token().map(str::to_owned);
        if next.is_none() {
            return Ok(urls);
        }
    }
}

/// Whether there is a queue of this name.
pub(crate) async fn has(clients: &Clients, name: &str) -> Result<bool> {
    let answer = clients.sqs.get_queue_url().queue_name(name).send().await;
    match answer.doing(format_args!("Looking for the queue {name}")) {
        Ok(_) => Ok(true),
        Err(error) if error.has_code(NONE) => Ok(false),
        Err(error) => Err(error),
    }
}

/// How many messages a queue holds, as far as SQS knows: it counts with delay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Depth {
    /// Ready to be taken.
    pub(crate) waiting: u64,
    /// Taken, and not done yet.
    pub(crate) in_work: u64,
    /// Given up.
    pub(crate) dead: u64,
}

impl Depth {
    fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// How many messages there are.
pub(crate) async fn depth(clients: &Clients, deployed: &Deployed) -> Result<Depth> {
    let (items, dead) = tokio::try_join!(
        counts(clients, deployed, deployed.queue_url()?),
        counts(clients, deployed, deployed.dead_letter_queue_url()?),
    )?;
    Ok(Depth { waiting: items.0, in_work: items.1, dead: dead.0 + dead.1 })
}

/// Messages that are ready (or will be), and those that somebody has taken.
async fn counts(clients: &Clients, deployed: &Deployed, url: &str) -> Result<(u64, u64)> {
    use QueueAttributeName::{
        ApproximateNumberOfMessages as Ready, ApproximateNumberOfMessagesDelayed as Delayed,
        ApproximateNumberOfMessagesNotVisible as Taken,
    };
    let request = clients.sqs.get_queue_attributes().queue_url(url);
    let request = request.attribute_names(Ready).attribute_names(Taken).attribute_names(Delayed);
    let answer = request.send().await.doing("Counting the messages");
    let answer = answer.map_err(|error| deployed.without("queue", error))?;
    let count = |name| {
        let text = answer.attributes().and_then(|attributes| attributes.get(&name));
        text.and_then(|text| text.parse::<u64>().ok()).unwrap_or_default()
    };
    Ok((count(Ready) + count(Delayed), count(Taken)))
}

/// Empties both queues, if there is anything in them. `on_wait` is called when it takes a while.
pub(crate) async fn clear(clients: &Clients, deployed: &Deployed, on_wait: impl Fn()) -> Result<()> {
    if depth(clients, deployed).await?.is_empty() {
        return Ok(());
    }
    for url in [deployed.queue_url()?, deployed.dead_letter_queue_url()?] {
        let mut patience = Patience::new(clients, PURGE + LOOK);
        loop {
            let purged = clients.sqs.purge_queue().queue_url(url).send().await.doing("Emptying the queue");
            match purged {
                Ok(_) => break,
                Err(error) if error.has_code(&["PurgeQueueInProgress", IN_PROGRESS]) && patience.wait().await => {
                    on_wait();
                }
                Err(error) => return Err(deployed.without("queue", error)),
            }
        }
    }
    if clients.target == Target::Aws {
        on_wait();
        tokio::time::sleep(PURGE).await;
    }
    Ok(())
}

/// The same in the words of SQS's older protocol, which its errors go on to name.
const IN_PROGRESS: &str = "AWS.SimpleQueueService.PurgeQueueInProgress";

/// The items that no worker got done, as far as one look shows them: a look hides a message from the next one for a moment.
pub(crate) async fn dead_items(clients: &Clients, deployed: &Deployed) -> Result<Vec<u64>> {
    let url = deployed.dead_letter_queue_url()?;
    let mut indexes = BTreeSet::new();
    loop {
        let request = clients.sqs.receive_message().queue_url(url).max_number_of_messages(10);
        let request = request.visibility_timeout(i32::try_from(LOOK.as_secs()).unwrap_or(1)).wait_time_seconds(0);
        let answer = request.send().await.doing("Reading the dead-letter queue");
        let answer = answer.map_err(|error| deployed.without("dead-letter queue", error))?;
        let before = indexes.len();
        let bodies = answer.messages().iter().filter_map(|message| message.body());
        let messages = bodies.filter_map(|body| serde_json::from_str::<Message>(body).ok());
        indexes.extend(
            messages.filter(|it| deployed.batch_id().is_ok_and(|id| id == it.batch_id)).map(|it| it.item_index),
        );
        if indexes.len() == before {
            return Ok(indexes.into_iter().collect());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::aws::scripted::{Script, deployed};

    fn note(size: u64) -> Value {
        json!({"Item": {"BatchSize": {"N": size.to_string()}}})
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_is_sent_in_tens_and_noted_once_all_is_sent() {
        let failed = json!({"Successful": [], "Failed": [{"Id": "11", "Code": "InternalError", "SenderFault": false}]});
        let script = Script::default()
            .answer("GetItem", json!({}))
            .answer("SendMessageBatch", json!({"Successful": [], "Failed": []}))
            .answer("SendMessageBatch", failed)
            .answer("SendMessageBatch", json!({"Successful": [], "Failed": []}))
            .answer("PutItem", json!({}));
        assert_eq!(seed(&script.clients(), &deployed(), 12, |_| ()).await.unwrap(), 12);
        let mut sizes: Vec<_> = script
            .requests("SendMessageBatch")
            .iter()
            .map(|request| request["Entries"].as_array().unwrap().len())
            .collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [1, 2, 10]);
        assert_eq!(script.requests("PutItem")[0]["Item"]["BatchSize"]["N"], "12");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_sent_is_not_sent_again_and_a_larger_batch_gets_the_rest() {
        let script = Script::default().answer("GetItem", note(10));
        assert_eq!(seed(&script.clients(), &deployed(), 10, |_| ()).await.unwrap(), 0);
        let script = Script::default()
            .answer("GetItem", note(10))
            .answer("SendMessageBatch", json!({"Successful": [], "Failed": []}))
            .answer("PutItem", json!({}));
        assert_eq!(seed(&script.clients(), &deployed(), 12, |_| ()).await.unwrap(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_sqs_refuses_is_an_error_and_nothing_is_noted() {
        let failed = json!({"Successful": [], "Failed": [{"Id": "0", "Code": "InvalidMessageContents", "Message": "no", "SenderFault": true}]});
        let script = Script::default().answer("GetItem", json!({})).answer("SendMessageBatch", failed);
        let error = seed(&script.clients(), &deployed(), 1, |_| ()).await.unwrap_err();
        assert!(error.to_string().contains("InvalidMessageContents"), "{error}");
        assert!(script.requests("PutItem").is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_queue_is_left_alone_and_a_full_one_is_waited_for() {
        let counts = |ready: &str| json!({"Attributes": {"ApproximateNumberOfMessages": ready}});
        let script = Script::default().answer("GetQueueAttributes", counts("0"));
        clear(&script.clients(), &deployed(), || ()).await.unwrap();
        assert!(script.requests("PurgeQueue").is_empty());
        let script = Script::default()
            .answer("GetQueueAttributes", counts("3"))
            .refusal("PurgeQueue", 403, "com.amazonaws.sqs#PurgeQueueInProgress", "once a minute")
            .answer("PurgeQueue", json!({}));
        let begin = tokio::time::Instant::now();
        clear(&script.clients(), &deployed(), || ()).await.unwrap();
        assert_eq!(script.requests("PurgeQueue").len(), 3);
        assert!(begin.elapsed() >= PURGE);
    }

    #[tokio::test(start_paused = true)]
    async fn dead_items_are_those_of_the_batch() {
        let body =
            |batch: &str, index: u64| json!({"Body": json!({"batch_id": batch, "item_index": index}).to_string()});
        let some = json!({"Messages": [body("batch", 7), body("batch", 3), body("other", 1), {"Body": "nonsense"}]});
        let script = Script::default().answer("ReceiveMessage", some).answer("ReceiveMessage", json!({}));
        assert_eq!(dead_items(&script.clients(), &deployed()).await.unwrap(), [3, 7]);
    }
}
