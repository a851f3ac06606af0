//! What is left of environments that were deleted: asked of each service, not of the stacks.

use std::fmt;

use serde::Serialize;

use super::clients::Clients;
use super::{logs, stack, table, tasks};
use crate::environment::{ENVIRONMENT_TAG, Environment, NETWORK_STACK, NETWORK_TAG_VALUE};
use crate::error::{Doing, Result};

/// Something that should be gone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Survivor {
    /// What it is.
    pub kind: &'static str,
    /// Its name or ARN.
    pub id: String,
}

impl fmt::Display for Survivor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.id)
    }
}

/// Everything that is left of the environments, and of the network if that should be gone too.
///
/// # Errors
/// When a service does not answer or refuses.
pub async fn find(clients: &Clients, environments: &[Environment], network: bool) -> Result<Vec<Survivor>> {
    let of_environments = async {
        let mut found = Vec::new();
        for environment in environments {
            found.extend(of_environment(clients, environment).await?);
        }
        Ok(found)
    };
    let of_network = async {
        let stack = if network { stack::find(clients, NETWORK_STACK).await? } else { None };
        Ok(stack.map(|stack| Survivor { kind: "stack", id: stack.name }))
    };
    let (mut found, stack, tagged) =
        tokio::try_join!(of_environments, of_network, tagged(clients, environments, network))?;
    found.extend(stack);
    found.extend(tagged);
    found.sort();
    found.dedup();
    Ok(found)
}

async fn of_environment(clients: &Clients, environment: &Environment) -> Result<Vec<Survivor>> {
    let (stack_name, cluster) = (environment.stack_name(), environment.cluster_name());
    // By the start that CloudFormation gives to generated names; only that of the stack would be that of others too.
    let [table, original, improved] =
        ["DynamoTable", "OriginalLogGroup", "ImprovedLogGroup"].map(|id| format!("{stack_name}-{id}-"));
    let (stack, tasks, tables, original, improved) = tokio::try_join!(
        stack::find(clients, &stack_name),
        tasks::active(clients, &cluster),
        table::names(clients, &table),
        logs::groups(clients, &original),
        logs::groups(clients, &improved),
    )?;
    let kind = |kind: &'static str, ids: Vec<String>| ids.into_iter().map(move |id| Survivor { kind, id });
    Ok(kind("stack", stack.into_iter().map(|stack| stack.name).collect())
        .chain(kind("task", tasks.into_iter().map(|task| task.task_arn).collect()))
        .chain(kind("table", tables))
        .chain(kind("log group", original))
        .chain(kind("log group", improved))
        .collect())
}

async fn tagged(clients: &Clients, environments: &[Environment], network: bool) -> Result<Vec<Survivor>> {
    let mut values: Vec<String> = environments.iter().map(ToString::to_string).collect();
    values.extend(network.then(|| NETWORK_TAG_VALUE.to_owned()));
    let filter = aws_sdk_resourcegroupstagging::types::TagFilter::builder();
    let filter = filter.key(ENVIRONMENT_TAG).set_values(Some(values)).build();
    let mut found = Vec::new();
    let mut next = None;
    loop {
        let request = clients.tagging.get_resources().tag_filters(filter.clone()).set_pagination_token(next);
        let page = request.send().await.doing("Looking for tagged resources")?;
        let arns = page.resource_tag_mapping_list().iter().filter_map(|mapping| mapping.resource_arn());
        found.extend(
            arns.filter(|arn| !outlives_its_deletion(arn)).map(|arn| Survivor { kind: "resource", id: arn.to_owned() }),
        );
        next = page.pagination_token().filter(|token| !token.is_empty()).map(str::to_owned);
        if next.is_none() {
            return Ok(found);
        }
    }
}

/// A deregistered task definition stays, INACTIVE and with its tags, and costs nothing.
fn outlives_its_deletion(arn: &str) -> bool {
    arn.contains(":task-definition/")
}
