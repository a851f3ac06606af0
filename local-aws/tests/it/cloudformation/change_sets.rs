//! Change sets: shown first, done on request.

use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types::{ChangeSetType, ResourceChange};

use super::*;

async fn set(client: &Client, stack: &str, name: &str, body: &str, kind: ChangeSetType) -> Result<String, String> {
    let request = client.create_change_set().stack_name(stack).change_set_name(name).template_body(body);
    match request.change_set_type(kind).send().await {
        Ok(output) => Ok(output.id.unwrap()),
        Err(error) => Err(message(&error)),
    }
}

async fn shown(client: &Client, id: &str) -> DescribeChangeSetOutput {
    client.describe_change_set().change_set_name(id).send().await.unwrap()
}

fn change<'a>(set: &'a DescribeChangeSetOutput, logical_id: &str) -> &'a ResourceChange {
    let changes = set.changes().iter().filter_map(|it| it.resource_change());
    changes.into_iter().find(|it| it.logical_resource_id() == Some(logical_id)).unwrap()
}

#[tokio::test]
async fn a_stack_can_be_created_by_a_change_set() {
    let (endpoint, client) = start().await;
    let body = template(&table("Table", ""), "");
    let id = set(&client, "Lab", "first", &body, ChangeSetType::Create).await.unwrap();
    assert_eq!(status(&describe(&client, "Lab").await.unwrap()), "REVIEW_IN_PROGRESS");
    assert!(resources(&client, "Lab").await.is_empty());
    let described = shown(&client, &id).await;
    assert_eq!(described.status().unwrap().as_str(), "CREATE_COMPLETE");
    assert_eq!(described.execution_status().unwrap().as_str(), "AVAILABLE");
    assert_eq!(change(&described, "Table").action().unwrap().as_str(), "Add");
    assert!(tables(&endpoint).await.is_empty());
    let update = set(&client, "Lab", "wrong", &body, ChangeSetType::Update).await.unwrap_err();
    assert!(update.contains("is in REVIEW_IN_PROGRESS state and can not be updated."), "{update}");
    let again = set(&client, "Lab", "first", &body, ChangeSetType::Create).await.unwrap_err();
    assert!(again.starts_with("AlreadyExistsException"), "{again}");
    client.execute_change_set().change_set_name("first").stack_name("Lab").send().await.unwrap();
    let stack = settled(&client, "Lab").await;
    assert_eq!(status(&stack), "CREATE_COMPLETE");
    assert_eq!(stack.change_set_id(), Some(id.as_str()));
    assert_eq!(shown(&client, &id).await.execution_status().unwrap().as_str(), "EXECUTE_COMPLETE");
    let create = set(&client, "Lab", "second", &body, ChangeSetType::Create).await.unwrap_err();
    assert!(create.contains("already exists and cannot be created again with the changeSet [second]."), "{create}");
    let missing = set(&client, "None", "x", &body, ChangeSetType::Update).await.unwrap_err();
    assert_eq!(missing, "ValidationError: Stack [None] does not exist");
}

#[tokio::test]
async fn an_abandoned_creation_leaves_a_shell_that_can_be_deleted() {
    let (_endpoint, client) = start().await;
    let id = set(&client, "Lab", "first", &template(&table("Table", ""), ""), ChangeSetType::Create).await.unwrap();
    client.delete_change_set().change_set_name(&id).send().await.unwrap();
    let gone = client.describe_change_set().change_set_name(&id).send().await.unwrap_err();
    assert!(message(&gone).starts_with("ChangeSetNotFound"), "{}", message(&gone));
    let stack = describe(&client, "Lab").await.unwrap();
    assert_eq!(status(&stack), "REVIEW_IN_PROGRESS");
    client.delete_stack().stack_name("Lab").send().await.unwrap();
    assert_eq!(status(&settled(&client, stack.stack_id().unwrap()).await), "DELETE_COMPLETE");
    let bad = set(&client, "Bad", "x", "Resources: {A: {Type: 'AWS::X::Y'}}", ChangeSetType::Create).await.unwrap_err();
    assert!(bad.starts_with("ValidationError"), "{bad}");
    assert!(describe(&client, "Bad").await.is_err());
}

#[tokio::test]
async fn a_change_set_shows_what_would_change_and_why() {
    let (_endpoint, client) = start().await;
    let parameters = "Parameters:\n  Days: {Type: Number, Default: 7}\n";
    let group = "  Group:\n    Type: AWS::Logs::LogGroup\n    Properties: {RetentionInDays: !Ref Days}\n";
    let of = "  Of:\n    Type: AWS::Logs::LogGroup\n    Properties: {LogGroupName: !Sub '/of/${Table}'}\n";
    let before = format!("{parameters}{}", template(&(table("Table", "") + group + of + &table("Old", "")), ""));
    let after = format!(
        "{parameters}{}",
        template(&(table("Table", "").replace("Id,", "Other,") + group + of + &table("New", "")), "")
    );
    created(&client, "Lab", &before).await;
    let ids = resources(&client, "Lab").await;
    client
        .create_change_set()
        .stack_name("Lab")
        .change_set_name("c")
        .template_body(after)
        .parameters(parameter("Days", "14"))
        .send()
        .await
        .unwrap();
    let described = client.describe_change_set().stack_name("Lab").change_set_name("c").send().await.unwrap();
    assert_eq!(described.changes().len(), 5);
    assert_eq!(change(&described, "New").action().unwrap().as_str(), "Add");
    let old = change(&described, "Old");
    assert_eq!(old.action().unwrap().as_str(), "Remove");
    assert_eq!(old.physical_resource_id(), Some(ids["Old"].as_str()));
    let table = change(&described, "Table");
    assert_eq!(table.replacement().unwrap().as_str(), "True");
    let key = table.details().iter().find(|it| it.target().unwrap().name() == Some("KeySchema")).unwrap();
    assert_eq!(key.target().unwrap().requires_recreation().unwrap().as_str(), "Always");
    assert_eq!(key.change_source().unwrap().as_str(), "DirectModification");
    let group = change(&described, "Group");
    assert_eq!(group.replacement().unwrap().as_str(), "False");
    assert_eq!(group.scope()[0].as_str(), "Properties");
    let days = &group.details()[0];
    assert_eq!(days.change_source().unwrap().as_str(), "ParameterReference");
    assert_eq!(days.causing_entity(), Some("Days"));
    let of = change(&described, "Of");
    assert_eq!(of.replacement().unwrap().as_str(), "Conditional");
    assert_eq!(of.details()[0].change_source().unwrap().as_str(), "ResourceReference");
    assert_eq!(of.details()[0].causing_entity(), Some("Table"));
    assert!(group.after_context().is_none());
    let with = client.describe_change_set().stack_name("Lab").change_set_name("c").include_property_values(true);
    let with = with.send().await.unwrap();
    let target = change(&with, "Group").details()[0].target().unwrap();
    assert_eq!((target.before_value(), target.after_value()), (Some("7"), Some("14")));
    assert!(change(&with, "Of").after_context().unwrap().contains("KNOWN_AFTER_APPLY"));
    assert_eq!(resources(&client, "Lab").await, ids, "nothing has changed yet");
    client.execute_change_set().stack_name("Lab").change_set_name("c").send().await.unwrap();
    assert_eq!(status(&settled(&client, "Lab").await), "UPDATE_COMPLETE");
}

#[tokio::test]
async fn a_stack_whose_conditions_leave_out_every_resource_is_made() {
    let (_endpoint, client) = start().await;
    let body =
        "Conditions: {Never: !Equals [a, b]}\nResources: {Group: {Type: AWS::Logs::LogGroup, Condition: Never}}\n";
    let id = set(&client, "Lab", "c", body, ChangeSetType::Create).await.unwrap();
    let described = shown(&client, &id).await;
    assert_eq!(described.execution_status().unwrap().as_str(), "AVAILABLE");
    assert!(described.changes().is_empty());
    client.execute_change_set().change_set_name(&id).send().await.unwrap();
    assert_eq!(status(&settled(&client, "Lab").await), "CREATE_COMPLETE");
    assert!(resources(&client, "Lab").await.is_empty());
}

#[tokio::test]
async fn a_change_set_without_changes_fails_and_others_grow_old() {
    let (_endpoint, client) = start().await;
    let body = template(&table("Table", ""), "");
    let more = template(&(table("Table", "") + &table("More", "")), "");
    created(&client, "Lab", &body).await;
    let empty = set(&client, "Lab", "empty", &body, ChangeSetType::Update).await.unwrap();
    let described = shown(&client, &empty).await;
    assert_eq!(described.status().unwrap().as_str(), "FAILED");
    assert_eq!(
        described.status_reason(),
        Some("The submitted information didn't contain changes. Submit different information to create a change set.")
    );
    let execute = client.execute_change_set().change_set_name(&empty).send().await.unwrap_err();
    assert!(message(&execute).starts_with("InvalidChangeSetStatus"), "{}", message(&execute));
    let stale = set(&client, "Lab", "stale", &more, ChangeSetType::Update).await.unwrap();
    let listed = client.list_change_sets().stack_name("Lab").send().await.unwrap();
    let names: Vec<_> = listed.summaries().iter().map(|it| it.change_set_name().unwrap()).collect();
    assert_eq!(names, ["empty", "stale"]);
    client.update_stack().stack_name("Lab").template_body(&more).send().await.unwrap();
    settled(&client, "Lab").await;
    assert_eq!(shown(&client, &stale).await.execution_status().unwrap().as_str(), "OBSOLETE");
    assert!(client.execute_change_set().change_set_name(&stale).send().await.is_err());
    let last = set(&client, "Lab", "last", &body, ChangeSetType::Update).await.unwrap();
    let template = client.get_template().change_set_name(&last).send().await.unwrap();
    assert_eq!(template.template_body(), Some(body.as_str()));
    client.execute_change_set().change_set_name(&last).send().await.unwrap();
    settled(&client, "Lab").await;
    let listed = client.list_change_sets().stack_name("Lab").send().await.unwrap();
    assert_eq!(listed.summaries().len(), 1, "executing one deletes the others");
}
