//! Event patterns: which events a rule is for.
//!
//! A pattern is an object in the form of the events that it is for. Each field that it names has a list: one of the
//! alternatives in it must fit. All named fields must fit; what a pattern does not name is free.
//!
//! - A string, a number, `true`, `false` or `null`: the value itself. Strings byte for byte, numbers by their size (`300` is
//!   `3e2`). Of an array in the event one element is enough.
//! - `{"prefix": "text"}`, `{"suffix": "text"}`, `{"equals-ignore-case": "text"}`, `{"wildcard": "a*b"}` (`\*` and `\\` for
//!   the characters themselves); `{"prefix": {"equals-ignore-case": "text"}}`, and so for `suffix`
//! - `{"anything-but": value or list}` of strings or of numbers, or `{"anything-but": {operator: text or list}}` with
//!   `prefix`, `suffix`, `equals-ignore-case` or `wildcard`. The field must be there, with whatever type of value.
//! - `{"numeric": [">", 0, "<=", 5]}` with one bound or a lower and an upper one, of `=`, `<`, `<=`, `>`, `>=`
//! - `{"cidr": "10.0.0.0/24"}`, IPv4 or IPv6
//! - `{"exists": true}` and `{"exists": false}`: fields are values, so an inner object or an empty array is none
//! - `{"$or": [object, object]}` among the fields: what one of the objects says must fit as well.
//!
//! Fields inside of one array must fit in one element of it. All of this is as on AWS; what AWS refuses is refused with its
//! words, but for the place in the text that it adds.

mod complexity;
mod document;
mod matcher;
mod operators;
mod places;
mod refusal;
mod rule;
#[cfg(test)]
mod tests;
mod wildcard;

use serde_json::Value;

use self::matcher::Matcher;
use self::places::Place;
use self::refusal::invalid;
use self::rule::{Conjunction, Field};
use crate::error::ApiError;

/// A compiled event pattern.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern {
    /// One of them is enough.
    conjunctions: Vec<Conjunction>,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// `InvalidEventPatternException` with AWS's reason.
    pub(super) fn compile(text: &str) -> Result<Self, ApiError> {
        let document = serde_json::from_str(text).map_err(invalid)?;
        let conjunctions = rule::conjunctions(&document)?;
        for field in conjunctions.iter().flatten() {
            complexity::check(&field.matchers)?;
        }
        Ok(Self { conjunctions })
    }

    /// Whether a rule with this pattern is for the event.
    pub(super) fn matches(&self, event: &Value) -> bool {
        self.conjunctions.iter().any(|conjunction| holds(conjunction, event))
    }

    /// What TestEventPattern answers for the text of an event.
    ///
    /// # Errors
    /// AWS's refusal of what is no event: an object with all that EventBridge gives one, but for `resources`, `detail` and
    /// `version`.
    pub(super) fn test(&self, event: &str) -> Result<bool, ApiError> {
        const NEEDED: [&str; 6] = ["id", "account", "source", "time", "region", "detail-type"];
        let event: Option<Value> = serde_json::from_str(event).ok();
        let event = event.filter(|event| NEEDED.iter().all(|field| event.get(field).is_some()));
        let refused = || ApiError::new("ValidationException", "Parameter Event is not valid.");
        event.map(|event| self.matches(&event)).ok_or_else(refused)
    }
}

fn holds(conjunction: &Conjunction, event: &Value) -> bool {
    let mut fields = Vec::new();
    for field in conjunction {
        match fitting(field, event) {
            Fitting::Anyway => {}
            Fitting::At(places) if places.is_empty() => return false,
            Fitting::At(places) => fields.push(places),
        }
    }
    places::agree(fields)
}

/// Where a field fits.
enum Fitting<'e> {
    /// Whatever the other fields do.
    Anyway,
    At(Vec<Place<'e>>),
}

fn fitting<'e>(field: &Field, event: &'e Value) -> Fitting<'e> {
    let (mut is_there, mut is_free) = (false, false);
    let mut at = Vec::new();
    places::values(event, &field.path, &mut |value, place| {
        is_there = true;
        if !is_free && field.matchers.iter().any(|matcher| matcher.matches(value)) {
            is_free = place.is_empty();
            at.push(place.clone());
        }
    });
    if is_free || (!is_there && field.matchers.contains(&Matcher::Exists(false))) {
        return Fitting::Anyway;
    }
    Fitting::At(at)
}
