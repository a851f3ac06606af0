//! The product's own two templates, as the workshop deploys them.

use aws_sdk_cloudformation::types::{Capability, Tag};
use serde_json::json;

use super::*;
use crate::registry_client::{ARCH, Registry};

const NETWORK: &str = include_str!("../../../../templates/network.yaml");
const WORKSHOP: &str = include_str!("../../../../templates/workshop.yaml");

fn parameters(network: &Stack) -> Vec<Parameter> {
    let image = |worker: &str| format!("{}:{worker}", output(network, "RepositoryUri"));
    vec![
        parameter("SubnetIds", output(network, "PrivateSubnetIds")),
        parameter("SecurityGroupId", output(network, "TaskSecurityGroupId")),
        parameter("RepositoryArn", output(network, "RepositoryArn")),
        parameter("OriginalImageUri", &image("original")),
        parameter("ImprovedImageUri", &image("improved")),
        parameter("WatchdogImageUri", &image("watchdog")),
        parameter("QueueImageUri", &image("queue")),
    ]
}

#[tokio::test]
async fn both_stacks_come_are_unchanged_and_go() {
    let (endpoint, client) = start().await;
    create(&client, "FisStackVpc", NETWORK).await;
    let network = settled(&client, "FisStackVpc").await;
    assert_eq!(status(&network), "CREATE_COMPLETE", "{:#?}", story(&client, "FisStackVpc").await);
    // A task definition names any image; a function is not made of one that is not there.
    let registry = Registry::log_in(&endpoint.sdk_config(), output(&network, "RepositoryName")).await;
    registry.push("watchdog", &json!({"Entrypoint": ["/job"]}), ARCH).await;
    let request = client.create_stack().stack_name("FisStopTaskStack").template_body(WORKSHOP);
    let request = request.capabilities(Capability::CapabilityIam);
    request.set_parameters(Some(parameters(&network))).send().await.unwrap();
    let workshop = settled(&client, "FisStopTaskStack").await;
    assert_eq!(status(&workshop), "CREATE_COMPLETE", "{:#?}", story(&client, "FisStopTaskStack").await);
    assert!(output(&workshop, "TableName").starts_with("FisStopTaskStack-DynamoTable-"));
    assert!(output(&workshop, "OriginalTaskDefinitionArn").ends_with(":task-definition/FisStopTaskStackTaskDef:1"));

    let again = client.update_stack().stack_name("FisStackVpc").template_body(NETWORK).send().await.unwrap_err();
    assert_eq!(message(&again), "ValidationError: No updates are to be performed.");
    let request = client.update_stack().stack_name("FisStopTaskStack").template_body(WORKSHOP);
    let request = request.capabilities(Capability::CapabilityIam).set_parameters(Some(parameters(&network)));
    assert_eq!(message(&request.send().await.unwrap_err()), "ValidationError: No updates are to be performed.");

    for stack in [&workshop, &network] {
        let name = stack.stack_name().unwrap();
        let ids = resources(&client, name).await;
        let tag = Tag::builder().key("team").value("chaos").build();
        let previous = stack.parameters().iter().map(|it| previous(it.parameter_key().unwrap())).collect();
        let request = client.update_stack().stack_name(name).use_previous_template(true).tags(tag);
        let request = request.capabilities(Capability::CapabilityIam).set_parameters(Some(previous));
        request.send().await.unwrap();
        let tagged = settled(&client, name).await;
        assert_eq!(status(&tagged), "UPDATE_COMPLETE", "{:#?}", story(&client, name).await);
        assert_eq!(resources(&client, name).await, ids);
        let updated = story(&client, name).await;
        let route = |line: &String| line.starts_with("PublicDefaultRoute UPDATE");
        assert!(!updated.iter().any(route), "routes take no tags: {updated:#?}");
    }

    for stack in [workshop, network] {
        let id = stack.stack_id.unwrap();
        client.delete_stack().stack_name(&id).send().await.unwrap();
        let gone = settled(&client, &id).await;
        assert_eq!(status(&gone), "DELETE_COMPLETE", "{:#?}", story(&client, &id).await);
    }
    assert!(tables(&endpoint).await.is_empty());
}
