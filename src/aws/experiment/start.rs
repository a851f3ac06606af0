//! StartExperiment, in an account that may never have had an experiment, and among others who start theirs.

use std::time::Duration;

use aws_sdk_fis::types::{ActionsMode, StartExperimentExperimentOptionsInput};

use crate::aws::clients::{Clients, token};
use crate::aws::patience::Patience;
use crate::aws::service_roles::{self, Service};
use crate::error::{Doing, Error, Result};

/// How long to try again: a role that has just been made, and the place that another experiment leaves, come within that.
const LIMIT: Duration = Duration::from_secs(120);

/// Starts an experiment; returns its id. `on_wait` gets the reason when it cannot start at once.
///
/// The first experiment of an account takes the service-linked role `AWSServiceRoleForFIS`. FIS makes it in the caller's
/// name; when it refuses because of that, the role is made here.
pub(crate) async fn start(
    clients: &Clients,
    template_id: &str,
    mode: &ActionsMode,
    mut on_wait: impl FnMut(&str),
) -> Result<String> {
    // One token for all attempts: they are one wish, and a refused one has started nothing.
    let token = token();
    let mut patience = Patience::new(clients, LIMIT);
    let mut has_role = false;
    loop {
        let error = match attempt(clients, template_id, mode, &token).await {
            Ok(id) => return Ok(id),
            Err(error) => error,
        };
        if service_roles::is_lacking(&error) {
            if !has_role {
                on_wait("The account has no role AWSServiceRoleForFIS yet: creating it.");
                service_roles::create(clients, Service::Fis).await?;
                has_role = true;
            }
        } else if error.has_code(&["ServiceQuotaExceededException"]) {
            on_wait("As many experiments run in this account as it may have (5): waiting for one to end.");
        } else {
            return Err(explained(error));
        }
        if !patience.wait().await {
            return Err(explained(error));
        }
    }
}

async fn attempt(clients: &Clients, template_id: &str, mode: &ActionsMode, token: &str) -> Result<String> {
    let options = StartExperimentExperimentOptionsInput::builder().actions_mode(mode.clone()).build();
    let request = clients.fis.start_experiment().experiment_template_id(template_id).experiment_options(options);
    let request = request.client_token(token);
    let answer = request.send().await.doing("Starting the experiment")?;
    let id = answer.experiment().and_then(|experiment| experiment.id());
    id.map(str::to_owned).ok_or_else(|| Error::failed("FIS started an experiment without an id."))
}

fn explained(error: Error) -> Error {
    let words = error.aws_message().to_lowercase();
    if error.has_code(&["ServiceQuotaExceededException"]) {
        return error.hint(
            "An account runs 5 experiments at a time (quota \"Active experiments\"): repeat the command, or raise it in Service Quotas.",
        );
    }
    if words.contains("safety lever") {
        return error
            .hint("The safety lever of the account is engaged: `aws fis get-safety-lever --id default` shows why.");
    }
    if words.contains("iam:passrole") || service_roles::is_lacking(&error) {
        return error.hint(
            "Whoever starts the first experiment of an account needs `iam:CreateServiceLinkedRole` for fis.amazonaws.com, and `iam:PassRole` for the experiment's role.",
        );
    }
    error
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::aws::scripted::Script;

    const START: &str = "POST /experiments";
    const NO_ROLE: &str = "User: arn:aws:iam::123456789012:user/x is not authorized to perform: \
        iam:CreateServiceLinkedRole on resource: arn:aws:iam::123456789012:role/aws-service-role/fis.amazonaws.com/AWSServiceRoleForFIS";

    fn started(script: Script) -> Script {
        script.answer(START, json!({"experiment": {"id": "EXP1"}}))
    }

    fn role(status: u16, body: &str) -> Script {
        let script = Script::default().refusal(START, 403, "AccessDeniedException", NO_ROLE);
        started(script.answers("CreateServiceLinkedRole", status, body.to_owned()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_missing_service_linked_role_is_created_and_the_experiment_started_once() {
        let made = r#"<CreateServiceLinkedRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><CreateServiceLinkedRoleResult/></CreateServiceLinkedRoleResponse>"#;
        let taken = r#"<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>InvalidInput</Code><Message>Service role name AWSServiceRoleForFIS has been taken in this account, please try a different suffix.</Message></Error></ErrorResponse>"#;
        for (status, body) in [(200, made), (400, taken)] {
            let script = role(status, body);
            assert_eq!(start(&script.clients(), "EXT1", &ActionsMode::RunAll, |_| {}).await.unwrap(), "EXP1");
            let requests = script.requests(START);
            let tokens: BTreeSet<_> = requests.iter().map(|request| request["clientToken"].to_string()).collect();
            assert_eq!((requests.len(), tokens.len()), (2, 1));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_may_not_create_the_role_is_told_what_somebody_has_to_do() {
        let denied = r#"<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"#;
        let error = start(&role(403, denied).clients(), "EXT1", &ActionsMode::RunAll, |_| {}).await.unwrap_err();
        let report = error.report(crate::target::Target::Aws);
        assert!(report.contains("aws iam create-service-linked-role --aws-service-name fis.amazonaws.com"), "{report}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_place_of_another_experiment_is_waited_for() {
        let full = |script: Script| script.refusal(START, 402, "ServiceQuotaExceededException", "Active experiments");
        let mut waits = 0;
        let script = started(full(full(Script::default())));
        assert_eq!(start(&script.clients(), "EXT1", &ActionsMode::RunAll, |_| waits += 1).await.unwrap(), "EXP1");
        assert_eq!(waits, 2);
        let error = start(&full(Script::default()).clients(), "EXT1", &ActionsMode::RunAll, |_| {}).await.unwrap_err();
        assert!(error.report(crate::target::Target::Aws).contains("5 experiments at a time"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn another_refusal_is_final() {
        let script = Script::default().refusal(START, 404, "ResourceNotFoundException", "gone");
        let error = start(&script.clients(), "EXT1", &ActionsMode::RunAll, |_| {}).await.unwrap_err();
        assert!(error.has_code(&["ResourceNotFoundException"]), "{error}");
        assert_eq!(script.requests(START).len(), 1);
    }
}
