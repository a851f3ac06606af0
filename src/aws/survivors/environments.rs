//! What belongs to environments: stacks (also that of the network), clusters, tasks, tables, log groups, experiment
//! templates, and the task definitions that are in no stack. Each question is asked once, however many environments there are.

use aws_sdk_ecs::types::ClusterField;

use super::{Gone, Survivor, generator};
use crate::aws::clients::Clients;
use crate::aws::program::Program;
use crate::aws::{cost, logs, stack, table, tasks};
use crate::environment::{CLUSTER, ENVIRONMENT_TAG, Environment, NETWORK_STACK, OWN_FAMILY, WORKSHOP_STACK};
use crate::error::{Doing, Result};

/// Where ECS writes the metrics of a cluster with Container Insights: a log group that no stack has made.
const INSIGHTS: &str = "/aws/ecs/containerinsights/";

/// DescribeClusters takes so many names.
const CLUSTERS_AT_ONCE: usize = 100;

/// Tag of CloudFormation on what its stacks make.
const STACK_NAME_TAG: &str = "aws:cloudformation:stack-name";

pub(super) async fn find(clients: &Clients, gone: Gone<'_>) -> Result<Vec<Survivor>> {
    let (stacks, running, tables, groups, metrics, templates, families) = tokio::try_join!(
        stacks(clients, gone),
        clusters(clients, gone),
        table::names(clients, WORKSHOP_STACK),
        logs::groups(clients, WORKSHOP_STACK),
        insights(clients, gone),
        experiment_templates(clients, gone),
        tasks::families(clients, OWN_FAMILY),
    )?;
    let log_groups = Program::all_log_group_ids();
    let is_gone = |name: &str, id: &str| generator(name, id).is_some_and(|environment| gone.has(&environment));
    // Whether they bear the tag, the index of tags says.
    let tables = tables.into_iter().filter(|name| is_gone(name, "DynamoTable"));
    let is_left =
        |family: &String| Environment::of_own_family(family).is_some_and(|environment| gone.has(&environment));
    let families = families.into_iter().filter(is_left);
    let groups = groups.into_iter().filter(|name| log_groups.iter().any(|id| is_gone(name, id)));
    Ok(stacks
        .into_iter()
        .chain(running)
        .chain(templates)
        .chain(tables.map(|name| Survivor::new("table", name, false)))
        .chain(families.map(|family| Survivor::new("task definition", family, false)))
        .chain(groups.chain(metrics).map(|name| Survivor::new("log group", name, false)))
        .collect())
}

/// The log groups of Container Insights.
async fn insights(clients: &Clients, gone: Gone<'_>) -> Result<Vec<String>> {
    let groups = logs::groups(clients, &format!("{INSIGHTS}{CLUSTER}")).await?;
    let cluster = |group: &str| Some(group.strip_prefix(INSIGHTS)?.strip_suffix("/performance")?.to_owned());
    let is_gone = |group: &String| {
        cluster(group).and_then(|name| Environment::of_cluster(&name)).is_some_and(|environment| gone.has(&environment))
    };
    Ok(groups.into_iter().filter(is_gone).collect())
}

async fn stacks(clients: &Clients, gone: Gone<'_>) -> Result<Vec<Survivor>> {
    let is_named = |name: &str| {
        let of_network = name == NETWORK_STACK && matches!(gone, Gone::Everything);
        of_network || Environment::of_stack(name).is_some_and(|environment| gone.has(&environment))
    };
    let stacks = stack::all(clients).await?.into_iter().map(|stack| {
        let tagged = stack.tags.get(ENVIRONMENT_TAG).is_some_and(|value| gone.has_value(value));
        Survivor::new("stack", stack.name, tagged)
    });
    Ok(stacks.filter(|stack| stack.tagged || is_named(&stack.id)).collect())
}

/// The clusters, and the tasks that run in them. ECS remembers a deleted cluster for a while, as INACTIVE.
async fn clusters(clients: &Clients, gone: Gone<'_>) -> Result<Vec<Survivor>> {
    let names = cluster_names(clients, gone).await?;
    let mut found = Vec::new();
    for names in names.chunks(CLUSTERS_AT_ONCE) {
        let request = clients.ecs.describe_clusters().set_clusters(Some(names.to_vec())).include(ClusterField::Tags);
        let answer = request.send().await.doing("Describing the clusters")?;
        for cluster in answer.clusters().iter().filter(|cluster| cluster.status() != Some("INACTIVE")) {
            let name = cluster.cluster_name().unwrap_or_default();
            let tagged = gone.has_tag(cluster.tags().iter().map(|tag| (tag.key(), tag.value())));
            found.push(Survivor::new("cluster", name, tagged));
            // A task belongs to who owns its cluster.
            let task = |task: tasks::Task| Survivor::new("task", task.task_arn, tagged).costing(cost::TASK);
            found.extend(tasks::active(clients, name).await?.into_iter().map(task));
        }
    }
    Ok(found)
}

/// Those that should be gone; of any environment, ECS itself has to say which there are.
async fn cluster_names(clients: &Clients, gone: Gone<'_>) -> Result<Vec<String>> {
    if let Gone::Environments(environments) = gone {
        return Ok(environments.iter().map(Environment::cluster_name).collect());
    }
    let pages = clients.ecs.list_clusters().into_paginator().items().send();
    let arns = pages.collect::<std::result::Result<Vec<_>, _>>().await.doing("Listing the clusters")?;
    let names = arns.iter().filter_map(|arn| arn.rsplit('/').next()).map(str::to_owned);
    Ok(names.filter(|name| Environment::of_cluster(name).is_some()).collect())
}

async fn experiment_templates(clients: &Clients, gone: Gone<'_>) -> Result<Vec<Survivor>> {
    let pages = clients.fis.list_experiment_templates().into_paginator().items().send();
    let templates =
        pages.collect::<std::result::Result<Vec<_>, _>>().await.doing("Listing the experiment templates")?;
    let is_gone = |stack: &String| Environment::of_stack(stack).is_some_and(|environment| gone.has(&environment));
    let found = templates.iter().filter_map(|template| {
        let tags = template.tags()?;
        let tagged = tags.get(ENVIRONMENT_TAG).is_some_and(|value| gone.has_value(value));
        let is_named = tags.get(STACK_NAME_TAG).is_some_and(is_gone);
        let name = tags.get("Name").map(String::as_str);
        let survivor = Survivor::new("experiment template", template.id()?, tagged).named(name);
        (tagged || is_named).then_some(survivor)
    });
    Ok(found.collect())
}
