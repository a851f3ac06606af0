//! The resource schemas: AWS's own, from `schemas/`.
//!
//! # Layout
//! - here: which schemas an operation has used, and how properties pass through them
//! - `document`: what a schema says about attributes and replacement
//! - `coerce`: scalars in the types that the schema wants
//! - `actual`: what there is, in the words of what was declared
//! - `check`: properties against the schema, in CloudFormation's words

mod actual;
mod check;
mod coerce;
mod document;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use serde_json::{Map, Value};

use super::resources::Properties;
use super::template::{Place, dynamic_reference};
use crate::endpoint::Endpoint;
use crate::error::ApiError;

pub(crate) use document::{Change, Schema, unrecognized};

/// How long compiled validators are kept that nobody uses: they are large, and calls come in groups.
const KEPT_FOR: Duration = Duration::from_secs(10);

/// The schemas that have been used.
#[derive(Default)]
pub(crate) struct Schemas {
    read: Mutex<BTreeMap<String, Arc<Schema>>>,
}

/// Those that the operations of an endpoint share.
#[derive(Default)]
struct Shared(Mutex<Weak<Schemas>>);

impl Schemas {
    /// Those of the endpoint, for as long as somebody uses them.
    pub(crate) fn of(endpoint: &Endpoint) -> Arc<Self> {
        let shared = endpoint.memory::<Shared>();
        let mut schemas = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(schemas) = schemas.upgrade() {
            return schemas;
        }
        let new = Arc::new(Self::default());
        *schemas = Arc::downgrade(&new);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let kept = Arc::clone(&new);
            runtime.spawn(async move {
                tokio::time::sleep(KEPT_FOR).await;
                drop(kept);
            });
        }
        new
    }

    /// The schema of a type.
    ///
    /// # Errors
    /// `Template format error: Unrecognized resource types: [...]`.
    pub(crate) fn get(&self, type_name: &str) -> Result<Arc<Schema>, ApiError> {
        // What is kept is complete whatever panicked elsewhere.
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(schema) = read.get(type_name) {
            return Ok(Arc::clone(schema));
        }
        let schema = Arc::new(Schema::read(type_name)?);
        read.insert(type_name.to_owned(), Arc::clone(&schema));
        Ok(schema)
    }
}

impl Schema {
    /// The properties with every scalar in the schema's type, checked. `refused` are the paths of
    /// `ResourceType::refused`. Values that are not known yet (`template::unknown`) are taken to be right, and so are
    /// properties that have `passed` before: compiling a validator takes longer than all the rest.
    ///
    /// # Errors
    /// `ValidationError` that names the place, e.g. `extraneous key [Foo] is not permitted`.
    pub(crate) fn prepare(
        &self,
        place: &Place<'_>,
        properties: Properties,
        refused: &[&str],
        passed: Option<&Properties>,
    ) -> Result<Properties, ApiError> {
        let mut value = Value::Object(properties);
        coerce::coerce(&self.document, &self.document, &mut value);
        dynamic_reference::refuse(place, &value)?;
        check::read_only(self, place, &value)?;
        check::refused(self, place, &value, refused)?;
        if passed.is_none() || value.as_object() != passed {
            check::valid(self, place, &value)?;
        }
        check::refused_values(self, place, &value)?;
        match value {
            Value::Object(properties) => Ok(properties),
            _ => Ok(Map::new()),
        }
    }

    /// What early validation has to say of the properties.
    pub(crate) fn mistakes(&self, properties: Properties) -> Result<Vec<check::Message>, ApiError> {
        let mut value = Value::Object(properties);
        coerce::coerce(&self.document, &self.document, &mut value);
        check::mistakes(self, &value)
    }
}

#[cfg(test)]
mod tests;
