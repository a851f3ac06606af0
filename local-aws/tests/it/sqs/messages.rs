//! A message's life: sent, received, kept, given back, deleted.

use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{MessageAttributeValue, MessageSystemAttributeName as System, QueueAttributeName};

use super::*;
use crate::harness::until;

fn text(data_type: &str, value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type(data_type).string_value(value).build().unwrap()
}

#[tokio::test]
async fn a_message_comes_as_it_was_sent_with_what_is_asked_for() {
    let endpoint = Endpoint::start().await;
    let (sqs, url) = queue(&endpoint, "q").await;
    let binary = MessageAttributeValue::builder().data_type("Binary").binary_value(Blob::new("Hello binary world!"));
    let sent = sqs
        .send_message()
        .queue_url(&url)
        .message_body("hello ∞")
        .message_attributes("attribName1", text("String", "attribValue 1"))
        .message_attributes("customNumberTypeAttrib", text("Number.float", "4563442423554324324264524243.32543234"))
        .message_attributes("binaryAttribute", binary.build().unwrap())
        .message_group_id("tenant")
        .send()
        .await
        .unwrap();
    assert_eq!(sent.md5_of_message_attributes(), Some("c932db14a896c663f83c260297d594ff"));

    let [message] = receive(&sqs, &url, 0).await.try_into().unwrap();
    assert_eq!((body(&message), message.message_id()), ("hello ∞", sent.message_id()));
    assert_eq!(message.md5_of_body(), sent.md5_of_message_body());
    assert_eq!((message.message_attributes(), message.md5_of_message_attributes()), (None, None), "nobody asked");
    assert_eq!(system(&message, System::ApproximateReceiveCount), Some("1"));
    assert_eq!(system(&message, System::SenderId), Some("AIDAFISWORKSHOPLOCAL0"));
    assert_eq!(system(&message, System::MessageGroupId), Some("tenant"));
    let millis = |name| system(&message, name).unwrap().parse::<i64>().unwrap();
    assert!(millis(System::SentTimestamp) <= millis(System::ApproximateFirstReceiveTimestamp));

    let again = sqs.receive_message().queue_url(&url).message_attribute_names("attrib.*").visibility_timeout(0);
    let again = again.send().await.unwrap().messages.unwrap().remove(0);
    assert_eq!(again.attributes(), None, "nobody asked");
    assert_eq!(again.message_attributes().unwrap().keys().collect::<Vec<_>>(), ["attribName1"]);
    assert_eq!(again.md5_of_message_attributes(), Some("19e27d4e946b072f3f58da80d94fd778"), "of what is shown");
    assert_ne!(again.receipt_handle(), message.receipt_handle());
    let all = sqs.receive_message().queue_url(&url).message_attribute_names("All").send().await.unwrap();
    assert_eq!(all.messages()[0].md5_of_message_attributes(), sent.md5_of_message_attributes());
    let value = &all.messages()[0].message_attributes().unwrap()["binaryAttribute"];
    assert_eq!(value.binary_value().unwrap().as_ref(), b"Hello binary world!");
}

#[tokio::test]
async fn the_digest_of_a_body_is_md5() {
    let endpoint = Endpoint::start().await;
    let (sqs, url) = queue(&endpoint, "q").await;
    let sent = sqs.send_message().queue_url(&url).message_body("abc").send().await.unwrap();
    assert_eq!(sent.md5_of_message_body(), Some("900150983cd24fb0d6963f7d28e17f72"));
}

#[tokio::test]
async fn a_message_is_hidden_while_somebody_has_it_and_back_on_time() {
    let endpoint = Endpoint::start().await;
    let (sqs, url) = queue(&endpoint, "q").await;
    send(&sqs, &url, "m").await;
    assert_eq!(counts(&sqs, &url).await, [1, 0, 0]);
    let begin = std::time::Instant::now();
    let [first] = receive(&sqs, &url, 1).await.try_into().unwrap();
    assert_eq!(counts(&sqs, &url).await, [0, 1, 0]);
    assert!(receive(&sqs, &url, 1).await.is_empty());
    // The one who waits gets it as soon as the other's time is over.
    let wait = sqs.receive_message().queue_url(&url).wait_time_seconds(20).visibility_timeout(0);
    let second = wait.send().await.unwrap().messages.unwrap().remove(0);
    let waited = begin.elapsed().as_millis();
    assert!((1000..1500).contains(&waited), "{waited} ms");
    assert_eq!(second.message_id(), first.message_id());
    assert_eq!(counts(&sqs, &url).await, [1, 0, 0]);
    // Of two receipts, the last one counts; the other is taken and does nothing.
    delete(&sqs, &url, &first).await;
    assert_eq!(counts(&sqs, &url).await, [1, 0, 0]);
    // Its time is over as well, but nobody else has the message.
    delete(&sqs, &url, &second).await;
    assert_eq!(counts(&sqs, &url).await, [0, 0, 0]);
    delete(&sqs, &url, &second).await;
}

#[tokio::test]
async fn a_receiver_may_keep_a_message_longer_or_give_it_back() {
    let endpoint = Endpoint::start().await;
    let (sqs, url) = queue(&endpoint, "q").await;
    send(&sqs, &url, "m").await;
    let [message] = receive(&sqs, &url, 30).await.try_into().unwrap();
    let change = |seconds: i32| {
        let handle = message.receipt_handle().unwrap();
        sqs.change_message_visibility().queue_url(&url).receipt_handle(handle).visibility_timeout(seconds).send()
    };
    change(0).await.unwrap();
    assert_eq!(counts(&sqs, &url).await, [1, 0, 0]);
    // Also when it is over.
    change(60).await.unwrap();
    assert_eq!(counts(&sqs, &url).await, [0, 1, 0]);
    let too_long = refusal(&change(43_201).await.unwrap_err());
    assert_eq!(too_long.0, "InvalidParameterValue");
    delete(&sqs, &url, &message).await;
    let (code, words) = refusal(&change(1).await.unwrap_err());
    assert_eq!(code, "InvalidParameterValue");
    assert!(words.ends_with("Reason: Message does not exist or is not available for visibility timeout change."));
}

#[tokio::test]
async fn delayed_messages_come_when_their_time_has_come() {
    let endpoint = Endpoint::start().await;
    let (sqs, url) = queue(&endpoint, "q").await;
    let begin = std::time::Instant::now();
    sqs.send_message().queue_url(&url).message_body("m").delay_seconds(1).send().await.unwrap();
    assert_eq!(counts(&sqs, &url).await, [0, 0, 1]);
    let received = sqs.receive_message().queue_url(&url).wait_time_seconds(20).send().await.unwrap();
    assert_eq!(body(&received.messages()[0]), "m");
    let waited = begin.elapsed().as_millis();
    assert!((1000..1500).contains(&waited), "{waited} ms");
    let set = sqs.set_queue_attributes().queue_url(&url).attributes(QueueAttributeName::DelaySeconds, "900");
    set.send().await.unwrap();
    send(&sqs, &url, "later").await;
    sqs.send_message().queue_url(&url).message_body("now").delay_seconds(0).send().await.unwrap();
    assert_eq!(counts(&sqs, &url).await, [1, 1, 1]);
}

#[tokio::test]
async fn messages_come_in_order_ten_at_a_time() {
    let endpoint = Endpoint::start().await;
    let (sqs, url) = queue(&endpoint, "q").await;
    for number in 0..25 {
        send(&sqs, &url, &number.to_string()).await;
    }
    let mut bodies = Vec::new();
    for expected in [10, 10, 5, 0] {
        let messages = receive(&sqs, &url, 30).await;
        assert_eq!(messages.len(), expected);
        bodies.extend(messages.iter().map(|message| body(message).to_owned()));
    }
    assert_eq!(bodies, (0..25).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_too_old_is_gone() {
    let endpoint = Endpoint::start().await;
    let (sqs, url) = queue(&endpoint, "q").await;
    send(&sqs, &url, "old").await;
    let state = endpoint.state_dir().join("state.db");
    let shift = "UPDATE sqs_message SET sent_at = sent_at - 345601000";
    rusqlite::Connection::open(state).unwrap().execute(shift, []).unwrap();
    assert!(receive(&sqs, &url, 0).await.is_empty());
    assert_eq!(counts(&sqs, &url).await, [0, 0, 0]);
}

#[tokio::test]
async fn everything_is_there_after_a_restart_and_a_purge_leaves_nothing() {
    let endpoint = Endpoint::start().await;
    let (sqs, url) = queue(&endpoint, "q").await;
    send(&sqs, &url, "a").await;
    send(&sqs, &url, "b").await;
    let [first, _] = receive(&sqs, &url, 0).await.try_into().unwrap();
    let endpoint = endpoint.restart().await;
    let sqs = Client::new(&endpoint.sdk_config());
    // At another port: what says where the queue was does not matter.
    assert_eq!(counts(&sqs, &url).await, [2, 0, 0]);
    delete(&sqs, &url, &first).await;
    assert_eq!(receive(&sqs, &url, 0).await.iter().map(body).collect::<Vec<_>>(), ["b"]);
    sqs.purge_queue().queue_url(&url).send().await.unwrap();
    assert_eq!(counts(&sqs, &url).await, [0, 0, 0]);
    let again = sqs.purge_queue().queue_url(&url).send().await.unwrap_err();
    assert_eq!(again.raw_response().unwrap().status().as_u16(), 403);
    let words = "Only one PurgeQueue operation on q is allowed every 60 seconds.";
    assert_eq!(refusal(&again), ("AWS.SimpleQueueService.PurgeQueueInProgress".to_owned(), words.to_owned()));
}

#[tokio::test]
async fn a_queue_that_is_deleted_ends_the_waiting_for_its_messages() {
    let endpoint = Endpoint::start().await;
    let (sqs, url) = queue(&endpoint, "q").await;
    send(&sqs, &url, "lost").await;
    receive(&sqs, &url, 600).await;
    let waiting = tokio::spawn(sqs.receive_message().queue_url(&url).wait_time_seconds(20).send());
    until("the queue is deleted", async || sqs.delete_queue().queue_url(&url).send().await.err()).await;
    let refused = tokio::time::timeout(std::time::Duration::from_secs(5), waiting).await.unwrap().unwrap();
    let refused = refused.unwrap_err().into_service_error();
    assert!(refused.is_queue_does_not_exist(), "{refused:?}");
    let (sqs, url) = queue(&endpoint, "q").await;
    assert_eq!(counts(&sqs, &url).await, [0, 0, 0]);
}
