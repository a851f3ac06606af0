//! Events that services send: what EventBridge has not matched with its rules yet.
//!
//! An event is written in the transaction of what it tells of, so it is there if and only if that happened, and a kill
//! loses none. `events` takes it from here; this module is below all services, which know nothing of rules.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use rusqlite::params;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Notify;

use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// An event before it is on its way.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) id: String,
    /// E.g. `aws.ecs`.
    pub(crate) source: String,
    /// E.g. `ECS Task State Change`.
    pub(crate) detail_type: String,
    /// ARNs of what it is about.
    pub(crate) resources: Vec<String>,
    /// An object.
    pub(crate) detail: Value,
    pub(crate) time: DateTime<Utc>,
}

impl Event {
    /// One that happens now.
    pub(crate) fn new(source: &str, detail_type: &str, resources: Vec<String>, detail: Value) -> Self {
        Self {
            id: uuid::Uuid::new_v4().to_string(),
            source: source.to_owned(),
            detail_type: detail_type.to_owned(),
            resources,
            detail,
            time: Utc::now(),
        }
    }

    /// As targets get it.
    pub(crate) fn text(&self, endpoint: &Endpoint) -> Result<String, ApiError> {
        let envelope = Envelope {
            version: "0",
            id: &self.id,
            detail_type: &self.detail_type,
            source: &self.source,
            account: &endpoint.identity.account_id,
            time: self.time.to_rfc3339_opts(SecondsFormat::Secs, true),
            region: &endpoint.identity.region,
            resources: &self.resources,
            detail: &self.detail,
        };
        Ok(serde_json::to_string(&envelope)?)
    }
}

/// The members in AWS's order.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Envelope<'a> {
    version: &'static str,
    id: &'a str,
    detail_type: &'a str,
    source: &'a str,
    account: &'a str,
    /// Whole seconds.
    time: String,
    region: &'a str,
    resources: &'a [String],
    detail: &'a Value,
}

/// Somebody who wants events. Without any, none is written.
#[derive(Serialize, Deserialize)]
struct Listener {
    name: String,
}

impl Record for Listener {
    const KIND: &'static str = "outbox.listener";
    fn id(&self) -> String {
        self.name.clone()
    }
}

/// From now on, events are kept for `name`.
pub(crate) fn listen(tx: &Tx<'_>, name: &str) -> Result<(), ApiError> {
    tx.put(&Listener { name: name.to_owned() })
}

/// `name` wants no more.
pub(crate) fn leave(tx: &Tx<'_>, name: &str) -> Result<(), ApiError> {
    tx.delete::<Listener>(name).map(drop)
}

/// Tells who takes the events out that there are some.
#[derive(Default)]
pub(crate) struct Bell {
    rung: Notify,
}

impl Bell {
    pub(crate) fn of(endpoint: &Endpoint) -> Arc<Self> {
        endpoint.memory()
    }

    /// May be rung within a transaction: who hears it cannot read the store before that has ended.
    pub(crate) fn ring(&self) {
        self.rung.notify_one();
    }

    /// Ready when it has been rung since the last time.
    pub(crate) async fn heard(&self) {
        self.rung.notified().await;
    }
}

/// Sends an event, if somebody listens.
pub(crate) fn put(tx: &Tx<'_>, endpoint: &Endpoint, event: impl FnOnce() -> Event) -> Result<(), ApiError> {
    let is_heard: bool = tx
        .sql()
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM document WHERE kind = ?)")?
        .query_row(params![Listener::KIND], |row| row.get(0))?;
    if !is_heard {
        return Ok(());
    }
    let text = event().text(endpoint)?;
    tx.sql().prepare_cached("INSERT INTO event_outbox (event) VALUES (?)")?.execute(params![text])?;
    Bell::of(endpoint).ring();
    Ok(())
}

/// Takes the oldest events out, at most `limit`.
pub(crate) fn take(tx: &Tx<'_>, limit: u32) -> Result<Vec<String>, ApiError> {
    let mut taken = Vec::new();
    let mut last = None;
    let mut statement =
        tx.sql().prepare_cached("SELECT sequence, event FROM event_outbox ORDER BY sequence LIMIT ?")?;
    let mut rows = statement.query(params![limit])?;
    while let Some(row) = rows.next()? {
        last = Some(row.get::<_, i64>(0)?);
        taken.push(row.get(1)?);
    }
    if let Some(last) = last {
        tx.sql().prepare_cached("DELETE FROM event_outbox WHERE sequence <= ?")?.execute(params![last])?;
    }
    Ok(taken)
}
