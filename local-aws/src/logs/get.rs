//! GetLogEvents: one stream, to and fro.

use chrono::Utc;
use serde::Deserialize;
use serde_json::{Value, json};

use super::event::{Position, Scan, Streams};
use super::page::limit;
use super::refusal::bad_token;
use super::{group, stream};
use crate::endpoint::Endpoint;
use crate::error::ApiError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct GetLogEvents {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name: String,
    /// Inclusive.
    start_time: Option<i64>,
    /// Exclusive, other than FilterLogEvents'.
    end_time: Option<i64>,
    next_token: Option<String>,
    limit: Option<i64>,
    #[serde(default)]
    start_from_head: bool,
    // Shows what a data protection policy masks; there are none here, so nothing is masked.
    #[serde(rename = "unmask")]
    _unmask: Option<bool>,
}

/// Where a page begins, and which way it goes from there.
#[derive(Debug, PartialEq)]
enum Token {
    Forward(Position),
    Backward(Position),
}

impl Token {
    fn parse(text: &str) -> Result<Self, ApiError> {
        let parts: Vec<&str> = text.split('/').collect();
        match parts[..] {
            ["f", digits, "s"] => Position::parse(digits).map(Self::Forward),
            ["b", digits, "s"] => Position::parse(digits).map(Self::Backward),
            _ => None,
        }
        .ok_or_else(bad_token)
    }

    fn text(&self) -> String {
        match self {
            Self::Forward(position) => format!("f/{}/s", position.digits()),
            Self::Backward(position) => format!("b/{}/s", position.digits()),
        }
    }
}

pub(super) fn get_log_events(endpoint: &Endpoint, input: GetLogEvents) -> Result<Value, ApiError> {
    let limit = limit(input.limit, 10_000)?;
    let token = input.next_token.as_deref().map(Token::parse).transpose()?;
    let mut after = Position::before(input.start_time.unwrap_or(0));
    let mut before = Position::before(input.end_time.unwrap_or(i64::MAX));
    match token {
        Some(Token::Forward(position)) => after = after.max(position),
        Some(Token::Backward(position)) => before = before.min(position),
        None => {}
    }
    let newest_first = match token {
        Some(Token::Forward(_)) => false,
        Some(Token::Backward(_)) => true,
        None => !input.start_from_head,
    };
    let events = endpoint.store.write(|tx| {
        let group = group::named(tx, input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
        stream::find(tx, &group.name, &input.log_stream_name)?;
        group::delete_expired(tx, &group, Utc::now())?;
        let streams = Streams::One(input.log_stream_name);
        let scan = Scan { group: &group.name, streams: &streams, after, before, newest_first };
        let mut events = scan.page(tx, limit, usize::MAX, |_| true)?.events;
        if newest_first {
            events.reverse();
        }
        Ok(events)
    })?;
    let (forward, backward) = match (events.first(), events.last()) {
        (Some(first), Some(last)) => (Token::Forward(last.at), Token::Backward(first.at)),
        _ => at_the_end(token),
    };
    let events: Vec<Value> = events
        .into_iter()
        .map(|event| json!({"timestamp": event.at.timestamp, "ingestionTime": event.ingestion_time, "message": event.message}))
        .collect();
    Ok(json!({"events": events, "nextForwardToken": forward.text(), "nextBackwardToken": backward.text()}))
}

/// The tokens of an empty page. The one in the direction of travel is the one that the caller came with: that is how
/// AWS says "no more", and following it later finds what has been written since.
fn at_the_end(token: Option<Token>) -> (Token, Token) {
    match token {
        Some(Token::Forward(at)) => {
            let behind = Position { sequence: at.sequence.saturating_add(1), ..at };
            (Token::Forward(at), Token::Backward(behind))
        }
        Some(Token::Backward(at)) => {
            let ahead = Position { sequence: at.sequence.saturating_sub(1), ..at };
            (Token::Forward(ahead), Token::Backward(at))
        }
        None => {
            let start = Position { timestamp: 0, sequence: 0, index: 0 };
            (Token::Forward(start), Token::Backward(start))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_survive_their_text_and_anything_else_is_refused() {
        let position = Position { timestamp: 5, sequence: 7, index: 3 };
        assert_eq!(Token::parse(&Token::Forward(position).text()).unwrap(), Token::Forward(position));
        assert_eq!(Token::parse(&Token::Backward(position).text()).unwrap(), Token::Backward(position));
        for text in ["", "f/1/s", "x/00/s", "f/"] {
            assert!(Token::parse(text).is_err(), "{text}");
        }
    }
}
