//! The batch as messages of an SQS queue, one for each item: the queue, not the task, knows what is left to do.
//!
//! SQS hands a message out at least once, in any order, and hides it from other tasks meanwhile. A task that is killed
//! says nothing, and its message comes back by itself.

use std::{
    error::Error,
    fmt::Debug,
    future::{Future, pending},
    time::Duration,
};

use aws_config::SdkConfig;
use aws_sdk_sqs::{
    Client,
    config::Builder,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        change_message_visibility::ChangeMessageVisibilityError, get_queue_attributes::GetQueueAttributesOutput,
    },
    types::{Message, QueueAttributeName as Attribute},
};
use serde::Deserialize;
use tokio::time::sleep;

use crate::{Failure, Settings, aws, log, stop::Stop};

/// How often in a row the queue has to look empty. SQS counts on many servers at once and calls the numbers approximate:
/// it may take a minute until they are right. A task that goes too early loses nothing, since a message that comes back
/// afterwards is there for the next task.
const LOOKS: u32 = 3;

/// How many seconds a message that nobody could work on stays hidden, so that failing does not become a busy loop. After
/// as many tries as the queue allows, SQS moves it to the dead-letter queue.
const AGAIN_AFTER: i32 = 1;

/// The SQS queue, seen by one task that works on one batch.
#[derive(Debug)]
pub struct Queue {
    client: Client,
    /// For the question that SQS may let wait: one attempt at it takes as long as that, and then some.
    patient: Client,
    url: String,
    /// The queue's own visibility timeout, in seconds.
    hidden: i32,
    /// How long SQS holds the answer that there is no message, in seconds.
    patience: i32,
    batch_id: String,
    batch_size: u64,
    stop: Stop,
}

/// An item of the batch, hidden from other tasks for a while.
#[derive(Debug)]
pub struct Item<'a> {
    /// Its index.
    pub index: u64,
    queue: &'a Queue,
    receipt: String,
}

/// What a message says.
#[derive(Deserialize)]
struct Body {
    batch_id: String,
    item_index: u64,
}

impl Queue {
    /// Asks the queue how long it hides a message, so that this is set in one place only.
    pub(crate) async fn open(configuration: &SdkConfig, settings: &Settings, stop: Stop) -> Result<Self, Failure> {
        // The item that another task has in hand may come back, but hardly before it could have been done.
        let patience = settings.item_time.as_secs_f64().ceil().clamp(1.0, 20.0) as i32;
        let attempt = aws::ATTEMPT + Duration::from_secs(patience.unsigned_abs().into());
        let patient = Builder::from(configuration).timeout_config(aws::timeouts(attempt)).build();
        let mut queue = Self {
            client: Client::new(configuration),
            patient: Client::from_conf(patient),
            url: settings.queue_url()?.to_owned(),
            hidden: 0,
            patience,
            batch_id: settings.batch_id.clone(),
            batch_size: settings.batch_size,
            stop,
        };
        let answer = queue.attributes(&[Attribute::VisibilityTimeout]).await?;
        queue.hidden = queue.number(&answer, &Attribute::VisibilityTimeout)?.max(1);
        Ok(queue)
    }

    /// The next item, as soon as there is one; `None` when nothing is left, with this task or with another.
    pub async fn next(&self) -> Result<Option<Item<'_>>, Failure> {
        let mut empty = 0;
        while empty < LOOKS {
            match self.receive().await? {
                Some(message) => match self.item(message).await? {
                    Some(item) => return Ok(Some(item)),
                    None => empty = 0,
                },
                None if self.is_drained().await? => empty += 1,
                None => empty = 0,
            }
        }
        log::line("Nothing left to do: the queue is empty")?;
        Ok(None)
    }

    /// One message at a time, so that none waits in one task's hands while another task has nothing to do.
    async fn receive(&self) -> Result<Option<Message>, Failure> {
        if let Some(signal) = self.stop.so_far() {
            return Err(Failure::StoppedIdle { signal });
        }
        let request = self.patient.receive_message().queue_url(&self.url).wait_time_seconds(self.patience);
        tokio::select! {
            answer = request.send() => {
                let answer = answer.map_err(|e| self.failure(&e, "taking an item out"))?;
                Ok(answer.messages.unwrap_or_default().pop())
            }
            // Not at once: if the answer is on its way with a message, that is to go back.
            signal = self.stop.half_out_of_time() => Err(Failure::StoppedIdle { signal }),
        }
    }

    /// The item that the message stands for. What is no item of this batch is not ours to delete: it is left for the
    /// dead-letter queue, where a person finds it.
    async fn item(&self, message: Message) -> Result<Option<Item<'_>>, Failure> {
        let (body, id) = (message.body.unwrap_or_default(), message.message_id.unwrap_or_default());
        let receipt = message.receipt_handle.unwrap_or_default();
        match serde_json::from_str::<Body>(&body) {
            Ok(Body { batch_id, item_index }) if batch_id == self.batch_id && item_index < self.batch_size => {
                Ok(Some(Item { index: item_index, queue: self, receipt }))
            }
            _ => {
                log::line(format_args!("Message {id} is no item of batch {}: {body:?}", self.batch_id))?;
                self.hide(&receipt, AGAIN_AFTER).await.map_err(|e| self.failure(&e, "putting a message off"))?;
                Ok(None)
            }
        }
    }

    /// Whether there is no message, counting those that other tasks work on and those that are put off.
    async fn is_drained(&self) -> Result<bool, Failure> {
        let names = [
            Attribute::ApproximateNumberOfMessages,
            Attribute::ApproximateNumberOfMessagesNotVisible,
            Attribute::ApproximateNumberOfMessagesDelayed,
        ];
        let answer = self.attributes(&names).await?;
        for name in names {
            if self.number(&answer, &name)? > 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn attributes(&self, names: &[Attribute]) -> Result<GetQueueAttributesOutput, Failure> {
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let answer = request.set_attribute_names(Some(names.to_vec())).send().await;
        answer.map_err(|e| self.failure(&e, "reading the attributes"))
    }

    fn number(&self, answer: &GetQueueAttributesOutput, name: &Attribute) -> Result<i32, Failure> {
        let value = answer.attributes().and_then(|all| all.get(name));
        value.and_then(|text| text.parse().ok()).ok_or_else(|| Failure::Request {
            cause: format!("{name} is {value:?}, not a number"),
            doing: format!("reading the attributes of queue {}", self.url),
        })
    }

    /// Hides a message for so many seconds from now; 0 shows it to everybody at once.
    async fn hide(&self, receipt: &str, seconds: i32) -> Result<(), SdkError<ChangeMessageVisibilityError>> {
        let request = self.client.change_message_visibility().queue_url(&self.url);
        request.receipt_handle(receipt).visibility_timeout(seconds).send().await?;
        Ok(())
    }

    fn failure<E, R>(&self, error: &SdkError<E, R>, doing: &str) -> Failure
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: Debug + 'static,
    {
        Failure::request(error, format!("{doing} of queue {}", self.url))
    }
}

impl Item<'_> {
    /// Does the work, and keeps the message hidden from other tasks until it is done. `None`: the work failed, and
    /// somebody else may try.
    pub async fn hold(&self, work: impl Future<Output = Result<String, Failure>>) -> Result<Option<String>, Failure> {
        let outcome = tokio::select! {
            biased;
            outcome = work => outcome,
            failure = self.stay_hidden() => Err(failure),
        };
        match outcome {
            Ok(result) => Ok(Some(result)),
            Err(failure @ Failure::Item { .. }) => {
                log::line(&failure)?;
                self.give_back(AGAIN_AFTER).await?;
                Ok(None)
            }
            Err(failure) => {
                self.give_back(0).await?;
                Err(failure)
            }
        }
    }

    /// The work is done and written: nobody needs the message any more.
    pub async fn delete(self) -> Result<(), Failure> {
        let Queue { client, url, .. } = self.queue;
        let deleted = client.delete_message().queue_url(url).receipt_handle(&self.receipt).send().await;
        deleted.map_err(|e| self.queue.failure(&e, &format!("deleting item {}", self.index)))?;
        Ok(())
    }

    /// Extends the time long before it is over; ends only if that cannot be done.
    async fn stay_hidden(&self) -> Failure {
        let hidden = self.queue.hidden;
        loop {
            sleep(Duration::from_secs(hidden.unsigned_abs().into()) / 3).await;
            match self.queue.hide(&self.receipt, hidden).await {
                Ok(()) => {}
                // It came back while this task was, say, without a network, and another task has finished it. This one
                // finishes, too: the table takes the first result only.
                Err(error) if is_gone(&error) => return pending().await,
                Err(error) => return self.queue.failure(&error, &format!("keeping item {}", self.index)),
            }
        }
    }

    /// Shows the message to all tasks, after so many seconds. It says so when that fails, which is no reason to fail:
    /// the message comes back by itself, only later.
    async fn give_back(&self, seconds: i32) -> Result<(), Failure> {
        let Self { index, queue, receipt } = self;
        match queue.hide(receipt, seconds).await {
            Ok(()) => log::line(format_args!("Gave item {index} back to the queue")),
            Err(error) => {
                let failure = queue.failure(&error, &format!("giving item {index} back"));
                log::line(format_args!("Item {index} comes back within {} s: {failure}", queue.hidden))
            }
        }
    }
}

/// Whether the message is no longer there, or not in this task's hands.
fn is_gone(error: &SdkError<ChangeMessageVisibilityError>) -> bool {
    let gone = ["MessageNotInflight", "ReceiptHandleIsInvalid", "InvalidParameterValue"];
    error.code().is_some_and(|code| gone.iter().any(|end| code.ends_with(end)))
}
