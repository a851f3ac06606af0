//! A scope turns what a template says into values.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::active::{holds, unresolved};
use super::declared::{Environment, Template};
use super::function::{Attribute, Function, text};
use super::parameters::Parameters;
use super::place::Place;
use super::unknown::{self, MARK};
use crate::cloudformation::resources::{Created, Properties};
use crate::error::ApiError;

/// Longest text that a function may make: as long as a whole template. What makes longer ones makes them out of one
/// another, ten times as long each time.
pub(super) const MAX_TEXT: usize = 51_200;

/// Bytes that all functions of a scope may make together.
const MAX_MADE: usize = 8 * 1024 * 1024;

/// Gives the value of an export of the account; every call is an import by this stack.
pub(crate) type Exports<'a> = dyn Fn(&str) -> Result<Option<String>, ApiError> + 'a;

/// Everything that functions refer to.
pub(crate) struct Scope<'a> {
    pub(crate) template: &'a Template,
    pub(crate) environment: &'a Environment,
    pub(crate) parameters: &'a Parameters,
    /// From `conditions::evaluate`.
    pub(crate) conditions: &'a BTreeMap<String, bool>,
    /// Resources that are there (for a plan: and that will not be replaced).
    pub(crate) created: &'a BTreeMap<String, Created>,
    pub(crate) exports: &'a Exports<'a>,
    /// A plan takes what is not there yet as an unknown value; otherwise that is an error.
    pub(crate) plan: bool,
    /// How many bytes the functions have made.
    pub(crate) made: Cell<usize>,
}

/// An output of the stack.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Output {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) description: Option<String>,
    pub(crate) export_name: Option<String>,
}

/// For scopes in which nothing can be imported.
pub(super) fn no_exports(_name: &str) -> Result<Option<String>, ApiError> {
    Ok(None)
}

impl Scope<'_> {
    /// The value; `None` for `AWS::NoValue`.
    pub(crate) fn resolve(&self, place: &Place<'_>, value: &Value) -> Result<Option<Value>, ApiError> {
        if let Some(function) = Function::of(place, value)? {
            let made = self.call(place, function)?;
            self.made.set(self.made.get() + made.as_ref().map_or(0, size));
            if self.made.get() > MAX_MADE {
                return Err(place.error("Template error: the functions of the template make too much text"));
            }
            return Ok(made);
        }
        Ok(Some(match value {
            Value::Array(items) => {
                let mut resolved = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    resolved.extend(self.resolve(&place.item(index), item)?);
                }
                Value::Array(resolved)
            }
            Value::Object(members) => {
                let mut resolved = Map::new();
                for (name, member) in members {
                    if let Some(member) = self.resolve(&place.member(name), member)? {
                        resolved.insert(name.clone(), member);
                    }
                }
                Value::Object(resolved)
            }
            scalar => scalar.clone(),
        }))
    }

    /// The properties of a resource, not coerced to its schema yet.
    pub(crate) fn properties(&self, logical_id: &str) -> Result<Properties, ApiError> {
        let root = Place::root("Resources");
        let resource_place = root.member(logical_id);
        let Some(resource) = self.template.resources.get(logical_id) else {
            return Err(self.unresolved_resource(&resource_place, logical_id));
        };
        let place = resource_place.member("Properties");
        match self.resolve(&place, &resource.properties)? {
            Some(Value::Object(properties)) => Ok(properties),
            None => Ok(Properties::new()),
            Some(_) => Err(place.error("Template format error: Properties must evaluate to an object")),
        }
    }

    /// The resource's `Metadata` attribute.
    pub(crate) fn metadata(&self, logical_id: &str) -> Result<Option<Value>, ApiError> {
        let Some(metadata) = self.template.resources.get(logical_id).and_then(|resource| resource.metadata.as_ref())
        else {
            return Ok(None);
        };
        let root = Place::root("Resources");
        self.resolve(&root.member(logical_id).member("Metadata"), metadata)
    }

    /// The outputs whose condition holds.
    pub(crate) fn outputs(&self) -> Result<Vec<Output>, ApiError> {
        let section = Place::root("Outputs");
        let mut outputs = Vec::new();
        let mut exported = BTreeSet::new();
        for (key, output) in &self.template.outputs {
            if !holds(output.condition.as_deref(), self.conditions) {
                continue;
            }
            let place = section.member(key);
            let value = self.output_text(&place.member("Value"), &output.value)?;
            let name_place = place.member("Export");
            let export_name = match &output.export_name {
                Some(name) => Some(self.output_text(&name_place.member("Name"), name)?),
                None => None,
            };
            if let Some(name) = &export_name
                && !exported.insert(name.clone())
            {
                return Err(name_place.error(format_args!("Template error: the export name {name} is used twice")));
            }
            outputs.push(Output { key: key.clone(), value, description: output.description.clone(), export_name });
        }
        Ok(outputs)
    }

    fn output_text(&self, place: &Place<'_>, value: &Value) -> Result<String, ApiError> {
        let resolved = self.resolve(place, value)?;
        resolved.as_ref().and_then(text).map(std::borrow::Cow::into_owned).ok_or_else(|| {
            place.error("Template format error: The Value field of every Outputs member must evaluate to a String.")
        })
    }

    fn call(&self, place: &Place<'_>, function: Function<'_>) -> Result<Option<Value>, ApiError> {
        Ok(Some(match function {
            Function::Ref("AWS::NoValue") => return Ok(None),
            Function::Ref(name) => self.reference(place, name)?,
            Function::GetAtt { resource, attribute } => self.get_att(place, resource, attribute)?,
            Function::Sub { text, variables } => self.sub(&place.member("Fn::Sub"), text, variables)?,
            Function::Join { delimiter, items } => self.join(&place.member("Fn::Join"), delimiter, items)?,
            Function::Select { index, items } => self.select(&place.member("Fn::Select"), index, items)?,
            Function::Split { delimiter, text } => self.split(&place.member("Fn::Split"), delimiter, text)?,
            Function::FindInMap(path) => self.find_in_map(&place.member("Fn::FindInMap"), path)?,
            Function::GetAZs(region) => self.get_azs(&place.member("Fn::GetAZs"), region)?,
            Function::Cidr(arguments) => self.cidr(&place.member("Fn::Cidr"), arguments)?,
            Function::Base64(value) => self.base64(&place.member("Fn::Base64"), value)?,
            Function::ImportValue(name) => self.import_value(&place.member("Fn::ImportValue"), name)?,
            Function::If { condition, then, otherwise } => {
                let place = place.member("Fn::If");
                return match self.conditions.get(condition) {
                    Some(true) => self.resolve(&place.item(1), then),
                    Some(false) => self.resolve(&place.item(2), otherwise),
                    None => Err(unresolved(&place, condition)),
                };
            }
            Function::Logic(logic, _) => {
                return Err(place.error(format_args!(
                    "Template error: {} is only allowed in the Conditions block of the template",
                    logic.name()
                )));
            }
        }))
    }

    /// What `Ref` gives for this name, `AWS::NoValue` apart.
    pub(super) fn reference(&self, place: &Place<'_>, name: &str) -> Result<Value, ApiError> {
        if let Some(value) = self.parameters.get(name) {
            return Ok(value.clone());
        }
        let environment = self.environment;
        let text = match name {
            "AWS::AccountId" => &environment.account_id,
            "AWS::Region" => &environment.region,
            "AWS::Partition" => &environment.partition,
            "AWS::URLSuffix" => &environment.url_suffix,
            "AWS::StackName" => &environment.stack_name,
            "AWS::StackId" => &environment.stack_id,
            "AWS::NotificationARNs" => return Ok(environment.notification_arns.clone().into()),
            _ => return self.resource(place, name, None),
        };
        Ok(Value::from(text.as_str()))
    }

    fn get_att(&self, place: &Place<'_>, resource: &str, attribute: Attribute<'_>) -> Result<Value, ApiError> {
        match attribute {
            Attribute::Word(attribute) => self.resource(place, resource, Some(attribute)),
            Attribute::Function(function) => {
                let attribute = self.text(&place.member("Fn::GetAtt").item(1), function)?;
                if attribute.contains(MARK) {
                    return Ok(attribute.into());
                }
                self.resource(place, resource, Some(&attribute))
            }
        }
    }

    pub(super) fn resource(&self, place: &Place<'_>, name: &str, attribute: Option<&str>) -> Result<Value, ApiError> {
        if !self.template.is_active(name, self.conditions) {
            return Err(self.unresolved_resource(place, name));
        }
        let Some(created) = self.created.get(name) else {
            return if self.plan {
                Ok(unknown::value(name, attribute))
            } else {
                Err(place.error(format_args!("Resource {name} has not been created yet")))
            };
        };
        let Some(attribute) = attribute else { return Ok(Value::from(created.physical_id.as_str())) };
        created.attributes.get(attribute).cloned().ok_or_else(|| unsupported_attribute(place, name, attribute))
    }

    fn unresolved_resource(&self, place: &Place<'_>, name: &str) -> ApiError {
        let section = place.section();
        // Of a resource that its condition has left out. An output that has it is told so without AWS's prefix.
        let prefix = if section == "Outputs" { "" } else { "Template format error: " };
        place.error(format_args!(
            "{prefix}Unresolved resource dependencies [{name}] in the {section} block of the template"
        ))
    }

    /// The value as text: what functions take that work on strings.
    pub(super) fn text(&self, place: &Place<'_>, value: &Value) -> Result<String, ApiError> {
        let resolved = self.resolve(place, value)?;
        let text = resolved.as_ref().and_then(text).map(std::borrow::Cow::into_owned);
        text.ok_or_else(|| place.error("Template error: a string is required here"))
    }
}

/// About how many bytes a value takes.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| 32 + size(item)).sum(),
        Value::Object(members) => members.iter().map(|(name, member)| 64 + name.len() + size(member)).sum(),
        _ => 0,
    }
}

/// AWS's words for an attribute that the type does not have.
pub(super) fn unsupported_attribute(place: &Place<'_>, resource: &str, attribute: &str) -> ApiError {
    place.error(format_args!(
        "Template error: resource {resource} does not support attribute type {attribute} in Fn::GetAtt"
    ))
}
