//! Small templates that mean a lot of work.

use std::time::{Duration, Instant};

use serde_json::json;

use super::*;

/// The refusal. What is not bounded here takes minutes.
fn refusal(expression: &Value) -> String {
    let begin = Instant::now();
    let error = resolve(&expression.to_string(), false).unwrap_err();
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    error.message
}

/// `leaf` within levels of `Fn::Sub` that use what is within ten times.
fn subs(leaf: &str, levels: usize) -> Value {
    let text = "${V}".repeat(10);
    (0..levels).fold(json!(leaf), |inner, _| json!({"Fn::Sub": [text, {"V": inner}]}))
}

#[test]
fn what_grows_tenfold_with_each_level_ends_at_the_longest_text() {
    assert!(refusal(&subs("xxxxxxxxxx", 8)).contains("longer than 51200 bytes"));
    let doubled = (0..20).fold(json!("x"), |inner, _| json!({"Fn::Join": [",".repeat(100), [inner, "x"]]}));
    assert_eq!(resolve(&doubled.to_string(), false).unwrap().unwrap().as_str().unwrap().len(), 20 * 101 + 1);
    let joined = json!({"Fn::Join": [",".repeat(10_000), ["a", "b", "c", "d", "e", "f", "g"]]});
    assert!(refusal(&joined).contains("longer than 51200 bytes"));
}

#[test]
fn what_is_used_ten_times_is_resolved_once() {
    assert_eq!(resolve(&subs("", 12).to_string(), false).unwrap(), Some(json!("")));
}

#[test]
fn lists_that_are_made_again_and_again_end_at_their_sum() {
    // Each of them has 4,000 items out of a parameter of 4,000 bytes.
    let lists: String = (0..200).map(|n| format!("      L{n}: {{'Fn::Split': [',', {{Ref: Commas}}]}}\n")).collect();
    let body = format!(
        "Parameters:\n  Commas: {{Type: String, Default: '{}'}}\nResources:\n  Made: {{Type: AWS::Logs::LogGroup}}\n  Subject:\n    Type: AWS::Logs::LogGroup\n    Properties:\n{lists}",
        ",".repeat(4_000)
    );
    let error = within(&body, &made(), false, |scope| scope.properties("Subject").map(drop)).unwrap_err();
    assert!(error.message.contains("make too much text"), "{error}");
}

#[test]
fn patterns_that_are_large_or_go_back_for_ever_are_refused() {
    let with = |pattern: &str| {
        let declaration = json!({"Type": "String", "AllowedPattern": pattern, "Default": "a".repeat(40)});
        let body = json!({"Parameters": {"P": declaration}, "Resources": {"R": {"Type": "AWS::Logs::LogGroup"}}});
        let begin = Instant::now();
        let result = Template::parse(&body.to_string()).and_then(|template| bind(&template, &[]));
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
        result.unwrap_err().message
    };
    for pattern in ["[a-z]{0,100}{0,100}{0,100}", r"(a*)*\1b", "(?=(a+)+$)(a|aa)+b", &"(".repeat(4_000)] {
        assert!(with(pattern).contains('P'), "{pattern}");
    }
}

#[test]
fn conditions_that_need_one_another_in_a_long_row_are_refused() {
    let row = |length: usize| {
        let mut conditions: serde_json::Map<String, Value> =
            (1..length).map(|n| (format!("C{n:05}"), json!({"Condition": format!("C{:05}", n + 1)}))).collect();
        conditions.insert(format!("C{length:05}"), json!({"Fn::Equals": ["a", "a"]}));
        let body = json!({"Conditions": conditions, "Resources": {"R": {"Type": "AWS::Logs::LogGroup"}}});
        within(&body.to_string(), &made(), false, |_| Ok(()))
    };
    assert_eq!(row(100), Ok(()));
    assert!(row(101).unwrap_err().message.contains("too many conditions need one another"));
    assert!(row(1_000).is_err());
}

#[test]
fn a_long_row_of_resources_is_put_in_order_at_once() {
    let begin = Instant::now();
    let resource =
        |n: usize| (format!("R{n:03}"), json!({"Type": "AWS::Logs::LogGroup", "DependsOn": format!("R{:03}", n + 1)}));
    let mut resources: serde_json::Map<String, Value> = (0..499).map(resource).collect();
    resources.insert("R499".to_owned(), json!({"Type": "AWS::Logs::LogGroup"}));
    let body = json!({"Resources": resources}).to_string();
    within(&body, &made(), false, |scope| super::super::dependencies::dependencies(scope.template, scope.conditions))
        .unwrap();
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}
