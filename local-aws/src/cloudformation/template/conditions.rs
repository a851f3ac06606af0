//! The `Conditions` section, and what it makes exist.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::Value;

use super::active::unresolved;
use super::declared::{Environment, Template};
use super::dependencies::references;
use super::function::{Function, Logic, text, walk};
use super::parameters::Parameters;
use super::place::{Place, invalid};
use super::resolve::{Scope, no_exports};
use crate::error::ApiError;

/// How many conditions may need one another in a row: each is looked at within the one before.
const MAX_DEPTH: usize = 100;

/// Which conditions are true.
///
/// # Errors
/// `ValidationError` that names the place.
pub(crate) fn evaluate(
    template: &Template,
    environment: &Environment,
    parameters: &Parameters,
) -> Result<BTreeMap<String, bool>, ApiError> {
    let nothing = BTreeMap::new();
    let operands = |place: &Place<'_>, value: &Value, known: &BTreeMap<String, bool>| {
        let exports = &no_exports;
        let (plan, made) = (false, Cell::new(0));
        let scope =
            Scope { template, environment, parameters, conditions: known, created: &nothing, exports, plan, made };
        scope.resolve(place, value)
    };
    Evaluation::of(template, &operands)
}

/// Checks the section without parameter values: what the conditions are made of, and that none needs itself.
pub(super) fn check(template: &Template) -> Result<(), ApiError> {
    // Values do not matter here: every operand is looked at whatever the others are.
    Evaluation::of(template, &|_, _, _| Ok(Some(Value::Bool(true)))).map(drop)
}

type Operands<'a> = dyn Fn(&Place<'_>, &Value, &BTreeMap<String, bool>) -> Result<Option<Value>, ApiError> + 'a;

struct Evaluation<'a> {
    template: &'a Template,
    known: BTreeMap<String, bool>,
    /// Conditions that are being evaluated, outermost first.
    open: Vec<String>,
    operands: &'a Operands<'a>,
}

impl<'a> Evaluation<'a> {
    fn of(template: &'a Template, operands: &'a Operands<'a>) -> Result<BTreeMap<String, bool>, ApiError> {
        let mut evaluation = Self { template, known: BTreeMap::new(), open: Vec::new(), operands };
        for name in template.conditions.keys() {
            evaluation.named(name)?;
        }
        Ok(evaluation.known)
    }

    fn named(&mut self, name: &str) -> Result<bool, ApiError> {
        if let Some(holds) = self.known.get(name) {
            return Ok(*holds);
        }
        if let Some(start) = self.open.iter().position(|open| open == name) {
            let mut circle = self.open[start..].to_vec();
            circle.sort();
            return Err(invalid(format!(
                "Template format error: Circular dependency between conditions: [{}]",
                circle.join(", ")
            )));
        }
        let section = Place::root("Conditions");
        if self.open.len() == MAX_DEPTH {
            return Err(section.member(name).error("Template error: too many conditions need one another"));
        }
        let Some(value) = self.template.conditions.get(name) else {
            return Err(unresolved(&section, name));
        };
        self.open.push(name.to_owned());
        let holds = self.boolean(&section.member(name), value)?;
        self.open.pop();
        self.known.insert(name.to_owned(), holds);
        Ok(holds)
    }

    fn boolean(&mut self, place: &Place<'_>, value: &Value) -> Result<bool, ApiError> {
        if let Some(name) = condition_reference(value) {
            return self.named(name);
        }
        let Some(Function::Logic(logic, operands)) = Function::of(place, value)? else {
            return Err(place.error(
                "Template format error: Conditions can only be boolean operations on parameters and other conditions",
            ));
        };
        let place = place.member(logic.name());
        if logic == Logic::Equals {
            let left = self.operand(&place.item(0), &operands[0])?;
            let right = self.operand(&place.item(1), &operands[1])?;
            return Ok(left == right);
        }
        // Every operand is evaluated, so that a mistake in one is found whatever the others are.
        let mut values = Vec::new();
        for (index, operand) in operands.iter().enumerate() {
            values.push(self.boolean(&place.item(index), operand)?);
        }
        Ok(match logic {
            Logic::And => values.iter().all(|value| *value),
            Logic::Or => values.iter().any(|value| *value),
            Logic::Not | Logic::Equals => !values[0],
        })
    }

    fn operand(&mut self, place: &Place<'_>, value: &Value) -> Result<Option<Value>, ApiError> {
        // `Fn::If` within an operand needs its condition first.
        let mut needed = Vec::new();
        walk(place, value, None, &mut |place, function| {
            match function {
                Function::If { condition, .. } => needed.push(condition),
                Function::ImportValue(_) => {
                    return Err(place.error("Template error: Cannot use Fn::ImportValue in Conditions."));
                }
                _ => {}
            }
            let names = references(place, function)?;
            // Only resources have attributes.
            match names.iter().find(|(name, attribute)| attribute.is_some() || !self.template.has_parameter(name)) {
                Some((name, _)) => Err(cannot_refer(place, name)),
                None => Ok(()),
            }
        })?;
        for name in needed {
            self.named(name)?;
        }
        let resolved = (self.operands)(place, value, &self.known)?;
        Ok(resolved.map(|value| comparable(&value)))
    }
}

fn cannot_refer(place: &Place<'_>, name: &str) -> ApiError {
    place.error(format_args!(
        "Template format error: Unresolved dependencies [{name}]. Cannot reference resources in the Conditions block of \
         the template"
    ))
}

fn condition_reference(value: &Value) -> Option<&str> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    members.get("Condition")?.as_str()
}

/// `Fn::Equals` compares what CloudFormation makes of both sides: `true` equals `"true"`.
fn comparable(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(comparable).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, member)| (name.clone(), comparable(member))).collect())
        }
        scalar => text(scalar).map_or(Value::Null, |text| Value::from(text.into_owned())),
    }
}
