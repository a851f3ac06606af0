//! What a role must be allowed for a call: which action on which resource, as AWS's service authorization reference has
//! it.

use serde_json::Value;

use super::cluster::{Cluster, DEFAULT};
use super::tag::Tags;
use super::task::Task;
use super::task_definition::{TaskDefinition, role_arn};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::{Call, Need};
use crate::store::Tx;

/// Who takes the roles of tasks.
const TASKS: &str = "ecs-tasks.amazonaws.com";

/// What the call needs, on every resource that it names.
pub(super) fn needs(call: &Call) -> Result<Vec<Need>, ApiError> {
    call.endpoint.store.read(|tx| {
        let request = Request { endpoint: &call.endpoint, tx, operation: call.operation.name, input: &call.input };
        request.needs()
    })
}

/// What RunTask with this input needs, of a service that calls it in a role.
pub(super) fn needs_of_run_task(endpoint: &Endpoint, tx: &Tx<'_>, input: &Value) -> Result<Vec<Need>, ApiError> {
    Request { endpoint, tx, operation: "RunTask", input }.needs()
}

/// A call before it is allowed: what it names may not be there.
struct Request<'a> {
    endpoint: &'a Endpoint,
    tx: &'a Tx<'a>,
    operation: &'static str,
    input: &'a Value,
}

impl Request<'_> {
    fn needs(&self) -> Result<Vec<Need>, ApiError> {
        match self.operation {
            "CreateCluster" => Ok(self.creation(self.cluster_arn(self.text("clusterName")))),
            "DeleteCluster" | "PutClusterCapacityProviders" => Ok(vec![self.on_cluster(self.text("cluster"))?]),
            "DescribeClusters" => match self.texts("clusters").as_slice() {
                [] => Ok(vec![self.on_cluster(None)?]),
                clusters => clusters.iter().map(|cluster| self.on_cluster(Some(cluster))).collect(),
            },
            "DeleteTaskDefinitions" => {
                self.texts("taskDefinitions").into_iter().map(|one| self.on_definition(one)).collect()
            }
            "DescribeTasks" => self.texts("tasks").into_iter().map(|task| self.on_task(task)).collect(),
            "StopTask" => Ok(vec![self.on_task(self.text("task").unwrap_or_default())?]),
            // AWS's words for the tasks of a cluster, wherever they run.
            "ListTasks" => Ok(vec![self.in_cluster(self.action_on(self.of_cluster("container-instance", "*")))]),
            "RegisterTaskDefinition" => Ok(self.registration()),
            "RunTask" => self.run(),
            "ListTagsForResource" | "TagResource" | "UntagResource" => {
                let resource = self.text("resourceArn").unwrap_or_default();
                Ok(vec![self.with_tags_of(self.with_request_tags(self.action_on(resource)), resource)?])
            }
            // The others are about all of their kind.
            _ => Ok(vec![self.action_on("*")]),
        }
    }

    fn registration(&self) -> Vec<Need> {
        let family = self.text("family").unwrap_or_default();
        let arn = self.endpoint.arn("ecs", &format!("task-definition/{family}:*"));
        let mut needs = self.creation(arn);
        let roles = ["taskRoleArn", "executionRoleArn"].into_iter().filter_map(|member| self.text(member));
        needs.extend(roles.map(|role| self.pass(role)));
        needs
    }

    fn run(&self) -> Result<Vec<Need>, ApiError> {
        let reference = self.text("taskDefinition").unwrap_or_default();
        let mut needs = vec![self.in_cluster(self.with_request_tags(self.on_definition(reference)?))];
        let definition = TaskDefinition::find(self.tx, reference)?;
        let overrides = &self.input["overrides"];
        let of_definition = |role: fn(TaskDefinition) -> Option<String>| definition.clone().and_then(role);
        let roles = [
            overrides["taskRoleArn"].as_str().map(str::to_owned).or_else(|| of_definition(|one| one.task_role_arn)),
            overrides["executionRoleArn"]
                .as_str()
                .map(str::to_owned)
                .or_else(|| of_definition(|one| one.execution_role_arn)),
        ];
        needs.extend(roles.iter().flatten().map(|role| self.pass(role)));
        let propagates = self.text("propagateTags").is_some_and(|from| from != "NONE");
        if propagates || self.input.get("tags").is_some() {
            needs.push(self.in_cluster(self.tagging(self.of_cluster("task", "*"))));
        }
        Ok(needs)
    }

    /// The call's own action and, when it sends tags, that of tagging.
    fn creation(&self, resource: String) -> Vec<Need> {
        let mut needs = vec![self.with_request_tags(self.action_on(&resource))];
        if self.input.get("tags").is_some() {
            needs.push(self.tagging(resource));
        }
        needs
    }

    fn tagging(&self, resource: String) -> Need {
        self.with_request_tags(Need::new("ecs:TagResource", resource).with("ecs:CreateAction", self.operation))
    }

    /// To hand a role to tasks.
    fn pass(&self, role: &str) -> Need {
        Need::new("iam:PassRole", role_arn(self.endpoint, role.to_owned())).with("iam:PassedToService", TASKS)
    }

    fn action_on(&self, resource: impl Into<String>) -> Need {
        Need::new(format!("ecs:{}", self.operation), resource)
    }

    fn on_cluster(&self, reference: Option<&str>) -> Result<Need, ApiError> {
        let arn = self.cluster_arn(reference);
        self.with_tags_of(self.action_on(arn.clone()), &arn)
    }

    fn on_task(&self, reference: &str) -> Result<Need, ApiError> {
        let arn = if reference.starts_with("arn:") { reference.to_owned() } else { self.of_cluster("task", reference) };
        self.with_tags_of(self.in_cluster(self.action_on(arn.clone())), &arn)
    }

    /// A family stands for its latest revision.
    fn on_definition(&self, reference: &str) -> Result<Need, ApiError> {
        let arn = match TaskDefinition::find(self.tx, reference)? {
            Some(definition) => definition.arn,
            None if reference.starts_with("arn:") => reference.to_owned(),
            None => self.endpoint.arn("ecs", &format!("task-definition/{reference}")),
        };
        self.with_tags_of(self.action_on(arn.clone()), &arn)
    }

    /// With the cluster of the request as a condition key.
    fn in_cluster(&self, need: Need) -> Need {
        need.with("ecs:cluster", self.cluster_arn(self.text("cluster")))
    }

    fn cluster_arn(&self, reference: Option<&str>) -> String {
        let reference = reference.unwrap_or(DEFAULT);
        if reference.starts_with("arn:") {
            reference.to_owned()
        } else {
            self.endpoint.arn("ecs", &format!("cluster/{reference}"))
        }
    }

    /// ARN of a resource in the cluster of the request.
    fn of_cluster(&self, kind: &str, name: &str) -> String {
        let cluster = self.cluster_arn(self.text("cluster"));
        let cluster = cluster.rsplit('/').next().unwrap_or_default();
        self.endpoint.arn("ecs", &format!("{kind}/{cluster}/{name}"))
    }

    /// With the tags of the resource as condition keys.
    fn with_tags_of(&self, need: Need, arn: &str) -> Result<Need, ApiError> {
        let prefix = self.endpoint.arn("ecs", "");
        let tags: Option<Tags> = match arn.strip_prefix(&prefix).and_then(|resource| resource.split_once('/')) {
            Some(("cluster", name)) => self.tx.get::<Cluster>(name)?.map(|cluster| cluster.tags),
            Some(("task", key)) => self.tx.get::<Task>(key)?.map(|task| task.tags),
            Some(("task-definition", _)) => TaskDefinition::find(self.tx, arn)?.map(|definition| definition.tags),
            _ => None,
        };
        let tags = tags.into_iter().flatten();
        Ok(tags.fold(need, |need, (key, value)| need.with(format!("aws:ResourceTag/{key}"), value)))
    }

    /// With the tags that the request sends as condition keys.
    fn with_request_tags(&self, need: Need) -> Need {
        let tags = self.input["tags"].as_array().into_iter().flatten();
        tags.fold(need, |need, tag| {
            let text = |member: &str| tag[member].as_str().unwrap_or_default().to_owned();
            need.with(format!("aws:RequestTag/{}", text("key")), text("value"))
        })
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.input[member].as_str()
    }

    fn texts(&self, member: &str) -> Vec<&str> {
        self.input[member].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }
}
