//! `wildcard`: `*` stands for any characters, also for none; `\*` and `\\` for themselves.

use super::refusal::invalid;
use crate::error::ApiError;

/// The texts between the stars: one more than there are stars.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wildcard {
    parts: Vec<String>,
}

impl Wildcard {
    /// # Errors
    /// AWS's refusal of two stars side by side, and of a backslash before another character.
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let mut parts = Vec::new();
        let mut part = String::new();
        let mut characters = text.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            match (character, characters.peek().map(|(_, next)| *next)) {
                ('*', Some('*')) => {
                    // AWS counts in the text with its opening quote.
                    return Err(invalid(format!("Consecutive wildcard characters at pos {}", at + 1)));
                }
                ('*', _) => parts.push(std::mem::take(&mut part)),
                ('\\', Some(escaped @ ('*' | '\\'))) => {
                    part.push(escaped);
                    characters.next();
                }
                ('\\', _) => return Err(invalid(format!("Invalid escape character at pos {}", at + 1))),
                _ => part.push(character),
            }
        }
        parts.push(part);
        Ok(Self { parts })
    }

    /// The texts between the stars.
    pub(super) fn parts(&self) -> &[String] {
        &self.parts
    }

    pub(super) fn matches(&self, value: &str) -> bool {
        let [first, middle @ .., last] = self.parts.as_slice() else {
            return self.parts.first().is_some_and(|only| only == value);
        };
        let inner = value.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str()));
        let Some(mut rest) = inner else { return false };
        for part in middle {
            // The leftmost place leaves most for the parts behind it.
            let Some(at) = rest.find(part.as_str()) else { return false };
            rest = &rest[at + part.len()..];
        }
        true
    }
}
