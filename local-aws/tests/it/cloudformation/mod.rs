//! CloudFormation with the real SDK: stacks come, change, fail and go as on AWS.

mod accepted;
mod calls;
mod change_sets;
mod creation;
mod deletion;
mod drift;
mod early_validation;
mod exports;
mod laws;
mod policies;
mod properties;
mod refusals;
mod shapes;
mod table_updates;
mod updates;
mod workshop;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{Parameter, Stack, StackEvent};

use crate::harness::{Endpoint, until};

/// A new endpoint and a client of it.
async fn start() -> (Endpoint, Client) {
    let endpoint = Endpoint::start().await;
    let client = Client::new(&endpoint.sdk_config());
    (endpoint, client)
}

/// A template with these resources and outputs (YAML, two blanks deep).
pub(crate) fn template(resources: &str, outputs: &str) -> String {
    let outputs = if outputs.is_empty() { String::new() } else { format!("Outputs:\n{outputs}") };
    format!("Resources:\n{resources}\n{outputs}")
}

/// An on-demand table with one key; `more` are further properties (YAML, six blanks deep).
pub(crate) fn table(logical_id: &str, more: &str) -> String {
    format!(
        "  {logical_id}:\n    Type: AWS::DynamoDB::Table\n    Properties:\n      BillingMode: PAY_PER_REQUEST\n      \
         AttributeDefinitions: [{{AttributeName: Id, AttributeType: S}}]\n      \
         KeySchema: [{{AttributeName: Id, KeyType: HASH}}]\n{more}\n"
    )
}

pub(crate) async fn create(client: &Client, name: &str, body: &str) -> String {
    client.create_stack().stack_name(name).template_body(body).send().await.unwrap().stack_id.unwrap()
}

/// Creates the stack and waits until it is there.
async fn created(client: &Client, name: &str, body: &str) -> Stack {
    create(client, name, body).await;
    let stack = settled(client, name).await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{stack:?}");
    stack
}

/// The stack, once no operation is at work on it.
pub(crate) async fn settled(client: &Client, name_or_id: &str) -> Stack {
    until(&format!("the end of the operation on {name_or_id}"), async || {
        let stack = describe(client, name_or_id).await.unwrap();
        let is_at_work = status(&stack).ends_with("_IN_PROGRESS") && status(&stack) != "REVIEW_IN_PROGRESS";
        (!is_at_work).then_some(stack)
    })
    .await
}

/// Sends a request that starts an operation, and gives back while that goes on: the answer may come at its end only.
pub(crate) async fn begun<T: Send + 'static>(
    client: &Client,
    name_or_id: &str,
    request: impl Future<Output = T> + Send + 'static,
) {
    let request = tokio::spawn(request);
    until(&format!("an operation begins on {name_or_id}"), async || {
        let stack = describe(client, name_or_id).await;
        let is_begun = stack.is_ok_and(|stack| status(&stack).ends_with("_IN_PROGRESS"));
        (is_begun || request.is_finished()).then_some(())
    })
    .await;
}

/// The stack, or the error's text.
pub(crate) async fn describe(client: &Client, name_or_id: &str) -> Result<Stack, String> {
    match client.describe_stacks().stack_name(name_or_id).send().await {
        Ok(output) => Ok(output.stacks.unwrap().remove(0)),
        Err(error) => Err(message(&error)),
    }
}

pub(crate) fn status(stack: &Stack) -> &str {
    stack.stack_status().unwrap().as_str()
}

fn output<'a>(stack: &'a Stack, key: &str) -> &'a str {
    let output = stack.outputs().iter().find(|output| output.output_key() == Some(key));
    output.unwrap_or_else(|| panic!("no output {key}: {stack:?}")).output_value().unwrap()
}

fn parameter(key: &str, value: &str) -> Parameter {
    Parameter::builder().parameter_key(key).parameter_value(value).build()
}

/// `UsePreviousValue`.
fn previous(key: &str) -> Parameter {
    Parameter::builder().parameter_key(key).use_previous_value(true).build()
}

/// All events, oldest first, over all pages.
pub(crate) async fn events(client: &Client, name_or_id: &str) -> Vec<StackEvent> {
    let mut events = Vec::new();
    let mut token = None;
    loop {
        let page = client.describe_stack_events().stack_name(name_or_id).set_next_token(token).send().await.unwrap();
        token = page.next_token.clone();
        events.extend(page.stack_events.unwrap_or_default());
        if token.is_none() {
            events.reverse();
            return events;
        }
    }
}

/// The events as `LOGICALID STATUS [reason]`, oldest first.
pub(crate) async fn story(client: &Client, name_or_id: &str) -> Vec<String> {
    let line = |event: &StackEvent| {
        let mut line =
            format!("{} {}", event.logical_resource_id().unwrap(), event.resource_status().unwrap().as_str());
        if let Some(reason) = event.resource_status_reason() {
            line += &format!(" [{reason}]");
        }
        line
    };
    events(client, name_or_id).await.iter().map(line).collect()
}

/// Physical ids by logical id.
pub(crate) async fn resources(client: &Client, name_or_id: &str) -> std::collections::BTreeMap<String, String> {
    let resources = client.describe_stack_resources().stack_name(name_or_id).send().await.unwrap();
    let pairs = resources.stack_resources().iter().map(|resource| {
        (
            resource.logical_resource_id().unwrap().to_owned(),
            resource.physical_resource_id().unwrap_or_default().to_owned(),
        )
    });
    pairs.collect()
}

/// Names of the tables that there are.
pub(crate) async fn tables(endpoint: &Endpoint) -> Vec<String> {
    let client = aws_sdk_dynamodb::Client::new(&endpoint.sdk_config());
    client.list_tables().send().await.unwrap().table_names.unwrap_or_default()
}

/// What the service says of a refusal: `CODE: MESSAGE`.
fn message<E, R>(error: &aws_sdk_cloudformation::error::SdkError<E, R>) -> String
where
    E: aws_sdk_cloudformation::error::ProvideErrorMetadata + std::fmt::Debug,
    R: std::fmt::Debug,
{
    use aws_sdk_cloudformation::error::ProvideErrorMetadata;
    format!("{}: {}", error.code().unwrap_or("?"), error.message().map_or_else(|| format!("{error:?}"), str::to_owned))
}
