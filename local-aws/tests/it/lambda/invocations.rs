//! What comes of an event: answers, errors, ends.

use base64::Engine;
use serde_json::json;

use super::stage::{ARCHITECTURE, SMALL_ROLE, Stage, creation};
use crate::harness::{Endpoint, until};
use crate::registry_client::{ARCH, Registry};

async fn start() -> (Endpoint, Stage) {
    let endpoint = Endpoint::start().await;
    let stage = Stage::new(&endpoint.sdk_config(), endpoint.variables()).await;
    (endpoint, stage)
}

#[tokio::test]
async fn an_environment_is_used_again_and_logs_as_on_aws() {
    let (_endpoint, stage) = start().await;
    stage.function("f", json!({}));
    let first = stage.invoke("f", &json!({"a": 1, "print": "one\ntwo"}));
    assert_eq!((first.error(), &first.payload["count"]), (None, &json!(1)));
    assert_eq!(first.whole["StatusCode"], 200);
    assert_eq!(first.whole["ExecutedVersion"], "$LATEST");
    assert_eq!(first.payload["event"]["a"], 1);
    let headers = &first.payload["headers"];
    let id = headers["lambda-runtime-aws-request-id"].as_str().unwrap();
    assert_eq!(headers["lambda-runtime-invoked-function-arn"], "arn:aws:lambda:us-east-1:000000000000:function:f");
    let left = headers["lambda-runtime-deadline-ms"].as_str().unwrap().parse::<i64>().unwrap();
    let left = left - chrono::Utc::now().timestamp_millis();
    assert!((-60_000..=3000).contains(&left), "{left}");
    let second = stage.invoke("f", &json!({}));
    assert_eq!(second.payload["count"], 2);
    assert_eq!(second.payload["pid"], first.payload["pid"]);
    let lines = stage.lines("f");
    assert_eq!(lines[0], format!("START RequestId: {id} Version: $LATEST\n"));
    assert_eq!(lines[1..3], ["one", "two"]);
    assert_eq!(lines[3], format!("END RequestId: {id}\n"));
    let report = &lines[4];
    assert!(report.starts_with(&format!("REPORT RequestId: {id}\tDuration: ")), "{report}");
    assert!(report.contains("\tMemory Size: 128 MB\tMax Memory Used: "), "{report}");
    assert!(report.contains(" MB\tInit Duration: ") && report.ends_with(" ms\t\n"), "{report}");
    assert!(!lines.last().unwrap().contains("Init Duration"), "{lines:?}");
    let stream = stage.log("/aws/lambda/f").into_keys().next().unwrap();
    let (date, rest) = stream.split_once("/[$LATEST]").unwrap();
    assert_eq!((date.len(), rest.len()), (10, 32), "{stream}");
}

#[tokio::test]
async fn a_function_sees_its_surroundings_and_calls_the_endpoint_in_its_role() {
    let (endpoint, stage) = start().await;
    let variables = json!({"Variables": {"COLOUR": "red", "TZ": "Europe/Berlin"}});
    stage.function("f", json!({"Environment": variables, "MemorySize": 256, "Timeout": 60}));
    let seen = stage.invoke("f", &json!({"do": "environment"})).payload;
    for (name, value) in [
        ("COLOUR", "red"),
        ("TZ", "Europe/Berlin"),
        ("AWS_LAMBDA_FUNCTION_NAME", "f"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/f"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", &endpoint.url()),
    ] {
        assert_eq!(seen[name], value, "{name}");
    }
    assert!(seen["AWS_EXECUTION_ENV"].is_null() && seen["_X_AMZN_TRACE_ID"].is_null());
    let arn = stage.invoke("f", &json!({"do": "identity"})).payload;
    assert_eq!(arn, "arn:aws:sts::000000000000:assumed-role/function/f");
}

#[tokio::test]
async fn what_goes_wrong_is_told_in_the_words_of_aws() {
    let (_endpoint, stage) = start().await;
    stage.function("f", json!({"Timeout": 60}));
    let sad = stage.invoke("f", &json!({"do": "error"}));
    assert_eq!((sad.error(), sad.whole["StatusCode"].as_i64()), (Some("Unhandled"), Some(200)));
    assert_eq!(sad.payload, json!({"errorType": "Sad", "errorMessage": "boom"}));
    assert_eq!(stage.invoke("f", &json!({})).payload["count"], 2, "an error is not the end of the environment");
    for (event, end) in [
        (json!({"do": "exit", "code": 0}), "Runtime exited without providing a reason"),
        (json!({"do": "exit", "code": 7}), "Runtime exited with error: exit status 7"),
        (json!({"do": "kill"}), "Runtime exited with error: signal: killed"),
    ] {
        let answer = stage.invoke("f", &event);
        assert_eq!((answer.error(), answer.error_type()), (Some("Unhandled"), "Runtime.ExitError"));
        let (id, message) = answer.error_message().split_once(" Error: ").unwrap();
        assert_eq!((id.len(), message), ("RequestId: ".len() + 36, end));
        assert_eq!(stage.invoke("f", &json!({})).payload["count"], 1, "the next has a new environment");
    }
    let large = stage.invoke("f", &json!({"do": "large"}));
    assert_eq!((large.error(), large.error_type()), (Some("Unhandled"), "Function.ResponseSizeTooLarge"));
    assert_eq!(large.error_message(), "Response payload size exceeded maximum allowed payload size (6291556 bytes).");
    assert_eq!(stage.invoke("f", &json!({})).error(), None);
    let log: Vec<String> = stage.log("/aws/lambda/f").into_values().flatten().collect();
    assert!(log.iter().any(|line| line.ends_with("exit status 7\nRuntime.ExitError\n")), "{log:?}");
    assert!(log.iter().any(|line| line.ends_with("\tStatus: error\tError Type: Runtime.ExitError\t\n")), "{log:?}");
    assert!(log.iter().any(|line| line == "large 413"), "{log:?}");
}

#[tokio::test]
async fn a_function_that_takes_too_long_is_ended() {
    let (_endpoint, stage) = start().await;
    stage.function("f", json!({"Timeout": 1}));
    let before = stage.invoke("f", &json!({}));
    let late = stage.invoke_with("f", &json!({"sleep": 600, "child": "599.25"}), json!({"LogType": "Tail"}));
    assert_eq!((late.error(), late.error_type()), (Some("Unhandled"), "Sandbox.Timedout"));
    let (id, message) = late.error_message().split_once(" Error: ").unwrap();
    assert_eq!(message, "Task timed out after 1.00 seconds");
    let id = id.strip_prefix("RequestId: ").unwrap();
    let tail = late.whole["LogResult"].as_str().unwrap();
    let tail = base64::engine::general_purpose::STANDARD.decode(tail).unwrap();
    let tail = String::from_utf8(tail).unwrap();
    assert!(tail.starts_with(&format!("START RequestId: {id} Version: $LATEST\n")), "{tail}");
    assert!(
        tail.contains(&format!("Z {id} Task timed out after 1.00 seconds\n\nEND RequestId: {id}\nREPORT ")),
        "{tail}"
    );
    assert!(tail.ends_with("\tStatus: timeout\t\n"), "{tail}");
    assert!(!is_running("599.25"), "its children go with it");
    let after = stage.invoke("f", &json!({}));
    assert_eq!(after.payload["count"], 1);
    assert_ne!(after.payload["pid"], before.payload["pid"]);
}

#[tokio::test]
async fn a_function_that_writes_without_end_waits_for_its_log() {
    let (endpoint, stage) = start().await;
    stage.function("f", json!({"Timeout": 2}));
    let answer = stage.invoke("f", &json!({"do": "flood"}));
    assert_eq!(answer.error_type(), "Sandbox.Timedout");
    let size = std::fs::metadata(endpoint.state_dir().join("state.db")).unwrap().len();
    assert!(size < 256 * 1024 * 1024, "{size}");
    assert_eq!(stage.invoke("f", &json!({})).error(), None);
}

/// Whether some process of this machine has this argument.
pub(super) fn is_running(argument: &str) -> bool {
    let processes = std::process::Command::new("ps").args(["-A", "-o", "args"]).output().unwrap();
    String::from_utf8_lossy(&processes.stdout).lines().any(|line| line.contains(argument))
}

#[tokio::test]
async fn a_function_that_does_not_start_says_why() {
    let (endpoint, stage) = start().await;
    let start = |what: &str| json!({"Timeout": 1, "Environment": {"Variables": {"START": what}}});
    stage.function("exits", start("exit"));
    let answer = stage.invoke("exits", &json!({}));
    assert_eq!(answer.error_type(), "Runtime.ExitError");
    assert!(answer.error_message().ends_with("Error: Runtime exited with error: exit status 3"));
    let log: Vec<String> = stage.log("/aws/lambda/exits").into_values().flatten().collect();
    assert_eq!(log.iter().filter(|line| *line == "a bad start").count(), 2, "{log:?}");
    for phase in ["init", "invoke"] {
        let end = format!("\tPhase: {phase}\tStatus: error\tError Type: Runtime.ExitError\n");
        assert!(log.iter().any(|line| line.starts_with("INIT_REPORT ") && line.ends_with(&end)), "{log:?}");
    }
    stage.function("fails", start("error"));
    let answer = stage.invoke("fails", &json!({}));
    assert_eq!(answer.payload, json!({"errorType": "Init.Sad", "errorMessage": "no start"}));
    stage.function("nothing", json!({"ImageConfig": {"EntryPoint": ["/nothing"]}}));
    let answer = stage.invoke("nothing", &json!({}));
    assert_eq!(answer.error_type(), "Runtime.InvalidEntrypoint");
    assert!(answer.error_message().ends_with("Error: fork/exec /nothing: no such file or directory"), "{answer:?}");
    let other = if ARCH == "arm64" { "amd64" } else { "arm64" };
    let registry = Registry::new(&endpoint.sdk_config(), "function").await;
    registry.push("other", &json!({"Entrypoint": ["/job"]}), other).await;
    let image = json!({"Code": {"ImageUri": format!("{}:other", registry.uri())}, "Architectures": [ARCHITECTURE]});
    stage.function("foreign", image);
    let answer = stage.invoke("foreign", &json!({}));
    assert!(answer.error_message().ends_with("Error: fork/exec /job: exec format error"), "{answer:?}");
}

#[tokio::test]
async fn a_function_that_never_calls_the_runtime_api_times_out() {
    let (_endpoint, stage) = start().await;
    stage.function("f", json!({"Timeout": 1, "Environment": {"Variables": {"START": "hang"}}}));
    let answer = stage.invoke("f", &json!({}));
    assert_eq!(answer.error_type(), "Sandbox.Timedout");
    assert!(answer.error_message().ends_with("Error: Task timed out after 1.00 seconds"), "{answer:?}");
    let log: Vec<String> = stage.log("/aws/lambda/f").into_values().flatten().collect();
    assert!(log.iter().any(|line| line.ends_with("\tPhase: init\tStatus: timeout\n")), "{log:?}");
}

#[tokio::test]
async fn the_runtime_api_refuses_calls_at_the_wrong_time() {
    let (_endpoint, stage) = start().await;
    stage.function("f", json!({}));
    let answer = stage.invoke("f", &json!({"do": "refusals"}));
    assert_eq!(answer.payload, json!({"early": 403, "wrong": 400}));
    stage.invoke("f", &json!({}));
    let line = stage.lines("f").into_iter().find(|line| line.starts_with("first")).unwrap();
    assert!(line.starts_with(r#"first 202 {"status":"OK"} again 400 "#), "{line}");
    assert!(line.contains(r#""errorType":"InvalidRequestID""#), "{line}");
}

#[tokio::test]
async fn kinds_of_invocations_and_what_is_refused_of_them() {
    let (_endpoint, stage) = start().await;
    stage.function("f", json!({}));
    let dry = stage.invoke_with("f", &json!({}), json!({"InvocationType": "DryRun"}));
    assert_eq!((&dry.whole["StatusCode"], &dry.payload), (&json!(204), &json!("")));
    assert_eq!(stage.log("/aws/lambda/f").len(), 0, "nothing was run");
    let empty = stage.lambda("Invoke", json!({"FunctionName": "arn:aws:lambda:us-east-1:000000000000:function:f"}));
    assert!(empty["Payload"].as_str().unwrap().contains(r#""event": {}"#), "{empty}");
    let none = stage.refused("Invoke", json!({"FunctionName": "none"}));
    assert_eq!(none.code, "ResourceNotFoundException");
    assert_eq!(none.message, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:none:$LATEST");
    let wrong = stage.refused("Invoke", json!({"FunctionName": "f", "Payload": "no json"}));
    assert_eq!(wrong.code, "InvalidRequestContentException");
    let large = format!("\"{}\"", "x".repeat(1024 * 1024));
    for (kind, times) in [("Event", 1), ("RequestResponse", 6)] {
        let payload = format!("[{}]", vec![large.as_str(); times].join(","));
        let input = json!({"FunctionName": "f", "InvocationType": kind, "Payload": payload});
        assert_eq!(stage.refused("Invoke", input).code, "RequestTooLargeException", "{kind}");
    }
    let version = stage.refused("Invoke", json!({"FunctionName": "f", "Qualifier": "7"}));
    assert_eq!(version.code, "ResourceNotFoundException");
    let unknown = stage.refused("Invoke", json!({"FunctionName": "f", "TenantId": "t"}));
    assert!(unknown.message.contains("TenantId"), "{unknown:?}");
}

#[tokio::test]
async fn reserved_concurrency_bounds_what_runs_at_once() {
    let (endpoint, stage) = start().await;
    stage.function("f", json!({"Timeout": 60}));
    stage.lambda("PutFunctionConcurrency", json!({"FunctionName": "f", "ReservedConcurrentExecutions": 1}));
    let note = endpoint.state_dir().join("note");
    let other = Stage::open(endpoint.variables());
    let event = json!({"note": note, "sleep": 2});
    let long = std::thread::spawn(move || other.invoke("f", &event).error().is_none());
    until("it runs", async || note.exists().then_some(())).await;
    let refused = stage.refused("Invoke", json!({"FunctionName": "f"}));
    assert_eq!((refused.code.as_str(), refused.message.as_str()), ("TooManyRequestsException", "Rate Exceeded."));
    assert!(long.join().unwrap());
    assert_eq!(stage.invoke("f", &json!({})).payload["count"], 2);
    stage.lambda("PutFunctionConcurrency", json!({"FunctionName": "f", "ReservedConcurrentExecutions": 0}));
    assert_eq!(stage.refused("Invoke", json!({"FunctionName": "f"})).code, "TooManyRequestsException");
    stage.lambda("DeleteFunctionConcurrency", json!({"FunctionName": "f"}));
    assert_eq!(stage.invoke("f", &json!({})).error(), None);
}

#[tokio::test]
async fn other_settings_and_other_code_are_for_new_environments() {
    let (endpoint, stage) = start().await;
    stage.function("f", json!({}));
    let before = stage.invoke("f", &json!({}));
    let variables = json!({"Variables": {"COLOUR": "red"}});
    stage.lambda("UpdateFunctionConfiguration", json!({"FunctionName": "f", "Environment": variables}));
    assert_eq!(stage.invoke("f", &json!({"do": "environment"})).payload["COLOUR"], "red");
    super::stage::push(&endpoint.sdk_config(), "2").await;
    let shown = stage.lambda("GetFunction", json!({"FunctionName": "f"}));
    let uri = super::stage::IMAGE.replace(":1", ":2");
    stage.lambda("UpdateFunctionCode", json!({"FunctionName": "f", "ImageUri": uri}));
    let now = stage.lambda("GetFunction", json!({"FunctionName": "f"}));
    assert_ne!(now["Code"]["ResolvedImageUri"], shown["Code"]["ResolvedImageUri"]);
    let after = stage.invoke("f", &json!({}));
    assert_eq!(after.payload["count"], 1);
    assert_ne!(after.payload["pid"], before.payload["pid"]);
    stage.lambda("DeleteFunction", json!({"FunctionName": "f"}));
    let pid = after.payload["pid"].as_i64().unwrap();
    until("the process of a deleted function ends", async || (!is_alive(pid)).then_some(())).await;
}

pub(super) fn is_alive(pid: i64) -> bool {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::test_kill_process(pid).is_ok()
}

#[tokio::test]
async fn a_role_that_may_not_write_logs_has_none() {
    let (_endpoint, stage) = start().await;
    stage.lambda("CreateFunction", creation("f", json!({"Role": SMALL_ROLE})));
    let answer = stage.invoke_with("f", &json!({"print": "said"}), json!({"LogType": "Tail"}));
    assert_eq!(answer.error(), None);
    assert!(stage.log("/aws/lambda/f").is_empty());
    let tail = base64::engine::general_purpose::STANDARD.decode(answer.whole["LogResult"].as_str().unwrap()).unwrap();
    assert!(String::from_utf8(tail).unwrap().contains("\nsaid\nEND "));
}
