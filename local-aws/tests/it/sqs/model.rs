//! Whatever is done with two queues, one of which has the other's dead letters: they are as a small model says.
//!
//! Timeouts are none or longer than the test, and there are never more messages than one call gives, so that neither the
//! clock nor the order has a say.

use std::collections::BTreeMap;

use aws_sdk_sqs::types::MessageSystemAttributeName as System;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::harness::Seed;

const STEPS: usize = 250;
const MAX_RECEIVES: i64 = 3;
const MOST: usize = 10;

struct Modelled {
    body: String,
    is_dead: bool,
    receives: i64,
    in_flight: bool,
    /// The receipt that counts.
    handle: Option<String>,
}

struct Stage {
    sqs: Client,
    /// The queue, and that of its dead letters.
    urls: [String; 2],
    messages: BTreeMap<String, Modelled>,
    /// All that there ever were, with their messages and queues.
    handles: Vec<(String, String, bool)>,
    sent: usize,
}

impl Stage {
    async fn send(&mut self) {
        if self.messages.len() == MOST {
            return;
        }
        self.sent += 1;
        let body = self.sent.to_string();
        let id = send(&self.sqs, &self.urls[0], &body).await;
        self.messages.insert(id, Modelled { body, is_dead: false, receives: 0, in_flight: false, handle: None });
    }

    async fn receive(&mut self, dead: bool, keep: bool) {
        if !dead {
            // It is a receive that finds out what has been received too often.
            for message in self.messages.values_mut().filter(|it| !it.is_dead && !it.in_flight) {
                if message.receives == MAX_RECEIVES {
                    (message.is_dead, message.handle) = (true, None);
                }
            }
        }
        let received = receive(&self.sqs, &self.urls[usize::from(dead)], if keep { 600 } else { 0 }).await;
        let mut ids: Vec<&str> = received.iter().map(|message| message.message_id().unwrap()).collect();
        ids.sort_unstable();
        let expected = self.messages.iter().filter(|(_, it)| it.is_dead == dead && !it.in_flight);
        assert_eq!(ids, expected.map(|(id, _)| id.as_str()).collect::<Vec<_>>());
        for message in &received {
            let modelled = self.messages.get_mut(message.message_id().unwrap()).unwrap();
            modelled.receives += 1;
            modelled.in_flight = keep;
            assert_eq!(body(message), modelled.body);
            let count = system(message, System::ApproximateReceiveCount).unwrap();
            assert_eq!(count, modelled.receives.to_string());
            let source = system(message, System::DeadLetterQueueSourceArn);
            assert_eq!(source, dead.then_some("arn:aws:sqs:us-east-1:000000000000:q"));
            let handle = message.receipt_handle().unwrap().to_owned();
            modelled.handle = Some(handle.clone());
            self.handles.push((handle, message.message_id().unwrap().to_owned(), dead));
        }
    }

    /// The message whose receipt this is, if it is the one that counts.
    fn of_handle(&self, number: usize) -> Option<&str> {
        let (handle, id, _) = &self.handles[number];
        let message = self.messages.get(id)?;
        (message.handle.as_ref() == Some(handle)).then_some(id)
    }

    async fn delete(&mut self, number: usize) {
        let (handle, _, dead) = &self.handles[number];
        let delete = self.sqs.delete_message().queue_url(&self.urls[usize::from(*dead)]).receipt_handle(handle);
        delete.send().await.unwrap();
        if let Some(id) = self.of_handle(number).map(str::to_owned) {
            self.messages.remove(&id);
        }
    }

    async fn change(&mut self, number: usize, keep: bool) {
        let (handle, _, dead) = &self.handles[number];
        let change = self.sqs.change_message_visibility().queue_url(&self.urls[usize::from(*dead)]);
        let changed = change.receipt_handle(handle).visibility_timeout(if keep { 600 } else { 0 }).send().await;
        let id = self.of_handle(number).map(str::to_owned);
        assert_eq!(changed.is_ok(), id.is_some(), "{changed:?}");
        if let Some(id) = id {
            self.messages.get_mut(&id).unwrap().in_flight = keep;
        }
    }

    async fn check(&self) {
        for (dead, url) in [false, true].into_iter().zip(&self.urls) {
            let of_queue = || self.messages.values().filter(|it| it.is_dead == dead);
            let in_flight = i64::try_from(of_queue().filter(|it| it.in_flight).count()).unwrap();
            let all = i64::try_from(of_queue().count()).unwrap();
            assert_eq!(counts(&self.sqs, url).await, [all - in_flight, in_flight, 0]);
        }
    }
}

#[tokio::test]
async fn queues_are_as_the_model_says() {
    let mut endpoint = Endpoint::start().await;
    let (sqs, dead) = queue(&endpoint, "dead").await;
    let (_, url) = queue(&endpoint, "q").await;
    redrive::to(&sqs, &url, "dead", MAX_RECEIVES).await;
    let mut stage = Stage { sqs, urls: [url, dead], messages: BTreeMap::new(), handles: Vec::new(), sent: 0 };
    let seed = Seed::new();
    let mut chance = StdRng::seed_from_u64(seed.0);
    for _ in 0..STEPS {
        let (what, flag) = (chance.random_range(0..100), chance.random_bool(0.5));
        // Mostly one of the last receipts: old ones count for nothing.
        let last = stage.handles.len().saturating_sub(chance.random_range(1..12));
        match what {
            0..30 => stage.send().await,
            30..60 => stage.receive(chance.random_bool(0.3), flag).await,
            60..75 if !stage.handles.is_empty() => stage.delete(last).await,
            75..97 if !stage.handles.is_empty() => stage.change(last, flag).await,
            97.. => {
                endpoint = endpoint.restart().await;
                stage.sqs = Client::new(&endpoint.sdk_config());
            }
            _ => {}
        }
        stage.check().await;
    }
}
