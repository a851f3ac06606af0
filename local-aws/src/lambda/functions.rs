//! The calls that make, show, change and delete functions.

use serde::Deserialize;
use serde_json::{Value, json};

use super::code;
use super::creation::{self, Creation};
use super::description::{configuration, whole};
use super::environments::Environments;
use super::function::Function;
use super::name::{LATEST, find};
use super::page::{limit, next_page};
use super::refusal::{INVALID, invalid, refused};
use super::settings::Changes;
use crate::ecr::collection::collect_unless_kept;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::Call;
use crate::store::Tx;
use crate::wire;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Named {
    function_name: String,
    qualifier: Option<String>,
}

impl Named {
    fn find(&self, endpoint: &Endpoint, tx: &Tx<'_>) -> Result<Function, ApiError> {
        find(endpoint, tx, &self.function_name, self.qualifier.as_deref())
    }
}

pub(super) fn create(call: Call) -> Result<Value, ApiError> {
    let creation = Creation::read(call.operation.name, call.input)?;
    let endpoint = &call.endpoint;
    let ready_at = endpoint.latency.end_of(creation::TYPICAL);
    let function = endpoint.store.write(|tx| creation.create(endpoint, tx, ready_at))?;
    let mut shown = configuration(&function);
    // As on AWS, whose answer is older than the function.
    shown["State"] = json!("Pending");
    shown["StateReason"] = json!("The function is being created.");
    shown["StateReasonCode"] = json!("Creating");
    if let Some(shown) = shown.as_object_mut() {
        shown.remove("LastUpdateStatus");
    }
    Ok(shown)
}

pub(super) fn get(endpoint: &Endpoint, input: &Named) -> Result<Value, ApiError> {
    endpoint.store.read(|tx| input.find(endpoint, tx)).map(|function| whole(&function))
}

pub(super) fn get_configuration(endpoint: &Endpoint, input: &Named) -> Result<Value, ApiError> {
    endpoint.store.read(|tx| input.find(endpoint, tx)).map(|function| configuration(&function))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ListFunctions {
    function_version: Option<String>,
    marker: Option<String>,
    max_items: Option<i64>,
}

pub(super) fn list(endpoint: &Endpoint, input: &ListFunctions) -> Result<Value, ApiError> {
    if let Some(other) = input.function_version.as_ref().filter(|version| *version != "ALL") {
        return Err(super::refusal::constraint("functionVersion", other, "satisfy enum value set: [ALL]"));
    }
    // As on AWS: at most 50 a page, whatever is asked for.
    let limit = limit(input.max_items, 10_000)?.min(50);
    let functions = endpoint.store.read(|tx| tx.list::<Function>())?;
    let (functions, next) = next_page(functions, input.marker.as_deref(), limit)?;
    let mut output = json!({"Functions": functions.iter().map(configuration).collect::<Vec<_>>()});
    if let Some(next) = next {
        output["NextMarker"] = json!(next);
    }
    Ok(output)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct UpdateFunctionConfiguration {
    function_name: String,
    runtime: Option<String>,
    handler: Option<String>,
    revision_id: Option<String>,
}

pub(super) fn update_configuration(call: Call) -> Result<Value, ApiError> {
    let mut input = call.input;
    let changes = match &mut input {
        Value::Object(members) => Changes::take(call.operation.name, members)?,
        _ => Changes::default(),
    };
    let input: UpdateFunctionConfiguration = wire::decode(INVALID, call.operation.name, input)?;
    if input.runtime.is_some() || input.handler.is_some() {
        return Err(invalid("Runtime and Handler cannot be set for a function of image type."));
    }
    let endpoint = &call.endpoint;
    let function = endpoint.store.write(|tx| {
        let mut function = find(endpoint, tx, &input.function_name, None)?;
        function.check_settled()?;
        check_revision(&function, input.revision_id.as_deref())?;
        function.settings.change(changes)?;
        creation::change(endpoint, tx, &mut function)?;
        Ok(function)
    })?;
    Environments::retire(endpoint, &function.name);
    Ok(configuration(&function))
}

fn check_revision(function: &Function, asked: Option<&str>) -> Result<(), ApiError> {
    if asked.is_none_or(|asked| asked == function.revision_id) {
        return Ok(());
    }
    Err(refused(
        "PreconditionFailedException",
        412,
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct UpdateFunctionCode {
    function_name: String,
    image_uri: Option<String>,
    architectures: Option<Vec<String>>,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    publish: bool,
    revision_id: Option<String>,
}

pub(super) fn update_code(endpoint: &Endpoint, input: &UpdateFunctionCode) -> Result<Value, ApiError> {
    if input.publish {
        return Err(ApiError::unsupported("The value true of the member Publish"));
    }
    let Some(image_uri) = &input.image_uri else {
        return Err(invalid("Please provide ImageUri when updating a function with packageType Image."));
    };
    let mut before = None;
    let function = endpoint.store.write(|tx| {
        let mut function = find(endpoint, tx, &input.function_name, None)?;
        function.check_settled()?;
        check_revision(&function, input.revision_id.as_deref())?;
        before = Some(function.code.digest.clone());
        function.code = code::resolve(endpoint, tx, image_uri)?;
        if let Some(list) = input.architectures.as_deref() {
            function.architecture = code::architecture(Some(list))?;
        }
        if !input.dry_run {
            creation::change(endpoint, tx, &mut function)?;
        }
        Ok(function)
    })?;
    if !input.dry_run {
        Environments::retire(endpoint, &function.name);
        before.map_or(Ok(()), |digest| collect_unless_kept(endpoint, &digest))?;
    }
    Ok(configuration(&function))
}

pub(super) fn delete(endpoint: &Endpoint, input: &Named) -> Result<Value, ApiError> {
    if input.qualifier.as_deref() == Some(LATEST) {
        return Err(invalid("$LATEST version cannot be deleted without deleting the function."));
    }
    let function = endpoint.store.write(|tx| {
        let function = input.find(endpoint, tx)?;
        creation::remove(tx, &function)?;
        Ok(function)
    })?;
    clean_up(endpoint, &function)?;
    Ok(json!({}))
}

/// Ends what runs of a function that is gone.
fn clean_up(endpoint: &Endpoint, function: &Function) -> Result<(), ApiError> {
    Environments::retire(endpoint, &function.name);
    collect_unless_kept(endpoint, &function.code.digest)
}
