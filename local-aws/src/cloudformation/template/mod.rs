//! The template language: text to declarations to values. Pure: no store, no I/O.
//!
//! # Layout
//! In reading order:
//! - `document`, `yaml`, `json`: the text to one plain value in the long form of every function
//! - `place`: where in the template something is, and the errors that say so
//! - `parse`: the sections of the document to a [`Template`]
//! - `parameters`, `parameter_types`, `allowed_pattern`: declarations, and the values that a call gives for them
//! - `function`: the syntax of each intrinsic function; `sub`: the text of `Fn::Sub`
//! - `conditions`: which are true, and so which resources exist
//! - `resolve`: a [`Scope`] turns what a template says into values; `intrinsics`, `cidr`: the functions that do
//! - `unknown`: values that are known only after something has been created
//! - `dependencies`: what has to be there before what
//! - `validate`: everything that can be known before anything is created
//!
//! An operation goes `Template::parse` -> `validate::references` -> `parameters::bind` -> `validate::resources` (plans
//! with unknown values) -> for each resource in the order of `dependencies`: [`Scope::properties`] ->
//! `schema::Schema::prepare` -> the resource type.

mod allowed_pattern;
mod cidr;
pub(crate) mod conditions;
pub(crate) mod dependencies;
mod document;
mod function;
mod intrinsics;
mod json;
mod parameter_types;
pub(crate) mod parameters;
mod parse;
mod place;
pub(crate) mod resolve;
mod sub;
pub(crate) mod unknown;
pub(crate) mod validate;
mod yaml;

use std::collections::BTreeMap;

use serde_json::Value;

pub(crate) use parameters::{Parameter, Parameters};
pub(crate) use place::Place;
pub(crate) use resolve::{Output, Scope};

/// Largest template body that a call may carry.
pub(crate) const MAX_BODY: usize = 51_200;

/// What a template declares, with every function still in place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Template {
    pub(crate) description: Option<String>,
    pub(crate) metadata: Option<Value>,
    pub(crate) parameters: BTreeMap<String, Parameter>,
    /// Map name, top-level key, second-level key.
    pub(crate) mappings: BTreeMap<String, BTreeMap<String, BTreeMap<String, Value>>>,
    pub(crate) conditions: BTreeMap<String, Value>,
    pub(crate) resources: BTreeMap<String, Resource>,
    pub(crate) outputs: BTreeMap<String, OutputDeclaration>,
}

/// A member of the `Resources` section.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Resource {
    /// `AWS::SERVICE::TYPE`.
    pub(crate) resource_type: String,
    /// An object; functions still in place.
    pub(crate) properties: Value,
    pub(crate) condition: Option<String>,
    pub(crate) depends_on: Vec<String>,
    pub(crate) deletion_policy: DeletionPolicy,
    pub(crate) update_replace_policy: DeletionPolicy,
    pub(crate) metadata: Option<Value>,
}

/// What becomes of a resource that leaves its stack.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum DeletionPolicy {
    #[default]
    Delete,
    Retain,
    /// Kept, except when the operation that made it is rolled back.
    RetainExceptOnCreate,
}

/// A member of the `Outputs` section.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OutputDeclaration {
    pub(crate) description: Option<String>,
    pub(crate) value: Value,
    pub(crate) condition: Option<String>,
    /// `Export: {Name: ...}`; may hold functions.
    pub(crate) export_name: Option<Value>,
}

/// What the pseudo parameters give.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Environment {
    pub(crate) account_id: String,
    pub(crate) region: String,
    pub(crate) partition: String,
    pub(crate) url_suffix: String,
    pub(crate) stack_name: String,
    pub(crate) stack_id: String,
    pub(crate) notification_arns: Vec<String>,
    /// What `Fn::GetAZs` gives for the region.
    pub(crate) availability_zones: Vec<String>,
}

impl Template {
    /// Types of the resources, each once, in order.
    pub(crate) fn resource_types(&self) -> Vec<String> {
        let types: std::collections::BTreeSet<_> =
            self.resources.values().map(|resource| resource.resource_type.clone()).collect();
        types.into_iter().collect()
    }

    /// The capability that a call has to acknowledge, and why: `CAPABILITY_NAMED_IAM` when an IAM resource has a name
    /// of its own, `CAPABILITY_IAM` for any other one.
    pub(crate) fn capability(&self) -> Option<&'static str> {
        let iam = self.resources.values().filter(|resource| resource.resource_type.starts_with("AWS::IAM::"));
        // A policy's name is local to the role that it is in, so it needs no more than any other IAM resource.
        let named = |resource: &Resource| {
            ["RoleName", "UserName", "GroupName", "ManagedPolicyName", "InstanceProfileName"]
                .iter()
                .any(|name| resource.properties.get(name).is_some())
        };
        iam.map(|resource| if named(resource) { "CAPABILITY_NAMED_IAM" } else { "CAPABILITY_IAM" }).max()
    }
}

#[cfg(test)]
mod tests;
