//! A queue: its record, and how calls name it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::refusal::{invalid, no_queue};
use super::settings::Settings;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// A standard queue.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Queue {
    pub(crate) name: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) modified_at: DateTime<Utc>,
    pub(crate) settings: Settings,
    pub(crate) tags: BTreeMap<String, String>,
    pub(super) purged_at: Option<DateTime<Utc>>,
}

impl Record for Queue {
    const KIND: &'static str = "sqs.queue";
    fn id(&self) -> String {
        self.name.clone()
    }
}

impl Queue {
    pub(crate) fn arn(&self, endpoint: &Endpoint) -> String {
        endpoint.arn("sqs", &self.name)
    }

    pub(crate) fn url(&self, endpoint: &Endpoint) -> String {
        format!("{}/{}/{}", endpoint.url, endpoint.identity.account_id, self.name)
    }

    /// The queue of this name.
    ///
    /// # Errors
    /// QueueDoesNotExist.
    pub(crate) fn named(tx: &Tx<'_>, name: &str) -> Result<Self, ApiError> {
        tx.get(name)?.ok_or_else(no_queue)
    }

    /// The queue at this URL.
    ///
    /// # Errors
    /// QueueDoesNotExist.
    pub(crate) fn at(endpoint: &Endpoint, tx: &Tx<'_>, url: &str) -> Result<Self, ApiError> {
        Self::named(tx, name_in_url(endpoint, url)?)
    }

    /// The queue of this ARN.
    ///
    /// # Errors
    /// QueueDoesNotExist.
    pub(crate) fn of_arn(endpoint: &Endpoint, tx: &Tx<'_>, arn: &str) -> Result<Self, ApiError> {
        // An ARN of another account or region is of no queue here.
        let queue = Self::named(tx, arn.rsplit(':').next().unwrap_or_default())?;
        if queue.arn(endpoint) == arn { Ok(queue) } else { Err(no_queue()) }
    }
}

/// The input of the calls that only name a queue.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct One {
    pub(super) queue_url: String,
}

/// The name in a queue's URL: the last of its path, after the account. What is before them says where the queue was when
/// somebody wrote the URL down, and the endpoint may have another port now.
pub(crate) fn name_in_url<'a>(endpoint: &Endpoint, url: &'a str) -> Result<&'a str, ApiError> {
    let mut segments = url.rsplit('/');
    match (segments.next(), segments.next()) {
        (Some(name), Some(account)) if account == endpoint.identity.account_id => Ok(name),
        (Some(_), Some(account)) if account.len() == 12 && account.bytes().all(|it| it.is_ascii_digit()) => {
            Err(no_queue())
        }
        _ => Err(ApiError::new("InvalidAddress", format!("The address {url} is not valid for this endpoint."))),
    }
}

/// Refuses what is no name of a standard queue.
pub(super) fn check_name(name: &str) -> Result<(), ApiError> {
    if name.strip_suffix(".fifo").is_some_and(is_name) {
        return Err(ApiError::unsupported("A FIFO queue"));
    }
    if is_name(name) {
        return Ok(());
    }
    Err(invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"))
}

fn is_name(name: &str) -> bool {
    (1..=80).contains(&name.len()) && name.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it))
}
