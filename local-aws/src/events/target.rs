//! A target of a rule: who gets the events, and what of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::refusal::{check_length, check_name, constraint, invalid};
use super::tag::Tag;
use super::transform::{InputPath, InputTransformer};
use crate::error::ApiError;

/// A target, as the API writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct Target {
    pub(crate) id: String,
    pub(crate) arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input_transformer: Option<Transformer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ecs_parameters: Option<EcsParameters>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dead_letter_config: Option<DeadLetterConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_policy: Option<RetryPolicy>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct Transformer {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) input_paths_map: BTreeMap<String, String>,
    pub(crate) input_template: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct DeadLetterConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) arn: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct RetryPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) maximum_retry_attempts: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) maximum_event_age_in_seconds: Option<i64>,
}

/// What RunTask is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct EcsParameters {
    pub(crate) task_definition_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) task_count: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) launch_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) network_configuration: Option<NetworkConfiguration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) platform_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) capacity_provider_strategy: Vec<StrategyItem>,
    #[serde(default, rename = "EnableECSManagedTags", skip_serializing_if = "std::ops::Not::not")]
    pub(crate) enable_ecs_managed_tags: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) enable_execute_command: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) propagate_tags: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<Tag>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct NetworkConfiguration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) awsvpc_configuration: Option<AwsVpcConfiguration>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct AwsVpcConfiguration {
    pub(crate) subnets: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) security_groups: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) assign_public_ip: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct StrategyItem {
    pub(crate) capacity_provider: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) weight: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) base: Option<i64>,
}

/// What a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Function,
    Queue,
    Cluster,
}

impl Kind {
    /// What the ARN names, if it is something that this endpoint delivers to.
    pub(super) fn of(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':').skip(2);
        let (service, resource) = (parts.next()?, parts.nth(2)?);
        match service {
            "lambda" if resource.starts_with("function:") => Some(Self::Function),
            "sqs" => Some(Self::Queue),
            "ecs" if resource.starts_with("cluster/") => Some(Self::Cluster),
            _ => None,
        }
    }
}

impl Target {
    /// Refuses what AWS refuses, and what this endpoint does not do. `number` is its place in the request.
    pub(super) fn check(&self, number: usize) -> Result<(), ApiError> {
        check_name(&format!("targets.{number}.member.id"), &self.id)?;
        if !self.arn.starts_with("arn:") || self.arn.split(':').count() < 6 {
            return Err(invalid(format!(
                "Parameter {} is not valid. Reason: Provided Arn is not in correct format.",
                self.arn
            )));
        }
        self.check_input(number)?;
        self.check_limits(number)?;
        match Kind::of(&self.arn) {
            None => Err(ApiError::unsupported(format!("The target {}", self.arn))),
            Some(Kind::Queue) if self.arn.ends_with(".fifo") => {
                Err(ApiError::unsupported(format!("A FIFO queue as a target ({})", self.arn)))
            }
            Some(Kind::Cluster) => self.check_cluster(),
            Some(_) if self.ecs_parameters.is_some() => {
                Err(invalid(format!("Parameter EcsParameters is not valid for target {}.", self.id)))
            }
            Some(_) => Ok(()),
        }
    }

    fn check_input(&self, number: usize) -> Result<(), ApiError> {
        let given = [self.input.is_some(), self.input_path.is_some(), self.input_transformer.is_some()];
        if given.into_iter().filter(|is_given| *is_given).count() > 1 {
            return Err(invalid(format!(
                "Only one of Input, InputPath, or InputTransformer must be provided for target {}.",
                self.id
            )));
        }
        let member = |name: &str| format!("targets.{number}.member.{name}");
        check_length(&member("input"), self.input.as_deref(), 8192)?;
        check_length(&member("inputPath"), self.input_path.as_deref(), 256)?;
        if let Some(input) = &self.input
            && serde_json::from_str::<serde_json::Value>(input).is_err()
        {
            return Err(invalid(format!("JSON syntax error in input for target {}.", self.id)));
        }
        if let Some(path) = &self.input_path {
            InputPath::parse(path, &self.id)?;
        }
        if let Some(transformer) = &self.input_transformer {
            let template = Some(transformer.input_template.as_str());
            check_length(&member("inputTransformer.inputTemplate"), template, 8192)?;
            InputTransformer::parse(&transformer.input_paths_map, &transformer.input_template, &self.id)?;
        }
        Ok(())
    }

    fn check_limits(&self, number: usize) -> Result<(), ApiError> {
        let policy = self.retry_policy.clone().unwrap_or_default();
        let limits = [
            ("maximumRetryAttempts", policy.maximum_retry_attempts, 0, 185),
            ("maximumEventAgeInSeconds", policy.maximum_event_age_in_seconds, 60, 86_400),
        ];
        for (name, value, least, most) in limits {
            let Some(value) = value else { continue };
            let member = format!("targets.{number}.member.retryPolicy.{name}");
            if value < least {
                return Err(constraint(&member, value, &format!("have value greater than or equal to {least}")));
            }
            if value > most {
                return Err(constraint(&member, value, &format!("have value less than or equal to {most}")));
            }
        }
        match self.dead_letter_queue() {
            Some(arn) if Kind::of(arn) != Some(Kind::Queue) => {
                Err(invalid(format!("Parameter DeadLetterConfig.Arn is not valid for target {}: {arn}", self.id)))
            }
            Some(arn) if arn.ends_with(".fifo") => {
                Err(invalid(format!("A FIFO queue cannot be the dead-letter queue of target {}: {arn}", self.id)))
            }
            _ => Ok(()),
        }
    }

    fn check_cluster(&self) -> Result<(), ApiError> {
        let Some(parameters) = &self.ecs_parameters else {
            return Err(invalid(format!("Parameter(s) EcsParameters must be specified for target: {}.", self.id)));
        };
        if self.role_arn.is_none() {
            return Err(invalid(format!("RoleArn is required for target {}.", self.arn)));
        }
        if parameters.enable_execute_command {
            return Err(ApiError::unsupported("EnableExecuteCommand of EcsParameters"));
        }
        match parameters.propagate_tags.as_deref() {
            None | Some("TASK_DEFINITION") => Ok(()),
            Some(other) => {
                Err(constraint("ecsParameters.propagateTags", other, "satisfy enum value set: [TASK_DEFINITION]"))
            }
        }
    }

    /// Whether it gets the event as it is.
    pub(super) fn is_whole_event(&self) -> bool {
        self.input.is_none() && self.input_path.is_none() && self.input_transformer.is_none()
    }

    /// The queue for what cannot be delivered.
    pub(super) fn dead_letter_queue(&self) -> Option<&str> {
        self.dead_letter_config.as_ref()?.arn.as_deref()
    }
}
