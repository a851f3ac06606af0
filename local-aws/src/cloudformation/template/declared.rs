//! What a template declares, and the world that it is read in.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

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

impl Resource {
    /// Whether it begins when all that it needs is complete, and not when that is configured. So one with a `DependsOn` has been
    /// seen to: it waited for the end of what it only referred to, too.
    pub(crate) fn waits_for_the_end(&self) -> bool {
        !self.depends_on.is_empty()
    }
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

/// A member of the `Parameters` section.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameter {
    /// As written, e.g. `List<AWS::EC2::Subnet::Id>`; the AWS-specific types are checked for syntax only.
    pub(crate) parameter_type: String,
    pub(crate) default: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) no_echo: bool,
    pub(crate) allowed_values: Vec<String>,
    pub(crate) allowed_pattern: Option<String>,
    pub(crate) constraint_description: Option<String>,
    pub(crate) min_length: Option<usize>,
    pub(crate) max_length: Option<usize>,
    pub(crate) min_value: Option<f64>,
    pub(crate) max_value: Option<f64>,
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
        let types: BTreeSet<_> = self.resources.values().map(|resource| resource.resource_type.clone()).collect();
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
