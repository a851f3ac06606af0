//! SQS.

mod attributes;
mod kill;
mod messages;
mod model;
mod redrive;
mod refusals;
mod roles;
mod stack;
mod waiting;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};

use crate::harness::Endpoint;

/// A client, and a queue of this name.
async fn queue(endpoint: &Endpoint, name: &str) -> (Client, String) {
    let sqs = Client::new(&endpoint.sdk_config());
    let url = sqs.create_queue().queue_name(name).send().await.unwrap().queue_url.unwrap();
    (sqs, url)
}

async fn send(sqs: &Client, url: &str, body: &str) -> String {
    sqs.send_message().queue_url(url).message_body(body).send().await.unwrap().message_id.unwrap()
}

/// Up to ten messages, without waiting.
async fn receive(sqs: &Client, url: &str, visibility: i32) -> Vec<Message> {
    let receive = sqs.receive_message().queue_url(url).max_number_of_messages(10).visibility_timeout(visibility);
    let all = receive.message_system_attribute_names(MessageSystemAttributeName::All);
    all.send().await.unwrap().messages.unwrap_or_default()
}

async fn delete(sqs: &Client, url: &str, message: &Message) {
    sqs.delete_message().queue_url(url).receipt_handle(message.receipt_handle().unwrap()).send().await.unwrap();
}

async fn attribute(sqs: &Client, url: &str, name: QueueAttributeName) -> Option<String> {
    let answer = sqs.get_queue_attributes().queue_url(url).attribute_names(name.clone()).send().await.unwrap();
    answer.attributes.and_then(|mut attributes| attributes.remove(&name))
}

/// How many messages are visible, in flight and delayed.
async fn counts(sqs: &Client, url: &str) -> [i64; 3] {
    let answer =
        sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All).send().await.unwrap();
    let attributes = answer.attributes.unwrap();
    [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ]
    .map(|name| attributes[&name].parse().unwrap())
}

fn body(message: &Message) -> &str {
    message.body().unwrap()
}

fn system(message: &Message, name: MessageSystemAttributeName) -> Option<&str> {
    message.attributes().and_then(|attributes| attributes.get(&name)).map(String::as_str)
}

/// Code and message of a refusal.
fn refusal<E, R>(error: &aws_sdk_sqs::error::SdkError<E, R>) -> (String, String)
where
    E: aws_sdk_sqs::error::ProvideErrorMetadata,
{
    use aws_sdk_sqs::error::ProvideErrorMetadata;
    (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
}
