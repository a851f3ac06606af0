//! Stored events, in their one order: time, then arrival.
//!
//! A row holds the events of one stream that have one time and arrived together.

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
    /// Its row.
    pub(super) sequence: i64,
    /// Its place in the row.
    pub(super) index: i64,
}

impl Position {
    /// Before every event of this time and later.
    pub(super) fn before(timestamp: i64) -> Self {
        Self { timestamp, sequence: i64::MIN, index: 0 }
    }

    /// After every event of this time and earlier.
    pub(super) fn after(timestamp: i64) -> Self {
        Self { timestamp, sequence: i64::MAX, index: 0 }
    }

    /// As text: 56 digits, like AWS's event ids, in the order of the positions.
    pub(super) fn digits(self) -> String {
        format!("{:020}{:026}{:010}", self.timestamp, self.sequence, self.index)
    }

    /// Reads what [`Self::digits`] wrote.
    pub(super) fn parse(digits: &str) -> Option<Self> {
        if digits.len() != 56 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let ((timestamp, rest), index) = (digits.split_at_checked(20)?, digits.get(46..)?);
        let sequence = rest.get(..26)?;
        Some(Self { timestamp: timestamp.parse().ok()?, sequence: sequence.parse().ok()?, index: index.parse().ok()? })
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
            "SELECT timestamp, sequence, log_stream, ingestion_time, messages FROM log_event
             WHERE log_group = ?1 AND (timestamp, sequence) >= (?2, ?3) AND (timestamp, sequence) <= (?4, ?5) AND {clause}
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
            let (timestamp, sequence, ingestion_time) = (row.get(0)?, row.get(1)?, row.get(3)?);
            let stream: String = row.get(2)?;
            for (index, message) in self.messages(row.get_ref(4)?.as_str().map_err(rusqlite::Error::from)?)? {
                let at = Position { timestamp, sequence, index };
                if at <= self.after || at >= self.before {
                    continue;
                }
                let size = message.len() + EVENT_OVERHEAD;
                let full = events.len() == limit || (!events.is_empty() && bytes + size > MAX_PAGE_BYTES);
                if full || seen == most {
                    return Ok(Page { events, rest_after: last });
                }
                if wanted(&message) {
                    bytes += size;
                    events.push(Event { at, stream: stream.clone(), ingestion_time, message });
                }
                seen += 1;
                last = Some(at);
            }
        }
        Ok(Page { events, rest_after: None })
    }

    /// The events of a row in the order of the scan, with their places in it.
    fn messages(&self, row: &str) -> Result<Vec<(i64, String)>, ApiError> {
        let messages: Vec<String> = serde_json::from_str(row)?;
        let mut messages: Vec<_> = (0..).zip(messages).collect();
        if self.newest_first {
            messages.reverse();
        }
        Ok(messages)
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
        let timestamp = 1_700_000_000_000;
        let earlier = Position { timestamp, sequence: 99, index: 9_999 };
        let later = Position { timestamp, sequence: 100, index: 0 };
        assert_eq!(Position::parse(&earlier.digits()), Some(earlier));
        assert!(earlier < later && earlier.digits() < later.digits());
        assert_eq!(Position::parse("123"), None);
        assert_eq!(Position::parse(&"-".repeat(56)), None);
        assert_eq!(Position::parse(&"\u{e9}".repeat(28)), None);
    }
}
