//! What the engine asks of a type of resource.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::cloudformation::latency::Times;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::{Record, Tx};
use crate::tag::{self, Tag};

/// Properties or attributes of a resource, in the names of its CloudFormation schema.
pub(crate) type Properties = Map<String, Value>;

/// A resource that is there.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Created {
    /// The physical id, which `Ref` gives.
    pub(crate) physical_id: String,
    /// What `Fn::GetAtt` gives: every read-only property of the schema, nested ones by dotted name.
    pub(crate) attributes: Properties,
}

/// Where and for whom a resource is made, changed or deleted. All of it is one transaction of the engine, together
/// with the stack's own record: either both are there or neither.
pub(crate) struct Context<'a> {
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) tx: &'a Tx<'a>,
    pub(crate) stack_id: &'a str,
    pub(crate) stack_name: &'a str,
    pub(crate) logical_id: &'a str,
    /// The stack's tags and `aws:cloudformation:stack-name`, `stack-id`, `logical-id`; a type adds its own `Tags`
    /// property over them where its schema says that it takes system tags.
    pub(crate) tags: &'a BTreeMap<String, String>,
    /// Counts the replacements of this logical resource, so that the next one gets another name.
    pub(crate) generation: u32,
    /// Until when AWS would take to make it, for types whose read calls tell.
    pub(crate) ready_at: Option<DateTime<Utc>>,
    /// An earlier attempt was cut off. What it made outside this transaction (in DynamoDB) is there, and ours.
    pub(crate) repeated: bool,
    /// What the service said that did not keep it from making the resource: the reason of the resource's status.
    pub(crate) remark: RefCell<Option<String>>,
}

impl Context<'_> {
    /// The resource's own tags over those of the stack.
    pub(crate) fn tags_over(&self, own: &[Tag]) -> BTreeMap<String, String> {
        tag::over(self.tags.clone(), own)
    }

    /// A physical name as CloudFormation makes them: `STACK-LOGICALID-SUFFIX`, at most `max` characters long.
    ///
    /// The suffix follows from stack, logical id and generation: a creation that is repeated after a kill finds
    /// what the first attempt made.
    pub(crate) fn generated_name(&self, max: usize) -> String {
        const LENGTH: usize = 12;
        let digest = Sha256::digest(format!("{}/{}/{}", self.stack_id, self.logical_id, self.generation));
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        let suffix: String =
            digest.iter().take(LENGTH).map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()])).collect();
        let stem = format!("{}-{}", self.stack_name, self.logical_id);
        let kept: String = stem.chars().take(max.saturating_sub(LENGTH + 1)).collect();
        format!("{kept}-{suffix}")
    }
}

/// A resource whose live properties are wanted.
pub(crate) struct Reading<'a> {
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) tx: &'a Tx<'a>,
    pub(crate) physical_id: &'a str,
    /// What the template says of it, resolved.
    pub(crate) declared: &'a Properties,
    /// The other resources of its stack: what they have put on it is not its own.
    pub(crate) siblings: &'a [Sibling<'a>],
}

/// Another resource of the same stack.
pub(crate) struct Sibling<'a> {
    pub(crate) resource_type: &'a str,
    pub(crate) physical_id: &'a str,
    pub(crate) properties: &'a Properties,
}

/// Live properties; those that are `null` are not there.
pub(super) fn live<const N: usize>(values: [(&str, Value); N]) -> Properties {
    values.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Tags as most schemas write them.
pub(super) fn tag_list<'a>(tags: impl IntoIterator<Item = (&'a String, &'a String)>) -> Value {
    tags.into_iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

/// The name in this property, if there is a record of this kind with it.
pub(super) fn taken<R: Record>(
    tx: &Tx<'_>,
    properties: &Properties,
    property: &str,
) -> Result<Option<String>, ApiError> {
    let Some(name) = properties.get(property).and_then(Value::as_str) else { return Ok(None) };
    Ok(tx.get::<R>(name)?.map(|_| name.to_owned()))
}

/// What a property may not be here, although it may on AWS.
pub(crate) enum Refused {
    /// One of these, at this path.
    Value(&'static str, &'static [&'static str]),
    /// A list without this, or no list at all.
    Without(&'static str, &'static str),
    /// More than one item.
    Several(&'static str),
}

impl Refused {
    /// The path of the property.
    pub(crate) fn path(&self) -> &'static str {
        match self {
            Self::Value(path, _) | Self::Without(path, _) | Self::Several(path) => path,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(path, values) => write!(f, "`{path}`: `{}`", values.join("`, `")),
            Self::Without(path, value) => write!(f, "`{path}` without `{value}`"),
            Self::Several(path) => write!(f, "more than one of `{path}`"),
        }
    }
}

/// One type of resource, e.g. `AWS::ECS::Cluster`.
pub(crate) trait ResourceType: Sync {
    /// `AWS::SERVICE::TYPE`.
    fn type_name(&self) -> &'static str;

    /// AWS's schema of it: a file of `schemas/`.
    fn schema(&self) -> &'static str;

    /// How long it takes on AWS to come, change and go: the first that fits counts, and the last fits all.
    fn times(&self) -> &'static [Times];

    /// Properties that AWS has and that mean nothing locally, as paths with `*` for list items or map keys, e.g.
    /// `ContainerDefinitions/*/DependsOn`. A template that sets one is refused by name before anything is created.
    fn refused(&self) -> &'static [&'static str] {
        &[]
    }

    /// The same for some values of a property.
    fn refused_values(&self) -> &'static [Refused] {
        &[]
    }

    /// Whether the change of a property makes another resource, where AWS's schema does not say so.
    fn replaces(&self, _property: &str, _old: &Properties, _new: &Properties) -> bool {
        false
    }

    /// The name that the template gives the resource, if something of this type bears it already.
    fn taken_name(
        &self,
        _endpoint: &Endpoint,
        _tx: &Tx<'_>,
        _properties: &Properties,
    ) -> Result<Option<String>, ApiError> {
        Ok(None)
    }

    /// Makes the resource. Properties have passed the schema and hold no intrinsic function.
    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError>;

    /// Changes the resource in place and returns its attributes. Called only when no create-only property differs.
    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError>;

    /// Says that the resource is going, for types whose read calls tell; it goes with [`ResourceType::delete`].
    fn begin_deletion(&self, _cx: &Context<'_>, _physical_id: &str) -> Result<(), ApiError> {
        Ok(())
    }

    /// The resource as it is, whoever has changed it: all properties that a template can declare and that AWS's own handler
    /// reads, with all tags. `None` when it is gone.
    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError>;

    /// Deletes the resource; does nothing if it is already gone.
    fn delete(&self, cx: &Context<'_>, physical_id: &str, properties: &Properties) -> Result<(), ApiError>;

    /// Takes away what a deletion has left outside the store, once that is committed.
    fn clean_up(&self, _endpoint: &Endpoint) {}
}
