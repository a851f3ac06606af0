//! Everything that can be known before anything is created.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::active::unresolved;
use super::declared::Template;
use super::dependencies::references as referred;
use super::function::{Function, walk};
use super::place::{Place, invalid};
use super::resolve::{Scope, unsupported_attribute};
use super::{conditions, dependencies, dynamic_reference};
use crate::cloudformation::resources::Properties;
use crate::cloudformation::schema::{Schemas, unrecognized};
use crate::error::ApiError;

/// Looks a type up: the property paths that it refuses, or `None` when the engine cannot make it. Usually
/// `|name| resources::find(name).map(|resource_type| resource_type.refused())`.
pub(crate) type Types<'a> = dyn Fn(&str) -> Option<&'static [&'static str]> + 'a;

/// What needs no parameter values: types, references, attributes, functions, conditions, circles.
/// This is all that ValidateTemplate and GetTemplateSummary look at.
///
/// # Errors
/// `ValidationError` that names the place.
pub(crate) fn references(template: &Template, schemas: &Schemas, types: &Types<'_>) -> Result<(), ApiError> {
    let names = template.resource_types();
    let unknown: Vec<_> =
        names.iter().map(String::as_str).filter(|name| types(name).is_none() || schemas.get(name).is_err()).collect();
    if !unknown.is_empty() {
        return Err(unrecognized(&unknown));
    }
    conditions::check(template)?;
    let mut checker = Checker { template, schemas, unresolved: BTreeMap::new() };
    checker.resources()?;
    checker.refuse_unresolved("Resources")?;
    checker.outputs()?;
    checker.refuse_unresolved("Outputs")?;
    dependencies::check(template)
}

/// Properties of a resource that have passed its schema before, by logical id.
pub(crate) type Passed<'a> = dyn Fn(&str) -> Option<&'a Properties> + 'a;

/// Resolves every active resource and output as far as it is known, and holds the properties against the schemas, but for
/// those that are what has passed. Returns the properties (coerced, unknown values marked) of the active resources.
///
/// # Errors
/// `ValidationError` that names the place.
pub(crate) fn resources(
    scope: &Scope<'_>,
    schemas: &Schemas,
    types: &Types<'_>,
    passed: &Passed<'_>,
) -> Result<BTreeMap<String, Properties>, ApiError> {
    let root = Place::root("Resources");
    let mut prepared = BTreeMap::new();
    for (logical_id, resource) in &scope.template.resources {
        if !scope.template.is_active(logical_id, scope.conditions) {
            continue;
        }
        let refused = types(&resource.resource_type).ok_or_else(|| unrecognized(&[&resource.resource_type]))?;
        let properties = scope.properties(logical_id)?;
        let schema = schemas.get(&resource.resource_type)?;
        let member = root.member(logical_id);
        let place = member.member("Properties");
        prepared.insert(logical_id.clone(), schema.prepare(&place, properties, refused, passed(logical_id))?);
        scope.metadata(logical_id)?;
    }
    check_outputs(scope)?;
    Ok(prepared)
}

/// What functions make of a parameter or a map can be a dynamic reference, too.
fn check_outputs(scope: &Scope<'_>) -> Result<(), ApiError> {
    let root = Place::root("Outputs");
    for output in scope.outputs()? {
        dynamic_reference::refuse_in(&root.member(&output.key).member("Value"), &output.value)?;
        if let Some(name) = &output.export_name {
            dynamic_reference::refuse_in(&root.member(&output.key).member("Export"), name)?;
        }
    }
    Ok(())
}

struct Checker<'a> {
    template: &'a Template,
    schemas: &'a Schemas,
    /// Names that are nothing, with the first place of each.
    unresolved: BTreeMap<String, String>,
}

impl<'a> Checker<'a> {
    fn resources(&mut self) -> Result<(), ApiError> {
        let root = Place::root("Resources");
        for (logical_id, resource) in &self.template.resources {
            let place = root.member(logical_id);
            self.condition(&place.member("Condition"), resource.condition.as_deref())?;
            for name in &resource.depends_on {
                if !self.template.resources.contains_key(name) {
                    self.note_unresolved(&place.member("DependsOn"), name);
                }
            }
            self.value(&place.member("Properties"), &resource.properties)?;
            if let Some(metadata) = &resource.metadata {
                self.functions(&place.member("Metadata"), metadata)?;
            }
        }
        Ok(())
    }

    fn outputs(&mut self) -> Result<(), ApiError> {
        let root = Place::root("Outputs");
        for (key, output) in &self.template.outputs {
            let place = root.member(key);
            self.condition(&place.member("Condition"), output.condition.as_deref())?;
            self.value(&place.member("Value"), &output.value)?;
            if let Some(name) = &output.export_name {
                let place = place.member("Export");
                let place = place.member("Name");
                self.value(&place, name)?;
                self.refuse_resources(&place, name, "Export names")?;
            }
        }
        Ok(())
    }

    fn condition(&self, place: &Place<'_>, name: Option<&str>) -> Result<(), ApiError> {
        match name {
            Some(name) if !self.template.conditions.contains_key(name) => Err(unresolved(place, name)),
            _ => Ok(()),
        }
    }

    fn value(&mut self, place: &Place<'_>, value: &'a Value) -> Result<(), ApiError> {
        dynamic_reference::refuse(place, value)?;
        self.functions(place, value)
    }

    fn functions(&mut self, place: &Place<'_>, value: &'a Value) -> Result<(), ApiError> {
        walk(place, value, None, &mut |place, function| self.function(place, function))
    }

    fn function(&mut self, place: &Place<'_>, function: Function<'a>) -> Result<(), ApiError> {
        match function {
            Function::Logic(logic, _) => {
                return Err(place.error(format_args!(
                    "Template error: {} is only allowed in the Conditions block of the template",
                    logic.name()
                )));
            }
            Function::If { condition, .. } => self.condition(place, Some(condition))?,
            Function::FindInMap(path) => self.find_in_map(&place.member("Fn::FindInMap"), path)?,
            Function::ImportValue(name) => {
                self.refuse_resources(&place.member("Fn::ImportValue"), name, "the attribute in Fn::ImportValue")?;
            }
            _ => {}
        }
        for (name, attribute) in referred(place, function)? {
            self.reference(place, function, name, attribute)?;
        }
        Ok(())
    }

    fn reference(
        &mut self,
        place: &Place<'_>,
        function: Function<'_>,
        name: &str,
        attribute: Option<&str>,
    ) -> Result<(), ApiError> {
        let resource = self.template.resources.get(name);
        let Some(attribute) = attribute else {
            if resource.is_none() && !self.template.has_parameter(name) {
                self.note_unresolved(place, name);
            }
            return Ok(());
        };
        let Some(resource) = resource else {
            if matches!(function, Function::GetAtt { .. }) {
                return Err(place.error(format_args!(
                    "Template error: instance of Fn::GetAtt references undefined resource {name}"
                )));
            }
            self.note_unresolved(place, name);
            return Ok(());
        };
        // An attribute out of a parameter is checked when its value is known.
        if !attribute.is_empty() && !self.schemas.get(&resource.resource_type)?.has_attribute(attribute) {
            return Err(unsupported_attribute(place, name, attribute));
        }
        Ok(())
    }

    fn find_in_map(&self, place: &Place<'_>, path: &[Value]) -> Result<(), ApiError> {
        for (index, key) in path.iter().enumerate() {
            self.refuse_resources(&place.item(index), key, "the arguments of Fn::FindInMap")?;
        }
        match path {
            [Value::String(map), ..] if !self.template.mappings.contains_key(map) => Err(place.error(format_args!(
                "Template format error: Mapping named '{map}' is not present in the 'Mappings' section of template."
            ))),
            _ => Ok(()),
        }
    }

    /// Some values are needed before any resource is there.
    fn refuse_resources(&self, place: &Place<'_>, value: &Value, what: &str) -> Result<(), ApiError> {
        let resources = self.template.resources.keys().map(String::as_str).collect::<BTreeSet<_>>();
        walk(place, value, None, &mut |place, function| {
            let names = referred(place, function)?;
            if matches!(function, Function::ImportValue(_)) || names.iter().any(|(name, _)| resources.contains(name)) {
                return Err(place.error(format_args!(
                    "Template error: {what} must not depend on any resources or imported values"
                )));
            }
            Ok(())
        })
    }

    fn note_unresolved(&mut self, place: &Place<'_>, name: &str) {
        self.unresolved.entry(name.to_owned()).or_insert_with(|| place.to_string());
    }

    fn refuse_unresolved(&mut self, block: &str) -> Result<(), ApiError> {
        if self.unresolved.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = self.unresolved.keys().map(String::as_str).collect();
        let places: Vec<_> = self.unresolved.values().map(String::as_str).collect();
        Err(invalid(format!(
            "Template format error: Unresolved resource dependencies [{}] in the {block} block of the template ({})",
            names.join(", "),
            places.join(", ")
        )))
    }
}
