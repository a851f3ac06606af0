//! Making, changing and deleting functions, by calls and by CloudFormation.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::code;
use super::function::Function;
use super::name;
use super::refusal::{INVALID, conflict, invalid};
use super::role;
use super::settings::Changes;
use crate::ecr::image_use::ImageUse;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::iam;
use crate::store::{Record, Tx};
use crate::wire;

/// How long AWS takes until a function of image type is Active, and until it is updated. Typical, not verified.
pub(super) const TYPICAL: Duration = Duration::from_secs(6);

/// What is asked of a new function.
pub(crate) struct Creation {
    pub(crate) input: CreateFunction,
    changes: Changes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct CreateFunction {
    pub(crate) function_name: String,
    code: FunctionCode,
    package_type: Option<String>,
    architectures: Option<Vec<String>>,
    runtime: Option<String>,
    handler: Option<String>,
    #[serde(default)]
    publish: bool,
    #[serde(default)]
    pub(crate) tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct FunctionCode {
    image_uri: Option<String>,
    zip_file: Option<Value>,
    s3_bucket: Option<Value>,
    #[serde(rename = "S3Key")]
    _s3_key: Option<Value>,
    #[serde(rename = "S3ObjectVersion")]
    _s3_object_version: Option<Value>,
}

impl Creation {
    /// Reads an input; what cannot be done is refused by its name.
    pub(crate) fn read(operation: &str, mut input: Value) -> Result<Self, ApiError> {
        let changes = match &mut input {
            Value::Object(members) => Changes::take(operation, members)?,
            _ => Changes::default(),
        };
        let input: CreateFunction = wire::decode(INVALID, operation, input)?;
        let is_zip = input.package_type.as_deref() == Some("Zip")
            || input.code.zip_file.is_some()
            || input.code.s3_bucket.is_some();
        if is_zip || (input.package_type.is_none() && input.code.image_uri.is_none()) {
            return Err(ApiError::unsupported("The package type Zip"));
        }
        if input.runtime.is_some() || input.handler.is_some() {
            return Err(invalid(
                "Please don't provide Handler or Runtime or Layer when the intent is to create function with container image.",
            ));
        }
        if input.publish {
            return Err(ApiError::unsupported("The value true of the member Publish"));
        }
        Ok(Self { input, changes })
    }

    /// Makes the function, which is Pending until `ready_at`.
    pub(crate) fn create(
        self,
        endpoint: &Endpoint,
        tx: &Tx<'_>,
        ready_at: Option<DateTime<Utc>>,
    ) -> Result<Function, ApiError> {
        let name = name::of(endpoint, &self.input.function_name)?.to_owned();
        if name.len() > 64 {
            return Err(super::refusal::constraint("functionName", name, "have length less than or equal to 64"));
        }
        if tx.get::<Function>(&name)?.is_some() {
            return Err(conflict(format!("Function already exist: {name}")));
        }
        super::tags::check(&self.input.tags)?;
        let image_uri = self.input.code.image_uri.as_deref().unwrap_or_default();
        let function = Function {
            arn: Function::arn_of(endpoint, &name),
            settings: self.changes.into_settings()?,
            code: code::resolve(endpoint, tx, image_uri)?,
            architecture: code::architecture(self.input.architectures.as_deref())?,
            tags: self.input.tags,
            reserved_concurrency: None,
            statements: Vec::new(),
            event_invoke_config: None,
            last_modified: Utc::now(),
            revision_id: Uuid::new_v4().to_string(),
            generation: Uuid::new_v4().to_string(),
            ready_at,
            updated_at: None,
            name,
        };
        check_role(endpoint, tx, &function)?;
        code::keep(tx, &function)?;
        tx.put(&function)?;
        Ok(function)
    }

    /// Makes the function what a new one would be; its image is looked up only if it is said to be another.
    pub(crate) fn apply(
        self,
        endpoint: &Endpoint,
        tx: &Tx<'_>,
        function: &mut Function,
        is_new_code: bool,
    ) -> Result<(), ApiError> {
        let before = (function.settings.clone(), function.code.clone(), function.architecture.clone());
        function.settings = self.changes.into_settings()?;
        function.architecture = code::architecture(self.input.architectures.as_deref())?;
        if is_new_code {
            function.code = code::resolve(endpoint, tx, self.input.code.image_uri.as_deref().unwrap_or_default())?;
        }
        if before == (function.settings.clone(), function.code.clone(), function.architecture.clone()) {
            return tx.put(function);
        }
        change(endpoint, tx, function)
    }
}

/// Writes a function whose settings or code are others.
pub(super) fn change(endpoint: &Endpoint, tx: &Tx<'_>, function: &mut Function) -> Result<(), ApiError> {
    check_role(endpoint, tx, function)?;
    code::keep(tx, function)?;
    function.renew(endpoint.latency.end_of(TYPICAL));
    tx.put(function)
}

/// Deletes the function; events that wait for it go when their turn comes.
pub(crate) fn remove(tx: &Tx<'_>, function: &Function) -> Result<(), ApiError> {
    ImageUse::end(tx, &function.arn)?;
    tx.delete::<Function>(&function.id()).map(drop)
}

/// Whether the role is one that Lambda may act in, and that may do what the settings need.
pub(super) fn check_role(endpoint: &Endpoint, tx: &Tx<'_>, function: &Function) -> Result<(), ApiError> {
    let role = &function.settings.role;
    if let Err(refusal) = iam::assume(endpoint, tx, role, "lambda.amazonaws.com", &function.arn) {
        return match refusal.status {
            500.. => Err(refusal),
            _ => Err(invalid("The role defined for the function cannot be assumed by Lambda.")),
        };
    }
    let Some(queue) = &function.settings.dead_letter else { return Ok(()) };
    if role::may_send(tx, function, queue)? {
        return Ok(());
    }
    Err(invalid("The provided execution role does not have permissions to call SendMessage on SQS"))
}
