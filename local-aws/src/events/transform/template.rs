//! Templates: text with variables in it.

use serde_json::Value;

use crate::error::ApiError;

/// A template, ready to be filled in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Template {
    kind: Kind,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// An object.
    Json,
    /// One text in quotes, or several.
    Text,
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Literal(String),
    Variable {
        name: Name,
        /// In a text of the JSON, not in the place of a value.
        in_quotes: bool,
    },
}

#[derive(Debug, Clone, PartialEq)]
enum Name {
    Own(String),
    Reserved(Reserved),
}

/// What a template may name without a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Reserved {
    RuleArn,
    RuleName,
    IngestionTime,
    Event,
    EventJson,
}

const RESERVED: &[(&str, Reserved)] = &[
    ("aws.events.rule-arn", Reserved::RuleArn),
    ("aws.events.rule-name", Reserved::RuleName),
    ("aws.events.event.ingestion-time", Reserved::IngestionTime),
    ("aws.events.event", Reserved::Event),
    ("aws.events.event.json", Reserved::EventJson),
];

impl Template {
    /// # Errors
    /// AWS's refusal of variables that are not there, and of what is neither JSON nor a text in quotes.
    pub(super) fn parse(text: &str, is_there: impl Fn(&str) -> bool, target_id: &str) -> Result<Self, ApiError> {
        let refused = |what: String| ApiError::new("ValidationException", what);
        let kind = if text.trim_start().starts_with('{') { Kind::Json } else { Kind::Text };
        let mut pieces = Vec::new();
        let (mut rest, mut in_quotes) = (text, false);
        // The first `<` opens a variable, whatever stands before the next `>`: on AWS neither can be escaped.
        while let Some((before, name, after)) = variable(rest) {
            in_quotes = quotes_after(before, in_quotes);
            let reserved = RESERVED.iter().find(|(reserved, _)| *reserved == name).map(|(_, reserved)| *reserved);
            if reserved == Some(Reserved::EventJson) && kind == Kind::Text {
                let problem = format!("contains placeholder {name} valid only for JSON template.");
                return Err(refused(format!("InputTemplate for target {target_id} {problem}")));
            }
            let name = match reserved {
                Some(reserved) => Name::Reserved(reserved),
                None if is_there(name) => Name::Own(name.to_owned()),
                None => {
                    let problem = format!("contains invalid placeholder {name}.");
                    return Err(refused(format!("InputTemplate for target {target_id} {problem}")));
                }
            };
            pieces.push(Piece::Literal(before.to_owned()));
            pieces.push(Piece::Variable { name, in_quotes });
            rest = after;
        }
        pieces.push(Piece::Literal(rest.to_owned()));
        let template = Self { kind, pieces };
        template.check(text, target_id)?;
        Ok(template)
    }

    /// Whether it is JSON with a number for each variable that is a value. AWS reads no further than the first text.
    fn check(&self, text: &str, target_id: &str) -> Result<(), ApiError> {
        let filled: String =
            self.pieces.iter().map(|piece| piece.text(|_| "0".to_owned(), |_| String::new())).collect();
        let checked = match self.kind {
            Kind::Json => serde_json::from_str::<Value>(&filled),
            Kind::Text => {
                let first = serde_json::Deserializer::from_str(&filled).into_iter().next();
                first.unwrap_or_else(|| serde_json::from_str(&filled))
            }
        };
        match checked {
            Err(error) => {
                let message = format!("Invalid InputTemplate for target {target_id} : {error}");
                Err(ApiError::new("ValidationException", message))
            }
            Ok(_) if self.kind == Kind::Text && !text.trim_start().starts_with('"') => {
                Err(ApiError::unsupported("An InputTemplate that is neither a JSON object nor a text in double quotes"))
            }
            Ok(_) => Ok(()),
        }
    }

    /// The template with these values; `None` when it should be JSON, and is not.
    pub(super) fn fill(
        &self,
        own: impl Fn(&str) -> Option<Value>,
        reserved: impl Fn(Reserved) -> Value,
    ) -> Option<String> {
        let value = |name: &Name| match name {
            Name::Own(name) => own(name).unwrap_or_else(|| "".into()),
            Name::Reserved(name) => reserved(*name),
        };
        let filled = |piece: &Piece| match self.kind {
            Kind::Json => piece.text(|name| value(name).to_string(), |name| bare(&value(name))),
            Kind::Text => piece.text(|name| unquoted(&value(name)), |name| unquoted(&value(name))),
        };
        let text: String = self.pieces.iter().map(filled).collect();
        match self.kind {
            Kind::Text => Some(text),
            Kind::Json => serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok().then(|| without_blanks(&text)),
        }
    }
}

impl Piece {
    fn text(&self, as_value: impl Fn(&Name) -> String, as_part: impl Fn(&Name) -> String) -> String {
        match self {
            Self::Literal(text) => text.clone(),
            Self::Variable { name, in_quotes: false } => as_value(name),
            Self::Variable { name, in_quotes: true } => as_part(name),
        }
    }
}

/// What is before the first variable, its name, and what is after it.
fn variable(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('<')?;
    let (name, after) = rest.split_once('>')?;
    Some((before, name, after))
}

/// Whether one is in a text after these characters.
fn quotes_after(text: &str, mut in_quotes: bool) -> bool {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => in_quotes = !in_quotes,
            '\\' if in_quotes => {
                characters.next();
            }
            _ => {}
        }
    }
    in_quotes
}

/// A value as part of a text: AWS escapes nothing.
fn bare(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A value as part of a text that is no JSON.
fn unquoted(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string().replace('"', ""),
    }
}

/// JSON without what is between its tokens.
fn without_blanks(json: &str) -> String {
    let (mut in_quotes, mut is_escaped) = (false, false);
    let keep = |character: &char| {
        let is_blank = !in_quotes && character.is_ascii_whitespace();
        in_quotes ^= *character == '"' && !is_escaped;
        is_escaped = *character == '\\' && !is_escaped;
        !is_blank
    };
    json.chars().filter(keep).collect()
}
