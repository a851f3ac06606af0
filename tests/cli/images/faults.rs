//! Pushes over a network, and to registries, that have trouble.

use serde_json::json;

use super::registry::{Fault, Plan, Registry, answer, faulty};
use crate::harness::Sandbox;

const TROUBLE: Fault = Fault::Answer(answer!("500 Internal Server Error", "oops"));
const BUSY: Fault = Fault::Answer(
    "HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nRetry-After: 0\r\n\r\n{\"errors\":[{\"code\":\"TOOMANYREQUESTS\",\"message\":\"Rate exceeded\"}]}",
);
/// How ECR refuses to move a tag of an immutable repository.
const TAG_EXISTS: &str = answer!(
    "400 Bad Request",
    r#"{"errors":[{"code":"TAG_INVALID","message":"The image tag 'original-1' already exists in the 'lab' repository and cannot be overwritten because the tag is immutable."}]}"#
);

/// Pushes through the faults, then straight; returns what the second push says and the uploads that were begun.
fn converges(plan: Plan) -> usize {
    let (sandbox, registry) = (Sandbox::new(), Registry::open());
    let first = sandbox.json(&["image", "push", &format!("{}/lab", faulty(&registry, plan))]);
    assert_eq!(first["blobs_sent"], 5, "{first}");
    let second = sandbox.json(&["image", "push", &format!("{}/lab", registry.host)]);
    assert_eq!((&second["blobs_sent"], &second["bytes_sent"]), (&json!(0), &json!(0)));
    assert_eq!(registry.requests("PATCH"), 0);
    registry.requests("POST")
}

#[test]
fn trouble_of_the_registry_is_waited_for() {
    assert_eq!(converges(vec![("HEAD", 2, TROUBLE), ("POST", 2, TROUBLE), ("PUT /v2/lab/manifests/", 2, TROUBLE)]), 5);
}

#[test]
fn a_reset_in_the_middle_of_an_upload_begins_a_new_one() {
    // Every blob is tried again from its POST on: nothing is appended to what has arrived.
    assert!(converges(vec![("PUT /v2/lab/blobs/", 2, Fault::Reset), ("HEAD", 1, Fault::Reset)]) >= 6);
}

#[test]
fn a_limit_of_requests_is_kept() {
    assert_eq!(converges(vec![("POST", 2, BUSY), ("PUT /v2/lab/manifests/", 1, BUSY)]), 5);
}

#[test]
fn an_answer_that_was_lost_does_not_send_a_blob_twice() {
    let (sandbox, registry) = (Sandbox::new(), Registry::open());
    let plan = vec![("PUT /v2/lab/blobs/", 1, Fault::Masked(answer!("502 Bad Gateway", "")))];
    sandbox.ok(&["image", "push", &format!("{}/lab", faulty(&registry, plan))]);
    assert_eq!(registry.requests("POST"), 5);
}

#[test]
fn a_tag_that_is_there_already_is_success_only_if_it_is_ours() {
    let (sandbox, registry) = (Sandbox::new(), Registry::open());
    let host = faulty(&registry, vec![("PUT /v2/lab/manifests/", 2, Fault::Masked(TAG_EXISTS))]);
    sandbox.ok(&["image", "push", &format!("{host}/lab")]);

    let (sandbox, registry) = (Sandbox::new(), Registry::open());
    let host = faulty(&registry, vec![("PUT /v2/lab/manifests/", 2, Fault::Answer(TAG_EXISTS))]);
    let run = sandbox.run(&["image", "push", &format!("{host}/lab")]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("TAG_INVALID"), "{run:?}");
}

#[test]
fn what_does_not_go_away_is_one_clear_error() {
    let refusals = [
        (TROUBLE, "HTTP 500 Internal Server Error: oops", "trouble of its own"),
        (
            Fault::Answer(answer!(
                "401 Unauthorized",
                r#"{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}"#
            )),
            "token has expired",
            "does not accept the credentials",
        ),
        (
            Fault::Answer(answer!(
                "403 Forbidden",
                r#"{"errors":[{"code":"DENIED","message":"User is not authorized to perform: ecr:InitiateLayerUpload"}]}"#
            )),
            "ecr:InitiateLayerUpload",
            "may not do that",
        ),
        (
            Fault::Answer(answer!(
                "404 Not Found",
                r#"{"errors":[{"code":"NAME_UNKNOWN","message":"The repository with name 'lab' does not exist"}]}"#
            )),
            "NAME_UNKNOWN",
            "There is no repository lab",
        ),
    ];
    for (fault, cause, message) in refusals {
        let (sandbox, registry) = (Sandbox::new(), Registry::open());
        let host = faulty(&registry, vec![("POST", usize::MAX, fault)]);
        let run = sandbox.run(&["image", "push", &format!("{host}/lab")]);
        assert_eq!(run.code, 1, "{run:?}");
        assert!(run.stderr.contains(cause) && run.stderr.contains(message), "{run:?}");
    }
}
