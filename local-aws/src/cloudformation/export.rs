//! Exports: outputs that other stacks import.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::refusal::invalid;
use super::stack::Stack;
use super::stack_resource::StackResource;
use super::template::Output;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// A value that a stack gives to the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Export {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) stack_id: String,
}

impl Record for Export {
    const KIND: &'static str = "cloudformation.export";
    fn id(&self) -> String {
        self.name.clone()
    }
}

/// The account's exports as one operation sees them, and which of them were asked for.
#[derive(Default)]
pub(super) struct Imports {
    values: BTreeMap<String, String>,
    used: Mutex<BTreeSet<String>>,
}

impl Imports {
    pub(super) fn load(tx: &Tx<'_>) -> Result<Self, ApiError> {
        let values = tx.list::<Export>()?.into_iter().map(|export| (export.name, export.value)).collect();
        Ok(Self { values, used: Mutex::default() })
    }

    /// The value, noted as used.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.used().insert(name.to_owned());
        self.values.get(name).cloned()
    }

    /// What was asked for since the last time.
    pub(super) fn take_used(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.used())
    }

    fn used(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fails unless every export is still there: from now on it is in use.
pub(super) fn hold(tx: &Tx<'_>, names: &BTreeSet<String>) -> Result<(), ApiError> {
    for name in names {
        if tx.get::<Export>(name)?.is_none() {
            return Err(invalid(format!("No export named {name} found.")));
        }
    }
    Ok(())
}

/// Names of the stacks that import `name`, other than the exporting one.
pub(super) fn importers(tx: &Tx<'_>, name: &str) -> Result<Vec<String>, ApiError> {
    let mut ids: BTreeSet<String> = BTreeSet::new();
    for resource in tx.list::<StackResource>()? {
        let before = resource.before.as_ref().is_some_and(|before| before.imports.contains(name));
        if !resource.status.is_gone() && (before || resource.now.imports.contains(name)) {
            ids.insert(resource.stack_id);
        }
    }
    Ok(Stack::alive(tx)?
        .into_iter()
        .filter(|stack| ids.contains(&stack.stack_id) || stack.output_imports.contains(name))
        .map(|stack| stack.name)
        .collect())
}

/// Makes the stack's exports those of `outputs`.
///
/// # Errors
/// When another stack has the name, or a stack uses an export that would change or go.
pub(super) fn publish(tx: &Tx<'_>, stack: &Stack, outputs: &[Output]) -> Result<(), ApiError> {
    let wanted: BTreeMap<&str, &str> =
        outputs.iter().filter_map(|output| Some((output.export_name.as_deref()?, output.value.as_str()))).collect();
    for export in tx.list::<Export>()?.into_iter().filter(|export| export.stack_id == stack.stack_id) {
        let verb = match wanted.get(export.name.as_str()) {
            Some(value) if *value == export.value => continue,
            Some(_) => "updated",
            None => "deleted",
        };
        if let Some(importer) = importers(tx, &export.name)?.first() {
            return Err(invalid(format!("Export {} cannot be {verb} as it is in use by {importer}", export.name)));
        }
        tx.delete::<Export>(&export.name)?;
    }
    for (name, value) in wanted {
        if let Some(other) = tx.get::<Export>(name)?.filter(|export| export.stack_id != stack.stack_id) {
            let exporter = Stack::of(tx, &other.stack_id)?.name;
            return Err(invalid(format!("Export with name {name} is already exported by stack {exporter}.")));
        }
        tx.put(&Export { name: name.to_owned(), value: value.to_owned(), stack_id: stack.stack_id.clone() })?;
    }
    Ok(())
}
