//! What belongs to environments: stacks (also that of the network), clusters, tasks, tables, log groups, experiment
//! templates. Each question is asked once, however many environments there are.

use aws_sdk_ecs::types::ClusterField;

use super::{Gone, Survivor, is_generated};
use crate::aws::clients::Clients;
use crate::aws::program::Program;
use crate::aws::{cost, logs, stack, table, tasks};
use crate::environment::{ENVIRONMENT_TAG, Environment, NETWORK_STACK};
use crate::error::{Doing, Result};

/// What every generated name of ours starts with, of whatever environment.
const NAMES: &str = "FisStopTaskStack";

/// DescribeClusters takes so many names.
const CLUSTERS_AT_ONCE: usize = 100;

/// Tag of CloudFormation on what its stacks make.
const STACK_NAME_TAG: &str = "aws:cloudformation:stack-name";

pub(super) async fn find(clients: &Clients, gone: Gone<'_>) -> Result<Vec<Survivor>> {
    let (stacks, running, tables, groups, templates) = tokio::try_join!(
        stacks(clients, gone),
        clusters(clients, gone),
        table::names(clients, NAMES),
        logs::groups(clients, NAMES),
        experiment_templates(clients, gone),
    )?;
    let generated = |name: &String, ids: &[String]| {
        let is_of = |environment: &Environment| {
            let stack = environment.stack_name();
            ids.iter().any(|id| is_generated(name, &stack, id))
        };
        gone.environments.iter().any(is_of)
    };
    // Whether they bear the tag, the tagging service says.
    let tables = tables.into_iter().filter(|name| generated(name, &["DynamoTable".to_owned()]));
    let log_groups: Vec<_> = Program::ALL.iter().map(|program| program.log_group_id()).collect();
    let groups = groups.into_iter().filter(|name| generated(name, &log_groups));
    Ok(stacks
        .into_iter()
        .chain(running)
        .chain(templates)
        .chain(tables.map(|name| Survivor::new("table", name, false)))
        .chain(groups.map(|name| Survivor::new("log group", name, false)))
        .collect())
}

async fn stacks(clients: &Clients, gone: Gone<'_>) -> Result<Vec<Survivor>> {
    let mut names: Vec<String> = gone.environments.iter().map(Environment::stack_name).collect();
    names.extend(gone.network.then(|| NETWORK_STACK.to_owned()));
    let stacks = stack::all(clients).await?.into_iter().map(|stack| {
        let tagged = stack.tags.get(ENVIRONMENT_TAG).is_some_and(|value| gone.has_value(value));
        Survivor::new("stack", stack.name, tagged)
    });
    Ok(stacks.filter(|stack| stack.tagged || names.contains(&stack.id)).collect())
}

/// The clusters, and the tasks that run in them. ECS remembers a deleted cluster for a while, as INACTIVE.
async fn clusters(clients: &Clients, gone: Gone<'_>) -> Result<Vec<Survivor>> {
    let names: Vec<String> = gone.environments.iter().map(Environment::cluster_name).collect();
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

async fn experiment_templates(clients: &Clients, gone: Gone<'_>) -> Result<Vec<Survivor>> {
    let pages = clients.fis.list_experiment_templates().into_paginator().items().send();
    let templates =
        pages.collect::<std::result::Result<Vec<_>, _>>().await.doing("Listing the experiment templates")?;
    let stacks: Vec<String> = gone.environments.iter().map(Environment::stack_name).collect();
    let found = templates.iter().filter_map(|template| {
        let tags = template.tags()?;
        let tagged = tags.get(ENVIRONMENT_TAG).is_some_and(|value| gone.has_value(value));
        let is_named = tags.get(STACK_NAME_TAG).is_some_and(|name| stacks.contains(name));
        let name = tags.get("Name").map(String::as_str);
        let survivor = Survivor::new("experiment template", template.id()?, tagged).named(name);
        (tagged || is_named).then_some(survivor)
    });
    Ok(found.collect())
}
