//! The resource schemas: AWS's own, from `schemas/`.

use std::sync::Arc;

use super::resources::Properties;
use super::template::Place;
use crate::error::ApiError;

/// The schemas that one operation has used. Dropped with the operation: compiled validators are large, and rarely used.
#[derive(Default)]
pub(crate) struct Schemas {}

/// What CloudFormation knows of one resource type.
pub(crate) struct Schema {}

impl Schemas {
    /// The schema of a type.
    ///
    /// # Errors
    /// `Template format error: Unrecognized resource types: [...]`.
    pub(crate) fn get(&self, _type_name: &str) -> Result<Arc<Schema>, ApiError> {
        unimplemented!()
    }
}

impl Schema {
    /// The properties with every scalar in the schema's type, checked. `refused` are the paths of
    /// `ResourceType::refused`. Values that are not known yet (`template::unknown`) are taken to be right.
    ///
    /// # Errors
    /// `ValidationError` that names the place, e.g. `extraneous key [Foo] is not permitted`.
    pub(crate) fn prepare(
        &self,
        _place: &Place<'_>,
        _properties: Properties,
        _refused: &[&str],
    ) -> Result<Properties, ApiError> {
        unimplemented!()
    }

    /// Names of the top-level properties that differ, with whether their change replaces the resource.
    pub(crate) fn changes(&self, _old: &Properties, _new: &Properties) -> Vec<Change> {
        unimplemented!()
    }

    /// Whether the old resource has to go before its replacement can be made.
    pub(crate) fn deletes_before_creating(&self) -> bool {
        unimplemented!()
    }

    /// Whether `Fn::GetAtt` knows the attribute.
    pub(crate) fn has_attribute(&self, _name: &str) -> bool {
        unimplemented!()
    }

    /// Whether CloudFormation puts its `aws:cloudformation:*` tags on the resource.
    pub(crate) fn takes_system_tags(&self) -> bool {
        unimplemented!()
    }
}

/// A top-level property that an update changes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    pub(crate) property: String,
    pub(crate) replaces: bool,
}
