//! `AWS::Lambda::EventInvokeConfig`.

use serde_json::{Value, json};

use super::permission::gone_is_none;
use crate::cloudformation::latency::{TYPICAL, Times};
use crate::cloudformation::resources::resource_type::{Context, Created, Properties, Reading, ResourceType, live};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::lambda::{self, EventInvokeChanges, Function};
use crate::store::Tx;
use crate::wire;

pub(super) struct EventInvokeConfigType;

fn text<'a>(properties: &'a Properties, name: &str) -> &'a str {
    properties.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn find(endpoint: &Endpoint, tx: &Tx<'_>, properties: &Properties) -> Result<Function, ApiError> {
    lambda::find(endpoint, tx, text(properties, "FunctionName"), Some(text(properties, "Qualifier")))
}

fn put(cx: &Context<'_>, function: &mut Function, properties: &Properties) -> Result<(), ApiError> {
    let mut input = properties.clone();
    input.retain(|name, _| name != "FunctionName" && name != "Qualifier");
    let changes: EventInvokeChanges =
        wire::decode("InvalidRequest", "AWS::Lambda::EventInvokeConfig", Value::Object(input))?;
    changes.apply(cx.tx, function, false)
}

impl ResourceType for EventInvokeConfigType {
    fn type_name(&self) -> &'static str {
        "AWS::Lambda::EventInvokeConfig"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../../schemas/aws-lambda-eventinvokeconfig.json")
    }

    fn times(&self) -> &'static [Times] {
        const { &[Times::new(2, 2, 2, TYPICAL)] }
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let mut function = find(cx.endpoint, cx.tx, properties)?;
        let id = format!("{}|{}", text(properties, "FunctionName"), text(properties, "Qualifier"));
        if function.event_invoke_config.is_some() {
            let message =
                format!("Resource of type 'AWS::Lambda::EventInvokeConfig' with identifier '{id}' already exists.");
            return Err(ApiError::new("AlreadyExists", message));
        }
        put(cx, &mut function, properties)?;
        Ok(Created { physical_id: id, attributes: Properties::new() })
    }

    fn update(
        &self,
        cx: &Context<'_>,
        _physical_id: &str,
        _old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        let mut function = find(cx.endpoint, cx.tx, new)?;
        put(cx, &mut function, new)?;
        Ok(Properties::new())
    }

    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        let function = gone_is_none(find(of.endpoint, of.tx, of.declared))?;
        let Some(config) = function.and_then(|function| function.event_invoke_config) else { return Ok(None) };
        let destination = |arn: &Option<String>| arn.as_ref().map(|arn| json!({"Destination": arn}));
        let destinations = live([
            ("OnSuccess", json!(destination(&config.on_success))),
            ("OnFailure", json!(destination(&config.on_failure))),
        ]);
        Ok(Some(live([
            ("FunctionName", json!(of.declared.get("FunctionName"))),
            ("Qualifier", json!(of.declared.get("Qualifier"))),
            ("MaximumRetryAttempts", json!(config.maximum_retry_attempts)),
            ("MaximumEventAgeInSeconds", json!(config.maximum_event_age)),
            ("DestinationConfig", Value::Object(destinations)),
        ])))
    }

    fn delete(&self, cx: &Context<'_>, _physical_id: &str, properties: &Properties) -> Result<(), ApiError> {
        let Some(mut function) = gone_is_none(find(cx.endpoint, cx.tx, properties))? else { return Ok(()) };
        function.event_invoke_config = None;
        cx.tx.put(&function)
    }
}
