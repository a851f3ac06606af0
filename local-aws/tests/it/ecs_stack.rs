//! `AWS::ECS::Cluster` and `AWS::ECS::TaskDefinition` in a stack.

use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use aws_sdk_ecs::types::{ClusterField, TaskDefinitionField};
use serde_json::{Value, json};

use crate::ecs_lab::{IMAGE, Lab, outputs, wait_for_stack};
use crate::harness::Endpoint;

fn template(team: &str, execution_role: &str, container: Value) -> String {
    let mut definition = json!({
        "Name": "job", "Image": IMAGE, "StopTimeout": 2, "DockerLabels": {"Team": "A"},
    });
    definition.as_object_mut().unwrap().extend(container.as_object().unwrap().clone());
    json!({
        "Resources": {
            "Cluster": {"Type": "AWS::ECS::Cluster", "Properties": {
                "CapacityProviders": ["FARGATE"], "Tags": [{"Key": "team", "Value": team}],
            }},
            "Job": {"Type": "AWS::ECS::TaskDefinition", "Properties": {
                "Family": "stacked", "NetworkMode": "awsvpc", "RequiresCompatibilities": ["FARGATE"],
                "Cpu": "256", "Memory": "512", "ExecutionRoleArn": execution_role, "ContainerDefinitions": [definition],
                "Tags": [{"Key": "team", "Value": team}],
            }},
        },
        "Outputs": {
            "Cluster": {"Value": {"Ref": "Cluster"}}, "ClusterArn": {"Value": {"Fn::GetAtt": ["Cluster", "Arn"]}},
            "Job": {"Value": {"Ref": "Job"}},
        },
    })
    .to_string()
}

#[tokio::test]
async fn clusters_and_definitions_come_and_go_with_their_stack() {
    let endpoint = Endpoint::start().await;
    let config = endpoint.sdk_config();
    let lab = Lab::new(&config).await;
    let role = lab.output("ExecutionRole");
    let cloudformation = aws_sdk_cloudformation::Client::new(&config);
    let create = cloudformation.create_stack().stack_name("s").template_body(template("a", role, json!({})));
    create.send().await.unwrap();
    let made = outputs(&wait_for_stack(&cloudformation, "s", "CREATE_COMPLETE").await);
    assert!(made["Cluster"].starts_with("s-Cluster-"));
    assert!(made["ClusterArn"].ends_with(&format!(":cluster/{}", made["Cluster"])));
    assert!(made["Job"].ends_with(":task-definition/stacked:1"));

    // Tags change in place, all else makes a new revision.
    let update = cloudformation.update_stack().stack_name("s").template_body(template("b", role, json!({})));
    update.send().await.unwrap();
    assert_eq!(outputs(&wait_for_stack(&cloudformation, "s", "UPDATE_COMPLETE").await), made);
    let describe = lab.ecs.describe_task_definition().task_definition("stacked").include(TaskDefinitionField::Tags);
    let described = describe.send().await.unwrap();
    assert!(described.tags().iter().any(|tag| tag.key() == Some("team") && tag.value() == Some("b")));
    let clusters = lab.ecs.describe_clusters().clusters(&made["Cluster"]).include(ClusterField::Tags);
    let clusters = clusters.send().await.unwrap();
    assert!(clusters.clusters()[0].tags().iter().any(|tag| tag.value() == Some("b")));
    assert!(clusters.clusters()[0].tags().iter().any(|tag| tag.key() == Some("aws:cloudformation:stack-name")));

    let run = lab.run("sleep 60").cluster(&made["Cluster"]).task_definition("stacked").send().await.unwrap();
    let task = run.tasks()[0].task_arn().unwrap();
    cloudformation.delete_stack().stack_name("s").send().await.unwrap();
    let stack = wait_for_stack(&cloudformation, "s", "DELETE_FAILED").await;
    assert!(stack.stack_status_reason().unwrap().contains("Cluster"), "{stack:?}");
    lab.ecs.stop_task().cluster(&made["Cluster"]).task(task).send().await.unwrap();
    loop {
        let tasks = lab.ecs.describe_tasks().cluster(&made["Cluster"]).tasks(task).send().await.unwrap();
        if tasks.tasks()[0].last_status() == Some("STOPPED") {
            break;
        }
    }
    cloudformation.delete_stack().stack_name("s").send().await.unwrap();
    loop {
        let gone = cloudformation.describe_stacks().stack_name("s").send().await;
        if gone.is_err_and(|error| error.message().unwrap_or_default().contains("does not exist")) {
            break;
        }
    }
    let families = lab.ecs.list_task_definition_families().status("ACTIVE".into()).send().await.unwrap();
    assert_eq!(families.families(), ["job"]);
    let clusters = lab.ecs.list_clusters().send().await.unwrap();
    assert!(!clusters.cluster_arns().contains(&made["ClusterArn"]));
}

#[tokio::test]
async fn properties_without_a_meaning_here_are_refused_by_name() {
    let endpoint = Endpoint::start().await;
    let cloudformation = aws_sdk_cloudformation::Client::new(&endpoint.sdk_config());
    for (container, name) in [
        (json!({"HealthCheck": {"Command": ["CMD", "true"]}}), "HealthCheck"),
        (json!({"LinuxParameters": {"MaxSwap": 1}}), "MaxSwap"),
        (json!({"User": "nobody"}), "User"),
    ] {
        let create = cloudformation.create_stack().stack_name("s").template_body(template(
            "a",
            "arn:aws:iam::000000000000:role/r",
            container,
        ));
        let error = create.send().await.unwrap_err();
        assert!(error.message().unwrap().contains(name), "{error:?}");
    }
}
