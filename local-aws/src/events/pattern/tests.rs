mod laws;

use serde_json::{Value, json};

use super::Pattern;

fn compile(pattern: &Value) -> Pattern {
    Pattern::compile(&pattern.to_string()).unwrap()
}

fn refusal(pattern: &str) -> String {
    let error = Pattern::compile(pattern).unwrap_err();
    assert_eq!((error.code.as_str(), error.status), ("InvalidEventPatternException", 400), "{pattern}");
    error.message.strip_prefix("Event pattern is not valid. Reason: ").unwrap().to_owned()
}

/// Whether the list of alternatives fits a field with this value.
fn fits(alternatives: &Value, value: &Value) -> bool {
    compile(&json!({ "a": alternatives })).matches(&json!({ "a": value }))
}

/// The event of a task with these containers.
fn stopped(containers: &Value) -> Value {
    json!({
        "source": "aws.ecs", "detail-type": "ECS Task State Change", "resources": ["arn:task"],
        "detail": {"clusterArn": "arn:cluster", "group": "family:job", "lastStatus": "STOPPED", "containers": containers},
    })
}

#[test]
fn the_rule_of_the_watchdog_is_for_a_worker_that_did_not_end_well() {
    let pattern = compile(&json!({
        "source": ["aws.ecs"], "detail-type": ["ECS Task State Change"],
        "detail": {
            "clusterArn": ["arn:cluster"], "lastStatus": ["STOPPED"], "group": ["family:job"],
            "containers": {"exitCode": [{"anything-but": 0}, {"exists": false}]},
        },
    }));
    assert!(pattern.matches(&stopped(&json!([{"name": "job", "exitCode": 143}]))));
    assert!(pattern.matches(&stopped(&json!([{"name": "job"}]))));
    assert!(!pattern.matches(&stopped(&json!([{"name": "job", "exitCode": 0}]))));
    assert!(
        pattern.matches(&stopped(&json!([{"name": "job", "exitCode": 0}, {"name": "sidecar", "exitCode": 137}]))),
        "one container is enough"
    );
    let mut running = stopped(&json!([{"name": "job"}]));
    running["detail"]["lastStatus"] = json!("RUNNING");
    assert!(!pattern.matches(&running));
}

#[test]
fn fields_of_one_array_must_fit_in_one_element() {
    let pattern = compile(&json!({"detail": {"containers": {"name": ["job"], "exitCode": [143]}}}));
    assert!(pattern.matches(&stopped(&json!([{"name": "log", "exitCode": 0}, {"name": "job", "exitCode": 143}]))));
    assert!(!pattern.matches(&stopped(&json!([{"name": "log", "exitCode": 143}, {"name": "job", "exitCode": 0}]))));
    // Elements of different arrays have nothing to do with each other.
    let pattern = compile(&json!({"a": {"x": [1]}, "b": {"x": [2]}}));
    assert!(pattern.matches(&json!({"a": [{"x": 0}, {"x": 1}], "b": [{"x": 2}]})));
    // A name with a dot in it makes two arrays of what is one path.
    let pattern = compile(&json!({"a": {"b": {"x": [1], "y": [2]}}}));
    assert!(pattern.matches(&json!({"a": {"b": [{"x": 1}, {"y": 2}]}, "a.b": [{"y": 2}]})));
    assert!(!pattern.matches(&json!({"a": {"b": [{"x": 1}, {"y": 2}]}, "a.b": [{"z": 2}]})));
    // Nor have values that are elements themselves.
    assert!(compile(&json!({"a": [1], "a.x": [2]})).matches(&json!({"a": [1, {"x": 2}]})));
}

#[test]
fn values_are_compared_with_their_type() {
    for (alternatives, value, expected) in [
        (json!(["x"]), json!("x"), true),
        (json!(["x"]), json!("X"), false),
        (json!([300]), json!(300.0), true),
        (json!([3e2]), json!(300), true),
        (json!([300]), json!("300"), false),
        (json!(["300"]), json!(300), false),
        (json!([true]), json!(true), true),
        (json!([true]), json!("true"), false),
        (json!([null]), json!(null), true),
        (json!([null]), json!([]), false),
        (json!(["x", "y"]), json!(["z", "y"]), true),
        (json!([1]), json!({"b": 1}), false),
    ] {
        assert_eq!(fits(&alternatives, &value), expected, "{alternatives} of {value}");
    }
}

#[test]
fn operators_on_strings() {
    for (alternatives, value, expected) in [
        (json!([{"prefix": "ab"}]), json!("abc"), true),
        (json!([{"prefix": "ab"}]), json!("aBc"), false),
        (json!([{"prefix": {"equals-ignore-case": "aB"}}]), json!("AbC"), true),
        (json!([{"suffix": "bc"}]), json!("abc"), true),
        (json!([{"suffix": {"equals-ignore-case": "BC"}}]), json!("abc"), true),
        (json!([{"equals-ignore-case": "ÄB"}]), json!("äb"), true),
        (json!([{"prefix": ""}]), json!("x"), true),
        (json!([{"prefix": ""}]), json!(1), false),
        (json!([{"wildcard": "a*c"}]), json!("ac"), true),
        (json!([{"wildcard": "a*c*"}]), json!("abcb"), true),
        (json!([{"wildcard": "ab*ba"}]), json!("aba"), false),
        (json!([{"wildcard": "a\\*\\\\"}]), json!("a*\\"), true),
        (json!([{"wildcard": "a\\*"}]), json!("ab"), false),
        (json!([{"cidr": "10.0.0.0/24"}]), json!("10.0.0.255"), true),
        (json!([{"cidr": "10.0.0.9/24"}]), json!("10.0.0.8"), true),
        (json!([{"cidr": "10.0.0.0/24"}]), json!("10.0.1.0"), false),
        (json!([{"cidr": "2001:db8::/32"}]), json!("2001:db8::1"), true),
        (json!([{"cidr": "10.0.0.0/24"}]), json!("not an address"), false),
    ] {
        assert_eq!(fits(&alternatives, &value), expected, "{alternatives} of {value}");
    }
}

#[test]
fn operators_on_numbers_and_on_what_is_not() {
    for (alternatives, value, expected) in [
        (json!([{"numeric": [">", 0, "<=", 5]}]), json!(5), true),
        (json!([{"numeric": [">", 0, "<=", 5]}]), json!(0), false),
        (json!([{"numeric": ["=", 3.018e2]}]), json!(301.8), true),
        (json!([{"numeric": ["<", 300]}]), json!("200"), false),
        (json!([{"anything-but": "x"}]), json!("y"), true),
        (json!([{"anything-but": ["x", "y"]}]), json!("y"), false),
        (json!([{"anything-but": "x"}]), json!(null), true),
        (json!([{"anything-but": 0}]), json!("0"), true),
        (json!([{"anything-but": 0}]), json!(0.0), false),
        (json!([{"anything-but": "x"}]), json!([]), false),
        (json!([{"anything-but": {"prefix": ["a", "b"]}}]), json!("bc"), false),
        (json!([{"anything-but": {"suffix": "c"}}]), json!(5), true),
        (json!([{"anything-but": {"wildcard": "*/bin/*"}}]), json!("/usr/bin/x"), false),
        (json!([{"anything-but": {"equals-ignore-case": "X"}}]), json!("x"), false),
        (json!([{"exists": true}]), json!(null), true),
        (json!([{"exists": true}]), json!([]), false),
        (json!([{"exists": true}]), json!({"b": 1}), false),
        (json!([{"exists": false}]), json!({"b": 1}), true),
        (json!([{"exists": false}]), json!(null), false),
        (json!([{"exists": false}, 7]), json!(7), true),
    ] {
        assert_eq!(fits(&alternatives, &value), expected, "{alternatives} of {value}");
    }
    assert!(!compile(&json!({"a": [{"anything-but": "x"}]})).matches(&json!({})), "the field must be there");
    assert!(compile(&json!({"a": {"b": [{"exists": false}]}})).matches(&json!({"a": 1})));
}

#[test]
fn or_adds_alternatives_for_several_fields() {
    let pattern = compile(&json!({
        "source": ["s"], "$or": [{"x": [1]}, {"y": [2], "$or": [{"z": [3]}, {"w": [4]}]}],
    }));
    assert!(pattern.matches(&json!({"source": "s", "x": 1})));
    assert!(pattern.matches(&json!({"source": "s", "y": 2, "w": 4})));
    assert!(!pattern.matches(&json!({"source": "s", "y": 2})));
    assert!(!pattern.matches(&json!({"source": "t", "x": 1})));
    // One that is none is a field.
    assert!(compile(&json!({"$or": [1, 2]})).matches(&json!({"$or": 2})));
    assert!(compile(&json!({"$or": {"a": [1]}})).matches(&json!({"$or": {"a": 1}})));
    assert_eq!(refusal(r#"{"$or": [{"a": [1]}]}"#), "Unrecognized match type a");
    let levels = (0..10).map(|level| format!(r#""k{level}": {{"$or": [{{"a": [1]}}, {{"b": [1]}}]}}"#));
    let many = format!("{{{}}}", levels.collect::<Vec<_>>().join(","));
    assert_eq!(Pattern::compile(&many).unwrap_err().code, "UnsupportedOperation");
}

#[test]
fn of_two_for_one_path_the_later_one_counts() {
    let event = json!({"a": {"b": 2}});
    for pattern in [
        r#"{"a": {"b": [1], "b": [2]}}"#,
        r#"{"a": {"b": [1]}, "a.b": [2]}"#,
        r#"{"a.b": [1], "a": {"b": [2]}}"#,
        r#"{"a": {"b": [1]}, "$or": [{"a.b": [2]}, {"c": [3]}]}"#,
    ] {
        assert!(Pattern::compile(pattern).unwrap().matches(&event), "{pattern}");
    }
}

#[test]
fn patterns_are_refused_in_the_words_of_aws() {
    for (pattern, reason) in [
        (r#"["x"]"#, "Filter is not an object"),
        ("{}", "Empty objects are not allowed"),
        (r#"{"a": {}}"#, "Empty objects are not allowed"),
        (r#"{"a": []}"#, "Empty arrays are not allowed"),
        (r#"{"a": "x"}"#, "\"a\" must be an object or an array"),
        (r#"{"a": [["x"]]}"#, "Match value must be String, number, true, false, or null"),
        (r#"{"a": [{"prefix": "x", "suffix": "y"}]}"#, "Only one key allowed in match expression"),
        (r#"{"a": [{"NUMERIC": ["=", 1]}]}"#, "Unrecognized match type NUMERIC"),
        (r#"{"a": [{"prefix": 1}]}"#, "prefix match pattern must be a string"),
        (r#"{"a": [{"suffix": ["x"]}]}"#, "suffix match pattern must be a string"),
        (r#"{"a": [{"equals-ignore-case": ["x"]}]}"#, "equals-ignore-case match pattern must be a string"),
        (r#"{"a": [{"exists": "true"}]}"#, "exists match pattern must be either true or false."),
        (r#"{"a": [{"wildcard": 1}]}"#, "wildcard match pattern must be a string"),
        (r#"{"a": [{"wildcard": "a**"}]}"#, "Consecutive wildcard characters at pos 2"),
        (r#"{"a": [{"wildcard": "a\\b"}]}"#, "Invalid escape character at pos 2"),
        (r#"{"a": [{"cidr": ["x"]}]}"#, "prefix match pattern must be a string"),
        (r#"{"a": [{"cidr": "10.0.0.0"}]}"#, "Malformed CIDR, one '/' required"),
        (r#"{"a": [{"cidr": "10.0.0.0/x"}]}"#, "Malformed CIDR, mask bits must be an integer"),
        (r#"{"a": [{"cidr": "10.0.0.0/-1"}]}"#, "Malformed CIDR, mask bits must not be negative"),
        (r#"{"a": [{"cidr": "10.0.0.0/32"}]}"#, "IPv4 mask bits must be < 32"),
        (r#"{"a": [{"cidr": "xx.11.xx/8"}]}"#, "Nonstandard IP address: xx.11.xx"),
        (r#"{"a": [{"numeric": 10}]}"#, "Value of numeric must be an array."),
        (r#"{"a": [{"numeric": ["<", "5"]}]}"#, "Value of < must be numeric"),
        (r#"{"a": [{"numeric": [">", 3, ">", 5]}]}"#, "Bad numeric range operator: >"),
        (r#"{"a": [{"numeric": [">", 3, "<", 3]}]}"#, "Bottom must be less than top"),
        (r#"{"a": [{"numeric": ["=", 3, "<", 5]}]}"#, "Too many elements in numeric expression"),
        (r#"{"a": [{"numeric": ["==", 3]}]}"#, "Unrecognized numeric range operator: =="),
        (r#"{"a": [{"anything-but": null}]}"#, "Value of anything-but must be an array or single string/number value."),
        (r#"{"a": [{"anything-but": [null]}]}"#, "Inside anything but list, start|null|boolean is not supported."),
        (
            r#"{"a": [{"anything-but": [1, "x"]}]}"#,
            "Inside anything but list, either all values are number or string, mixed type is not supported",
        ),
        (r#"{"a": [{"anything-but": {"numeric": [1]}}]}"#, "Unsupported anything-but pattern: numeric"),
        (r#"{"a": [{"anything-but": {"prefix": ""}}]}"#, "Null prefix/suffix not allowed"),
        (r#"{"a": [{"anything-but": {"suffix": 1}}]}"#, "prefix/suffix match pattern must be a string"),
        (
            r#"{"a": [{"anything-but": {"prefix": {"equals-ignore-case": "x"}}}]}"#,
            "Value of anything-but must be an array or single string/number value.",
        ),
    ] {
        assert_eq!(refusal(pattern), reason, "{pattern}");
    }
    assert!(refusal("{\"a\"").contains("EOF"));
    assert!(refusal(&"{\"a\":".repeat(5000)).contains("recursion limit"));
}

#[test]
fn an_event_is_tested_when_it_is_one() {
    let pattern = compile(&json!({"source": ["order"]}));
    let event = json!({
        "id": "1", "source": "order", "detail-type": "Test", "account": "123456789012", "region": "us-east-1",
        "time": "2026-11-25T16:10:16Z",
    });
    assert_eq!(pattern.test(&event.to_string()), Ok(true));
    let mut other = event.clone();
    other["source"] = json!("shipment");
    assert_eq!(pattern.test(&other.to_string()), Ok(false));
    let fields = event.as_object().unwrap();
    let without = fields.keys().map(|name| {
        let mut fields = fields.clone();
        fields.remove(name);
        json!(fields).to_string()
    });
    let none = ["plain string", r#"["plain string"]"#, r#"{"testEvent": "value"}"#, "\"x\""].map(str::to_owned);
    for event in without.chain(none) {
        let error = pattern.test(&event).unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("ValidationException", "Parameter Event is not valid.")
        );
    }
}

/// What accounts of AWS are known to have accepted and refused.
#[test]
fn wildcards_must_not_make_too_much_work() {
    let of = |wildcards: &[&str]| {
        let alternatives: Vec<Value> = wildcards.iter().map(|wildcard| json!({ "wildcard": wildcard })).collect();
        Pattern::compile(&json!({ "a": alternatives }).to_string()).is_ok()
    };
    assert!(of(&["*.bif", "*.tiff", "*.tif", "*.svs"]));
    assert!(of(&["*/datasync/*.bif", "*/datasync/*.tiff"]));
    assert!(!of(&["*/datasync/*.bif", "*/datasync/*.tiff", "*/datasync/*.tif", "*/datasync/*.svs"]));
    assert!(of(&["*:stack/Network/*", "*:stack/Shared/*", "*:stack/App/*"]));
    assert!(!of(&["*:stack/Network/*", "*:stack/Shared/*", "*:stack/App/*", "*:stack/Monitoring/*"]));
    assert!(of(&["/Users/*/dir/dir/dir/dir/dir/doc.txt"]));
    assert!(!of(&["*:*:*:*:*:event-bus/*"]));
    let reason = "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character";
    assert_eq!(refusal(r#"{"a": [{"wildcard": "*:*:*:*:*:event-bus/*"}]}"#), reason);
    assert_eq!(refusal(r#"{"a": [{"anything-but": {"wildcard": "*a*a*a*a*a*a*a"}}]}"#), reason);
}

/// Eight lists, in each of which the fields fit, but not in one element: tried out in all combinations, that would be for
/// ever.
#[test]
fn lists_do_not_multiply() {
    let containers: Vec<Value> = (0..200).map(|n| json!({"name": format!("c{n}"), "exitCode": n % 2})).collect();
    let event = stopped(&json!(containers));
    let names: Vec<Value> = (0..200).step_by(2).map(|n| json!(format!("c{n}"))).collect();
    let lists: serde_json::Map<String, Value> =
        (0..8).map(|n| (format!("list{n}"), json!({"name": names, "exitCode": [1]}))).collect();
    let pattern = compile(&json!({ "detail": lists }));
    let mut many = event.clone();
    for n in 0..8 {
        many["detail"][format!("list{n}")] = event["detail"]["containers"].clone();
    }
    assert!(!pattern.matches(&many));
}
