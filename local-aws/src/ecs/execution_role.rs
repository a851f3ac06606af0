//! What ECS itself does in the task's execution role: fetch the image, write the log. It may do what the role's policies
//! say, and a task whose role is too small does not start.

use std::collections::BTreeMap;

use super::task::Task;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::iam;
use crate::store::Tx;

/// Actions on the repository that a pull takes.
const PULL: &[&str] = &["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

/// Actions on the stream that a log takes.
const LOG: &[&str] = &["logs:CreateLogStream", "logs:PutLogEvents"];

/// Whether the role may pull the task's image; the reason as the task's stoppedReason has it when not.
pub(super) fn may_pull(tx: &Tx<'_>, task: &Task) -> Result<Result<(), String>, ApiError> {
    let Some((account, region, repository)) = ecr_repository(&task.container.image) else { return Ok(Ok(())) };
    if let Err(denial) = allowed(tx, task, "ecr:GetAuthorizationToken", "*")? {
        return Ok(Err(format!(
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve ecr registry auth: service call has been retried 1 time(s): {denial}"
        )));
    }
    let arn = format!("arn:aws:ecr:{region}:{account}:repository/{repository}");
    for action in PULL {
        if let Err(denial) = allowed(tx, task, action, &arn)? {
            return Ok(Err(format!(
                "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {}: {denial}",
                task.container.image
            )));
        }
    }
    Ok(Ok(()))
}

/// Whether the role may write the task's log; AWS's refusal when not.
pub(super) fn may_log(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    task: &Task,
    group: &str,
    stream: &str,
) -> Result<Result<(), String>, ApiError> {
    let arn = endpoint.arn("logs", &format!("log-group:{group}:log-stream:{stream}"));
    for action in LOG {
        if let Err(denial) = allowed(tx, task, action, &arn)? {
            return Ok(Err(denial));
        }
    }
    Ok(Ok(()))
}

fn allowed(tx: &Tx<'_>, task: &Task, action: &str, resource: &str) -> Result<Result<(), String>, ApiError> {
    // RunTask has seen to it that there is one where one is needed.
    let Some(role) = &task.execution_role_arn else { return Ok(Ok(())) };
    let context = BTreeMap::from([("sts:RoleSessionName".to_owned(), task.id.clone())]);
    match iam::authorize(tx, role, action, resource, &context) {
        Ok(()) => Ok(Ok(())),
        Err(error) if error.status >= 500 => Err(error),
        Err(error) => Ok(Err(format!("{}: {}", error.code, error.message))),
    }
}

/// Account, region and repository of `ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG`.
fn ecr_repository(image: &str) -> Option<(&str, &str, &str)> {
    let (host, rest) = image.split_once('/')?;
    let (account, place) = host.split_once(".dkr.ecr.")?;
    let region = place.split('.').next()?;
    let repository = rest.split(['@', ':']).next()?;
    Some((account, region, repository))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ecr_has_repositories_with_an_arn() {
        let image = "000000000000.dkr.ecr.us-east-1.amazonaws.com/lab/worker:original";
        assert_eq!(ecr_repository(image), Some(("000000000000", "us-east-1", "lab/worker")));
        let image = "000000000000.dkr.ecr.us-east-1.amazonaws.com/worker@sha256:00";
        assert_eq!(ecr_repository(image), Some(("000000000000", "us-east-1", "worker")));
        assert_eq!(ecr_repository("docker.io/library/busybox:latest"), None);
        assert_eq!(ecr_repository("busybox"), None);
    }
}
