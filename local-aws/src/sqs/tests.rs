use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;

use super::message::{Counts, take};
use super::waiters::Waiters;
use super::{NO_QUEUE, Queue, Settings, deliver};
use crate::endpoint::Endpoint;
use crate::iam::Principal;
use crate::{Latency, Options};

const RULE: &str = "arn:aws:events:us-east-1:000000000000:rule/r";

fn endpoint(options: Options) -> (tempfile::TempDir, Endpoint) {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::open(dir.path(), "http://127.0.0.1:1".into(), options).unwrap();
    (dir, endpoint)
}

fn create(endpoint: &Endpoint, policy: &str) -> Queue {
    let mut settings = Settings::default();
    settings.set("Policy", policy).unwrap();
    endpoint.store.write(|tx| Queue::create(endpoint, tx, "q", settings, BTreeMap::new())).unwrap()
}

/// A policy that lets the rule send.
fn of_rule() -> String {
    json!({"Statement": [{
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*",
        "Condition": {"ArnEquals": {"aws:SourceArn": RULE}},
    }]})
    .to_string()
}

#[test]
fn a_service_delivers_where_the_queue_lets_it() {
    let (_dir, endpoint) = endpoint(Options::default());
    let queue = create(&endpoint, &of_rule());
    let send = |arn: &str, source_arn: &str, body: &str| {
        let from = Principal { service: "events.amazonaws.com", source_arn };
        let attributes = [("RULE_ARN", "String", RULE)];
        endpoint.store.write(|tx| deliver(tx, &endpoint, arn, &from, body, &attributes))
    };
    let arn = queue.arn(&endpoint);
    assert_eq!(send(&arn, RULE, "event"), Ok(()));
    assert_eq!(send("arn:aws:sqs:us-east-1:000000000000:none", RULE, "event").unwrap_err().code, NO_QUEUE);
    assert_eq!(send("arn:aws:sqs:eu-west-1:000000000000:q", RULE, "event").unwrap_err().code, NO_QUEUE);
    assert_eq!(send(&arn, &format!("{RULE}2"), "event").unwrap_err().code, "AccessDeniedException");
    assert_eq!(send(&arn, RULE, &"x".repeat(1_048_577)).unwrap_err().code, "InvalidParameterValueException");
    let now = chrono::Utc::now().timestamp_millis();
    let taken = endpoint.store.write(|tx| take(&endpoint, tx, &queue, 10, 30, now)).unwrap();
    let [(message, _)] = taken.as_slice() else { panic!("{} messages", taken.len()) };
    assert_eq!((message.body.as_str(), message.sender.as_str()), ("event", "events.amazonaws.com"));
    assert_eq!(message.attributes["RULE_ARN"].string_value.as_deref(), Some(RULE));
}

#[test]
fn no_queue_has_the_name_of_one_that_aws_would_still_be_deleting() {
    for (latency, is_free) in [(Latency::NONE, true), (Latency::aws(1.0).unwrap(), false)] {
        let (_dir, endpoint) = endpoint(Options { latency, ..Options::default() });
        create(&endpoint, "");
        assert_eq!(endpoint.store.write(|tx| Queue::delete(&endpoint, tx, "q")), Ok(true));
        let settings = Settings::default();
        let again = endpoint.store.write(|tx| Queue::create(&endpoint, tx, "q", settings, BTreeMap::new()));
        assert_eq!(again.as_ref().map_err(|error| error.code.as_str()).is_ok(), is_free);
        assert!(again.is_ok() || again.is_err_and(|error| error.code == "QueueDeletedRecently"));
    }
}

/// What a receive costs does not grow with what is in the queue, nor with what others have.
#[test]
fn a_full_queue_is_as_quick_as_one_that_is_not() {
    let (_dir, endpoint) = endpoint(Options::default());
    let queue = create(&endpoint, &of_rule());
    let from = Principal { service: "events.amazonaws.com", source_arn: RULE };
    let arn = queue.arn(&endpoint);
    let fill = |number: usize| {
        let one = |tx: &crate::store::Tx<'_>| deliver(tx, &endpoint, &arn, &from, "m", &[]);
        endpoint.store.write(|tx| (0..number).try_for_each(|_| one(tx))).unwrap();
    };
    let now = chrono::Utc::now().timestamp_millis() + 60_000;
    // The best of some: others may be at work on this machine.
    let cost = || {
        let one = || {
            let begin = Instant::now();
            let taken = endpoint.store.write(|tx| take(&endpoint, tx, &queue, 1, 600, now)).unwrap();
            assert_eq!(taken.len(), 1);
            begin.elapsed()
        };
        (0..50).map(|_| one()).min().unwrap()
    };
    fill(60);
    let few = cost();
    fill(20_000);
    let many = cost();
    assert!(many < few * 10, "{few:?}, then {many:?}");
    let counts = endpoint.store.read(|tx| Counts::of(tx, "q", now)).unwrap();
    assert_eq!((counts.visible, counts.in_flight, counts.delayed), (19_960, 100, 0));
}

/// Who was looking into the queue when two messages came finds both: the first is told of them, and tells the second.
#[tokio::test]
async fn of_two_who_look_at_once_the_first_wakes_the_second() {
    let (_dir, endpoint) = endpoint(Options::default());
    let queue = create(&endpoint, &of_rule());
    let from = Principal { service: "events.amazonaws.com", source_arn: RULE };
    let waiters = Waiters::of(&endpoint, "q");
    let (first, second) = (waiters.notified(), waiters.notified());
    for _ in 0..2 {
        let arn = queue.arn(&endpoint);
        endpoint.store.write(|tx| deliver(tx, &endpoint, &arn, &from, "m", &[])).unwrap();
    }
    for news in [first, second] {
        tokio::time::timeout(Duration::from_secs(10), news).await.unwrap();
        let now = chrono::Utc::now().timestamp_millis();
        let taken = endpoint.store.write(|tx| take(&endpoint, tx, &queue, 1, 30, now)).unwrap();
        assert_eq!(taken.len(), 1);
    }
}
