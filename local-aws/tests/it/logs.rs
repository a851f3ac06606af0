//! CloudWatch Logs.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata;
use aws_sdk_cloudwatchlogs::types::{InputLogEvent, OrderBy};

use crate::harness::Endpoint;

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

const DAY: Duration = Duration::from_secs(24 * 3600);

fn ago(age: Duration) -> i64 {
    now() - i64::try_from(age.as_millis()).unwrap()
}

fn event(timestamp: i64, message: &str) -> InputLogEvent {
    InputLogEvent::builder().timestamp(timestamp).message(message).build().unwrap()
}

async fn client_with_streams(endpoint: &Endpoint, group: &str, streams: &[&str]) -> Client {
    let logs = Client::new(&endpoint.sdk_config());
    logs.create_log_group().log_group_name(group).send().await.unwrap();
    for stream in streams {
        logs.create_log_stream().log_group_name(group).log_stream_name(*stream).send().await.unwrap();
    }
    logs
}

async fn put(logs: &Client, stream: &str, events: impl IntoIterator<Item = InputLogEvent>) {
    let put = logs.put_log_events().log_group_name("g").log_stream_name(stream);
    put.set_log_events(Some(events.into_iter().collect())).send().await.unwrap();
}

async fn filter(logs: &Client, pattern: &str) -> Vec<String> {
    let mut messages = Vec::new();
    let mut pages =
        logs.filter_log_events().log_group_name("g").filter_pattern(pattern).limit(3).into_paginator().send();
    while let Some(page) = pages.next().await {
        messages.extend(page.unwrap().events().iter().map(|event| event.message().unwrap().to_owned()));
    }
    messages
}

#[tokio::test]
async fn groups_are_made_described_and_deleted() {
    let endpoint = Endpoint::start().await;
    let logs = client_with_streams(&endpoint, "/lab/one", &["s"]).await;
    logs.create_log_group().log_group_name("other").tags("team", "blue").send().await.unwrap();
    let again = logs.create_log_group().log_group_name("other").send().await.unwrap_err().into_service_error();
    assert!(again.is_resource_already_exists_exception(), "{again:?}");
    let bad = logs.create_log_group().log_group_name("a b").send().await.unwrap_err().into_service_error();
    assert!(bad.message().unwrap().contains(r"[\.\-_/#A-Za-z0-9]+"), "{bad:?}");

    let page = logs.describe_log_groups().limit(1).send().await.unwrap();
    assert_eq!(page.log_groups()[0].log_group_name(), Some("/lab/one"));
    let page = logs.describe_log_groups().limit(1).set_next_token(page.next_token).send().await.unwrap();
    assert_eq!((page.log_groups()[0].log_group_name(), page.next_token()), (Some("other"), None));
    let found = logs.describe_log_groups().log_group_name_prefix("/lab").send().await.unwrap();
    let group = &found.log_groups()[0];
    let account = endpoint.identity().account_id;
    let arn = format!("arn:aws:logs:us-east-1:{account}:log-group:/lab/one");
    assert_eq!(group.arn(), Some(format!("{arn}:*").as_str()));
    assert_eq!(group.log_group_arn(), Some(arn.as_str()));
    assert_eq!(group.retention_in_days(), None);

    logs.delete_log_group().log_group_name("/lab/one").send().await.unwrap();
    let gone = logs.delete_log_group().log_group_name("/lab/one").send().await.unwrap_err().into_service_error();
    assert_eq!(gone.message(), Some("The specified log group does not exist."));
    let gone = logs.describe_log_streams().log_group_name("/lab/one").send().await.unwrap_err().into_service_error();
    assert!(gone.is_resource_not_found_exception());
}

#[tokio::test]
async fn what_the_endpoint_does_not_do_is_refused_by_name() {
    let endpoint = Endpoint::start().await;
    let logs = client_with_streams(&endpoint, "g", &[]).await;
    let refused = logs.create_log_group().log_group_name("k").kms_key_id("key").send().await.unwrap_err();
    assert!(refused.into_service_error().message().unwrap().contains("kmsKeyId"));
    let refused = logs.filter_log_events().log_group_name("g").filter_pattern("{ $.a = 1 }").send().await.unwrap_err();
    assert!(refused.into_service_error().message().unwrap().contains("JSON"));
    let refused = logs.start_query().query_string("q").start_time(0).end_time(1).send().await.unwrap_err();
    assert!(refused.into_service_error().message().unwrap().contains("logs:StartQuery"));
}

#[tokio::test]
async fn filtering_merges_streams_by_time_and_pages_through_all_of_them() {
    let endpoint = Endpoint::start().await;
    let logs = client_with_streams(&endpoint, "g", &["a/1", "a/2", "b/1"]).await;
    let start = now() - 1_000;
    for (offset, stream) in [(0, "a/1"), (1, "a/2"), (2, "b/1")] {
        put(&logs, stream, (0..4).map(|n| event(start + 10 * n + offset, &format!("PUT {n} from {stream}")))).await;
    }
    let all = filter(&logs, "").await;
    assert_eq!(all.len(), 12);
    assert_eq!(all[..3], ["PUT 0 from a/1", "PUT 0 from a/2", "PUT 0 from b/1"]);
    assert_eq!(filter(&logs, "PUT \"from a\" -3").await.len(), 6);
    assert_eq!(filter(&logs, "?2 ?3").await.len(), 12 - 4);

    let request = || logs.filter_log_events().log_group_identifier("g");
    let page = request().log_stream_name_prefix("a/").send().await.unwrap();
    assert_eq!((page.events().len(), page.next_token()), (8, None));
    let ids: std::collections::BTreeSet<_> = page.events().iter().map(|event| event.event_id()).collect();
    assert_eq!(ids.len(), 8);
    let page = request().log_stream_names("a/1").log_stream_names("b/1").send().await.unwrap();
    assert_eq!(page.events().len(), 8);
    // Both ends are inclusive.
    let page = request().start_time(start).end_time(start + 10).send().await.unwrap();
    assert_eq!(page.events().len(), 4);
    let page = request().start_from_head(false).limit(2).send().await.unwrap();
    assert_eq!(page.events()[0].message(), Some("PUT 3 from b/1"));
    let page = request().set_next_token(page.next_token).limit(1).send().await.unwrap();
    assert_eq!(page.events()[0].message(), Some("PUT 3 from a/1"));
    let missing = request().log_stream_names("nowhere").send().await.unwrap_err().into_service_error();
    assert_eq!(missing.message(), Some("The specified log stream does not exist."));
    let both = request().log_stream_names("a/1").log_stream_name_prefix("a").send().await.unwrap_err();
    assert!(both.into_service_error().is_invalid_parameter_exception());
}

#[tokio::test]
async fn reading_a_stream_starts_at_its_end_and_repeats_the_token_there() {
    let endpoint = Endpoint::start().await;
    let logs = client_with_streams(&endpoint, "g", &["s"]).await;
    let get = || logs.get_log_events().log_group_name("g").log_stream_name("s").limit(4);
    let messages = |page: &aws_sdk_cloudwatchlogs::operation::get_log_events::GetLogEventsOutput| -> Vec<String> {
        page.events().iter().map(|event| event.message().unwrap().to_owned()).collect()
    };
    let empty = get().send().await.unwrap();
    let from_the_start = empty.next_forward_token.unwrap();

    let start = now() - 1_000;
    // One time for all: their order is that of their arrival.
    put(&logs, "s", (0..10).map(|n| event(start, &n.to_string()))).await;
    let newest = get().send().await.unwrap();
    assert_eq!(messages(&newest), ["6", "7", "8", "9"]);
    let older = get().set_next_token(newest.next_backward_token.clone()).send().await.unwrap();
    assert_eq!(messages(&older), ["2", "3", "4", "5"]);
    let forth = get().set_next_token(older.next_forward_token.clone()).send().await.unwrap();
    assert_eq!(messages(&forth), ["6", "7", "8", "9"]);
    let end = get().set_next_token(forth.next_forward_token.clone()).send().await.unwrap();
    assert_eq!((end.events().len(), &end.next_forward_token), (0, &forth.next_forward_token));
    put(&logs, "s", [event(start + 1, "new")]).await;
    let followed = get().set_next_token(end.next_forward_token.clone()).send().await.unwrap();
    assert_eq!(messages(&followed), ["new"]);
    let back = get().set_next_token(end.next_backward_token).send().await.unwrap();
    assert_eq!(messages(&back), ["6", "7", "8", "9"]);

    assert_eq!(messages(&get().start_from_head(true).send().await.unwrap()), ["0", "1", "2", "3"]);
    assert_eq!(messages(&get().next_token(from_the_start).send().await.unwrap()), ["0", "1", "2", "3"]);
    // The end is exclusive here.
    assert_eq!(messages(&get().end_time(start + 1).send().await.unwrap()), ["6", "7", "8", "9"]);
    assert_eq!(get().end_time(start).send().await.unwrap().events().len(), 0);
    let bad = get().next_token("f/1/s").send().await.unwrap_err().into_service_error();
    assert_eq!(bad.message(), Some("The specified nextToken is invalid."));
}

#[tokio::test]
async fn streams_are_listed_by_name_and_by_last_event() {
    let endpoint = Endpoint::start().await;
    let logs = client_with_streams(&endpoint, "g", &["a", "b", "c"]).await;
    let start = now() - 1_000;
    put(&logs, "a", [event(start + 5, "late")]).await;
    put(&logs, "b", [event(start, "early")]).await;
    let describe = || logs.describe_log_streams().log_group_name("g");
    let names = |page: &aws_sdk_cloudwatchlogs::operation::describe_log_streams::DescribeLogStreamsOutput| {
        page.log_streams().iter().map(|stream| stream.log_stream_name().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&describe().send().await.unwrap()), ["a", "b", "c"]);
    let page = describe().order_by(OrderBy::LastEventTime).descending(true).limit(2).send().await.unwrap();
    assert_eq!(names(&page), ["a", "b"]);
    assert_eq!(page.log_streams()[0].last_event_timestamp(), Some(start + 5));
    assert_eq!(page.log_streams()[0].first_event_timestamp(), Some(start + 5));
    let rest = describe().order_by(OrderBy::LastEventTime).descending(true).set_next_token(page.next_token);
    assert_eq!(names(&rest.send().await.unwrap()), ["c"]);
    let refused = describe().order_by(OrderBy::LastEventTime).log_stream_name_prefix("a").send().await.unwrap_err();
    assert!(refused.into_service_error().is_invalid_parameter_exception());
    logs.delete_log_stream().log_group_name("g").log_stream_name("a").send().await.unwrap();
    assert_eq!(filter(&logs, "").await, ["early"]);
}

#[tokio::test]
async fn events_too_old_too_new_or_out_of_order_are_refused_as_on_aws() {
    let endpoint = Endpoint::start().await;
    let logs = client_with_streams(&endpoint, "g", &["s"]).await;
    let put = |events: Vec<InputLogEvent>| {
        logs.put_log_events().log_group_name("g").log_stream_name("s").set_log_events(Some(events)).send()
    };
    let old = put(vec![event(ago(15 * DAY), "old")]).await.unwrap();
    assert_eq!(old.rejected_log_events_info().unwrap().too_old_log_event_end_index(), Some(1));
    let new = put(vec![event(now(), "now"), event(now() + 3 * 3_600_000, "new")]).await.unwrap();
    assert_eq!(new.rejected_log_events_info().unwrap().too_new_log_event_start_index(), Some(1));
    let unordered = put(vec![event(now(), "b"), event(now() - 5, "a")]).await.unwrap_err().into_service_error();
    assert!(unordered.message().unwrap().contains("chronological order"), "{unordered:?}");
    assert_eq!(filter(&logs, "").await, ["now"]);
}

#[tokio::test]
async fn retention_deletes_what_is_older() {
    let endpoint = Endpoint::start().await;
    let logs = client_with_streams(&endpoint, "g", &["s"]).await;
    put(&logs, "s", [event(ago(8 * DAY), "old")]).await;
    put(&logs, "s", [event(now(), "young")]).await;
    assert_eq!(filter(&logs, "").await.len(), 2);
    let retain = |days| logs.put_retention_policy().log_group_name("g").retention_in_days(days).send();
    let refused = retain(2).await.unwrap_err().into_service_error();
    assert!(refused.is_invalid_parameter_exception(), "{refused:?}");
    retain(7).await.unwrap();
    assert_eq!(filter(&logs, "").await, ["young"]);
    let expired = logs.put_log_events().log_group_name("g").log_stream_name("s").log_events(event(ago(8 * DAY), "x"));
    let expired = expired.send().await.unwrap();
    assert_eq!(expired.rejected_log_events_info().unwrap().expired_log_event_end_index(), Some(1));
    // It is really gone, not only hidden: it does not come back with a longer retention.
    logs.delete_retention_policy().log_group_name("g").send().await.unwrap();
    assert_eq!(filter(&logs, "").await, ["young"]);
}

#[tokio::test]
async fn tags_are_kept_by_arn_and_by_name() {
    let endpoint = Endpoint::start().await;
    let logs = client_with_streams(&endpoint, "g", &[]).await;
    let arn = format!("arn:aws:logs:us-east-1:{}:log-group:g", endpoint.identity().account_id);
    logs.tag_resource().resource_arn(&arn).tags("a", "1").tags("b", "2").send().await.unwrap();
    logs.untag_resource().resource_arn(&arn).tag_keys("a").send().await.unwrap();
    let tags = logs.list_tags_for_resource().resource_arn(&arn).send().await.unwrap().tags.unwrap();
    assert_eq!(tags, HashMap::from([("b".to_owned(), "2".to_owned())]));
    tag_by_name(&logs).await;
    let starred = logs.list_tags_for_resource().resource_arn(format!("{arn}:*")).send().await.unwrap_err();
    assert!(starred.into_service_error().is_invalid_parameter_exception());
    let many = (0..50).map(|n| (n.to_string(), String::new())).collect();
    let refused = logs.tag_resource().resource_arn(&arn).set_tags(Some(many)).send().await.unwrap_err();
    assert!(refused.into_service_error().is_too_many_tags_exception());
}

#[tokio::test]
async fn names_and_tags_have_no_control_characters() {
    let endpoint = Endpoint::start().await;
    let logs = client_with_streams(&endpoint, "g", &["s"]).await;
    let arn = format!("arn:aws:logs:us-east-1:{}:log-group:g", endpoint.identity().account_id);
    let pattern = "satisfy regular expression pattern";
    let message = |error: &dyn ProvideErrorMetadata| error.message().unwrap().to_owned();
    for (key, value) in [("a\0b", "v"), ("a", "v\n"), ("a*", "v")] {
        let refused = logs.create_log_group().log_group_name("t").tags(key, value).send().await.unwrap_err();
        assert!(message(&refused).contains(pattern), "{refused:?}");
        let refused = logs.tag_resource().resource_arn(&arn).tags(key, value).send().await.unwrap_err();
        assert!(message(&refused).contains(pattern), "{refused:?}");
    }
    let many = (0..51).map(|number| (format!("k{number}"), "v".to_owned())).collect();
    let refused = logs.create_log_group().log_group_name("t").set_tags(Some(many)).send().await.unwrap_err();
    assert!(message(&refused).contains("length less than or equal to 50"), "{refused:?}");
    let refused = logs.create_log_group().log_group_name("x".repeat(513)).send().await.unwrap_err();
    let words = "Invalid LogGroup or LogStream, both must have length less than or equal to 512.";
    assert_eq!(message(&refused), words);
    let both = logs.describe_log_streams().log_group_name("g").log_group_identifier("g").send().await.unwrap_err();
    assert_eq!(both.code(), Some("ValidationException"));
    assert_eq!(message(&both), "LogGroup name and LogGroup ARN are mutually exclusive parameters.");
    let by_prefix = logs.describe_log_groups().log_group_name_prefix("g").send().await.unwrap();
    assert_eq!(by_prefix.log_groups()[0].stored_bytes(), Some(0));
    let by_pattern = logs.describe_log_groups().log_group_name_pattern("g").send().await.unwrap();
    assert_eq!(by_pattern.log_groups()[0].stored_bytes(), None);
    let refused = logs.create_log_stream().log_group_name("g").log_stream_name("a\0b").send().await.unwrap_err();
    assert!(message(&refused).contains(pattern), "{refused:?}");
    for token in ["", "f/1/s", "x", "f/99999999999999999999999999999999999999999999999999999999/s", "f/\u{663}/s"] {
        logs.get_log_events().log_group_name("g").log_stream_name("s").next_token(token).send().await.unwrap_err();
        let refused = logs.filter_log_events().log_group_name("g").next_token(token).send().await.unwrap_err();
        assert_eq!(message(&refused), "The specified nextToken is invalid.", "{token}");
    }
    endpoint.stop().await;
}

/// The older calls, which the AWS CLI still has.
#[expect(deprecated, reason = "AWS has deprecated them and answers them")]
async fn tag_by_name(logs: &Client) {
    logs.tag_log_group().log_group_name("g").tags("old", "1").tags("older", "2").send().await.unwrap();
    logs.untag_log_group().log_group_name("g").tags("older").send().await.unwrap();
    let tags = logs.list_tags_log_group().log_group_name("g").send().await.unwrap().tags.unwrap();
    assert_eq!(tags.get("old").map(String::as_str), Some("1"));
    assert!(!tags.contains_key("older"), "{tags:?}");
}

#[tokio::test]
async fn events_outlive_the_endpoint() {
    let endpoint = Endpoint::start().await;
    let logs = client_with_streams(&endpoint, "g", &["s"]).await;
    put(&logs, "s", [event(now(), "kept")]).await;
    let endpoint = endpoint.restart().await;
    assert_eq!(filter(&Client::new(&endpoint.sdk_config()), "").await, ["kept"]);
}

#[tokio::test]
async fn a_stack_makes_changes_and_deletes_a_log_group() {
    let endpoint = Endpoint::start().await;
    let config = endpoint.sdk_config();
    let (stacks, logs) = (aws_sdk_cloudformation::Client::new(&config), Client::new(&config));
    let template = |days: i32| {
        serde_json::json!({
            "Resources": {"Log": {"Type": "AWS::Logs::LogGroup", "Properties": {
                "RetentionInDays": days, "LogGroupClass": "STANDARD", "Tags": [{"Key": "k", "Value": "v"}],
            }}},
            "Outputs": {"Ref": {"Value": {"Ref": "Log"}}, "Arn": {"Value": {"Fn::GetAtt": "Log.Arn"}}},
        })
        .to_string()
    };
    let status = async |status: &str| loop {
        let stack = stacks.describe_stacks().stack_name("FisStopTask").send().await.unwrap().stacks.unwrap().remove(0);
        match stack.stack_status.unwrap().as_str() {
            reached if reached == status => break stack.outputs.unwrap(),
            waiting if waiting.ends_with("IN_PROGRESS") => tokio::time::sleep(Duration::from_millis(5)).await,
            other => panic!("{other}"),
        }
    };
    let group = async || logs.describe_log_groups().send().await.unwrap().log_groups.unwrap().pop();
    stacks.create_stack().stack_name("FisStopTask").template_body(template(7)).send().await.unwrap();
    let outputs: HashMap<String, String> = status("CREATE_COMPLETE")
        .await
        .into_iter()
        .map(|output| (output.output_key.unwrap(), output.output_value.unwrap()))
        .collect();
    assert!(outputs["Ref"].starts_with("FisStopTask-Log-"), "{outputs:?}");
    let made = group().await.unwrap();
    assert_eq!(made.log_group_name(), Some(outputs["Ref"].as_str()));
    assert_eq!((made.arn(), made.retention_in_days()), (Some(outputs["Arn"].as_str()), Some(7)));
    let tags =
        logs.list_tags_for_resource().resource_arn(made.log_group_arn().unwrap()).send().await.unwrap().tags.unwrap();
    assert_eq!((tags["k"].as_str(), tags["aws:cloudformation:stack-name"].as_str()), ("v", "FisStopTask"));
    stacks.update_stack().stack_name("FisStopTask").template_body(template(14)).send().await.unwrap();
    status("UPDATE_COMPLETE").await;
    assert_eq!(group().await.unwrap().retention_in_days(), Some(14));
    stacks.delete_stack().stack_name("FisStopTask").send().await.unwrap();
    while group().await.is_some() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
