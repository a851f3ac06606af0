use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Circumstances, InputPath, InputTransformer};
use crate::error::ApiError;

fn event() -> Value {
    json!({
        "version": "0", "id": "i", "detail-type": "t", "source": "s", "account": "123456789012",
        "time": "2026-11-25T16:10:16Z", "region": "us-east-1", "resources": ["arn:task"],
        "detail": {
            "payload": {"acc_id": "0a787ecb-4015", "sf_id": "baz"},
            "listsingle": ["HIGH"], "listmulti": ["ACTIVE", "INACTIVE"], "valid": true, "count": 3, "none": null,
            "containers": [{"name": "job", "exitCode": 143}, {"name": "log"}], "quoted": "a \"b\"",
        },
    })
}

fn transformer(paths: &[(&str, &str)], template: &str) -> Result<InputTransformer, ApiError> {
    let paths: BTreeMap<String, String> = paths.iter().map(|(name, path)| ((*name).into(), (*path).into())).collect();
    InputTransformer::parse(&paths, template, "t1")
}

/// What the target gets of `event()`.
fn filled(template: &str) -> Option<String> {
    let paths = [
        ("userId", "$.detail.payload.acc_id"),
        ("payload", "$.detail.payload"),
        ("missing", "$.detail.awsAccountId"),
        ("listsingle", "$.detail.listsingle"),
        ("listmulti", "$.detail.listmulti"),
        ("valid", "$.detail.valid"),
        ("count", "$.detail.count"),
        ("none", "$.detail.none"),
        ("quoted", "$.detail.quoted"),
    ];
    let about = Circumstances {
        rule_arn: "arn:aws:events:us-east-1:123456789012:rule/r",
        rule_name: "r",
        ingestion_time: "2026-11-25T16:10:17.5Z".parse().unwrap(),
    };
    transformer(&paths, template).unwrap().apply(&event(), &about)
}

fn refusal(error: &ApiError) -> &str {
    assert_eq!((error.code.as_str(), error.status), ("ValidationException", 400));
    &error.message
}

#[test]
fn a_path_leads_into_the_event() {
    let part = |path: &str| InputPath::parse(path, "t1").unwrap().apply(&event());
    assert_eq!(part("$"), Some(event().to_string()));
    assert_eq!(part("$.detail-type").as_deref(), Some("\"t\""));
    assert_eq!(part("$.detail.payload").as_deref(), Some(r#"{"acc_id":"0a787ecb-4015","sf_id":"baz"}"#));
    assert_eq!(part("$.resources[0]").as_deref(), Some("\"arn:task\""));
    assert_eq!(part("$.detail.containers[0].exitCode").as_deref(), Some("143"));
    assert_eq!(part("$.detail.containers[*].name").as_deref(), Some(r#"["job","log"]"#));
    assert_eq!(part("$.detail.payload.*").as_deref(), Some(r#"["0a787ecb-4015","baz"]"#));
    assert_eq!(part("$.detail.containers[*].missing").as_deref(), Some("[]"));
    assert_eq!(part("$.detail.none").as_deref(), Some("null"));
    assert_eq!(part("$.detail.missing"), None);
    assert_eq!(part("$.resources[1]"), None);
    assert_eq!(part("$.detail.containers.name"), None);
}

#[test]
fn other_paths_are_refused() {
    for path in ["", "detail", ".detail", "$.detail['payload']", "$[\"detail\"]"] {
        let error = InputPath::parse(path, "t1").unwrap_err();
        assert_eq!(refusal(&error), "InputPath for target t1 is invalid.", "{path}");
        assert_eq!(transformer(&[("a", path)], "\"<a>\"").unwrap_err(), error);
    }
    for path in ["$..name", "$.", "$detail", "$.a[", "$.a[]", "$.a[-1]", "$.a[0:1]", "$.a[?(@.b)]", "$.a b"] {
        let error = InputPath::parse(path, "t1").unwrap_err();
        assert_eq!(error.code, "UnsupportedOperation", "{path}");
        assert!(error.message.contains(path), "{error}");
    }
}

/// As AWS was recorded to do it.
#[test]
fn a_json_template_is_json_or_nothing() {
    for (template, expected) in [
        (
            r#"{"method": "PUT", "path": "users/<userId>", "body": <payload>}"#,
            r#"{"method":"PUT","path":"users/0a787ecb-4015","body":{"acc_id":"0a787ecb-4015","sf_id":"baz"}}"#,
        ),
        (r#"{"id" : <userId>}"#, r#"{"id":"0a787ecb-4015"}"#),
        (r#"{"id" : "<userId>"}"#, r#"{"id":"0a787ecb-4015"}"#),
        (r#"{"a": [<userId>, "hard coded"]}"#, r#"{"a":["0a787ecb-4015","hard coded"]}"#),
        (r#"{"one": <listsingle>}"#, r#"{"one":["HIGH"]}"#),
        (r#"{"twice": "u/<userId>/<userId>"}"#, r#"{"twice":"u/0a787ecb-4015/0a787ecb-4015"}"#),
        (r#"{"missing": <missing>, "in": "a<missing>b"}"#, r#"{"missing":"","in":"ab"}"#),
        (r#"{"n": <count>, "b": <valid>, "t": "<count> <valid>"}"#, r#"{"n":3,"b":true,"t":"3 true"}"#),
        (r#"{"null": <none>}"#, r#"{"null":null}"#),
        (r#"{"s": "say \"<userId>\" \\", "t": <count>}"#, r#"{"s":"say \"0a787ecb-4015\" \\","t":3}"#),
        (r#"{"value": <quoted>}"#, r#"{"value":"a \"b\""}"#),
        (
            "{\n  \"arn\": <aws.events.rule-arn>,\n  \"at\": \"<aws.events.rule-name> <aws.events.event.ingestion-time>\"\n}",
            r#"{"arn":"arn:aws:events:us-east-1:123456789012:rule/r","at":"r 2026-11-25T16:10:17Z"}"#,
        ),
    ] {
        assert_eq!(filled(template).as_deref(), Some(expected), "{template}");
    }
    for template in [
        r#"{"payload": "<payload>"}"#,
        r#"{"not_valid": "users/<payload>", "body": <payload>}"#,
        r#"{"one": "<listsingle>"}"#,
        r#"{"value": "<quoted>"}"#,
    ] {
        assert_eq!(filled(template), None, "{template}");
    }
}

#[test]
fn the_event_itself_is_a_variable() {
    let both = filled(r#"{"event": <aws.events.event>, "json": <aws.events.event.json>}"#).unwrap();
    let both: Value = serde_json::from_str(&both).unwrap();
    assert_eq!(both["json"], event());
    let mut expected = event();
    let fields = expected.as_object_mut().unwrap();
    fields.remove("detail");
    let detail_type = fields.remove("detail-type").unwrap();
    fields.insert("detailType".to_owned(), detail_type);
    assert_eq!(both["event"], expected);
}

/// As AWS was recorded to do it.
#[test]
fn a_text_is_passed_on_with_its_quotes() {
    for (template, expected) in [
        (r#""<userId> and <userId>""#, r#""0a787ecb-4015 and 0a787ecb-4015""#),
        (r#""Payload of <payload>""#, r#""Payload of {acc_id:0a787ecb-4015,sf_id:baz}""#),
        (r#""<listsingle> one""#, r#""[HIGH] one""#),
        (r#""<listmulti> more""#, r#""[ACTIVE,INACTIVE] more""#),
        (r#""<missing> system""#, r#"" system""#),
        (r#""Command is <valid>!""#, r#""Command is true!""#),
        (r#""{[/Check <userId>""#, r#""{[/Check 0a787ecb-4015""#),
        ("\"<userId> one\"\n\"<count> two\"", "\"0a787ecb-4015 one\"\n\"3 two\""),
        (r#""say \"<userId>\"""#, r#""say \"0a787ecb-4015\"""#),
        (r#""say "<userId>" there""#, r#""say "0a787ecb-4015" there""#),
        (r#""<aws.events.rule-name> is due""#, r#""r is due""#),
    ] {
        assert_eq!(filled(template).as_deref(), Some(expected), "{template}");
    }
}

#[test]
fn templates_are_refused_in_the_words_of_aws() {
    let own = [("a", "$.detail")];
    for (template, expected) in [
        (r#""<b>""#, "InputTemplate for target t1 contains invalid placeholder b."),
        (r#"{"link": "<https://x|y>"}"#, "InputTemplate for target t1 contains invalid placeholder https://x|y."),
        (r#""<aws.events.other>""#, "InputTemplate for target t1 contains invalid placeholder aws.events.other."),
        (
            r#""<aws.events.event.json>""#,
            "InputTemplate for target t1 contains placeholder aws.events.event.json valid only for JSON template.",
        ),
        (
            "[<aws.events.event.json>]",
            "InputTemplate for target t1 contains placeholder aws.events.event.json valid only for JSON template.",
        ),
    ] {
        assert_eq!(refusal(&transformer(&own, template).unwrap_err()), expected, "{template}");
    }
    for template in ["", "Hello <a>", "\"open", r#"{"a": <a>"#, r#"{<a>: 1}"#, r#"{"a": 1} more"#] {
        let error = transformer(&own, template).unwrap_err();
        assert!(refusal(&error).starts_with("Invalid InputTemplate for target t1 : "), "{template}: {error}");
    }
    for template in ["<a>", "[<a>, 1]", "7"] {
        assert_eq!(transformer(&own, template).unwrap_err().code, "UnsupportedOperation", "{template}");
    }
}

#[test]
fn the_map_of_paths_has_limits() {
    let error = transformer(&[("aws.events.rule-name", "$")], "\"x\"").unwrap_err();
    assert!(refusal(&error).contains("[A-Za-z0-9\\_\\-]+"), "{error}");
    let long = format!("$.{}", "a".repeat(255));
    assert!(refusal(&transformer(&[("a", &long)], "\"x\"").unwrap_err()).contains("256"));
    let many: Vec<(String, String)> = (0..101).map(|n| (format!("v{n}"), "$".to_owned())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, path)| (name.as_str(), path.as_str())).collect();
    assert!(transformer(&many[..100], "\"<v99>\"").is_ok());
    assert!(refusal(&transformer(&many, "\"x\"").unwrap_err()).contains("equal to 100"));
}

proptest! {
    /// Whatever is in the event: a variable in the place of a value is that value.
    #[test]
    fn a_value_arrives_as_it_is(text in any::<String>(), number in any::<i64>(), name in "[A-Za-z0-9_-]{1,8}") {
        let event = json!({"detail": {&name: {"text": &text, "number": number}}});
        let paths = [("x", format!("$.detail.{name}")), ("y", format!("$.detail.{name}.text"))];
        let paths: Vec<(&str, &str)> = paths.iter().map(|(name, path)| (*name, path.as_str())).collect();
        let about = Circumstances { rule_arn: "", rule_name: "", ingestion_time: Default::default() };
        let transformer = transformer(&paths, r#"{ "x": <x>, "y": [ <y> ], "n": "<aws.events.rule-name> " }"#).unwrap();
        let filled: Value = serde_json::from_str(&transformer.apply(&event, &about).unwrap()).unwrap();
        prop_assert_eq!(filled, json!({"x": {"text": &text, "number": number}, "y": [&text], "n": " "}));
    }

    #[test]
    fn no_text_is_too_much(path in r"\$[.\[\]a*0-9'$]{0,12}", template in r#"[<>a"{}:,\\ ]{0,16}"#) {
        let _ = InputPath::parse(&path, "t1");
        if let Ok(transformer) = transformer(&[("a", "$.a"), ("aa", "$")], &template) {
            let about = Circumstances { rule_arn: "", rule_name: "", ingestion_time: Default::default() };
            let filled = transformer.apply(&json!({"a": 1}), &about);
            let is_fine = filled.is_none_or(|filled| {
                !template.trim_start().starts_with('{') || serde_json::from_str::<Value>(&filled).is_ok()
            });
            prop_assert!(is_fine);
        }
    }
}
