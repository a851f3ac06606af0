//! Whether the rules of an environment that is there reach its watchdog.

use super::{Check, Level};
use crate::aws::clients::Clients;
use crate::aws::deployed::Deployed;
use crate::aws::watchdog;
use crate::environment::Environment;
use crate::error::Result;

const CHECK: &str = "watchdog";

pub(super) async fn checks(clients: &Clients, environments: &[Environment]) -> Vec<Check> {
    let mut checks = Vec::new();
    for environment in environments {
        match shut_out(clients, environment).await {
            Ok(None) => {}
            Ok(Some(rules)) if rules.is_empty() => {
                checks.push(Check::ok(CHECK, format!("both rules of the environment {environment} may call it")));
            }
            Ok(Some(rules)) => {
                let found = format!(
                    "in the environment {environment} it is not called: its policy does not let {} in",
                    rules.join(" and ")
                );
                checks.push(Check::warning(
                    CHECK,
                    found,
                    format!("`fis-workshop up{}` puts the policy back.", environment.flag()),
                ));
            }
            Err(error) => checks.push(Check::failed(CHECK, Level::Warning, &error)),
        }
    }
    checks
}

/// The rules that may not call it; `None` without a complete environment.
async fn shut_out(clients: &Clients, environment: &Environment) -> Result<Option<Vec<String>>> {
    let Ok(Some(deployed)) = Deployed::find(clients, environment).await else { return Ok(None) };
    // One of an earlier version has no watchdog.
    if deployed.watchdog_function().is_err() {
        return Ok(None);
    }
    let rules = watchdog::shut_out(clients, &deployed).await?;
    Ok(Some(rules.into_iter().map(str::to_owned).collect()))
}
