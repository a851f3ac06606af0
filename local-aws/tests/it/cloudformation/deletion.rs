//! DeleteStack: order, what is kept, what cannot be deleted.

use aws_sdk_cloudformation::types::{DeletionMode, StackStatus};

use super::*;

async fn deleted(client: &Client, stack_id: &str) -> Stack {
    client.delete_stack().stack_name(stack_id).send().await.unwrap();
    settled(client, stack_id).await
}

#[tokio::test]
async fn a_deleted_stack_leaves_nothing_and_is_found_by_id_only() {
    let (endpoint, client) = start().await;
    let body = template(&(table("First", "") + &table("Second", "    DependsOn: First")), "");
    let id = created(&client, "Gone", &body).await.stack_id.unwrap();
    let stack = deleted(&client, &id).await;
    assert_eq!(status(&stack), "DELETE_COMPLETE");
    assert!(stack.deletion_time().is_some());
    assert!(tables(&endpoint).await.is_empty());
    let story = story(&client, &id).await;
    let position = |line: &str| story.iter().position(|it| it == line).unwrap_or_else(|| panic!("{line}: {story:#?}"));
    assert!(position("Second DELETE_COMPLETE") < position("First DELETE_IN_PROGRESS"));
    assert_eq!(describe(&client, "Gone").await.unwrap_err(), "ValidationError: Stack with id Gone does not exist");
    assert!(client.describe_stacks().send().await.unwrap().stacks().is_empty());
    let listed = client.list_stacks().stack_status_filter(StackStatus::DeleteComplete).send().await.unwrap();
    assert_eq!(listed.stack_summaries()[0].stack_id(), Some(id.as_str()));
    let kinds = client.describe_stack_resources().stack_name(&id).send().await.unwrap();
    assert!(kinds.stack_resources().iter().all(|it| it.resource_status().unwrap().as_str() == "DELETE_COMPLETE"));
    // The name is free again.
    assert_ne!(created(&client, "Gone", &body).await.stack_id.unwrap(), id);
    client.delete_stack().stack_name("NeverWas").send().await.unwrap();
}

#[tokio::test]
async fn termination_protection_stands_in_the_way() {
    let (_endpoint, client) = start().await;
    let body = template(&table("Table", ""), "");
    client
        .create_stack()
        .stack_name("Safe")
        .template_body(body)
        .enable_termination_protection(true)
        .send()
        .await
        .unwrap();
    let id = settled(&client, "Safe").await.stack_id.unwrap();
    let error = client.delete_stack().stack_name("Safe").send().await.unwrap_err();
    assert_eq!(
        message(&error),
        "ValidationError: Stack [Safe] cannot be deleted while TerminationProtection is enabled"
    );
    let off = client.update_termination_protection().stack_name("Safe").enable_termination_protection(false);
    assert_eq!(off.send().await.unwrap().stack_id.unwrap(), id);
    assert_eq!(status(&deleted(&client, &id).await), "DELETE_COMPLETE");
}

#[tokio::test]
async fn retained_resources_stay() {
    let (endpoint, client) = start().await;
    let body = template(&(table("Kept", "    DeletionPolicy: Retain") + &table("Other", "    DependsOn: Kept")), "");
    let stack = created(&client, "Keeps", &body).await;
    let kept = resources(&client, "Keeps").await["Kept"].clone();
    let stack = deleted(&client, stack.stack_id().unwrap()).await;
    assert_eq!(status(&stack), "DELETE_COMPLETE");
    let story = story(&client, stack.stack_id().unwrap()).await;
    assert!(story.iter().any(|line| line == "Kept DELETE_SKIPPED"), "{story:#?}");
    assert_eq!(tables(&endpoint).await, [kept]);
}

/// `Stuck` depends on `Base` and refuses to go.
async fn stuck(client: &Client) -> String {
    let body = template(
        &(table("Base", "") + &table("Stuck", "      DeletionProtectionEnabled: true\n    DependsOn: Base")),
        "",
    );
    created(client, "Stuck", &body).await.stack_id.unwrap()
}

#[tokio::test]
async fn what_cannot_be_deleted_fails_the_deletion_which_can_be_repeated() {
    let (endpoint, client) = start().await;
    let id = stuck(&client).await;
    let early = client.delete_stack().stack_name(&id).retain_resources("Stuck").send().await.unwrap_err();
    assert!(message(&early).contains("only when the stack is in the DELETE_FAILED state"));
    let stack = deleted(&client, &id).await;
    assert_eq!(status(&stack), "DELETE_FAILED");
    assert_eq!(stack.stack_status_reason(), Some("The following resource(s) failed to delete: [Stuck]. "));
    let story = story(&client, &id).await;
    assert!(story.iter().any(|line| line.starts_with("Stuck DELETE_FAILED [Resource cannot be deleted")), "{story:#?}");
    assert!(!story.iter().any(|line| line.starts_with("Base DELETE")), "{story:#?}");
    assert_eq!(tables(&endpoint).await.len(), 2);
    // Once the obstacle is gone, the same call succeeds.
    let dynamodb = aws_sdk_dynamodb::Client::new(&endpoint.sdk_config());
    let name = resources(&client, &id).await["Stuck"].clone();
    dynamodb.update_table().table_name(name).deletion_protection_enabled(false).send().await.unwrap();
    assert_eq!(status(&deleted(&client, &id).await), "DELETE_COMPLETE");
    assert!(tables(&endpoint).await.is_empty());
}

#[tokio::test]
async fn a_failed_deletion_can_leave_the_obstacle_behind() {
    let (endpoint, client) = start().await;
    let id = stuck(&client).await;
    deleted(&client, &id).await;
    client.delete_stack().stack_name(&id).retain_resources("Stuck").send().await.unwrap();
    assert_eq!(status(&settled(&client, &id).await), "DELETE_COMPLETE");
    assert_eq!(tables(&endpoint).await.len(), 1);

    let dynamodb = aws_sdk_dynamodb::Client::new(&endpoint.sdk_config());
    let left = tables(&endpoint).await.remove(0);
    dynamodb.update_table().table_name(&left).deletion_protection_enabled(false).send().await.unwrap();
    dynamodb.delete_table().table_name(&left).send().await.unwrap();
    let id = stuck(&client).await;
    let force = || client.delete_stack().stack_name(&id).deletion_mode(DeletionMode::ForceDeleteStack).send();
    assert!(message(&force().await.unwrap_err()).contains("FORCE_DELETE_STACK"));
    deleted(&client, &id).await;
    force().await.unwrap();
    assert_eq!(status(&settled(&client, &id).await), "DELETE_COMPLETE");
    assert_eq!(tables(&endpoint).await.len(), 1);
}
