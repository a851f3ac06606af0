//! The calls for reserved concurrency.

use serde::Deserialize;
use serde_json::{Value, json};

use super::environments::Environments;
use super::function::Function;
use super::name::find;
use super::refusal::{constraint, invalid};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

/// AWS's default for an account.
pub(super) const ACCOUNT: u32 = 1000;

/// What has to be left for the functions that have none reserved.
const UNRESERVED: u32 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Named {
    function_name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct PutFunctionConcurrency {
    function_name: String,
    reserved_concurrent_executions: i64,
}

pub(super) fn put(endpoint: &Endpoint, input: &PutFunctionConcurrency) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        let mut function = find(endpoint, tx, &input.function_name, None)?;
        function.reserved_concurrency = Some(reserve(tx, &function, input.reserved_concurrent_executions)?);
        tx.put(&function)
    })?;
    Environments::of(endpoint).tell();
    Ok(json!({"ReservedConcurrentExecutions": input.reserved_concurrent_executions}))
}

/// What may be reserved for the function.
pub(crate) fn reserve(tx: &Tx<'_>, function: &Function, asked: i64) -> Result<u32, ApiError> {
    let Ok(asked) = u32::try_from(asked) else {
        return Err(constraint("reservedConcurrentExecutions", asked, "have value greater than or equal to 0"));
    };
    let others = reserved(tx)?.saturating_sub(function.reserved_concurrency.unwrap_or(0));
    if u64::from(others) + u64::from(asked) + u64::from(UNRESERVED) > u64::from(ACCOUNT) {
        return Err(invalid(format!(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [{UNRESERVED}]."
        )));
    }
    Ok(asked)
}

/// What all functions together have reserved.
pub(super) fn reserved(tx: &Tx<'_>) -> Result<u32, ApiError> {
    Ok(tx.list::<Function>()?.iter().filter_map(|function| function.reserved_concurrency).sum())
}

pub(super) fn get(endpoint: &Endpoint, input: &Named) -> Result<Value, ApiError> {
    let function = endpoint.store.read(|tx| find(endpoint, tx, &input.function_name, None))?;
    Ok(match function.reserved_concurrency {
        Some(reserved) => json!({"ReservedConcurrentExecutions": reserved}),
        None => json!({}),
    })
}

pub(super) fn delete(endpoint: &Endpoint, input: &Named) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        let mut function = find(endpoint, tx, &input.function_name, None)?;
        function.reserved_concurrency = None;
        tx.put(&function)
    })?;
    Environments::of(endpoint).tell();
    Ok(json!({}))
}

pub(super) fn account_settings(endpoint: &Endpoint) -> Result<Value, ApiError> {
    endpoint.store.read(|tx| {
        let functions = tx.list::<Function>()?;
        Ok(json!({
            "AccountLimit": {
                "TotalCodeSize": 80_530_636_800_u64,
                "CodeSizeUnzipped": 262_144_000,
                "CodeSizeZipped": 52_428_800,
                "ConcurrentExecutions": ACCOUNT,
                "UnreservedConcurrentExecutions": ACCOUNT - reserved(tx)?,
            },
            "AccountUsage": {"TotalCodeSize": 0, "FunctionCount": functions.len()},
        }))
    })
}
