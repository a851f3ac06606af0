//! Stored events, in their one order: time, then arrival.

use rusqlite::params;

use crate::error::ApiError;
use crate::store::Tx;

/// What CloudWatch Logs adds to each event's size.
pub(super) const EVENT_OVERHEAD: usize = 26;

/// Most that an answer of GetLogEvents or FilterLogEvents holds.
const MAX_PAGE_BYTES: usize = 1_048_576;

/// An event's place in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) timestamp: i64,
    pub(super) sequence: i64,
}

impl Position {
    /// Before every event of this time and later.
    pub(super) fn before(timestamp: i64) -> Self {
        Self { timestamp, sequence: i64::MIN }
    }

    /// After every event of this time and earlier.
    pub(super) fn after(timestamp: i64) -> Self {
        Self { timestamp, sequence: i64::MAX }
    }

    /// As text: 56 digits, like AWS's event ids, in the order of the positions.
    pub(super) fn digits(self) -> String {
        format!("{:020}{:036}", self.timestamp, self.sequence)
    }

    /// Reads what [`Self::digits`] wrote.
    pub(super) fn parse(digits: &str) -> Option<Self> {
        let (timestamp, sequence) = digits.split_at_checked(20).filter(|_| digits.len() == 56)?;
        Some(Self { timestamp: timestamp.parse().ok()?, sequence: sequence.parse().ok()? })
    }
}

/// A stored event.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) at: Position,
    pub(super) stream: String,
    pub(super) ingestion_time: i64,
    pub(super) message: String,
}

/// Streams of a group.
pub(super) enum Streams {
    All,
    One(String),
    Prefix(String),
    Several(Vec<String>),
}

/// Which events of a group, and in which order.
pub(super) struct Scan<'a> {
    pub(super) group: &'a str,
    pub(super) streams: &'a Streams,
    /// Exclusive.
    pub(super) after: Position,
    /// Exclusive.
    pub(super) before: Position,
    pub(super) newest_first: bool,
}

/// What a scan came to.
pub(super) struct Page {
    pub(super) events: Vec<Event>,
    /// The last event looked at, when there may be more behind it.
    pub(super) rest_after: Option<Position>,
}

impl Scan<'_> {
    /// The first `limit` events that `wanted` accepts, in a page of AWS's size. Looks at no more than `most` events,
    /// so one call holds the state for a bounded time.
    pub(super) fn page(
        &self,
        tx: &Tx<'_>,
        limit: usize,
        most: usize,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Page, ApiError> {
        let (clause, argument) = self.streams.clause()?;
        let order = if self.newest_first { "DESC" } else { "ASC" };
        let mut statement = tx.sql().prepare_cached(&format!(
            "SELECT timestamp, sequence, log_stream, ingestion_time, message FROM log_event
             WHERE log_group = ?1 AND (timestamp, sequence) > (?2, ?3) AND (timestamp, sequence) < (?4, ?5) AND {clause}
             ORDER BY timestamp {order}, sequence {order}"
        ))?;
        let mut rows = statement.query(params![
            self.group,
            self.after.timestamp,
            self.after.sequence,
            self.before.timestamp,
            self.before.sequence,
            argument
        ])?;
        let (mut events, mut seen, mut bytes) = (Vec::new(), 0, 0);
        let mut last = None;
        while let Some(row) = rows.next()? {
            let at = Position { timestamp: row.get(0)?, sequence: row.get(1)? };
            let message: String = row.get(4)?;
            let size = message.len() + EVENT_OVERHEAD;
            let full = events.len() == limit || (!events.is_empty() && bytes + size > MAX_PAGE_BYTES);
            if full || seen == most {
                return Ok(Page { events, rest_after: last });
            }
            if wanted(&message) {
                bytes += size;
                events.push(Event { at, stream: row.get(2)?, ingestion_time: row.get(3)?, message });
            }
            seen += 1;
            last = Some(at);
        }
        Ok(Page { events, rest_after: None })
    }
}

impl Streams {
    /// The condition on `log_stream`, and its argument `?6`.
    fn clause(&self) -> Result<(&'static str, String), ApiError> {
        Ok(match self {
            Self::All => ("?6 = ''", String::new()),
            Self::One(name) => ("log_stream = ?6", name.clone()),
            Self::Prefix(prefix) => ("substr(log_stream, 1, length(?6)) = ?6", prefix.clone()),
            Self::Several(names) => ("log_stream IN (SELECT value FROM json_each(?6))", serde_json::to_string(names)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_survive_their_text_and_keep_their_order() {
        let earlier = Position { timestamp: 1_700_000_000_000, sequence: 99 };
        let later = Position { timestamp: 1_700_000_000_000, sequence: 100 };
        assert_eq!(Position::parse(&earlier.digits()), Some(earlier));
        assert!(earlier.digits() < later.digits());
        assert_eq!(Position::parse("123"), None);
    }
}
