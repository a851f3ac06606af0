//! Clusters.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::capacity::{Capacity, StrategyItem};
use super::page::page;
use super::tags::{self, Tag, Tags};
use super::task::{Status, Task};
use super::{INVALID, invalid};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::iam;
use crate::store::{Record, Tx};
use crate::wire;

/// What is meant when a request names no cluster.
const DEFAULT: &str = "default";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) settings: Vec<Setting>,
    pub(crate) capacity: Capacity,
    pub(crate) tags: Tags,
    /// A deleted cluster stays to be seen for a while, INACTIVE.
    pub(super) deleted_at: Option<DateTime<Utc>>,
}

impl Record for Cluster {
    const KIND: &'static str = "ecs.cluster";
    fn id(&self) -> String {
        self.name.clone()
    }
}

/// The only setting that ECS has is `containerInsights`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Setting {
    /// What a cluster is made with.
    pub(crate) fn validated(settings: Vec<Self>) -> Result<Vec<Self>, ApiError> {
        for setting in &settings {
            if setting.name != "containerInsights" {
                return Err(invalid(format!("Invalid setting name: {}", setting.name)));
            }
            match setting.value.as_str() {
                "disabled" => {}
                "enabled" | "enhanced" => {
                    return Err(ApiError::unsupported(format!(
                        "The cluster setting containerInsights={}",
                        setting.value
                    )));
                }
                other => return Err(invalid(format!("Invalid setting value for containerInsights: {other}"))),
            }
        }
        if settings.is_empty() {
            return Ok(vec![Self { name: "containerInsights".to_owned(), value: "disabled".to_owned() }]);
        }
        Ok(settings)
    }
}

/// Parts of a cluster that are shown only when they are asked for.
#[derive(Default)]
struct Include {
    settings: bool,
    statistics: bool,
    tags: bool,
}

impl Cluster {
    pub(crate) fn is_active(&self) -> bool {
        self.deleted_at.is_none()
    }

    /// The cluster that a request means by name or ARN.
    ///
    /// # Errors
    /// `ClusterNotFoundException`.
    pub(crate) fn find(endpoint: &Endpoint, tx: &Tx<'_>, reference: Option<&str>) -> Result<Self, ApiError> {
        let missing = |message: &str| ApiError::new("ClusterNotFoundException", message);
        let name = name_of(endpoint, reference.unwrap_or(DEFAULT));
        let cluster = name.map(|name| tx.get::<Self>(name)).transpose()?.flatten();
        let cluster = cluster.ok_or_else(|| missing("Cluster not found."))?;
        if cluster.is_active() { Ok(cluster) } else { Err(missing("The referenced cluster was inactive.")) }
    }

    /// As it is answered to who made or changed it.
    pub(super) fn describe_all(&self, tx: &Tx<'_>) -> Result<Value, ApiError> {
        self.describe(tx, &Include { settings: true, statistics: false, tags: true })
    }

    fn describe(&self, tx: &Tx<'_>, include: &Include) -> Result<Value, ApiError> {
        let tasks = Task::of_cluster(tx, &self.name)?;
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
            "clusterArn": self.arn,
            "clusterName": self.name,
            "status": if self.is_active() { "ACTIVE" } else { "INACTIVE" },
            "registeredContainerInstancesCount": 0,
            "runningTasksCount": running,
            "pendingTasksCount": pending,
            "activeServicesCount": 0,
            "statistics": if include.statistics { json!(statistics) } else { json!([]) },
            "tags": if include.tags { tags::wire(&self.tags) } else { json!([]) },
            "settings": if include.settings { json!(self.settings) } else { json!([]) },
            "capacityProviders": self.capacity.providers,
            "defaultCapacityProviderStrategy": self.capacity.default_strategy,
        }))
    }
}

/// The name in a name or ARN; `None` for an ARN of elsewhere.
fn name_of<'a>(endpoint: &Endpoint, reference: &'a str) -> Option<&'a str> {
    if reference.starts_with("arn:") {
        reference.strip_prefix(&endpoint.arn("ecs", "cluster/"))
    } else {
        Some(reference)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateCluster {
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

pub(super) fn create_cluster(endpoint: &Arc<Endpoint>, input: Value) -> Result<Value, ApiError> {
    let input: CreateCluster = wire::decode(INVALID, "CreateCluster", input)?;
    let tags = tags::read(input.tags)?;
    let settings = Setting::validated(input.settings)?;
    let capacity = Capacity::validated(input.capacity_providers, input.default_capacity_provider_strategy)?;
    endpoint.store.write(|tx| {
        let cluster = create(endpoint, tx, &input.cluster_name, settings, capacity, tags)?;
        Ok(json!({"cluster": cluster.describe_all(tx)?}))
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
struct DeleteCluster {
    cluster: String,
}

pub(super) fn delete_cluster(endpoint: &Arc<Endpoint>, input: Value) -> Result<Value, ApiError> {
    let input: DeleteCluster = wire::decode(INVALID, "DeleteCluster", input)?;
    endpoint.store.write(|tx| {
        let cluster = delete(endpoint, tx, &input.cluster)?;
        Ok(json!({"cluster": cluster.describe(tx, &Include::default())?}))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DescribeClusters {
    #[serde(default)]
    clusters: Vec<String>,
    #[serde(default)]
    include: Vec<String>,
}

pub(super) fn describe_clusters(endpoint: &Arc<Endpoint>, input: Value) -> Result<Value, ApiError> {
    let input: DescribeClusters = wire::decode(INVALID, "DescribeClusters", input)?;
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
                Some(cluster) => clusters.push(cluster.describe(tx, &include)?),
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
struct ListClusters {
    max_results: Option<i64>,
    next_token: Option<String>,
}

pub(super) fn list_clusters(endpoint: &Arc<Endpoint>, input: Value) -> Result<Value, ApiError> {
    let input: ListClusters = wire::decode(INVALID, "ListClusters", input)?;
    let clusters = endpoint.store.read(|tx| tx.list::<Cluster>())?;
    let items = clusters.into_iter().filter(Cluster::is_active).map(|cluster| (cluster.name, cluster.arn)).collect();
    page("clusterArns", items, false, input.max_results, input.next_token.as_deref())
}
