//! `AWS::Lambda::Permission`.

use serde_json::{Value, json};

use crate::cloudformation::latency::{TYPICAL, Times};
use crate::cloudformation::resources::resource_type::{Context, Created, Properties, Reading, ResourceType, live};
use crate::error::ApiError;
use crate::lambda::{self, Function, Permission};
use crate::wire;

pub(super) struct PermissionType;

/// The function of the permission, if it is there.
fn function(of: &Reading<'_>) -> Result<Option<Function>, ApiError> {
    let name = of.declared.get("FunctionName").and_then(Value::as_str).unwrap_or_default();
    gone_is_none(lambda::find(of.endpoint, of.tx, name, None))
}

pub(super) fn gone_is_none(function: Result<Function, ApiError>) -> Result<Option<Function>, ApiError> {
    match function {
        Ok(function) => Ok(Some(function)),
        Err(error) if error.status == 404 => Ok(None),
        Err(error) => Err(error),
    }
}

impl ResourceType for PermissionType {
    fn type_name(&self) -> &'static str {
        "AWS::Lambda::Permission"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../../schemas/aws-lambda-permission.json")
    }

    fn times(&self) -> &'static [Times] {
        const { &[Times::new(2, 2, 2, TYPICAL)] }
    }

    fn refused(&self) -> &'static [&'static str] {
        &["EventSourceToken", "FunctionUrlAuthType", "InvokedViaFunctionUrl", "PrincipalOrgID"]
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let id = cx.generated_name(100);
        let mut input = properties.clone();
        input.insert("StatementId".to_owned(), json!(id));
        let permission: Permission = wire::decode("InvalidRequest", "AWS::Lambda::Permission", Value::Object(input))?;
        permission.add(cx.endpoint, cx.tx)?;
        Ok(Created { attributes: attributes(&id), physical_id: id })
    }

    /// There is nothing to change: every property makes another one.
    fn update(
        &self,
        _cx: &Context<'_>,
        physical_id: &str,
        _old: &Properties,
        _new: &Properties,
    ) -> Result<Properties, ApiError> {
        Ok(attributes(physical_id))
    }

    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        let Some(function) = function(of)? else { return Ok(None) };
        let mut statements = function.statements.iter();
        let Some(statement) = statements.find(|statement| statement["Sid"] == of.physical_id) else { return Ok(None) };
        let declared = |property: &str| json!(of.declared.get(property));
        Ok(Some(live([
            ("FunctionName", declared("FunctionName")),
            ("Action", statement["Action"].clone()),
            // An account is shown as its root.
            ("Principal", declared("Principal")),
            ("SourceArn", statement["Condition"]["ArnLike"]["AWS:SourceArn"].clone()),
            ("SourceAccount", statement["Condition"]["StringEquals"]["AWS:SourceAccount"].clone()),
        ])))
    }

    fn delete(&self, cx: &Context<'_>, physical_id: &str, properties: &Properties) -> Result<(), ApiError> {
        let name = properties.get("FunctionName").and_then(Value::as_str).unwrap_or_default();
        let Some(mut function) = gone_is_none(lambda::find(cx.endpoint, cx.tx, name, None))? else { return Ok(()) };
        lambda::take_away(cx.tx, &mut function, physical_id).map(drop)
    }
}

fn attributes(id: &str) -> Properties {
    Properties::from_iter([("Id".to_owned(), json!(id))])
}
