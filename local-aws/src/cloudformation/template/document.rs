//! The text of a template to one plain value: short tags become the long form of their function.
//!
//! YAML is read event by event, because CloudFormation reads YAML 1.1: `Value: yes` is the boolean true and `Value: "yes"`
//! is a word, and only the events tell the two apart.

use std::collections::HashMap;
use std::fmt;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::MAX_BODY;
use super::place::invalid;
use super::unknown::MARK;
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

/// Reads a template body. What begins with a brace is JSON, as for CloudFormation.
pub(super) fn read(body: &str) -> Result<Map<String, Value>, ApiError> {
    if body.len() > MAX_BODY {
        return Err(invalid(format!(
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length \
             less than or equal to {MAX_BODY}"
        )));
    }
    let body = body.strip_prefix('\u{feff}').unwrap_or(body);
    let value = if body.trim_start().starts_with('{') { read_json(body)? } else { read_yaml(body)? };
    let Value::Object(sections) = value else {
        return Err(invalid("Template format error: unsupported structure."));
    };
    for (name, section) in &sections {
        check_values(&mut vec![name], section)?;
    }
    Ok(sections)
}

fn check_values<'a>(path: &mut Vec<&'a str>, value: &'a Value) -> Result<(), ApiError> {
    match value {
        Value::Null => Err(invalid(format!(
            "Template format error: [/{}] 'null' values are not allowed in templates",
            path.join("/")
        ))),
        Value::String(text) if text.contains(MARK) => Err(invalid(format!(
            "Template format error: [/{}] the character U+0000 is not allowed in templates",
            path.join("/")
        ))),
        Value::Array(items) => items.iter().try_for_each(|item| check_values(path, item)),
        Value::Object(members) => members.iter().try_for_each(|(name, member)| {
            path.push(name);
            check_values(path, member)?;
            path.pop();
            Ok(())
        }),
        _ => Ok(()),
    }
}

fn read_json(body: &str) -> Result<Value, ApiError> {
    serde_json::from_str::<UniqueKeys>(body).map(|unique| unique.0).map_err(|error| {
        let detail = error.to_string();
        let detail = detail.split(" at line ").next().unwrap_or_default();
        invalid(format!(
            "Template format error: JSON not well-formed. (line {}, column {}): {detail}",
            error.line(),
            error.column()
        ))
    })
}

/// JSON whose objects have no key twice; `serde_json::Value` would keep the last one without a word.
struct UniqueKeys(Value);

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueKeysVisitor).map(Self)
    }
}

struct UniqueKeysVisitor;

impl<'de> Visitor<'de> for UniqueKeysVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(UniqueKeys(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((name, UniqueKeys(member))) = members.next_entry::<String, UniqueKeys>()? {
            if map.contains_key(&name) {
                return Err(de::Error::custom(format_args!("duplicate key {name}")));
            }
            map.insert(name, member);
        }
        Ok(Value::Object(map))
    }
}

fn read_yaml(body: &str) -> Result<Value, ApiError> {
    let mut composer = Composer { parser: Parser::new_from_str(body), anchors: HashMap::new(), depth: 0, values: 0 };
    composer.document()
}

fn not_well_formed(at: &Marker, detail: impl fmt::Display) -> ApiError {
    invalid(format!(
        "Template format error: YAML not well-formed. (line {}, column {}): {detail}",
        at.line(),
        at.col() + 1
    ))
}

/// Composes values out of YAML events.
struct Composer<'input> {
    parser: Parser<'input, StrInput<'input>>,
    /// Completed values by anchor, with how many values each of them holds.
    anchors: HashMap<usize, (Value, usize)>,
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
        let before = self.values;
        let (value, anchor) = match event {
            Event::Alias(anchor) => (self.alias(anchor, &span)?, 0),
            Event::Scalar(text, style, anchor, tag) => (scalar(&text, style, tag.as_deref(), &span)?, anchor),
            Event::SequenceStart(anchor, tag) => (tagged(tag.as_deref(), self.sequence()?, &span)?, anchor),
            Event::MappingStart(anchor, tag) => (tagged(tag.as_deref(), self.mapping()?, &span)?, anchor),
            other => return Err(not_well_formed(&span.start, format_args!("unexpected {other:?}"))),
        };
        // Anchors are numbered from 1.
        if anchor > 0 {
            self.anchors.insert(anchor, (value.clone(), self.values - before + 1));
        }
        self.depth -= 1;
        Ok(value)
    }

    fn alias(&mut self, anchor: usize, span: &Span) -> Result<Value, ApiError> {
        let Some((value, size)) = self.anchors.get(&anchor) else {
            return Err(not_well_formed(&span.start, "an alias within its own anchor"));
        };
        self.values += size;
        Ok(value.clone())
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
///
/// Hexadecimal, octal and base-60 numbers of YAML 1.1 stay what the author wrote: an account id with a leading zero or
/// a pair of ports is never meant as a number.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Value::Bool(false),
        _ => {}
    }
    number(text).map_or_else(|| Value::from(text), Value::Number)
}

fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let leading_zero = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    if leading_zero || !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let signed = text.strip_prefix('+').unwrap_or(text);
        return signed.parse::<i64>().map(Number::from).or_else(|_| signed.parse::<u64>().map(Number::from)).ok();
    }
    let (mantissa, _) = digits.split_once(['e', 'E']).unwrap_or((digits, ""));
    let is_decimal = mantissa.contains('.') && mantissa.bytes().any(|byte| byte.is_ascii_digit());
    if is_decimal { text.parse().ok().and_then(Number::from_f64) } else { None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn yaml(body: &str) -> Value {
        read_yaml(body).unwrap()
    }

    fn refusal(body: &str) -> String {
        read(body).unwrap_err().message
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
            ("012345678901", json!("012345678901")),
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
    fn anchors_and_aliases() {
        assert_eq!(yaml("a: &x {b: [1, 2]}\nc: *x\n"), json!({"a": {"b": [1, 2]}, "c": {"b": [1, 2]}}));
    }

    #[test]
    fn aliases_cannot_explode() {
        let mut body = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let items = vec![format!("*a{}", level - 1); 9].join(", ");
            body.push_str(&format!("a{level}: &a{level} [{items}]\n"));
        }
        assert!(refusal(&body).contains("too many values"), "{}", refusal(&body));
        assert!(refusal(&"[".repeat(20_000)).contains("not well-formed"));
        assert!(refusal(&"{\"a\":".repeat(8_000)).contains("JSON not well-formed"));
    }

    #[test]
    fn what_is_no_template() {
        for (body, words) in [
            ("Resources:\n  A: 1\n  A: 2\n", "(line 3, column 3): duplicate key A"),
            ("{\"A\": {\"B\": 1, \"B\": 2}}", "JSON not well-formed. (line 1, column 22): duplicate key B"),
            ("{\"A\": ", "JSON not well-formed"),
            ("A: [", "YAML not well-formed"),
            ("A: b: c", "YAML not well-formed. (line 1, column"),
            ("", "unsupported structure"),
            ("just words", "unsupported structure"),
            ("- a", "unsupported structure"),
            ("A: 1\n---\nB: 2\n", "one YAML document"),
            ("A: !Foo 1", "unsupported tag !Foo"),
            ("A: !!binary aGk=", "unsupported tag"),
            ("A: &x {b: 1}\nB:\n  <<: *x\n", "hash merges"),
            ("A:\n  123: x\n", "map keys must be strings; received numeric [123]"),
            ("A:\n  yes: x\n", "map keys must be strings; received [true]; quote yes"),
            ("A:\n  ? [a]\n  : x\n", "map keys must be strings"),
            ("A:\n  B:\n", "[/A/B] 'null' values are not allowed in templates"),
            ("{\"A\": [null]}", "[/A] 'null' values are not allowed in templates"),
            ("{\"A\": \"\\u0000\"}", "[/A] the character U+0000"),
            ("A: *nowhere", "YAML not well-formed"),
        ] {
            assert!(refusal(body).contains(words), "{body:?}: {}", refusal(body));
        }
        assert!(refusal(&format!("A: {}", "x".repeat(MAX_BODY))).contains("less than or equal to 51200"));
    }
}
