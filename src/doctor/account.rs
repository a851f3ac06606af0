//! What the account must have: the services in the region, and their roles.

use super::identity::unread;
use super::{Check, bounded};
use crate::aws::clients::Clients;
use crate::aws::service_roles::{self, Service};
use crate::error::{Doing, Error};

pub(super) async fn checks(clients: &Clients) -> Vec<Check> {
    let (ecs, fis, roles) = tokio::join!(
        bounded("ECS", async { vec![ecs(clients).await] }),
        bounded("FIS", async { vec![fis(clients).await] }),
        bounded("service-linked roles", roles(clients)),
    );
    ecs.into_iter().chain(fis).chain(roles).collect()
}

/// Wherever ECS is, it has Fargate.
async fn ecs(clients: &Clients) -> Check {
    match clients.ecs.list_clusters().max_results(1).send().await.doing("Listing the clusters") {
        Ok(_) => Check::ok("ECS", format!("answers in {}", clients.region)),
        Err(error) => absent("ECS", &clients.region, &error),
    }
}

pub(super) async fn fis(clients: &Clients) -> Check {
    let action = "aws:ecs:stop-task";
    match clients.fis.get_action().id(action).send().await.doing(format_args!("Reading the action {action}")) {
        Ok(_) => Check::ok("FIS", format!("has the action {action} in {}", clients.region)),
        Err(error) => absent("FIS", &clients.region, &error),
    }
}

/// A service that a region does not have has no host name there.
fn absent(service: &'static str, region: &str, error: &Error) -> Check {
    if error.is_connection() || error.has_code(&["ResourceNotFoundException"]) {
        let found = format!("not to be had in {region}: {}", error.aws_message());
        return Check::problem(service, found, "Choose another region with `--region`, for example us-east-1.");
    }
    unread(service, error)
}

async fn roles(clients: &Clients) -> Vec<Check> {
    let name = "service-linked roles";
    match service_roles::missing(clients).await {
        Ok(missing) if missing.is_empty() => {
            vec![Check::ok(name, Service::ALL.map(Service::role_name).join(" and ") + " exist")]
        }
        Ok(missing) => missing
            .into_iter()
            .map(|service| {
                let remedy = format!(
                    "AWS makes it at the first use if you may (iam:CreateServiceLinkedRole); \
                 `aws iam create-service-linked-role --aws-service-name {}` does it now.",
                    service.principal()
                );
                Check::warning(name, format!("{service} is missing"), remedy)
            })
            .collect(),
        Err(error) => vec![unread(name, &error)],
    }
}
