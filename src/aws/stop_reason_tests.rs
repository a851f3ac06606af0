//! Texts as AWS writes them, out of its documentation, re:Post and public issues.

use super::*;
use crate::target::Target;

fn task(exit_code: Option<i32>, stop_code: &str, reason: &str) -> Task {
    Task { exit_code, stop_code: Some(stop_code.into()), stopped_reason: Some(reason.to_owned()), ..Task::default() }
}

#[test]
fn reasons_of_aws_get_their_meaning() {
    let table = [
        (
            "CannotPullContainerError: pull image manifest has been retried 7 time(s): image Manifest does not contain \
             descriptor matching platform 'linux/amd64'",
            "another processor architecture",
        ),
        (
            "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref \
             123456789012.dkr.ecr.eu-west-1.amazonaws.com/fis@sha256:0f: \
             123456789012.dkr.ecr.eu-west-1.amazonaws.com/fis@sha256:0f: not found",
            "not in the repository",
        ),
        (
            "CannotPullContainerError: The task can't pull the image. The task can't find the image 'x' in the registry.",
            "not in the repository",
        ),
        (
            "CannotPullContainerError: ref pull has been retried 5 time(s): failed to copy: httpReadSeeker: failed open: \
             failed to do request: Get \"https://prod-eu-west-1-starport-layer-bucket.s3.amazonaws.com/\": dial tcp \
             52.218.1.1:443: i/o timeout",
            "could not reach the image's registry",
        ),
        (
            "CannotPullContainerError: failed to resolve ref docker.io/library/x:latest: pulling from host \
             registry-1.docker.io failed with status code: 429 Too Many Requests - Server message: toomanyrequests: You \
             have reached your pull rate limit.",
            "limits how often",
        ),
        (
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref x: User: \
             arn:aws:sts::123456789012:assumed-role/r/s is not authorized to perform: ecr:BatchGetImage on resource: y",
            "may not pull the image",
        ),
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth \
             from Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network \
             configuration.",
            "could not reach AWS from its subnet",
        ),
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: \
             unable to retrieve ecr registry auth: service call has been retried 3 time(s): RequestError: send request \
             failed caused by: Post \"https://api.ecr.eu-west-1.amazonaws.com/\": dial tcp 52.95.1.1:443: i/o timeout",
            "could not reach AWS from its subnet",
        ),
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: \
             unable to retrieve ecr registry auth: service call has been retried 1 time(s): AccessDeniedException: x",
            "may not fetch the registry's credentials",
        ),
        (
            "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed \
             to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist. : exit \
             status 1",
            "log group does not exist",
        ),
        (
            "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: failed \
             to create shim task: OCI runtime create failed: runc create failed: unable to start container process: \
             exec: \"/x\": stat /x: no such file or directory: unknown",
            "not in the image",
        ),
        ("CannotStartContainerError: exec /usr/bin/x: exec format error", "another processor architecture"),
        ("OutOfMemoryError: Container killed due to memory usage", "more memory"),
        ("Timeout waiting for network interface provisioning to complete.", "attach its network interface"),
        ("Task stopped by AWS FIS (Experiment ID: EXPYciXq641jU5e1Rk)", "The experiment stopped it."),
    ];
    for (reason, what) in table {
        let found = meaning(&task(None, "TaskFailedToStart", reason)).unwrap();
        assert!(found.what.contains(what), "{reason}: {}", found.what);
    }
}

#[test]
fn without_a_telling_text_the_exit_code_tells_and_then_the_stop_code() {
    let exited = |code| meaning(&task(Some(code), "EssentialContainerExited", "Essential container in task exited"));
    assert_eq!(exited(0), None);
    for (code, what) in [(1, "gave up"), (2, "wrong setting"), (3, "Another task"), (137, "killed"), (143, "SIGTERM")] {
        assert!(exited(code).unwrap().what.contains(what), "{code}");
    }
    assert!(exited(137).unwrap().what.contains("without a word"));
    assert!(exited(7).unwrap().what.contains("workers do not"));
    let killed = task(Some(137), "UserInitiated", "Task stopped by AWS FIS (Experiment ID: EXP1)");
    assert!(meaning(&killed).unwrap().what.contains("did not end within `stopTimeout`"));
    let stopped = |code| meaning(&task(None, code, "x"));
    assert!(stopped("SpotInterruption").unwrap().what.contains("Spot"));
    assert!(stopped("UserInitiated").unwrap().what.contains("Somebody"));
    assert_eq!(stopped("SomethingNew"), None);
}

#[test]
fn a_failure_shows_the_meaning_the_words_of_aws_and_the_remedy() {
    let mut task = task(None, "TaskFailedToStart", "Task failed to start");
    task.container_reason = Some("CannotPullContainerError: x: not found".to_owned());
    assert_eq!(
        failure("The task 0f did not start.".to_owned(), &task).report(Target::Aws),
        "The task 0f did not start. Its image is not in the repository.\n  cause: CannotPullContainerError: x: not found\n    \
         led to: Task failed to start\n  hint: `fis-workshop up` pushes the images and points the task definitions to them."
    );
}
