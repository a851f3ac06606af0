//! Resources by their tags, with the real SDK.

use aws_sdk_cloudformation::Client as CloudFormation;
use aws_sdk_resourcegroupstagging::Client;
use aws_sdk_resourcegroupstagging::error::ProvideErrorMetadata;
use aws_sdk_resourcegroupstagging::types::TagFilter;

use crate::harness::Endpoint;
use crate::network::{NETWORK, create, delete};

fn filter(key: &str, values: &[&str]) -> TagFilter {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    TagFilter::builder().key(key).set_values(Some(values)).build()
}

async fn arns(client: &Client, filters: &[TagFilter], types: &[&str]) -> Vec<String> {
    let types = types.iter().map(|kind| (*kind).to_owned()).collect();
    let pages = client
        .get_resources()
        .set_tag_filters(Some(filters.to_vec()))
        .set_resource_type_filters(Some(types))
        .resources_per_page(3)
        .into_paginator()
        .send()
        .try_collect()
        .await
        .unwrap();
    let resources = pages.iter().flat_map(|page| page.resource_tag_mapping_list());
    resources.map(|resource| resource.resource_arn().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn resources_of_a_stack_are_found_by_its_tags_page_by_page() {
    let endpoint = Endpoint::start().await;
    let config = endpoint.sdk_config();
    let (cloudformation, client) = (CloudFormation::new(&config), Client::new(&config));
    assert_eq!(create(&cloudformation, "Network", NETWORK, &[]).await, "CREATE_COMPLETE");
    let of_stack = [filter("aws:cloudformation:stack-name", &["other", "Network"])];
    let all = arns(&client, &of_stack, &[]).await;
    // VPC, gateway, 4 subnets, 2 tables, address, NAT gateway, 2 endpoints, group, repository.
    assert_eq!(all.len(), 14, "{all:#?}");
    let mut distinct = all.clone();
    distinct.dedup();
    assert_eq!(distinct, all);
    assert_eq!(arns(&client, &of_stack, &["ec2:subnet", "ecr"]).await.len(), 5);
    let name = filter("Name", &["Network/FisVpc"]);
    let named = arns(&client, &[of_stack[0].clone(), name], &["ec2:vpc"]).await;
    assert_eq!(named.len(), 1);
    assert_eq!(arns(&client, &[of_stack[0].clone(), filter("Name", &["nobody"])], &[]).await, Vec::<String>::new());
    let one = client.get_resources().resource_arn_list(&named[0]).send().await.unwrap();
    let tags = one.resource_tag_mapping_list()[0].tags();
    assert!(tags.iter().any(|tag| tag.key() == "workshop" && tag.value() == "fis"));
    let keys = client.get_tag_keys().send().await.unwrap();
    assert!(keys.tag_keys().iter().any(|key| key == "workshop"));
    let values = client.get_tag_values().key("workshop").send().await.unwrap();
    assert_eq!(values.tag_values(), ["fis"]);
    assert_eq!(delete(&cloudformation, "Network").await, "DELETE_COMPLETE");
    assert_eq!(arns(&client, &of_stack, &[]).await, Vec::<String>::new());
    endpoint.stop().await;
}

#[tokio::test]
async fn wrong_parameters_are_refused() {
    let endpoint = Endpoint::start().await;
    let client = Client::new(&endpoint.sdk_config());
    let both = client.get_resources().resource_arn_list("arn:aws:x").tag_filters(filter("a", &[])).send().await;
    assert_eq!(both.unwrap_err().into_service_error().code(), Some("InvalidParameterException"));
    let compliance = client.get_resources().include_compliance_details(true).send().await;
    assert_eq!(compliance.unwrap_err().into_service_error().code(), Some("UnsupportedOperation"));
    endpoint.stop().await;
}
