//! Dead letters: when a message becomes one, what it keeps, and how it goes back.

use aws_sdk_sqs::types::{MessageSystemAttributeName as System, QueueAttributeName};
use serde_json::json;

use super::*;
use crate::harness::until;

fn arn(name: &str) -> String {
    format!("arn:aws:sqs:us-east-1:000000000000:{name}")
}

/// Gives the queue a dead-letter queue.
pub(super) async fn to(sqs: &Client, url: &str, dead: &str, max_receives: i64) {
    let policy = json!({"deadLetterTargetArn": arn(dead), "maxReceiveCount": max_receives}).to_string();
    let set = sqs.set_queue_attributes().queue_url(url).attributes(QueueAttributeName::RedrivePolicy, policy);
    set.send().await.unwrap();
}

#[tokio::test]
async fn a_message_that_nobody_gets_done_becomes_a_dead_letter_and_goes_on_counting() {
    let endpoint = Endpoint::start().await;
    let (sqs, dead) = queue(&endpoint, "dead").await;
    let (_, url) = queue(&endpoint, "q").await;
    to(&sqs, &url, "dead", 2).await;
    let id = send(&sqs, &url, "poison").await;
    for count in ["1", "2"] {
        let [message] = receive(&sqs, &url, 0).await.try_into().unwrap();
        assert_eq!(system(&message, System::ApproximateReceiveCount), Some(count));
        assert_eq!(system(&message, System::DeadLetterQueueSourceArn), None);
    }
    assert!(receive(&sqs, &url, 0).await.is_empty());
    assert_eq!((counts(&sqs, &url).await, counts(&sqs, &dead).await), ([0, 0, 0], [1, 0, 0]));
    let [message] = receive(&sqs, &dead, 0).await.try_into().unwrap();
    assert_eq!((message.message_id(), body(&message)), (Some(id.as_str()), "poison"));
    assert_eq!(system(&message, System::ApproximateReceiveCount), Some("3"));
    assert_eq!(system(&message, System::DeadLetterQueueSourceArn), Some(arn("q").as_str()));
}

#[tokio::test]
async fn a_dead_letter_wakes_who_waits_for_it_and_is_in_nobodys_way() {
    let endpoint = Endpoint::start().await;
    let (sqs, dead) = queue(&endpoint, "dead").await;
    let (_, url) = queue(&endpoint, "q").await;
    to(&sqs, &url, "dead", 1).await;
    for number in 0..20 {
        send(&sqs, &url, &format!("poison {number}")).await;
    }
    assert_eq!((receive(&sqs, &url, 0).await.len(), receive(&sqs, &url, 0).await.len()), (10, 10));
    send(&sqs, &url, "good").await;
    let wait = sqs.receive_message().queue_url(&dead).wait_time_seconds(20).max_number_of_messages(10).send();
    let (waiting, received) = tokio::join!(wait, receive(&sqs, &url, 30));
    assert_eq!(received.iter().map(body).collect::<Vec<_>>(), ["good"]);
    assert!(!waiting.unwrap().messages().is_empty());
    assert_eq!(counts(&sqs, &url).await, [0, 1, 0]);
}

#[tokio::test]
async fn dead_letters_go_back_where_they_came_from_as_new_messages() {
    let endpoint = Endpoint::start().await;
    let (sqs, dead) = queue(&endpoint, "dead").await;
    let (_, url) = queue(&endpoint, "q").await;
    to(&sqs, &url, "dead", 1).await;
    let id = send(&sqs, &url, "m").await;
    receive(&sqs, &url, 0).await;
    receive(&sqs, &url, 0).await;
    assert_eq!(counts(&sqs, &dead).await, [1, 0, 0]);
    sqs.start_message_move_task().source_arn(arn("dead")).send().await.unwrap();
    let wait = sqs.receive_message().queue_url(&url).wait_time_seconds(20);
    let wait = wait.message_system_attribute_names(System::All).send().await.unwrap();
    let message = &wait.messages()[0];
    assert_eq!(system(message, System::ApproximateReceiveCount), Some("1"));
    assert_eq!(system(message, System::DeadLetterQueueSourceArn), None);
    assert_ne!(message.message_id(), Some(id.as_str()));
    let task = until("the end of the task", async || {
        let tasks = sqs.list_message_move_tasks().source_arn(arn("dead")).send().await.unwrap();
        tasks.results.unwrap().pop().filter(|task| task.status() != Some("RUNNING"))
    })
    .await;
    assert_eq!((task.status(), task.approximate_number_of_messages_moved()), (Some("COMPLETED"), 1));
    assert_eq!(task.task_handle(), None);
}

#[tokio::test]
async fn a_task_goes_on_after_a_restart_as_fast_as_it_may_and_can_be_cancelled() {
    let endpoint = Endpoint::start().await;
    let (sqs, dead) = queue(&endpoint, "dead").await;
    let (_, url) = queue(&endpoint, "q").await;
    let (_, other) = queue(&endpoint, "other").await;
    to(&sqs, &url, "dead", 1).await;
    for number in 0..30 {
        send(&sqs, &dead, &number.to_string()).await;
    }
    let start = |rate: i32| {
        let start = sqs.start_message_move_task().source_arn(arn("dead")).destination_arn(arn("other"));
        start.max_number_of_messages_per_second(rate).send()
    };
    let handle = start(10).await.unwrap().task_handle.unwrap();
    let words = refusal(&start(1).await.unwrap_err()).1;
    assert!(words.starts_with("There is already a task running."), "{words}");
    let endpoint = endpoint.restart().await;
    let sqs = Client::new(&endpoint.sdk_config());
    until("a message is moved", async || (counts(&sqs, &other).await[0] > 1).then_some(())).await;
    let cancelled = sqs.cancel_message_move_task().task_handle(handle).send().await.unwrap();
    let moved = cancelled.approximate_number_of_messages_moved();
    assert!((1..30).contains(&moved), "{moved}");
    assert_eq!(counts(&sqs, &other).await, [moved, 0, 0]);
    assert_eq!(counts(&sqs, &dead).await, [30 - moved, 0, 0]);
    let tasks = sqs.list_message_move_tasks().source_arn(arn("dead")).send().await.unwrap();
    assert_eq!(tasks.results()[0].status(), Some("CANCELLED"));
    // Nobody knows where the others came from.
    sqs.start_message_move_task().source_arn(arn("dead")).send().await.unwrap();
    let failed = until("the end of the task", async || {
        let tasks = sqs.list_message_move_tasks().source_arn(arn("dead")).send().await.unwrap();
        tasks.results.unwrap().pop().filter(|task| task.status() != Some("RUNNING"))
    })
    .await;
    assert_eq!((failed.status(), failed.failure_reason()), (Some("FAILED"), Some("CouldNotDetermineMessageSource")));
}

#[tokio::test]
async fn who_may_have_dead_letters_where_is_said_by_both_queues() {
    let endpoint = Endpoint::start().await;
    let (sqs, dead) = queue(&endpoint, "dead").await;
    let (_, url) = queue(&endpoint, "q").await;
    let set = |target: &str| {
        let policy = json!({"deadLetterTargetArn": arn(target), "maxReceiveCount": 1}).to_string();
        sqs.set_queue_attributes().queue_url(&url).attributes(QueueAttributeName::RedrivePolicy, policy).send()
    };
    let words = refusal(&set("none").await.unwrap_err()).1;
    assert!(words.ends_with("for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist."));
    let allow = |policy: serde_json::Value| {
        let set = sqs.set_queue_attributes().queue_url(&dead);
        set.attributes(QueueAttributeName::RedriveAllowPolicy, policy.to_string()).send()
    };
    allow(json!({"redrivePermission": "denyAll"})).await.unwrap();
    assert!(set("dead").await.is_err());
    allow(json!({"redrivePermission": "byQueue", "sourceQueueArns": [arn("q")]})).await.unwrap();
    set("dead").await.unwrap();
    let sources = sqs.list_dead_letter_source_queues().queue_url(&dead).send().await.unwrap();
    assert_eq!(sources.queue_urls(), std::slice::from_ref(&url));
    let source = refusal(&sqs.start_message_move_task().source_arn(arn("q")).send().await.unwrap_err()).1;
    assert_eq!(source, "Source queue must be configured as a Dead Letter Queue.");
    // Without it, messages stay where they are.
    sqs.delete_queue().queue_url(&dead).send().await.unwrap();
    send(&sqs, &url, "m").await;
    for _ in 0..3 {
        assert_eq!(receive(&sqs, &url, 0).await.len(), 1);
    }
}

#[tokio::test]
async fn a_dead_letter_queue_may_have_one_of_its_own() {
    let endpoint = Endpoint::start().await;
    let (sqs, last) = queue(&endpoint, "last").await;
    let (_, dead) = queue(&endpoint, "dead").await;
    let (_, url) = queue(&endpoint, "q").await;
    to(&sqs, &dead, "last", 1).await;
    to(&sqs, &url, "dead", 1).await;
    send(&sqs, &url, "m").await;
    assert_eq!((receive(&sqs, &url, 0).await.len(), receive(&sqs, &url, 0).await.len()), (1, 0));
    assert_eq!((receive(&sqs, &dead, 0).await.len(), receive(&sqs, &dead, 0).await.len()), (1, 0));
    let [message] = receive(&sqs, &last, 0).await.try_into().unwrap();
    assert_eq!(system(&message, System::ApproximateReceiveCount), Some("3"));
    assert_eq!(system(&message, System::DeadLetterQueueSourceArn), Some(arn("dead").as_str()));
}
