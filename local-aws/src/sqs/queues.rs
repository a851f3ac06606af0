//! The calls for queues: they come, are found, and go.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::message;
use super::queue::{One, Queue, check_name};
use super::refusal::{NO_QUEUE, invalid, invalid_value, no_queue};
use super::settings::Settings;
use super::tags;
use super::waiters::Waiters;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::paging::page;
use crate::store::{Record, Tx};

/// How long AWS takes to delete a queue; for so long there can be none of the same name.
const DELETION: Duration = Duration::from_secs(60);

/// How long after a PurgeQueue there is no other.
const PURGE_INTERVAL: TimeDelta = TimeDelta::seconds(60);

/// The name of a queue that is being deleted.
#[derive(Serialize, Deserialize)]
struct Deletion {
    name: String,
    ends_at: DateTime<Utc>,
}

impl Record for Deletion {
    const KIND: &'static str = "sqs.deletion";
    fn id(&self) -> String {
        self.name.clone()
    }
}

impl Queue {
    /// Makes a queue.
    ///
    /// # Errors
    /// QueueNameExists, QueueDeletedRecently, or what is wrong with the name or the settings.
    pub(crate) fn create(
        endpoint: &Endpoint,
        tx: &Tx<'_>,
        name: &str,
        settings: Settings,
        tags: BTreeMap<String, String>,
    ) -> Result<Self, ApiError> {
        check_name(name)?;
        if tx.get::<Self>(name)?.is_some() {
            return Err(ApiError::new("QueueNameExists", "A queue with this name already exists."));
        }
        let now = Utc::now();
        if tx.get::<Deletion>(name)?.is_some_and(|deletion| deletion.ends_at > now) {
            return Err(ApiError::new(
                "QueueDeletedRecently",
                "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
            ));
        }
        let queue = Self { name: name.to_owned(), created_at: now, modified_at: now, settings, tags, purged_at: None };
        queue.check(endpoint, tx)?;
        tx.put(&queue)?;
        Ok(queue)
    }

    /// Writes other settings.
    pub(crate) fn change(
        self,
        endpoint: &Endpoint,
        tx: &Tx<'_>,
        settings: Settings,
        tags: BTreeMap<String, String>,
    ) -> Result<Self, ApiError> {
        let queue = Self { settings, tags, modified_at: Utc::now(), ..self };
        queue.check(endpoint, tx)?;
        tx.put(&queue)?;
        Ok(queue)
    }

    /// Refuses a dead-letter queue that is not there or does not want this queue's messages.
    fn check(&self, endpoint: &Endpoint, tx: &Tx<'_>) -> Result<(), ApiError> {
        let Some(policy) = &self.settings.redrive_policy else { return Ok(()) };
        let refuse = |reason: &str| invalid_value("RedrivePolicy", policy.text(), reason);
        let target = match Self::of_arn(endpoint, tx, &policy.dead_letter_target_arn) {
            Err(error) if error.code == NO_QUEUE => return Err(refuse("Dead letter target does not exist.")),
            target => target?,
        };
        match &target.settings.redrive_allow_policy {
            Some(allowed) if !allowed.allows(&self.arn(endpoint)) => {
                Err(refuse("The RedriveAllowPolicy of the dead letter target does not allow this source queue."))
            }
            _ => Ok(()),
        }
    }

    /// Deletes the queue of this name with its messages; says whether it was there.
    pub(crate) fn delete(endpoint: &Endpoint, tx: &Tx<'_>, name: &str) -> Result<bool, ApiError> {
        message::delete_all(tx, name)?;
        let was_there = tx.delete::<Self>(name)?;
        if let Some(ends_at) = endpoint.latency.end_of(DELETION).filter(|_| was_there) {
            tx.put(&Deletion { name: name.to_owned(), ends_at })?;
        }
        Waiters::dismiss(endpoint, name);
        Ok(was_there)
    }
}

/// Forgets deletions that are over, and messages that are too old.
pub(super) fn forget(tx: &Tx<'_>, now: DateTime<Utc>) -> Result<(), ApiError> {
    for deletion in tx.list::<Deletion>()?.into_iter().filter(|deletion| deletion.ends_at < now) {
        tx.delete::<Deletion>(&deletion.name)?;
    }
    tx.list::<Queue>()?.iter().try_for_each(|queue| message::delete_expired(tx, queue, now.timestamp_millis()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateQueue {
    #[serde(rename = "QueueName")]
    name: String,
    #[serde(rename = "Attributes", default)]
    attributes: BTreeMap<String, String>,
    /// In lower case in AWS's model.
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

pub(super) fn create_queue(endpoint: &Endpoint, input: CreateQueue) -> Result<Value, ApiError> {
    let CreateQueue { name, attributes, tags } = input;
    let mut settings = Settings::default();
    attributes.iter().try_for_each(|(name, value)| settings.set(name, value))?;
    tags::check(&tags)?;
    let queue = endpoint.store.write(|tx| match tx.get::<Queue>(&name)? {
        Some(queue) => {
            // What the call does not speak of may be otherwise.
            let differs = |name: &&String| queue.settings.get(name) != settings.get(name);
            match attributes.keys().find(differs) {
                Some(other) => Err(ApiError::new(
                    "QueueNameExists",
                    format!("A queue already exists with the same name and a different value for attribute {other}"),
                )),
                None => Ok(queue),
            }
        }
        None => Queue::create(endpoint, tx, &name, settings, tags),
    })?;
    Ok(json!({"QueueUrl": queue.url(endpoint)}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GetQueueUrl {
    #[serde(rename = "QueueName")]
    name: String,
    #[serde(rename = "QueueOwnerAWSAccountId")]
    account: Option<String>,
}

pub(super) fn get_queue_url(endpoint: &Endpoint, input: &GetQueueUrl) -> Result<Value, ApiError> {
    if input.account.as_ref().is_some_and(|account| *account != endpoint.identity.account_id) {
        return Err(no_queue());
    }
    let queue = endpoint.store.read(|tx| Queue::named(tx, &input.name))?;
    Ok(json!({"QueueUrl": queue.url(endpoint)}))
}

pub(super) fn delete_queue(endpoint: &Endpoint, input: &One) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        let queue = Queue::at(endpoint, tx, &input.queue_url)?;
        Queue::delete(endpoint, tx, &queue.name)
    })?;
    Ok(json!({}))
}

pub(super) fn purge_queue(endpoint: &Endpoint, input: &One) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        let (queue, now) = (Queue::at(endpoint, tx, &input.queue_url)?, Utc::now());
        if queue.purged_at.is_some_and(|at| now - at < PURGE_INTERVAL) {
            let message = format!("Only one PurgeQueue operation on {} is allowed every 60 seconds.", queue.name);
            return Err(ApiError::new("PurgeQueueInProgress", message).status(403));
        }
        message::delete_all(tx, &queue.name)?;
        tx.put(&Queue { purged_at: Some(now), ..queue })
    })?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ListQueues {
    queue_name_prefix: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

pub(super) fn list_queues(endpoint: &Endpoint, input: &ListQueues) -> Result<Value, ApiError> {
    let prefix = input.queue_name_prefix.as_deref().unwrap_or_default();
    let queues = endpoint.store.read(|tx| tx.list_prefix::<Queue>(prefix))?;
    urls(endpoint, "QueueUrls", queues, input.max_results, input.next_token.as_deref())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ListDeadLetterSourceQueues {
    queue_url: String,
    max_results: Option<i64>,
    next_token: Option<String>,
}

pub(super) fn list_dead_letter_source_queues(
    endpoint: &Endpoint,
    input: &ListDeadLetterSourceQueues,
) -> Result<Value, ApiError> {
    let sources = endpoint.store.read(|tx| {
        let target = Queue::at(endpoint, tx, &input.queue_url)?;
        Ok(target.sources(endpoint, tx)?.collect())
    })?;
    // In lower case in AWS's model.
    let mut output = urls(endpoint, "queueUrls", sources, input.max_results, input.next_token.as_deref())?;
    if output.get("queueUrls").is_none() {
        output["queueUrls"] = json!([]);
    }
    Ok(output)
}

impl Queue {
    /// The queues that have this one for their dead letters.
    pub(super) fn sources(&self, endpoint: &Endpoint, tx: &Tx<'_>) -> Result<impl Iterator<Item = Self>, ApiError> {
        let arn = self.arn(endpoint);
        Ok(tx.list::<Self>()?.into_iter().filter(move |queue| {
            queue.settings.redrive_policy.as_ref().is_some_and(|policy| policy.dead_letter_target_arn == arn)
        }))
    }
}

/// A page of URLs. There is more than one only for who has asked for pages.
fn urls(
    endpoint: &Endpoint,
    member: &str,
    queues: Vec<Queue>,
    max_results: Option<i64>,
    token: Option<&str>,
) -> Result<Value, ApiError> {
    const MOST: i64 = 1_000;
    let limit = match max_results {
        None => MOST,
        Some(limit) if (1..=MOST).contains(&limit) => limit,
        Some(_) => return Err(invalid("MaxResults must be an integer between 1 and 1000.")),
    };
    let bad_token = || invalid("Invalid or expired next token.");
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (queues, next) = page(queues, |queue| queue.name.clone(), false, token, limit, bad_token)?;
    let mut output = json!({});
    if !queues.is_empty() {
        output[member] = queues.iter().map(|queue| queue.url(endpoint)).collect();
    }
    if let Some(next) = next.filter(|_| max_results.is_some()) {
        output["NextToken"] = json!(next);
    }
    Ok(output)
}
