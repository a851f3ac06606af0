//! Why an experiment did not complete, in plain words, and what to do about it.
//!
//! FIS gives a reason and a code. Its user guide ("Troubleshooting AWS FIS") says that reasons may change, and lists the
//! codes: those are matched first, and the words only where there is no code.

use aws_sdk_fis::types::ExperimentStatus;

use super::Experiment;
use crate::environment::Environment;
use crate::error::Error;

/// The failure that the experiment's end is: AWS's words as the causes, root cause first, and what to do.
pub(crate) fn failure(experiment: &Experiment, environment: &Environment) -> Error {
    let Experiment { experiment_id, status, reason, error_code, action_reasons, .. } = experiment;
    let (what, remedy) = meaning(experiment, environment);
    let mut error = Error::failed(format!("The experiment {experiment_id} ended as {status}: {what}."));
    for action_reason in action_reasons.iter().filter(|action_reason| *action_reason != reason) {
        error = error.cause(action_reason);
    }
    let reason = if reason.is_empty() { "FIS names no reason" } else { reason };
    let error = match error_code {
        Some(code) => error.cause(format_args!("{code}: {reason}")),
        None => error.cause(reason),
    };
    error.hint(remedy)
}

fn meaning(experiment: &Experiment, environment: &Environment) -> (&'static str, String) {
    let words = experiment.action_reasons.iter().chain([&experiment.reason]).map(|text| text.to_lowercase());
    let words = words.collect::<Vec<_>>().join("\n");
    let has = |texts: &[&str]| texts.iter().any(|text| words.contains(text));
    let code = experiment.error_code.as_deref().unwrap_or_default();
    let flag = environment.flag();
    let again = format!("`fis-workshop interrupt{flag}` starts another one.");
    if has(&["safety lever"]) {
        let lever = "`aws fis update-safety-lever-state --id default --state status=disengaged,reason=workshop` releases it, if it is yours to release.";
        return ("the safety lever of the account is engaged, which lets no experiment run", lever.to_owned());
    }
    if matches!(experiment.status, ExperimentStatus::Stopped | ExperimentStatus::Cancelled) {
        return ("somebody or a stop condition ended it before it was done", again);
    }
    if code.starts_with("Quota") || has(&["quota"]) {
        let quota = "One experiment stops 5 tasks at most (quota \"Target Tasks for aws:ecs:stop-task\", L-48D12416), and the lab needs one: ";
        return (
            "it would hit more tasks than FIS allows",
            format!("{quota}`fis-workshop status{flag}` shows what runs, `aws ecs stop-task` stops what should not."),
        );
    }
    if code == "AuthorizationFailure"
        || has(&["not authorized", "access denied", "accessdenied", "sufficient privileges", "permission", "assume"])
    {
        let again = format!("`fis-workshop up{flag}` puts the role and its policy back");
        return (
            "the role of the experiment (FisWorkshopServiceRole) may not do what it has to",
            format!("{again}; if nobody has changed them, a policy of the organisation denies it."),
        );
    }
    if code == "ConfigurationFailure" {
        return ("its template does not fit", format!("`fis-workshop up{flag}` puts the template back."));
    }
    if code == "DependentServiceFailure" || code == "InternalFailure" {
        return ("a service behind it failed", again);
    }
    if experiment.found_no_target() {
        return ("it found nothing to hit", format!("`fis-workshop status{flag}` shows what runs."));
    }
    ("it did not complete", format!("`fis-workshop status{flag}` shows what runs. {again}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Target;

    fn report(status: &str, code: &str, reason: &str, action_reasons: &[&str]) -> String {
        let experiment = Experiment {
            error_code: Some(code.to_owned()).filter(|code| !code.is_empty()),
            action_reasons: action_reasons.iter().map(|&text| text.to_owned()).collect(),
            ..Experiment::ended(status.into(), reason)
        };
        failure(&experiment, &Environment::lab()).report(Target::Aws)
    }

    #[test]
    fn codes_and_reasons_get_their_meaning() {
        let table = [
            ("failed", "AuthorizationFailure", "x", "FisWorkshopServiceRole"),
            (
                "failed",
                "",
                "Role \"arn\" does not have sufficient privileges to perform tag:GetResources.",
                "FisWorkshopServiceRole",
            ),
            ("failed", "QuotaExceededFailure", "x", "L-48D12416"),
            ("failed", "QuotaViolation", "Target resolution returned 6 tasks, more than the quota", "L-48D12416"),
            ("cancelled", "", "Experiment was cancelled: the safety lever is engaged.", "safety lever of the account"),
            ("stopped", "", "Experiment stopped.", "somebody or a stop condition"),
            ("failed", "InternalFailure", "x", "a service behind it failed"),
            ("failed", "InvalidTarget", "Target resolution returned empty set", "it found nothing to hit"),
            ("failed", "", "something new", "it did not complete"),
        ];
        for (status, code, reason, expected) in table {
            let report = report(status, code, reason, &[]);
            assert!(report.contains(expected) && report.contains(reason), "{report}");
        }
    }

    #[test]
    fn the_reason_of_the_action_is_the_root_cause() {
        assert_eq!(
            report("failed", "AuthorizationFailure", "An action failed.", &["Access denied to ecs:StopTask."]),
            "The experiment EXP1 ended as failed: the role of the experiment (FisWorkshopServiceRole) may not do what it \
             has to.\n  cause: Access denied to ecs:StopTask.\n    led to: AuthorizationFailure: An action failed.\n  hint: \
             `fis-workshop up --env lab` puts the role and its policy back; if nobody has changed them, a policy of the \
             organisation denies it."
        );
    }
}
