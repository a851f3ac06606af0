//! The event bus: the default one, which every account has.

use serde::Deserialize;
use serde_json::{Value, json};

use super::page::Page;
use super::refusal::not_found;
use crate::endpoint::Endpoint;
use crate::error::ApiError;

pub(crate) const DEFAULT: &str = "default";

pub(super) fn arn(endpoint: &Endpoint) -> String {
    endpoint.arn("events", &format!("event-bus/{DEFAULT}"))
}

/// Refuses another bus, by name or ARN.
pub(crate) fn check(endpoint: &Endpoint, reference: Option<&str>) -> Result<(), ApiError> {
    match reference {
        None | Some(DEFAULT) => Ok(()),
        Some(reference) if reference == arn(endpoint) => Ok(()),
        Some(other) => {
            let name = other.rsplit_once(":event-bus/").map_or(other, |(_, name)| name);
            Err(not_found(format!("Event bus {name} does not exist.")))
        }
    }
}

fn show(endpoint: &Endpoint) -> Value {
    json!({"Name": DEFAULT, "Arn": arn(endpoint)})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct DescribeEventBus {
    name: Option<String>,
}

pub(super) fn describe_event_bus(endpoint: &Endpoint, input: &DescribeEventBus) -> Result<Value, ApiError> {
    check(endpoint, input.name.as_deref())?;
    Ok(show(endpoint))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ListEventBuses {
    name_prefix: Option<String>,
    next_token: Option<String>,
    limit: Option<i64>,
}

pub(super) fn list_event_buses(endpoint: &Endpoint, input: &ListEventBuses) -> Result<Value, ApiError> {
    let is_wanted = input.name_prefix.as_ref().is_none_or(|prefix| DEFAULT.starts_with(prefix.as_str()));
    let buses = if is_wanted { vec![show(endpoint)] } else { Vec::new() };
    let page = Page { next_token: input.next_token.as_deref(), limit: input.limit };
    page.of("EventBuses", buses, |bus| bus["Name"].as_str().unwrap_or_default().to_owned(), Value::clone)
}
