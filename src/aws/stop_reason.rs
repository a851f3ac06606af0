//! Why a task stopped, in plain words, and what to do about it.
//!
//! AWS's own text is the cause that is shown with it, and the only one in JSON. The texts are matched by the parts that
//! have stayed the same over the years, because ECS and containerd reword the rest. Sources:
//! - ECS developer guide: "Stopped tasks error messages" (stopped-task-error-codes), "`CannotPullContainer` task errors"
//!   (`task_cannot_pull_image`), "ResourceInitializationError errors", "CannotStartContainerError errors"
//! - ECS API: `TaskStopCode`
//! - AWS re:Post knowledge centre: ecs-fargate-pull-container-error, ecs-unable-to-pull-secrets, fargate-spot-termination-notice
//! - containerd and runc, whose messages ECS passes on
//! - the exit codes of our own workers: worker/src/failure.rs

use aws_sdk_ecs::types::TaskStopCode;

use super::tasks::Task;
use crate::error::Error;

/// What a reason means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// One sentence.
    pub(crate) what: &'static str,
    pub(crate) remedy: &'static str,
}

/// A row of the table: the reason has all of `all`, and one of `any` unless that is empty. In lower case.
struct Row {
    all: &'static [&'static str],
    any: &'static [&'static str],
    meaning: Meaning,
}

const fn row(
    all: &'static [&'static str],
    any: &'static [&'static str],
    what: &'static str,
    remedy: &'static str,
) -> Row {
    Row { all, any, meaning: Meaning { what, remedy } }
}

/// Words of a connection that did not come about.
const NO_WAY: &[&str] = &[
    "i/o timeout",
    "context deadline exceeded",
    "connection issue",
    "no such host",
    "connection refused",
    "connection reset",
    "network is unreachable",
    "dial tcp",
    "requestcanceled",
    "request canceled",
    "timed out",
    "tls handshake timeout",
];
const DENIED: &[&str] =
    &["accessdenied", "not authorized", "403 forbidden", "no basic auth credentials", "has the permissions"];

const REPAIR_NETWORK: &str = "A private subnet needs its NAT gateway (or endpoints for ECR, S3 and CloudWatch Logs): \
     `fis-workshop up` completes FisStackVpc, and puts back what somebody has changed in it.";
const REPAIR_ROLE: &str = "`fis-workshop up`, with the same `--env`, puts the execution role and its policy back; if nobody \
     has changed them, a policy of the organisation or of an endpoint denies it.";
const OTHER_ARCHITECTURE: &str = "`fis-workshop up` deploys images and task definitions of one architecture; choose it \
     with `--arch x86_64` or `--arch arm64`.";
const RUN_AGAIN: &str = "Run the task again.";
const PUSH: &str = "`fis-workshop up` pushes the images and points the task definitions to them.";

const STOPPED_BY_FIS: Meaning = Meaning {
    what: "The experiment stopped it.",
    remedy: "Run it again: does it complete, and does it do anything twice?",
};

/// Nobody had asked it to stop before.
const KILLED: Meaning = Meaning {
    what: "It was killed without a word.",
    remedy: "By `interrupt --signal kill`, by somebody else, or for want of memory. Run it again: what has become of the item \
             that it was working on?",
};

/// The first row that fits is the answer, so the special comes before the general.
const TABLE: &[Row] = &[
    // --- CannotPullContainerError ---
    row(
        &["cannotpullcontainer", "descriptor matching platform"],
        &[],
        "Its image is for another processor architecture than its definition asks for.",
        OTHER_ARCHITECTURE,
    ),
    row(
        &["cannotpullcontainer"],
        &["toomanyrequests", "too many requests", "rate limit"],
        "The registry limits how often its image can be pulled.",
        "Wait some minutes and run the task again; images in the account's own repository have no such limit.",
    ),
    row(&["cannotpullcontainer"], NO_WAY, "It could not reach the image's registry from its subnet.", REPAIR_NETWORK),
    row(&["cannotpullcontainer"], DENIED, "Its execution role may not pull the image.", REPAIR_ROLE),
    row(
        &["cannotpullcontainer"],
        &["not found", "does not exist", "manifest unknown", "find the image", "pull access denied"],
        "Its image is not in the repository.",
        PUSH,
    ),
    row(
        &["cannotpullcontainer", "no space left"],
        &[],
        "Its image is larger than the task's storage.",
        "The workshop's images are small; check the image that the task definition names.",
    ),
    row(&["cannotpullcontainer"], &[], "Its image could not be pulled.", PUSH),
    // --- starting the program ---
    row(
        &["exec format error"],
        &[],
        "Its program is for another processor architecture than the machine's.",
        OTHER_ARCHITECTURE,
    ),
    row(
        &["cannotstartcontainer"],
        &["no such file", "executable file not found", "permission denied"],
        "The program that its definition starts is not in the image.",
        PUSH,
    ),
    row(&["cannotstartcontainer"], &[], "Its container could not be started.", RUN_AGAIN),
    row(&["cannotcreatecontainer"], &[], "Its container could not be made.", RUN_AGAIN),
    row(
        &["timeouterror"],
        &["container", "docker"],
        "Fargate took too long over its container.",
        "Run the task again; when it happens again, check the way from the subnet to the registry.",
    ),
    // --- ResourceInitializationError ---
    row(
        &["resourceinitialization", "log group does not exist"],
        &[],
        "Its log group does not exist any more.",
        "`fis-workshop up`, with the same `--env`, makes it again.",
    ),
    row(&["resourceinitialization"], NO_WAY, "It could not reach AWS from its subnet.", REPAIR_NETWORK),
    row(
        &["resourceinitialization"],
        DENIED,
        "Its execution role may not fetch the registry's credentials or write the log.",
        REPAIR_ROLE,
    ),
    row(
        &["resourceinitialization"],
        &["registry auth", "retrieve ecr"],
        "ECS could not get the credentials of the registry.",
        REPAIR_NETWORK,
    ),
    row(
        &["resourceinitialization"],
        &["logger", "logging driver", "log stream"],
        "ECS could not open its log.",
        REPAIR_ROLE,
    ),
    row(&["resourceinitialization"], &[], "ECS could not prepare what it needs.", RUN_AGAIN),
    // --- the machine and the network under it ---
    row(
        &["outofmemory"],
        &[],
        "It needed more memory than its definition gives it.",
        "The workers need a few megabytes: check what else the image runs, or raise `Memory` in the template.",
    ),
    row(
        &["network interface"],
        &[],
        "AWS could not attach its network interface.",
        "Run the task again; when it happens again, the subnet may have no free address, or the account no free interface.",
    ),
    row(&["internalerror"], &[], "Fargate had a failure of its own.", RUN_AGAIN),
    row(&["capacity is unavailable"], &[], "Fargate had no capacity for it.", "Run the task again in some minutes."),
    // --- somebody stopped it ---
    Row { all: &["stopped by aws fis"], any: &[], meaning: STOPPED_BY_FIS },
];

/// What the task's end means; nothing for one that ended as it should.
pub(crate) fn meaning(task: &Task) -> Option<Meaning> {
    by(task, of_exit_code)
}

/// The same for a worker of one's own, whose exit codes are those that any program has.
pub(crate) fn meaning_of_own(task: &Task) -> Option<Meaning> {
    by(task, of_own_exit_code)
}

fn by(task: &Task, of_exit_code: fn(Option<i32>) -> Option<Meaning>) -> Option<Meaning> {
    let texts = [&task.container_reason, &task.stopped_reason];
    let by_text = texts.into_iter().flatten().find_map(|text| of_text(text));
    // Whoever asked it to stop: that it had to be killed is what should not be.
    let by_text = by_text.filter(|meaning| task.exit_code != Some(137) || *meaning != STOPPED_BY_FIS);
    let killed = (task.exit_code == Some(137) && task.stop_code == Some(TaskStopCode::EssentialContainerExited))
        .then_some(KILLED);
    by_text.or(killed).or_else(|| of_exit_code(task.exit_code)).or_else(|| of_stop_code(task))
}

fn of_text(text: &str) -> Option<Meaning> {
    let text = text.to_lowercase();
    let fits = |row: &&Row| {
        row.all.iter().all(|part| text.contains(part))
            && (row.any.is_empty() || row.any.iter().any(|part| text.contains(part)))
    };
    TABLE.iter().find(fits).map(|row| row.meaning)
}

/// Of our workers (worker/src/failure.rs), and 128 + the signal of a program that was ended by one.
fn of_exit_code(code: Option<i32>) -> Option<Meaning> {
    let (what, remedy) = match code? {
        1 => (
            "The worker gave up, because AWS or its own machine refused something.",
            "The last line of its log says what.",
        ),
        2 => (
            "The worker was given a wrong setting, and has written nothing.",
            "The last line of its log names the variable; `fis-workshop regenerate`, with the same `--env`, makes the task \
             definition anew.",
        ),
        3 => (
            "Another task owns the batch: two workers ran at the same time, and this one stood back.",
            "Nothing is lost; let the other one end, and run one at a time.",
        ),
        137 => (
            "It was killed: it did not end within `stopTimeout` of being asked to, or needed more memory than it has.",
            "The workers end within a second of SIGTERM: check that the image starts them directly, not by a shell.",
        ),
        143 => ("It was asked to stop, and stopped in order (SIGTERM).", "Run it again when it should go on."),
        0 => return None,
        _ => ("It ended in a way that the workers do not.", "Its log may say more; check which image it runs."),
    };
    Some(Meaning { what, remedy })
}

/// Of any program, and of the shell that was to become it.
fn of_own_exit_code(code: Option<i32>) -> Option<Meaning> {
    let (what, remedy) = match code? {
        0 => return None,
        126 => (
            "It could not be started: its file cannot be executed, or its directory is gone.",
            "The last line of its log says what; start it by its interpreter, such as `python3 job.py`.",
        ),
        127 => (
            "It could not be started: its program, or what that is run by, was not found.",
            "The last line of its log says what was looked for.",
        ),
        137 => (
            "It was killed: it did not end within `stopTimeout` of being asked to, or needed too much memory.",
            "A program that does not handle SIGTERM ends by itself; one that starts yours (a shell, npm) has to pass it on.",
        ),
        143 => ("It was asked to stop, and stopped (SIGTERM).", "Run it again when it should go on."),
        _ => ("It failed.", "The last lines of its log may say why."),
    };
    Some(Meaning { what, remedy })
}

fn of_stop_code(task: &Task) -> Option<Meaning> {
    // A success looks like this, too.
    if task.exit_code.is_some() {
        return None;
    }
    let (what, remedy) = match task.stop_code.as_ref()? {
        TaskStopCode::UserInitiated => ("Somebody stopped it.", "Run it again when it should go on."),
        TaskStopCode::SpotInterruption => ("AWS took its spare capacity (Fargate Spot) back.", RUN_AGAIN),
        TaskStopCode::TerminationNotice | TaskStopCode::InfrastructureHealth => {
            ("AWS retired the machine that it ran on.", RUN_AGAIN)
        }
        TaskStopCode::ServiceSchedulerInitiated => ("An ECS service stopped it; the workshop has none.", RUN_AGAIN),
        TaskStopCode::TaskFailedToStart => ("It failed to start.", RUN_AGAIN),
        _ => return None,
    };
    Some(Meaning { what, remedy })
}

/// The failure that the task's end is: `message`, what it means, AWS's words as the cause, and what to do.
pub(crate) fn failure(message: String, task: &Task) -> Error {
    let meaning = meaning(task);
    let message = meaning.map_or_else(|| message.clone(), |meaning| format!("{message} {}", meaning.what));
    let mut error = Error::failed(message);
    let causes = [&task.container_reason, &task.stopped_reason].into_iter().flatten();
    let mut known = Vec::new();
    for cause in causes.filter(|cause| !cause.is_empty()) {
        if !known.contains(&cause) {
            error = error.cause(cause);
            known.push(cause);
        }
    }
    if known.is_empty() {
        error = error.cause(task.stop_code.as_ref().map_or("ECS names no reason", TaskStopCode::as_str));
    }
    meaning.into_iter().fold(error, |error, meaning| error.hint(meaning.remedy))
}

#[cfg(test)]
#[path = "stop_reason_tests.rs"]
mod tests;
