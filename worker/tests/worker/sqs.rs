//! SQS, as far as `queue` asks for it: one queue and its dead-letter queue.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{sync::Notify, time::timeout};

/// One queue. A message is dead after `max_receives`.
pub(crate) struct Sqs {
    pub(crate) state: Mutex<State>,
    changed: Notify,
}

pub(crate) struct State {
    pub(crate) messages: Vec<Message>,
    /// The bodies of what is in the dead-letter queue.
    pub(crate) dead: Vec<String>,
    pub(crate) visibility_seconds: u64,
    pub(crate) max_receives: u32,
    /// How often a message was handed out.
    pub(crate) receives: u64,
}

pub(crate) struct Message {
    pub(crate) body: String,
    pub(crate) receives: u32,
    id: u64,
    visible_at: Instant,
}

impl Default for Sqs {
    fn default() -> Self {
        let state =
            State { messages: Vec::new(), dead: Vec::new(), visibility_seconds: 30, max_receives: 1000, receives: 0 };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }
}

impl Sqs {
    pub(crate) fn set(&self, visibility_seconds: u64, max_receives: u32) {
        let mut state = self.state.lock().unwrap();
        (state.visibility_seconds, state.max_receives) = (visibility_seconds, max_receives);
    }

    /// Puts the items of a batch into the queue.
    pub(crate) fn seed(&self, batch: &str, indexes: impl IntoIterator<Item = u64>) {
        for index in indexes {
            self.send(&json!({"batch_id": batch, "item_index": index}).to_string(), Duration::ZERO);
        }
    }

    /// Puts in one message that is hidden for a while, as if another task had it.
    pub(crate) fn send(&self, body: &str, hidden: Duration) {
        let mut state = self.state.lock().unwrap();
        let id = state.messages.iter().map(|message| message.id + 1).max().unwrap_or_default();
        let visible_at = Instant::now() + hidden;
        state.messages.push(Message { body: body.to_owned(), receives: 0, id, visible_at });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.state.lock().unwrap().messages.is_empty()
    }

    /// How many messages anybody could have now.
    pub(crate) fn visible(&self) -> usize {
        let now = Instant::now();
        self.state.lock().unwrap().messages.iter().filter(|message| message.visible_at <= now).count()
    }

    pub(crate) async fn answer(&self, operation: &str, input: &Value) -> Result<Value, Value> {
        if !input["QueueUrl"].as_str().unwrap().ends_with("/items") {
            let message = "The specified queue does not exist.";
            return Err(json!({"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": message}));
        }
        match operation {
            "ReceiveMessage" => Ok(self.receive(input["WaitTimeSeconds"].as_u64().unwrap()).await),
            "DeleteMessage" => {
                let id = id(input);
                self.state.lock().unwrap().messages.retain(|message| message.id != id);
                Ok(json!({}))
            }
            "ChangeMessageVisibility" => self.change(id(input), input["VisibilityTimeout"].as_u64().unwrap()),
            "GetQueueAttributes" => Ok(self.attributes(input["AttributeNames"].as_array().unwrap())),
            other => panic!("queue has no use for {other}"),
        }
    }

    async fn receive(&self, seconds: u64) -> Value {
        let end = Instant::now() + Duration::from_secs(seconds);
        loop {
            let changed = self.changed.notified();
            let next = match self.take() {
                Ok(message) => return json!({"Messages": [message]}),
                Err(next) => next.map_or(end, |next| next.min(end)),
            };
            let now = Instant::now();
            if now >= end {
                return json!({});
            }
            let _ = timeout(next.saturating_duration_since(now), changed).await;
        }
    }

    /// A message, or when there may be one.
    fn take(&self) -> Result<Value, Option<Instant>> {
        let now = Instant::now();
        let state = &mut *self.state.lock().unwrap();
        let is_dead = |message: &mut Message| message.visible_at <= now && message.receives >= state.max_receives;
        let dead: Vec<_> = state.messages.extract_if(.., is_dead).map(|message| message.body).collect();
        state.dead.extend(dead);
        let Some(message) = state.messages.iter_mut().find(|message| message.visible_at <= now) else {
            return Err(state.messages.iter().map(|message| message.visible_at).min());
        };
        state.receives += 1;
        message.receives += 1;
        message.visible_at = now + Duration::from_secs(state.visibility_seconds);
        let Message { body, id, receives, .. } = message;
        Ok(json!({"Body": body, "MessageId": format!("message-{id}"), "ReceiptHandle": format!("{id}/{receives}")}))
    }

    fn change(&self, id: u64, seconds: u64) -> Result<Value, Value> {
        let mut state = self.state.lock().unwrap();
        let Some(message) = state.messages.iter_mut().find(|message| message.id == id) else {
            let text = "The message is not in flight.";
            return Err(json!({"__type": "com.amazonaws.sqs#MessageNotInflight", "message": text}));
        };
        message.visible_at = Instant::now() + Duration::from_secs(seconds);
        self.changed.notify_waiters();
        Ok(json!({}))
    }

    fn attributes(&self, names: &[Value]) -> Value {
        let now = Instant::now();
        let state = self.state.lock().unwrap();
        let visible = state.messages.iter().filter(|message| message.visible_at <= now).count();
        let value = |name: &str| match name {
            "VisibilityTimeout" => state.visibility_seconds.to_string(),
            "ApproximateNumberOfMessages" => visible.to_string(),
            "ApproximateNumberOfMessagesNotVisible" => (state.messages.len() - visible).to_string(),
            "ApproximateNumberOfMessagesDelayed" => "0".to_owned(),
            other => panic!("queue has no use for {other}"),
        };
        let attributes =
            names.iter().map(|name| name.as_str().unwrap()).map(|name| (name.to_owned(), json!(value(name))));
        json!({"Attributes": attributes.collect::<serde_json::Map<_, _>>()})
    }
}

fn id(input: &Value) -> u64 {
    let receipt = input["ReceiptHandle"].as_str().unwrap();
    receipt.split_once('/').unwrap().0.parse().unwrap()
}
