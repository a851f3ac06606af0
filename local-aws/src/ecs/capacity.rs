//! Capacity providers: where a task runs when no launch type is named. The only one here is FARGATE.

use serde::{Deserialize, Serialize};

use super::refusal::invalid;
use crate::error::ApiError;

/// The capacity providers of a cluster, and the strategy of its tasks that name none.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Capacity {
    pub(crate) providers: Vec<String>,
    pub(crate) default_strategy: Vec<StrategyItem>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct StrategyItem {
    pub(crate) capacity_provider: String,
    #[serde(default)]
    pub(crate) weight: i64,
    #[serde(default)]
    pub(crate) base: i64,
}

impl Capacity {
    /// # Errors
    /// For providers that are not there, and a strategy of others than the cluster's.
    pub(crate) fn validated(providers: Vec<String>, default_strategy: Vec<StrategyItem>) -> Result<Self, ApiError> {
        for provider in &providers {
            match provider.as_str() {
                "FARGATE" => {}
                "FARGATE_SPOT" => return Err(ApiError::unsupported("The capacity provider FARGATE_SPOT")),
                other => {
                    return Err(invalid(format!(
                        "The specified capacity provider '{other}' was not found. Specify a valid name or ARN and try again."
                    )));
                }
            }
        }
        let capacity = Self { providers, default_strategy };
        capacity.check(&capacity.default_strategy)?;
        Ok(capacity)
    }

    fn check(&self, strategy: &[StrategyItem]) -> Result<(), ApiError> {
        if strategy.iter().any(|item| !self.providers.contains(&item.capacity_provider)) {
            return Err(invalid(
                "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster and try again.",
            ));
        }
        if strategy.iter().any(|item| !(0..=1000).contains(&item.weight) || !(0..=100_000).contains(&item.base)) {
            return Err(invalid("A weight is between 0 and 1,000, a base between 0 and 100,000."));
        }
        if !strategy.is_empty() && strategy.iter().all(|item| item.weight == 0) {
            return Err(invalid(
                "The specified capacity provider strategy must contain at least one capacity provider with a weight greater than zero.",
            ));
        }
        Ok(())
    }

    /// The provider that a task with this strategy runs on; `None` means the launch type EC2.
    pub(super) fn provider(&self, strategy: &[StrategyItem]) -> Result<Option<String>, ApiError> {
        self.check(strategy)?;
        let strategy = if strategy.is_empty() { &self.default_strategy } else { strategy };
        Ok(strategy.first().map(|item| item.capacity_provider.clone()))
    }
}
