//! `AWS::ECS::Cluster` and `AWS::ECS::TaskDefinition`.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::resource_type::{Context, Created, Properties, Reading, Refused, ResourceType, live, tag_list};
use crate::cloudformation::latency::{TYPICAL, Times};
use crate::ecs::capacity::Capacity;
use crate::ecs::cluster::{Cluster, Setting};
use crate::ecs::task_definition::{DefinitionStatus, RegisterTaskDefinition, TaskDefinition};
use crate::ecs::{clusters, task_definitions};
use crate::error::ApiError;
use crate::tag::Tag;
use crate::wire;

pub(super) const TYPES: &[&dyn ResourceType] = &[&ClusterType, &TaskDefinitionType];

struct ClusterType;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ClusterProperties {
    cluster_name: Option<String>,
    #[serde(default)]
    cluster_settings: Vec<ClusterSetting>,
    #[serde(default)]
    capacity_providers: Vec<String>,
    #[serde(default)]
    default_capacity_provider_strategy: Vec<Value>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ClusterSetting {
    #[serde(default)]
    name: String,
    #[serde(default)]
    value: String,
}

impl ClusterProperties {
    fn read(properties: &Properties) -> Result<Self, ApiError> {
        wire::decode("ValidationError", "AWS::ECS::Cluster", Value::Object(properties.clone()))
    }

    fn settings(&mut self) -> Result<Vec<Setting>, ApiError> {
        let settings = std::mem::take(&mut self.cluster_settings);
        Setting::validated(settings.into_iter().map(|one| Setting { name: one.name, value: one.value }).collect())
    }

    fn capacity(&mut self) -> Result<Capacity, ApiError> {
        let strategy = std::mem::take(&mut self.default_capacity_provider_strategy);
        let strategy = decapitalized(strategy.into());
        let strategy = wire::decode("InvalidParameterException", "AWS::ECS::Cluster", strategy)?;
        Capacity::validated(std::mem::take(&mut self.capacity_providers), strategy)
    }
}

impl ResourceType for ClusterType {
    fn type_name(&self) -> &'static str {
        "AWS::ECS::Cluster"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../schemas/aws-ecs-cluster.json")
    }

    fn times(&self) -> &'static [Times] {
        const { &[Times::new(10, 2, 2, "creation: four logs of Terraform, 10 to 12 s; the rest typical, not verified")] }
    }

    fn refused(&self) -> &'static [&'static str] {
        &["Configuration", "ServiceConnectDefaults"]
    }

    fn refused_values(&self) -> &'static [Refused] {
        &[
            Refused::Value("ClusterSettings/*/Value", &["enabled", "enhanced"]),
            Refused::Value("CapacityProviders/*", &["FARGATE_SPOT"]),
        ]
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let mut properties = ClusterProperties::read(properties)?;
        let name = properties.cluster_name.take().unwrap_or_else(|| cx.generated_name(255));
        // The API takes an existing cluster for the wished one; CloudFormation does not.
        if cx.tx.get::<Cluster>(&name)?.is_some_and(|cluster| cluster.is_active()) {
            return Err(ApiError::new(
                "AlreadyExists",
                format!("Resource of type 'AWS::ECS::Cluster' with identifier '{name}' already exists."),
            ));
        }
        let (settings, capacity) = (properties.settings()?, properties.capacity()?);
        let cluster = clusters::create(cx.endpoint, cx.tx, &name, settings, capacity, cx.tags_over(&properties.tags))?;
        Ok(Created { physical_id: name, attributes: arn_of("Arn", &cluster.arn) })
    }

    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        _old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        let mut properties = ClusterProperties::read(new)?;
        let mut cluster = Cluster::find(cx.endpoint, cx.tx, Some(physical_id))?;
        cluster.settings = properties.settings()?;
        cluster.capacity = properties.capacity()?;
        cluster.tags = cx.tags_over(&properties.tags);
        cx.tx.put(&cluster)?;
        Ok(arn_of("Arn", &cluster.arn))
    }

    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        let cluster = of.tx.get::<Cluster>(of.physical_id)?.filter(Cluster::is_active);
        Ok(cluster.map(|cluster| {
            live([
                ("ClusterName", json!(cluster.name)),
                (
                    "ClusterSettings",
                    cluster.settings.iter().map(|it| json!({"Name": it.name, "Value": it.value})).collect(),
                ),
                ("CapacityProviders", json!(cluster.capacity.providers)),
                ("DefaultCapacityProviderStrategy", capitalized(json!(cluster.capacity.default_strategy))),
                ("Tags", tag_list(&cluster.tags)),
            ])
        }))
    }

    fn delete(&self, cx: &Context<'_>, physical_id: &str, _properties: &Properties) -> Result<(), ApiError> {
        match clusters::delete(cx.endpoint, cx.tx, physical_id) {
            Err(error) if error.code == "ClusterNotFoundException" => Ok(()),
            result => result.map(drop),
        }
    }
}

struct TaskDefinitionType;

impl TaskDefinitionType {
    /// The properties as input of RegisterTaskDefinition, and their tags.
    fn read(cx: &Context<'_>, properties: &Properties) -> Result<(RegisterTaskDefinition, Vec<Tag>), ApiError> {
        let mut properties = properties.clone();
        let own_tags = properties.remove("Tags").unwrap_or_else(|| json!([]));
        let own_tags = wire::decode("ValidationError", "AWS::ECS::TaskDefinition", own_tags)?;
        properties.entry("Family").or_insert_with(|| json!(cx.generated_name(255)));
        let input = decapitalized(Value::Object(properties));
        Ok((wire::decode("ClientException", "AWS::ECS::TaskDefinition", input)?, own_tags))
    }
}

impl ResourceType for TaskDefinitionType {
    fn type_name(&self) -> &'static str {
        "AWS::ECS::TaskDefinition"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../schemas/aws-ecs-taskdefinition.json")
    }

    fn times(&self) -> &'static [Times] {
        const { &[Times::new(2, 1, 1, TYPICAL)] }
    }

    fn refused(&self) -> &'static [&'static str] {
        &[
            "ContainerDefinitions/*/CredentialSpecs",
            "ContainerDefinitions/*/DependsOn",
            "ContainerDefinitions/*/DisableNetworking",
            "ContainerDefinitions/*/DnsSearchDomains",
            "ContainerDefinitions/*/DnsServers",
            "ContainerDefinitions/*/DockerSecurityOptions",
            "ContainerDefinitions/*/EnvironmentFiles",
            "ContainerDefinitions/*/ExtraHosts",
            "ContainerDefinitions/*/FirelensConfiguration",
            "ContainerDefinitions/*/HealthCheck",
            "ContainerDefinitions/*/Hostname",
            "ContainerDefinitions/*/Interactive",
            "ContainerDefinitions/*/Links",
            "ContainerDefinitions/*/LinuxParameters/Capabilities",
            "ContainerDefinitions/*/LinuxParameters/Devices",
            "ContainerDefinitions/*/LinuxParameters/MaxSwap",
            "ContainerDefinitions/*/LinuxParameters/SharedMemorySize",
            "ContainerDefinitions/*/LinuxParameters/Swappiness",
            "ContainerDefinitions/*/LinuxParameters/Tmpfs",
            "ContainerDefinitions/*/LogConfiguration/Options/awslogs-datetime-format",
            "ContainerDefinitions/*/LogConfiguration/Options/awslogs-multiline-pattern",
            "ContainerDefinitions/*/LogConfiguration/SecretOptions",
            "ContainerDefinitions/*/MountPoints",
            "ContainerDefinitions/*/PortMappings/*/AppProtocol",
            "ContainerDefinitions/*/PortMappings/*/ContainerPortRange",
            "ContainerDefinitions/*/Privileged",
            "ContainerDefinitions/*/PseudoTerminal",
            "ContainerDefinitions/*/RepositoryCredentials",
            "ContainerDefinitions/*/ResourceRequirements",
            "ContainerDefinitions/*/RestartPolicy",
            "ContainerDefinitions/*/Secrets",
            "ContainerDefinitions/*/StartTimeout",
            "ContainerDefinitions/*/SystemControls",
            "ContainerDefinitions/*/Ulimits",
            "ContainerDefinitions/*/User",
            "ContainerDefinitions/*/VersionConsistency",
            "ContainerDefinitions/*/VolumesFrom",
            "EnableFaultInjection",
            "EphemeralStorage",
            "InferenceAccelerators",
            "IpcMode",
            "PidMode",
            "PlacementConstraints",
            "ProxyConfiguration",
            "Volumes",
        ]
    }

    fn refused_values(&self) -> &'static [Refused] {
        &[
            Refused::Without("RequiresCompatibilities", "FARGATE"),
            Refused::Several("ContainerDefinitions"),
            Refused::Value(
                "RuntimePlatform/OperatingSystemFamily",
                &[
                    "WINDOWS_SERVER_2019_CORE",
                    "WINDOWS_SERVER_2019_FULL",
                    "WINDOWS_SERVER_2022_CORE",
                    "WINDOWS_SERVER_2022_FULL",
                    "WINDOWS_SERVER_2025_CORE",
                    "WINDOWS_SERVER_2025_FULL",
                ],
            ),
            Refused::Value(
                "ContainerDefinitions/*/LogConfiguration/LogDriver",
                &["awsfirelens", "fluentd", "gelf", "journald", "json-file", "logentries", "splunk", "syslog"],
            ),
            Refused::Value("ContainerDefinitions/*/LogConfiguration/Options/awslogs-create-group", &["true"]),
        ]
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let (input, own_tags) = Self::read(cx, properties)?;
        let definition = task_definitions::register(cx.endpoint, cx.tx, input, cx.tags_over(&own_tags))?;
        Ok(Created { attributes: arn_of("TaskDefinitionArn", &definition.arn), physical_id: definition.arn })
    }

    // All but the tags is create-only.
    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        _old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        let (_, own_tags) = Self::read(cx, new)?;
        let mut definition = TaskDefinition::find(cx.tx, physical_id)?.ok_or_else(|| {
            ApiError::new("ClientException", format!("The task definition {physical_id} does not exist."))
        })?;
        definition.tags = cx.tags_over(&own_tags);
        cx.tx.put(&definition)?;
        Ok(arn_of("TaskDefinitionArn", &definition.arn))
    }

    /// What was registered stays as it is; only its tags change. One that is INACTIVE runs no task any more, and so counts as
    /// deleted here; what AWS's handler says of it is not documented.
    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        let definition = TaskDefinition::find(of.tx, of.physical_id)?;
        let active = definition.filter(|definition| definition.status == DefinitionStatus::Active);
        Ok(active.map(|definition| {
            let mut properties = of.declared.clone();
            properties.insert("Tags".to_owned(), tag_list(&definition.tags));
            properties
        }))
    }

    fn delete(&self, cx: &Context<'_>, physical_id: &str, _properties: &Properties) -> Result<(), ApiError> {
        task_definitions::deregister(cx.tx, physical_id).map(drop)
    }
}

fn arn_of(attribute: &str, arn: &str) -> Properties {
    Map::from_iter([(attribute.to_owned(), json!(arn))])
}

/// Properties as the API names them: the same words, the first letter small. The keys of the user's own maps stay.
fn decapitalized(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| {
                let is_users = matches!(name.as_str(), "Options" | "DockerLabels");
                let mut letters = name.chars();
                let name = letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect();
                (name, if is_users { value } else { decapitalized(value) })
            })
            .collect::<Map<String, Value>>()
            .into(),
        Value::Array(items) => items.into_iter().map(decapitalized).collect(),
        other => other,
    }
}

/// The other way round, for structures without a user's own keys.
fn capitalized(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| {
                let mut letters = name.chars();
                let first = letters.next().map(|first| first.to_ascii_uppercase());
                (first.into_iter().chain(letters).collect(), capitalized(value))
            });
            members.collect::<Map<String, Value>>().into()
        }
        Value::Array(items) => items.into_iter().map(capitalized).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_own_keys_keep_their_case() {
        let properties = json!({
            "Cpu": "256",
            "ContainerDefinitions": [{
                "DockerLabels": {"Team": "A"},
                "LogConfiguration": {"LogDriver": "awslogs", "Options": {"Mode": "x"}},
            }],
        });
        let input = json!({
            "cpu": "256",
            "containerDefinitions": [{
                "dockerLabels": {"Team": "A"},
                "logConfiguration": {"logDriver": "awslogs", "options": {"Mode": "x"}},
            }],
        });
        assert_eq!(decapitalized(properties), input);
    }
}
