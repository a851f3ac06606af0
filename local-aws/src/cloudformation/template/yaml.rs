//! YAML with CloudFormation's short tags to a value.
//!
//! It is read event by event, because CloudFormation reads YAML 1.1: `Value: yes` is the boolean true and `Value: "yes"`
//! is a word, and only the events tell the two apart.

use std::fmt;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde_json::{Map, Value};

use super::number;
use super::place::invalid;
use crate::error::ApiError;

/// As deep as `serde_json` goes; no template that means something comes near.
const MAX_DEPTH: usize = 100;
/// A body of 51,200 bytes cannot have more values by itself, only by aliases of aliases.
const MAX_VALUES: usize = 60_000;

/// Tags whose function is named `Fn::TAG`. The last four need a transform: they are read here to be refused by name.
const FUNCTION_TAGS: [&str; 19] = [
    "And",
    "Base64",
    "Cidr",
    "Equals",
    "FindInMap",
    "GetAZs",
    "GetAtt",
    "If",
    "ImportValue",
    "Join",
    "Not",
    "Or",
    "Select",
    "Split",
    "Sub",
    "ForEach",
    "Length",
    "ToJsonString",
    "Transform",
];

/// The value that the text states.
pub(super) fn read(body: &str) -> Result<Value, ApiError> {
    let mut composer = Composer { parser: Parser::new_from_str(body), depth: 0, values: 0 };
    composer.document()
}

fn not_well_formed(at: &Marker, detail: impl fmt::Display) -> ApiError {
    invalid(format!(
        "Template format error: YAML not well-formed. (line {}, column {}): {detail}",
        at.line(),
        at.col() + 1
    ))
}

fn aliases() -> ApiError {
    invalid("Template error: YAML aliases are not allowed in CloudFormation templates")
}

/// Composes values out of YAML events.
struct Composer<'input> {
    parser: Parser<'input, StrInput<'input>>,
    depth: usize,
    values: usize,
}

impl<'input> Composer<'input> {
    fn next(&mut self) -> Result<(Event<'input>, Span), ApiError> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(Self::scan_error(&error)),
            None => Err(invalid("Template format error: YAML not well-formed: the template ends too early")),
        }
    }

    fn scan_error(error: &ScanError) -> ApiError {
        not_well_formed(error.marker(), error.info())
    }

    fn document(&mut self) -> Result<Value, ApiError> {
        let mut root = None;
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => break,
                (Event::StreamStart | Event::Nothing | Event::DocumentStart(_) | Event::DocumentEnd, _) => {}
                (_, span) if root.is_some() => {
                    return Err(not_well_formed(&span.start, "a template is one YAML document"));
                }
                (event, span) => root = Some(self.value(event, span)?),
            }
        }
        Ok(root.unwrap_or(Value::Null))
    }

    fn value(&mut self, event: Event<'input>, span: Span) -> Result<Value, ApiError> {
        self.depth += 1;
        self.values += 1;
        if self.depth > MAX_DEPTH || self.values > MAX_VALUES {
            return Err(not_well_formed(&span.start, "too many values within one another"));
        }
        // An anchor that no alias refers to does no harm, on AWS either.
        let value = match event {
            Event::Alias(_) => return Err(aliases()),
            Event::Scalar(text, style, _, tag) => scalar(&text, style, tag.as_deref(), &span)?,
            Event::SequenceStart(_, tag) => tagged(tag.as_deref(), self.sequence()?, &span)?,
            Event::MappingStart(_, tag) => tagged(tag.as_deref(), self.mapping()?, &span)?,
            other => return Err(not_well_formed(&span.start, format_args!("unexpected {other:?}"))),
        };
        self.depth -= 1;
        Ok(value)
    }

    fn sequence(&mut self) -> Result<Value, ApiError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::Array(items)),
                (event, span) => items.push(self.value(event, span)?),
            }
        }
    }

    fn mapping(&mut self) -> Result<Value, ApiError> {
        let mut members = Map::new();
        loop {
            let (event, at) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(Value::Object(members)),
                (event, span) => (event, span.start),
            };
            let name = key(&event, &at)?;
            let (event, span) = self.next()?;
            let member = self.value(event, span)?;
            if members.contains_key(&name) {
                return Err(not_well_formed(&at, format_args!("duplicate key {name}")));
            }
            members.insert(name, member);
        }
    }
}

fn key(event: &Event<'_>, at: &Marker) -> Result<String, ApiError> {
    if matches!(event, Event::Alias(_)) {
        return Err(aliases());
    }
    let Event::Scalar(text, style, _, None) = event else {
        return Err(not_well_formed(at, "map keys must be strings"));
    };
    if *style != ScalarStyle::Plain {
        return Ok(text.to_string());
    }
    if text == "<<" {
        return Err(not_well_formed(at, "CloudFormation does not support hash merges (<<)"));
    }
    match plain(text) {
        Value::String(name) => Ok(name),
        Value::Number(number) => {
            Err(not_well_formed(at, format_args!("map keys must be strings; received numeric [{number}]")))
        }
        other => Err(not_well_formed(at, format_args!("map keys must be strings; received [{other}]; quote {text}"))),
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>, span: &Span) -> Result<Value, ApiError> {
    match tag {
        None if style == ScalarStyle::Plain => Ok(plain(text)),
        Some(tag) if tag.is_yaml_core_schema() && matches!(tag.suffix.as_str(), "int" | "float" | "bool" | "null") => {
            Ok(plain(text))
        }
        _ => tagged(tag, Value::from(text), span),
    }
}

fn tagged(tag: Option<&Tag>, value: Value, span: &Span) -> Result<Value, ApiError> {
    let Some(tag) = tag else { return Ok(value) };
    let long = match tag.suffix.as_str() {
        "str" | "map" | "seq" if tag.is_yaml_core_schema() => return Ok(value),
        // The non-specific tag, a lone exclamation mark.
        "" if tag.handle == "!" => return Ok(value),
        "!" if tag.handle.is_empty() => return Ok(value),
        "Ref" | "Condition" if tag.handle == "!" => tag.suffix.clone(),
        function if tag.handle == "!" && FUNCTION_TAGS.contains(&function) => format!("Fn::{function}"),
        _ => {
            let name = format!("{}{}", tag.handle, tag.suffix);
            return Err(not_well_formed(&span.start, format_args!("unsupported tag {name}")));
        }
    };
    Ok(Value::Object(Map::from_iter([(long, value)])))
}

/// The value of an unquoted scalar.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Value::Bool(false),
        _ => {}
    }
    number::read(text).map_or_else(|| Value::from(text), Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn yaml(body: &str) -> Value {
        read(body).unwrap()
    }

    #[test]
    fn short_tags_become_functions() {
        for (short, long) in [
            ("!Ref A", json!({"Ref": "A"})),
            ("!Ref AWS::Region", json!({"Ref": "AWS::Region"})),
            ("!Condition A", json!({"Condition": "A"})),
            ("!GetAtt A.B.C", json!({"Fn::GetAtt": "A.B.C"})),
            ("!GetAtt [A, B]", json!({"Fn::GetAtt": ["A", "B"]})),
            ("!Sub yes", json!({"Fn::Sub": "yes"})),
            ("!GetAZs \"\"", json!({"Fn::GetAZs": ""})),
            ("!Select [0, !GetAZs '']", json!({"Fn::Select": [0, {"Fn::GetAZs": ""}]})),
            ("!Sub\n  - ${A}\n  - A: !Ref B", json!({"Fn::Sub": ["${A}", {"A": {"Ref": "B"}}]})),
            (
                "!If\n  - C\n  - {a: 1}\n  - !Ref AWS::NoValue",
                json!({"Fn::If": ["C", {"a": 1}, {"Ref": "AWS::NoValue"}]}),
            ),
        ] {
            assert_eq!(yaml(short), long, "{short}");
        }
    }

    #[test]
    fn plain_scalars_are_those_of_cloudformation() {
        for (text, value) in [
            ("yes", json!(true)),
            ("Off", json!(false)),
            ("NO", json!(false)),
            ("\"yes\"", json!("yes")),
            ("'on'", json!("on")),
            ("y", json!("y")),
            ("5", json!(5)),
            ("-5", json!(-5)),
            ("\"5\"", json!("5")),
            ("0", json!(0)),
            ("123456789012", json!(123_456_789_012_u64)),
            ("0x1F", json!("0x1F")),
            ("12:30", json!("12:30")),
            ("2012-10-17", json!("2012-10-17")),
            ("10.0.0.0", json!("10.0.0.0")),
            ("10.0.0.0/16", json!("10.0.0.0/16")),
            ("1.5", json!(1.5)),
            ("0.5", json!(0.5)),
            ("12e4567", json!("12e4567")),
            ("99999999999999999999", json!("99999999999999999999")),
            ("+", json!("+")),
            (".", json!(".")),
            ("!!str 5", json!("5")),
            ("!!int '5'", json!(5)),
            ("|\n  a\n  b\n", json!("a\nb\n")),
            (">-\n  a\n  b\n", json!("a b")),
        ] {
            assert_eq!(yaml(text), value, "{text}");
        }
    }

    #[test]
    fn anchors_may_be_and_aliases_may_not() {
        assert_eq!(yaml("a: &x {b: [1, 2]}\n"), json!({"a": {"b": [1, 2]}}));
        for body in
            ["a: &x {b: [1, 2]}\nc: *x\n", "a: &x 1\nb: [2, *x]\n", "a: &x [*x]\n", "a: &x {b: 1}\nc:\n  *x : 1\n"]
        {
            let words = "Template error: YAML aliases are not allowed in CloudFormation templates";
            assert_eq!(read(body).unwrap_err().message, words, "{body}");
        }
    }
}
