//! Long polls: who waits is woken at once, gets what is his, and is missed by nobody when he goes.

use std::time::{Duration, Instant};

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;

use super::*;
use crate::harness::until;

/// A receiver that waits for one message.
fn wait(sqs: &Client, url: &str) -> tokio::task::JoinHandle<Vec<Message>> {
    let receive = sqs.receive_message().queue_url(url).wait_time_seconds(20).visibility_timeout(600);
    tokio::spawn(async move { receive.send().await.unwrap().messages.unwrap_or_default() })
}

#[tokio::test]
async fn a_waiting_receiver_is_woken_at_once() {
    let endpoint = Endpoint::start().await;
    let (sqs, url) = queue(&endpoint, "q").await;
    let mut latencies = Vec::new();
    for _ in 0..30 {
        let waiting = wait(&sqs, &url);
        // He may come before the message or after it; either way he has it.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let begin = Instant::now();
        send(&sqs, &url, "m").await;
        assert_eq!(waiting.await.unwrap().len(), 1);
        latencies.push(begin.elapsed());
    }
    latencies.sort_unstable();
    // With the answer to the sender, two round trips, on a machine that may be busy.
    assert!(latencies[15] < Duration::from_millis(50), "{latencies:?}");
}

#[tokio::test]
async fn many_receivers_get_one_message_each() {
    let endpoint = Endpoint::start().await;
    let (sqs, url) = queue(&endpoint, "q").await;
    let waiting: Vec<_> = (0..10).map(|_| wait(&sqs, &url)).collect();
    for round in [4, 6] {
        let message = |number: usize| {
            let id = number.to_string();
            SendMessageBatchRequestEntry::builder().id(id).message_body("m").build().unwrap()
        };
        let batch = sqs.send_message_batch().queue_url(&url).set_entries(Some((0..round).map(message).collect()));
        batch.send().await.unwrap();
    }
    let mut ids = std::collections::BTreeSet::new();
    for receiver in waiting {
        let messages = tokio::time::timeout(Duration::from_secs(10), receiver).await.unwrap().unwrap();
        assert_eq!(messages.len(), 1);
        ids.insert(messages[0].message_id().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 10);
}

#[tokio::test]
async fn nobody_waits_who_does_not_want_to_and_the_queue_may_say_how_long() {
    let endpoint = Endpoint::start().await;
    let (sqs, url) = queue(&endpoint, "q").await;
    let begin = Instant::now();
    assert!(receive(&sqs, &url, 0).await.is_empty());
    let set = sqs.set_queue_attributes().queue_url(&url);
    set.attributes(QueueAttributeName::ReceiveMessageWaitTimeSeconds, "1").send().await.unwrap();
    assert!(begin.elapsed() < Duration::from_millis(900));
    let begin = Instant::now();
    assert!(receive(&sqs, &url, 0).await.is_empty());
    assert!((900..3000).contains(&begin.elapsed().as_millis()), "{:?}", begin.elapsed());
    let begin = Instant::now();
    sqs.receive_message().queue_url(&url).wait_time_seconds(0).send().await.unwrap();
    assert!(begin.elapsed() < Duration::from_millis(900));
}

#[tokio::test]
async fn a_receiver_that_has_gone_takes_no_message() {
    let endpoint = Endpoint::start().await;
    let (sqs, url) = queue(&endpoint, "q").await;
    // Each has a connection of its own, which ends with its client.
    for _ in 0..5 {
        let gone = Client::new(&endpoint.sdk_config());
        let receive = gone.receive_message().queue_url(&url).wait_time_seconds(20).visibility_timeout(600).send();
        tokio::time::timeout(Duration::from_millis(200), receive).await.unwrap_err();
        drop(gone);
    }
    // The endpoint sees the end of a connection in its own time.
    tokio::time::sleep(Duration::from_millis(200)).await;
    send(&sqs, &url, "m").await;
    assert_eq!(counts(&sqs, &url).await, [1, 0, 0]);
    until("the message is had", async || receive(&sqs, &url, 600).await.pop()).await;
}

#[tokio::test]
async fn an_endpoint_that_stops_does_not_wait_for_receivers() {
    let endpoint = Endpoint::start().await;
    let (sqs, url) = queue(&endpoint, "q").await;
    let waiting = tokio::spawn(sqs.receive_message().queue_url(&url).wait_time_seconds(20).send());
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begin = Instant::now();
    endpoint.stop().await;
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    waiting.abort();
}
