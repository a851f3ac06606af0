//! What is left of environments that were deleted: asked of each service, not of the stacks.
//!
//! By tag and by name. What bears the tag is ours; what only has a name that ours would have is listed, too, and marked.
//! Nothing is ever deleted here.

mod environments;
mod index;
mod network;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::clients::Clients;
use super::cost;
use crate::environment::{ENVIRONMENT_TAG, Environment, NETWORK_TAG_VALUE};
use crate::error::Result;

/// Something that should be gone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Survivor {
    pub(crate) kind: &'static str,
    /// Its name, id or ARN: what AWS calls it by.
    pub(crate) id: String,
    /// What people call it, where that is something else.
    pub(crate) name: Option<String>,
    /// US dollars an hour, about, where it has a price by the hour.
    pub(crate) hourly_usd: Option<f64>,
    /// Whether it bears our tag; otherwise it was found by its name only, and may be somebody else's.
    pub(crate) tagged: bool,
}

/// What should be gone.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Gone<'a> {
    /// These environments; others stand, and so does the network.
    Environments(&'a [Environment]),
    /// Everything of ours, of whatever environment, also of those whose stack somebody has deleted long ago.
    Everything,
}

/// What was looked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search {
    pub(crate) survivors: Vec<Survivor>,
    /// ARNs that only the index of tags names: it goes on listing what was deleted, for an hour and more.
    pub(crate) only_indexed: Vec<String>,
}

/// Looks for what is left.
pub(crate) async fn find(clients: &Clients, gone: Gone<'_>) -> Result<Search> {
    let (found, in_network, indexed) =
        tokio::try_join!(environments::find(clients, gone), network::find(clients, gone), index::find(clients, gone),)?;
    let (confirmed, only_indexed) = index::confirm(clients, indexed).await?;
    let survivors = merge(found.into_iter().chain(in_network).chain(confirmed));
    Ok(Search { survivors, only_indexed })
}

/// What all of them cost an hour; `None` when none of them has a price by the hour.
pub(crate) fn hourly_usd(survivors: &[Survivor]) -> Option<f64> {
    survivors.iter().filter_map(|survivor| survivor.hourly_usd).reduce(|sum, price| sum + price)
}

/// The same thing, found by its name and by its tag, is one survivor.
fn merge(found: impl Iterator<Item = Survivor>) -> Vec<Survivor> {
    let mut merged: BTreeMap<(&'static str, String), Survivor> = BTreeMap::new();
    for survivor in found {
        let known = merged.entry((survivor.kind, survivor.id.clone())).or_insert_with(|| survivor.clone());
        known.tagged |= survivor.tagged;
        known.name = known.name.take().or(survivor.name);
        known.hourly_usd = known.hourly_usd.or(survivor.hourly_usd);
    }
    merged.into_values().collect()
}

impl Gone<'_> {
    /// Whether the tag with this value is on something that should be gone.
    fn has_value(&self, value: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Environments(environments) => {
                value != NETWORK_TAG_VALUE && environments.iter().any(|it| it.to_string() == value)
            }
        }
    }

    /// Whether this environment should be gone.
    fn has(&self, environment: &Environment) -> bool {
        match self {
            Self::Everything => true,
            Self::Environments(environments) => environments.contains(environment),
        }
    }

    /// Whether these tags are of something that should be gone.
    fn has_tag<'t>(&self, tags: impl IntoIterator<Item = (Option<&'t str>, Option<&'t str>)>) -> bool {
        let ours = |(key, value): (Option<&str>, Option<&str>)| {
            key == Some(ENVIRONMENT_TAG) && value.is_some_and(|value| self.has_value(value))
        };
        tags.into_iter().any(ours)
    }
}

/// The environment in whose stack CloudFormation may have given this name to `logical_id`. The end of such a name has no
/// hyphen: the names of environment `x-DynamoTable` begin like those of `x`.
fn generator(name: &str, logical_id: &str) -> Option<Environment> {
    let (rest, end) = name.rsplit_once('-')?;
    let stack = rest.strip_suffix(logical_id)?.strip_suffix('-')?;
    let is_generated = !end.is_empty() && end.chars().all(|c| c.is_ascii_alphanumeric());
    Environment::of_stack(stack).filter(|_| is_generated)
}

impl Survivor {
    fn new(kind: &'static str, id: impl Into<String>, tagged: bool) -> Self {
        Self { kind, id: id.into(), name: None, hourly_usd: None, tagged }
    }

    fn named(mut self, name: Option<&str>) -> Self {
        self.name = name.map(str::to_owned);
        self
    }

    fn costing(mut self, hourly_usd: f64) -> Self {
        self.hourly_usd = Some(hourly_usd);
        self
    }
}

impl fmt::Display for Survivor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.id)?;
        if let Some(name) = &self.name {
            write!(f, " ({name})")?;
        }
        if let Some(usd) = self.hourly_usd {
            write!(f, ", {}", cost::about(usd))?;
        }
        if !self.tagged {
            write!(f, "; found by its name, without the tag {ENVIRONMENT_TAG}: it may be somebody else's")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_name_is_that_of_one_environment_only() {
        let of = |name| generator(name, "DynamoTable").map(|environment| environment.to_string());
        assert_eq!(of("FisStopTaskStack-DynamoTable-1A2B3C").as_deref(), Some("default"));
        assert_eq!(of("FisStopTaskStack-team-DynamoTable-1A2B3C").as_deref(), Some("team"));
        assert_eq!(of("FisStopTaskStack-DynamoTable-x-DynamoTable-1A2B3C").as_deref(), Some("DynamoTable-x"));
        assert_eq!(of("FisStopTaskStack-DynamoTable-"), None);
        assert_eq!(of("FisStopTaskStack-DynamoTable"), None);
        assert_eq!(of("FisStopTaskStackOther-DynamoTable-1A2B3C"), None);
    }

    #[test]
    fn what_is_found_twice_is_listed_once_with_all_that_is_known() {
        let by_name = Survivor::new("NAT gateway", "nat-1", false).named(Some("FisStackVpc/FisVpc")).costing(0.045);
        let by_tag = Survivor::new("NAT gateway", "nat-1", true);
        for both in [[by_name.clone(), by_tag.clone()], [by_tag, by_name]] {
            let merged = merge(both.into_iter());
            assert_eq!(merged.len(), 1);
            assert_eq!(merged[0].to_string(), "NAT gateway nat-1 (FisStackVpc/FisVpc), about $0.045 an hour");
            assert_eq!(hourly_usd(&merged), Some(0.045));
        }
    }

    #[test]
    fn a_tag_of_another_environment_is_not_ours() {
        let environments: [Environment; 1] = ["team".parse().unwrap()];
        let gone = Gone::Environments(&environments);
        assert!(gone.has_tag([(Some("Name"), Some("x")), (Some(ENVIRONMENT_TAG), Some("team"))]));
        assert!(!gone.has_tag([(Some(ENVIRONMENT_TAG), Some("team-2"))]));
        assert!(!gone.has_tag([(Some(ENVIRONMENT_TAG), Some(NETWORK_TAG_VALUE))]));
        assert!(Gone::Everything.has_tag([(Some(ENVIRONMENT_TAG), Some(NETWORK_TAG_VALUE))]));
        assert!(Gone::Everything.has_tag([(Some(ENVIRONMENT_TAG), Some("seat-33"))]));
        assert!(!Gone::Everything.has_tag([(Some("Name"), Some("seat-33"))]));
    }
}
