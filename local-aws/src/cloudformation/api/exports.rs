//! Who exports what, and who uses it.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::cloudformation::answer::{listed, page};
use crate::cloudformation::export::{Export, importers};
use crate::cloudformation::refusal::invalid;
use crate::endpoint::Endpoint;
use crate::error::ApiError;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct ListExportsInput {
    next_token: Option<String>,
}

pub(in crate::cloudformation) fn list_exports(
    endpoint: &Arc<Endpoint>,
    input: ListExportsInput,
) -> Result<Value, ApiError> {
    let exports = endpoint.store.read(|tx| tx.list::<Export>())?;
    let (exports, next) = page(exports, |export| export.name.clone(), input.next_token.as_deref())?;
    let shown = exports.iter().map(|it| json!({"ExportingStackId": it.stack_id, "Name": it.name, "Value": it.value}));
    Ok(listed("Exports", shown.collect(), next))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloudformation) struct ListImportsInput {
    export_name: String,
    next_token: Option<String>,
}

pub(in crate::cloudformation) fn list_imports(
    endpoint: &Arc<Endpoint>,
    input: ListImportsInput,
) -> Result<Value, ApiError> {
    let name = &input.export_name;
    let mut importers = endpoint.store.read(|tx| {
        if tx.get::<Export>(name)?.is_none() {
            return Err(invalid(format!("Export '{name}' does not exist")));
        }
        importers(tx, name)
    })?;
    if importers.is_empty() {
        return Err(invalid(format!("Export '{name}' is not imported by any stack.")));
    }
    importers.sort_unstable();
    let (importers, next) = page(importers, Clone::clone, input.next_token.as_deref())?;
    Ok(listed("Imports", importers.into_iter().map(Value::from).collect(), next))
}
