//! The functions that make values out of values.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::cidr;
use super::function::text;
use super::place::Place;
use super::resolve::{MAX_TEXT, Scope};
use super::sub::{Piece, pieces};
use super::unknown::{self, MARK};
use crate::error::ApiError;

fn short_enough(place: &Place<'_>, length: usize) -> Result<(), ApiError> {
    if length <= MAX_TEXT {
        return Ok(());
    }
    Err(place.error(format_args!("Template error: the result of the function is longer than {MAX_TEXT} bytes")))
}

impl Scope<'_> {
    pub(super) fn sub(
        &self,
        place: &Place<'_>,
        template: &str,
        variables: Option<&Map<String, Value>>,
    ) -> Result<Value, ApiError> {
        let mut result = String::new();
        // Each variable once: one that is used ten times, in ten levels, would be resolved ten billion times.
        let mut known: BTreeMap<&str, String> = BTreeMap::new();
        for piece in pieces(place, template)? {
            match piece {
                Piece::Literal(literal) => result.push_str(literal),
                Piece::Escaped(name) => {
                    result.push_str("${");
                    result.push_str(name);
                    result.push('}');
                }
                Piece::Variable(name) => {
                    if !known.contains_key(name) {
                        known.insert(name, self.variable(place, variables, name)?);
                    }
                    result.push_str(&known[name]);
                }
            }
            short_enough(place, result.len())?;
        }
        Ok(result.into())
    }

    /// What `${name}` stands for.
    fn variable(
        &self,
        place: &Place<'_>,
        variables: Option<&Map<String, Value>>,
        name: &str,
    ) -> Result<String, ApiError> {
        let value = match (variables.and_then(|variables| variables.get(name)), name.split_once('.')) {
            (Some(value), _) => self.resolve(&place.item(1).member(name), value)?,
            (None, Some((resource, attribute))) => Some(self.resource(place, resource, Some(attribute))?),
            (None, None) => Some(self.reference(place, name)?),
        };
        value.as_ref().and_then(text).map(Cow::into_owned).ok_or_else(|| {
            place.error(format_args!("Template error: variable {name} in Fn::Sub must resolve to a string"))
        })
    }

    /// A list; `Err(mark)` inside when it is not known yet.
    fn list(&self, place: &Place<'_>, value: &Value) -> Result<Result<Vec<Value>, Value>, ApiError> {
        match self.resolve(place, value)? {
            Some(Value::Array(items)) => Ok(Ok(items)),
            Some(mark) if unknown::is_in(&mark) => Ok(Err(mark)),
            _ => Err(place.error("Template error: a list is required here")),
        }
    }

    pub(super) fn join(&self, place: &Place<'_>, delimiter: &str, items: &Value) -> Result<Value, ApiError> {
        let items = match self.list(&place.item(1), items)? {
            Ok(items) => items,
            Err(mark) => return Ok(mark),
        };
        let texts: Option<Vec<_>> = items.iter().map(text).collect();
        let texts = texts.ok_or_else(|| place.item(1).error("Template error: Fn::Join takes a list of strings"))?;
        let length = texts.iter().map(|text| text.len() + delimiter.len()).sum::<usize>();
        short_enough(place, length.saturating_sub(delimiter.len()))?;
        Ok(texts.join(delimiter).into())
    }

    pub(super) fn select(&self, place: &Place<'_>, index: &Value, items: &Value) -> Result<Value, ApiError> {
        let index = self.text(&place.item(0), index)?;
        if index.contains(MARK) {
            return Ok(index.into());
        }
        let items = match self.list(&place.item(1), items)? {
            Ok(items) => items,
            Err(mark) => return Ok(mark),
        };
        let selected = index.parse::<usize>().ok().and_then(|index| items.get(index));
        selected.cloned().ok_or_else(|| {
            place.error(format_args!("Template error: Fn::Select cannot select nonexistent value at index {index}"))
        })
    }

    pub(super) fn split(&self, place: &Place<'_>, delimiter: &str, value: &Value) -> Result<Value, ApiError> {
        let text = self.text(&place.item(1), value)?;
        // How many parts there are is not known before the text is.
        if text.contains(MARK) {
            return Ok(text.into());
        }
        Ok(text.split(delimiter).collect())
    }

    pub(super) fn find_in_map(&self, place: &Place<'_>, path: &[Value]) -> Result<Value, ApiError> {
        let mut keys = Vec::with_capacity(path.len());
        for (index, key) in path.iter().enumerate() {
            keys.push(self.text(&place.item(index), key)?);
        }
        let map = self.template.mappings.get(&keys[0]).ok_or_else(|| {
            place.error(format_args!(
                "Template format error: Mapping named '{}' is not present in the 'Mappings' section of template.",
                keys[0]
            ))
        })?;
        let found = map.get(&keys[1]).and_then(|values| values.get(&keys[2]));
        found
            .cloned()
            .ok_or_else(|| place.error(format_args!("Template error: Unable to get mapping for {}", keys.join("::"))))
    }

    pub(super) fn get_azs(&self, place: &Place<'_>, region: &Value) -> Result<Value, ApiError> {
        let region = self.text(place, region)?;
        if region.contains(MARK) {
            return Ok(region.into());
        }
        if !region.is_empty() && region != self.environment.region {
            return Err(place.error(format_args!(
                "Fn::GetAZs of region {region} is not supported by the local endpoint, which is in {}",
                self.environment.region
            )));
        }
        Ok(self.environment.availability_zones.clone().into())
    }

    pub(super) fn cidr(&self, place: &Place<'_>, arguments: &[Value]) -> Result<Value, ApiError> {
        let mut texts = Vec::with_capacity(arguments.len());
        for (index, argument) in arguments.iter().enumerate() {
            texts.push(self.text(&place.item(index), argument)?);
        }
        if let Some(mark) = texts.iter().find(|text| text.contains(MARK)) {
            return Ok(mark.as_str().into());
        }
        let blocks = cidr::blocks(&texts[0], &texts[1], &texts[2]);
        blocks.map(Value::from).map_err(|wrong| place.error(format_args!("Template error: Fn::Cidr: {wrong}")))
    }

    pub(super) fn base64(&self, place: &Place<'_>, value: &Value) -> Result<Value, ApiError> {
        let text = self.text(place, value)?;
        Ok(if text.contains(MARK) { text.into() } else { STANDARD.encode(text).into() })
    }

    pub(super) fn import_value(&self, place: &Place<'_>, name: &Value) -> Result<Value, ApiError> {
        let name = self.text(place, name)?;
        let value = (self.exports)(&name)?;
        value.map(Value::from).ok_or_else(|| place.error(format_args!("No export named {name} found")))
    }
}
