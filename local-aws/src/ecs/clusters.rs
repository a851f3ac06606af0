//! What makes, changes and shows clusters.

use chrono::Utc;
use serde::Deserialize;
use serde_json::{Value, json};

use super::capacity::{Capacity, StrategyItem};
use super::cluster::{Cluster, DEFAULT, Setting, name_of};
use super::list;
use super::refusal::invalid;
use super::tag::{self, Tag, Tags};
use super::task::{Status, Task};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::iam;
use crate::store::Tx;

/// Parts of a cluster that are shown only when they are asked for.
#[derive(Default)]
struct Include {
    settings: bool,
    statistics: bool,
    tags: bool,
}

/// As it is answered to who made or changed it.
fn describe_all(cluster: &Cluster, tx: &Tx<'_>) -> Result<Value, ApiError> {
    describe(cluster, tx, &Include { settings: true, statistics: false, tags: true })
}

fn describe(cluster: &Cluster, tx: &Tx<'_>, include: &Include) -> Result<Value, ApiError> {
    let tasks = Task::of_cluster(tx, &cluster.name)?;
    let count = |wanted: &[Status]| tasks.iter().filter(|task| wanted.contains(&task.last_status)).count();
    let running = count(&[Status::Running]);
    let pending = count(&[Status::Provisioning, Status::Pending, Status::Activating]);
    let statistics = [
        ("runningEC2TasksCount", 0),
        ("runningFargateTasksCount", running),
        ("pendingEC2TasksCount", 0),
        ("pendingFargateTasksCount", pending),
        ("activeEC2ServiceCount", 0),
        ("activeFargateServiceCount", 0),
    ]
    .map(|(name, value)| json!({"name": name, "value": value.to_string()}));
    Ok(json!({
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": if cluster.is_active() { "ACTIVE" } else { "INACTIVE" },
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": running,
        "pendingTasksCount": pending,
        "activeServicesCount": 0,
        "statistics": if include.statistics { json!(statistics) } else { json!([]) },
        "tags": if include.tags { tag::shown(&cluster.tags) } else { json!([]) },
        "settings": if include.settings { json!(cluster.settings) } else { json!([]) },
        "capacityProviders": cluster.capacity.providers,
        "defaultCapacityProviderStrategy": cluster.capacity.default_strategy,
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CreateCluster {
    #[serde(default = "default_name")]
    cluster_name: String,
    #[serde(default)]
    settings: Vec<Setting>,
    #[serde(default)]
    capacity_providers: Vec<String>,
    #[serde(default)]
    default_capacity_provider_strategy: Vec<StrategyItem>,
    #[serde(default)]
    tags: Vec<Tag>,
}

fn default_name() -> String {
    DEFAULT.to_owned()
}

/// Makes the cluster; one that is there already stays as it is, as on ECS.
pub(crate) fn create(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    name: &str,
    settings: Vec<Setting>,
    capacity: Capacity,
    tags: Tags,
) -> Result<Cluster, ApiError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 255 || !name.chars().all(allowed) {
        return Err(invalid(
            "Invalid cluster name: up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.",
        ));
    }
    if let Some(cluster) = tx.get::<Cluster>(name)?.filter(Cluster::is_active) {
        return Ok(cluster);
    }
    iam::service_linked::ensure(endpoint, tx, "ecs.amazonaws.com")?;
    let arn = endpoint.arn("ecs", &format!("cluster/{name}"));
    let cluster = Cluster { name: name.to_owned(), arn, settings, capacity, tags, deleted_at: None };
    tx.put(&cluster)?;
    Ok(cluster)
}

pub(super) fn create_cluster(endpoint: &Endpoint, input: CreateCluster) -> Result<Value, ApiError> {
    let tags = tag::read(input.tags)?;
    let settings = Setting::validated(input.settings)?;
    let capacity = Capacity::validated(input.capacity_providers, input.default_capacity_provider_strategy)?;
    endpoint.store.write(|tx| {
        let cluster = create(endpoint, tx, &input.cluster_name, settings, capacity, tags)?;
        Ok(json!({"cluster": describe_all(&cluster, tx)?}))
    })
}

/// Makes the cluster INACTIVE.
pub(crate) fn delete(endpoint: &Endpoint, tx: &Tx<'_>, reference: &str) -> Result<Cluster, ApiError> {
    let mut cluster = Cluster::find(endpoint, tx, Some(reference))?;
    if Task::of_cluster(tx, &cluster.name)?.iter().any(|task| !task.is_stopped()) {
        return Err(ApiError::new(
            "ClusterContainsTasksException",
            "The Cluster cannot be deleted while Tasks are active.",
        ));
    }
    cluster.deleted_at = Some(Utc::now());
    tx.put(&cluster)?;
    Ok(cluster)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DeleteCluster {
    cluster: String,
}

pub(super) fn delete_cluster(endpoint: &Endpoint, input: DeleteCluster) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        let cluster = delete(endpoint, tx, &input.cluster)?;
        Ok(json!({"cluster": describe(&cluster, tx, &Include::default())?}))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DescribeClusters {
    #[serde(default)]
    clusters: Vec<String>,
    #[serde(default)]
    include: Vec<String>,
}

pub(super) fn describe_clusters(endpoint: &Endpoint, input: DescribeClusters) -> Result<Value, ApiError> {
    let mut include = Include::default();
    for part in &input.include {
        match part.as_str() {
            "SETTINGS" => include.settings = true,
            "STATISTICS" => include.statistics = true,
            "TAGS" => include.tags = true,
            // Nothing that such a cluster could have.
            "ATTACHMENTS" | "CONFIGURATIONS" => {}
            other => return Err(invalid(format!("Invalid include value: {other}"))),
        }
    }
    let references = if input.clusters.is_empty() { vec![default_name()] } else { input.clusters };
    if references.len() > 100 {
        return Err(invalid("Clusters cannot have more than 100 elements."));
    }
    endpoint.store.read(|tx| {
        let (mut clusters, mut failures) = (Vec::new(), Vec::new());
        for reference in &references {
            let name = name_of(endpoint, reference);
            match name.map(|name| tx.get::<Cluster>(name)).transpose()?.flatten() {
                Some(cluster) => clusters.push(describe(&cluster, tx, &include)?),
                None => {
                    let arn =
                        name.map_or_else(|| reference.clone(), |name| endpoint.arn("ecs", &format!("cluster/{name}")));
                    failures.push(json!({"arn": arn, "reason": "MISSING"}));
                }
            }
        }
        Ok(json!({"clusters": clusters, "failures": failures}))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListClusters {
    max_results: Option<i64>,
    next_token: Option<String>,
}

pub(super) fn list_clusters(endpoint: &Endpoint, input: ListClusters) -> Result<Value, ApiError> {
    let clusters = endpoint.store.read(|tx| tx.list::<Cluster>())?;
    let items = clusters.into_iter().filter(Cluster::is_active).map(|cluster| (cluster.name, cluster.arn)).collect();
    list::answer("clusterArns", items, false, input.max_results, input.next_token.as_deref())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PutClusterCapacityProviders {
    cluster: String,
    #[serde(default)]
    capacity_providers: Vec<String>,
    #[serde(default)]
    default_capacity_provider_strategy: Vec<StrategyItem>,
}

pub(super) fn put_cluster_capacity_providers(
    endpoint: &Endpoint,
    input: PutClusterCapacityProviders,
) -> Result<Value, ApiError> {
    let capacity = Capacity::validated(input.capacity_providers, input.default_capacity_provider_strategy)?;
    endpoint.store.write(|tx| {
        let mut cluster = Cluster::find(endpoint, tx, Some(&input.cluster))?;
        cluster.capacity = capacity;
        tx.put(&cluster)?;
        Ok(json!({"cluster": describe_all(&cluster, tx)?}))
    })
}
