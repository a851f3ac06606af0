//! IAM: the service-linked roles that an account needs once, before its first cluster and its first experiment.

use std::fmt;

use super::clients::Clients;
use crate::error::{Doing, Error, Result};

/// A service that acts in the account by a role of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// Amazon ECS: without the role a cluster cannot be created.
    Ecs,
    /// AWS FIS: without the role an experiment cannot be started.
    Fis,
}

impl Service {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Ecs, Self::Fis];

    /// What IAM knows the service by.
    pub(crate) fn principal(self) -> &'static str {
        match self {
            Self::Ecs => "ecs.amazonaws.com",
            Self::Fis => "fis.amazonaws.com",
        }
    }

    /// Name of the role.
    pub(crate) fn role_name(self) -> &'static str {
        match self {
            Self::Ecs => "AWSServiceRoleForECS",
            Self::Fis => "AWSServiceRoleForFIS",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.role_name())
    }
}

/// The services whose role the account does not have yet.
pub(crate) async fn missing(clients: &Clients) -> Result<Vec<Service>> {
    let (ecs, fis) = tokio::try_join!(is_missing(clients, Service::Ecs), is_missing(clients, Service::Fis))?;
    Ok([(Service::Ecs, ecs), (Service::Fis, fis)].into_iter().filter(|(_, missing)| *missing).map(|(s, _)| s).collect())
}

async fn is_missing(clients: &Clients, service: Service) -> Result<bool> {
    let answer = clients.iam.get_role(service.role_name()).await;
    match answer.doing(format_args!("Reading the service-linked role {service}")) {
        Ok(_) => Ok(false),
        Err(error) if error.has_code(&["NoSuchEntity", "NoSuchEntityException"]) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Whether AWS refused because the account does not have such a role yet; each service says it in its own words.
pub(crate) fn is_lacking(error: &Error) -> bool {
    let words = error.aws_message().to_lowercase();
    let names_it = ["createservicelinkedrole", "awsservicerolefor", "service-linked role", "service linked role"];
    names_it.iter().any(|name| words.contains(name))
}

/// Makes the role. Somebody else may have done so in the meantime: that is as good. IAM takes some seconds until every
/// service knows of it, so what failed for want of it may have to be repeated more than once.
pub(crate) async fn create(clients: &Clients, service: Service) -> Result<()> {
    let answer = clients.iam.create_service_linked_role(service.principal()).await;
    match answer.doing(format_args!("Creating the service-linked role {service}")) {
        Ok(_) => Ok(()),
        // IAM has no code of its own for that.
        Err(error)
            if error.has_code(&["InvalidInput", "InvalidInputException"])
                && error.aws_message().contains("has been taken") =>
        {
            Ok(())
        }
        Err(error) => Err(error.hint(format!(
            "Somebody who may has to do it once for the account: `aws iam create-service-linked-role \
             --aws-service-name {}`.",
            service.principal()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_say_in_their_own_words_that_the_role_is_missing() {
        let lacks = |words: &str| is_lacking(&Error::failed("The stack could not be completed.").cause(words));
        assert!(lacks(
            "Cluster (AWS::ECS::Cluster) CREATE_FAILED: Resource handler returned message: \"Invalid request provided: \
             CreateCluster Invalid Request: Unable to assume the service linked role. Please verify that the ECS \
             service linked role exists.\""
        ));
        assert!(lacks("AccessDeniedException: ... is not authorized to perform: iam:CreateServiceLinkedRole"));
        assert!(!lacks("Cluster (AWS::ECS::Cluster) CREATE_FAILED: Rate exceeded"));
    }
}
