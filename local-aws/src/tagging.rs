//! Resource Groups Tagging: the resources of all services by their tags.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::paging;
use crate::service::Tagged;

pub(crate) const INVALID: &str = "InvalidParameterException";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct GetResources {
    pagination_token: Option<String>,
    #[serde(default)]
    tag_filters: Vec<TagFilter>,
    resources_per_page: Option<usize>,
    tags_per_page: Option<usize>,
    #[serde(default)]
    resource_type_filters: Vec<String>,
    #[serde(default, rename = "ResourceARNList")]
    resource_arn_list: Vec<String>,
    #[serde(default)]
    include_compliance_details: bool,
    #[serde(default)]
    exclude_compliant_resources: bool,
}

/// One key with the values that will do; none means any.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct TagFilter {
    key: String,
    #[serde(default)]
    values: Vec<String>,
}

impl TagFilter {
    fn passes(&self, tags: &BTreeMap<String, String>) -> bool {
        tags.get(&self.key).is_some_and(|value| self.values.is_empty() || self.values.contains(value))
    }
}

impl GetResources {
    fn check(&self) -> Result<(), ApiError> {
        let invalid = |message: &str| Err(ApiError::new(INVALID, message));
        if self.include_compliance_details || self.exclude_compliant_resources {
            return Err(ApiError::unsupported("The tag policies' compliance in GetResources"));
        }
        if !self.resource_arn_list.is_empty()
            && (!self.tag_filters.is_empty()
                || !self.resource_type_filters.is_empty()
                || self.resources_per_page.is_some()
                || self.tags_per_page.is_some()
                || self.pagination_token.as_ref().is_some_and(|token| !token.is_empty()))
        {
            return invalid("ResourceARNList cannot be used together with other parameters.");
        }
        if self.resource_arn_list.len() > 100 {
            return invalid("ResourceARNList can have at most 100 members.");
        }
        if self.tag_filters.len() > 50 || self.tag_filters.iter().any(|filter| filter.values.len() > 20) {
            return invalid("TagFilters can have at most 50 keys with at most 20 values each.");
        }
        if self.resources_per_page.is_some_and(|size| !(1..=100).contains(&size)) {
            return invalid("ResourcesPerPage must be between 1 and 100.");
        }
        if self.tags_per_page.is_some_and(|size| !(100..=500).contains(&size) || size % 100 != 0) {
            return invalid("TagsPerPage must be between 100 and 500, in steps of 100.");
        }
        if let Some(bad) = self.resource_type_filters.iter().find(|filter| !is_type_filter(filter)) {
            return invalid(&format!("{bad} is not a valid resource type filter."));
        }
        Ok(())
    }

    fn passes(&self, resource: &Tagged) -> bool {
        let types = &self.resource_type_filters;
        let arns = &self.resource_arn_list;
        (types.is_empty() || types.iter().any(|filter| is_of_type(&resource.arn, filter)))
            && (arns.is_empty() || arns.contains(&resource.arn))
            && self.tag_filters.iter().all(|filter| filter.passes(&resource.tags))
    }

    /// How many of the resources from `start` on make a page: as many as were asked for, and no more tags.
    fn page_size(&self, resources: &[Tagged]) -> usize {
        let Some(most_tags) = self.tags_per_page else { return self.resources_per_page.unwrap_or(100) };
        let mut tags = 0;
        let fitting = resources.iter().take_while(|resource| {
            tags += resource.tags.len();
            tags <= most_tags
        });
        // A page is never empty while there is something to show.
        fitting.count().max(1).min(self.resources_per_page.unwrap_or(100))
    }
}

/// `SERVICE` or `SERVICE:TYPE`.
fn is_type_filter(filter: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_/.".contains(c));
    match filter.split_once(':') {
        Some((service, kind)) => part(service) && part(kind),
        None => part(filter),
    }
}

/// Whether the ARN is of the service and type of the filter: `ecs` or `ecs:task-definition`.
fn is_of_type(arn: &str, filter: &str) -> bool {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (service, resource) = (parts.next().unwrap_or_default(), parts.nth(2).unwrap_or_default());
    match filter.split_once(':') {
        None => service == filter,
        // `cluster/NAME`, `log-group:NAME`.
        Some((wanted, kind)) => {
            service == wanted && resource.strip_prefix(kind).is_some_and(|rest| rest.starts_with(['/', ':']))
        }
    }
}

pub(crate) fn get_resources(mut resources: Vec<Tagged>, input: &GetResources) -> Result<Value, ApiError> {
    input.check()?;
    resources.retain(|resource| input.passes(resource));
    let key = |resource: &Tagged| resource.arn.clone();
    let resources = paging::after(resources, key, false, given(&input.pagination_token), bad_token)?;
    let size = input.page_size(&resources);
    let (resources, token) = paging::cut(resources, key, size)?;
    let shown: Vec<Value> = resources.iter().map(show).collect();
    Ok(json!({"ResourceTagMappingList": shown, "PaginationToken": token.unwrap_or_default()}))
}

/// No token is an empty one, in questions and answers.
fn given(token: &Option<String>) -> Option<&str> {
    token.as_deref().filter(|token| !token.is_empty())
}

fn bad_token() -> ApiError {
    ApiError::new(INVALID, "The PaginationToken is not one that this operation gave.")
}

fn show(resource: &Tagged) -> Value {
    let tags = resource.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value}));
    json!({"ResourceARN": resource.arn, "Tags": tags.collect::<Vec<_>>()})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct GetTagKeys {
    pagination_token: Option<String>,
}

pub(crate) fn get_tag_keys(resources: Vec<Tagged>, input: &GetTagKeys) -> Result<Value, ApiError> {
    let keys = resources.into_iter().flat_map(|resource| resource.tags.into_keys()).collect();
    distinct("TagKeys", keys, given(&input.pagination_token))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct GetTagValues {
    key: String,
    pagination_token: Option<String>,
}

pub(crate) fn get_tag_values(resources: Vec<Tagged>, input: &GetTagValues) -> Result<Value, ApiError> {
    let values = resources.into_iter().filter_map(|mut resource| resource.tags.remove(&input.key)).collect();
    distinct("TagValues", values, given(&input.pagination_token))
}

/// A page of up to 100 texts.
fn distinct(member: &str, texts: BTreeSet<String>, token: Option<&str>) -> Result<Value, ApiError> {
    let (texts, token) = paging::page(texts.into_iter().collect(), String::clone, false, token, 100, bad_token)?;
    Ok(json!({member: texts, "PaginationToken": token.unwrap_or_default()}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn resource_types_are_told_by_service_and_first_part_of_the_resource() {
        let cluster = "arn:aws:ecs:us-east-1:000000000000:cluster/c";
        assert!(is_of_type(cluster, "ecs") && is_of_type(cluster, "ecs:cluster"));
        assert!(!is_of_type(cluster, "ecs:task") && !is_of_type(cluster, "ec2"));
        assert!(is_of_type("arn:aws:logs:us-east-1:000000000000:log-group:g", "logs:log-group"));
        assert!(!is_of_type("arn:aws:ecs:us-east-1:000000000000:task-definition/f:1", "ecs:task"));
    }

    fn tags() -> impl Strategy<Value = BTreeMap<String, String>> {
        prop::collection::btree_map("[ab]", "[xyz]", 0..3)
    }

    proptest! {
        #[test]
        fn a_resource_passes_when_every_key_has_one_of_its_values(tags in tags(), filters in prop::collection::vec(("[ab]", prop::collection::vec("[xyz]", 0..3)), 0..3)) {
            let input = GetResources {
                pagination_token: None,
                tag_filters: filters.iter().map(|(key, values)| TagFilter { key: key.clone(), values: values.clone() }).collect(),
                resources_per_page: None,
                tags_per_page: None,
                resource_type_filters: Vec::new(),
                resource_arn_list: Vec::new(),
                include_compliance_details: false,
                exclude_compliant_resources: false,
            };
            let expected = filters.iter().all(|(key, values)| match tags.get(key) {
                Some(value) => values.is_empty() || values.iter().any(|wanted| wanted == value),
                None => false,
            });
            prop_assert_eq!(input.passes(&Tagged { arn: "arn:aws:x:r:1:y/z".into(), tags }), expected);
        }
    }
}
