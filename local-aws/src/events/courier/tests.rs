//! What is not delivered is told, and tried again when that may help.

use std::sync::Mutex;

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::{Event as Line, Metadata, Subscriber, span};

use super::super::rule::Settings;
use super::*;
use crate::outbox::{self, Event};

/// The warnings, each with its fields.
#[derive(Default, Clone)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::WARN
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, line: &Line<'_>) {
        let mut text = Text::default();
        line.record(&mut text);
        self.0.lock().unwrap().push(text.0);
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0 += &format!("{}={value:?} ", field.name());
    }
}

/// An endpoint with an event on its way to a cluster.
fn endpoint() -> (tempfile::TempDir, Arc<Endpoint>) {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = Arc::new(Endpoint::open(dir.path(), String::new(), crate::Options::default()).unwrap());
    let target = json!({
        "Id": "run", "Arn": "arn:aws:ecs:us-east-1:000000000000:cluster/c",
        "RoleArn": "arn:aws:iam::000000000000:role/nobody", "EcsParameters": {"TaskDefinitionArn": "job"},
    });
    let sent = endpoint.store.write(|tx| {
        let settings = Settings { event_pattern: Some(r#"{"source":["a"]}"#.into()), ..Settings::default() };
        let mut rule = Rule::put(&endpoint, tx, "my-rule", settings)?;
        rule.put_targets(&endpoint, tx, vec![serde_json::from_value(target)?])?;
        outbox::put(tx, &endpoint, || Event::new("a", "t", Vec::new(), json!({})))?;
        route(&endpoint, tx, Utc::now())
    });
    assert!(!sent.unwrap());
    (dir, endpoint)
}

fn on_their_way(endpoint: &Endpoint) -> i64 {
    let count = |row: &rusqlite::Row<'_>| row.get(0);
    endpoint.store.read(|tx| Ok(tx.sql().query_row("SELECT count(*) FROM event_delivery", [], count)?)).unwrap()
}

#[test]
fn an_event_that_is_dropped_is_told_with_rule_target_and_cause() {
    let (_dir, endpoint) = endpoint();
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || assert!(matches!(deliver(&endpoint), Ok(Step::Done))));
    assert_eq!(on_their_way(&endpoint), 0);
    let lines = log.0.lock().unwrap().join("\n");
    let told = ["my-rule", "run", "FAILED_TO_ASSUME_ROLE", "role/nobody does not exist", "was dropped"];
    for part in told {
        assert!(lines.contains(part), "{part}: {lines}");
    }
    assert!(matches!(deliver(&endpoint), Ok(Step::Nothing(None))));
}

#[test]
fn a_failure_that_may_pass_puts_the_delivery_off() {
    let (_dir, endpoint) = endpoint();
    let failed = |attempts: u32| {
        let now = Utc::now();
        let found = endpoint.store.read(|tx| {
            let rule = tx.get::<Rule>("my-rule")?.unwrap();
            let later = now + chrono::TimeDelta::hours(1);
            Ok((delivery::next(tx, later)?.unwrap_or_else(|_| panic!("nothing is on its way")), rule))
        });
        let (delivery, rule) = found.unwrap();
        assert_eq!(delivery.attempts, attempts);
        let failure = Failure { code: "THROTTLING", message: "slowly".to_owned(), is_transient: true };
        Failed { delivery, target: rule.targets[0].clone(), rule, failure }
    };
    for attempts in 0..3 {
        failed(attempts).settle(&endpoint, Utc::now()).unwrap();
        let Ok(Step::Nothing(Some(next))) = deliver(&endpoint) else { panic!("it was not put off") };
        assert!(next > Utc::now());
    }
    let mut last = failed(3);
    last.target.retry_policy = Some(serde_json::from_value(json!({"MaximumRetryAttempts": 3})).unwrap());
    last.settle(&endpoint, Utc::now()).unwrap();
    assert_eq!(on_their_way(&endpoint), 0);
}

#[test]
fn a_rule_that_is_gone_wants_nothing_more() {
    let (_dir, endpoint) = endpoint();
    endpoint.store.write(|tx| Rule::delete(tx, "my-rule")).unwrap();
    assert!(matches!(deliver(&endpoint), Ok(Step::Done)));
    assert_eq!(on_their_way(&endpoint), 0);
}
