//! EventBridge.

mod api;
mod clusters;
mod deliveries;
mod functions;
mod kill;
mod senders;
mod stack;

use serde_json::{Value, json};

use crate::boto::{Boto, Refusal};
use crate::harness::{Endpoint, until};

/// An endpoint, and botocore to call it.
struct Scene {
    endpoint: Endpoint,
    boto: Boto,
}

impl Scene {
    async fn start() -> Self {
        Self::on(Endpoint::start().await)
    }

    fn on(endpoint: Endpoint) -> Self {
        let boto = Boto::start(endpoint.variables());
        Self { endpoint, boto }
    }

    fn events(&mut self, operation: &str, input: &Value) -> Value {
        self.boto.call("events", operation, input).unwrap_or_else(|refusal| panic!("{operation} {input}: {refusal:?}"))
    }

    fn refused(&mut self, operation: &str, input: &Value) -> String {
        let Refusal { code, message } = self.boto.call("events", operation, input).unwrap_err();
        format!("{code}: {message}")
    }

    /// A rule for events of `source`, with these targets.
    fn rule(&mut self, name: &str, source: &str, targets: &Value) -> String {
        let pattern = json!({"source": [source]}).to_string();
        let rule = self.events("PutRule", &json!({"Name": name, "EventPattern": pattern}));
        self.events("PutTargets", &json!({"Rule": name, "Targets": targets}));
        rule["RuleArn"].as_str().unwrap().to_owned()
    }

    /// Sends an event of `my.app` with this detail; its id.
    fn send(&mut self, detail: &Value) -> String {
        let entry = json!({"Source": "my.app", "DetailType": "t", "Detail": detail.to_string()});
        let sent = self.events("PutEvents", &json!({"Entries": [entry]}));
        sent["Entries"][0]["EventId"].as_str().unwrap_or_else(|| panic!("{sent}")).to_owned()
    }

    /// A queue that EventBridge may send to.
    fn queue(&mut self, name: &str) -> Queue {
        Queue::create(&mut self.boto, name)
    }

    /// The next messages of the queue, at least so many.
    async fn received(&mut self, queue: &Queue, count: usize) -> Vec<Message> {
        let mut messages = Vec::new();
        until(&format!("{count} messages in {}", queue.arn), async || {
            messages.extend(queue.receive(&mut self.boto));
            (messages.len() >= count).then_some(())
        })
        .await;
        messages
    }
}

struct Queue {
    url: String,
    arn: String,
}

impl Queue {
    fn create(boto: &mut Boto, name: &str) -> Self {
        let arn = format!("arn:aws:sqs:us-east-1:000000000000:{name}");
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": arn, "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:events:us-east-1:000000000000:rule/*"}},
        }]});
        let input = json!({"QueueName": name, "Attributes": {"Policy": policy.to_string()}});
        let queue = boto.call("sqs", "CreateQueue", &input).unwrap();
        Self { url: queue["QueueUrl"].as_str().unwrap().to_owned(), arn }
    }

    /// What is there now; nobody gets it a second time.
    fn receive(&self, boto: &mut Boto) -> Vec<Message> {
        let input = json!({
            "QueueUrl": self.url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 43_200,
            "MessageAttributeNames": ["All"], "MessageSystemAttributeNames": ["SentTimestamp"],
        });
        let mut received = boto.call("sqs", "ReceiveMessage", &input).unwrap();
        let Value::Array(messages) = received["Messages"].take() else { return Vec::new() };
        messages.into_iter().map(Message::of).collect()
    }
}

/// A message, as it was received.
struct Message {
    body: String,
    attributes: Value,
    /// Milliseconds since 1970.
    sent: i64,
}

impl Message {
    fn of(mut message: Value) -> Self {
        let sent = message["Attributes"]["SentTimestamp"].as_str().unwrap().parse().unwrap();
        let attributes = message["MessageAttributes"].take();
        Self { body: message["Body"].as_str().unwrap().to_owned(), attributes, sent }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn attribute(&self, name: &str) -> String {
        self.attributes[name]["StringValue"].as_str().unwrap_or_default().to_owned()
    }
}
