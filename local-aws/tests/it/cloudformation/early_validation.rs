//! What CloudFormation finds before it makes anything, and DescribeEvents, which tells it.

use aws_sdk_cloudformation::types::{
    ChangeSetStatus, ChangeSetType, EventFilter, EventType, OperationEvent, OperationType,
};

use super::*;

const REASON: &str = "Validation failure detected. See the operation's FAILED event for details.";

async fn change_set(client: &Client, stack: &str, body: &str, disabled: bool) -> Result<String, String> {
    let request = client.create_change_set().stack_name(stack).change_set_name("set").template_body(body);
    let request = request.change_set_type(ChangeSetType::Create).disable_validation(disabled);
    request.send().await.map(|it| it.id.unwrap()).map_err(|error| message(&error))
}

async fn failures(client: &Client, change_set: &str) -> Vec<OperationEvent> {
    let filters = EventFilter::builder().failed_events(true).build();
    let request = client.describe_events().change_set_name(change_set).filters(filters);
    request.send().await.unwrap().operation_events.unwrap_or_default()
}

#[tokio::test]
async fn wrong_properties_fail_a_change_set_and_only_events_say_which() {
    let (_endpoint, client) = start().await;
    let body = template(
        "  A:\n    Type: AWS::Logs::LogGroup\n    Properties: {Colour: red}\n  B:\n    Type: AWS::EC2::Subnet\n    Properties: {CidrBlock: 10.0.0.0/24}\n",
        "",
    );
    let id = change_set(&client, "Lab", &body, false).await.unwrap();
    let set = client.describe_change_set().change_set_name(&id).send().await.unwrap();
    assert_eq!((set.status(), set.status_reason()), (Some(&ChangeSetStatus::Failed), Some(REASON)));
    assert_eq!(status(&describe(&client, "Lab").await.unwrap()), "REVIEW_IN_PROGRESS");
    let failures = failures(&client, &id).await;
    let of = |logical_id: &str| failures.iter().find(|it| it.logical_resource_id() == Some(logical_id)).unwrap();
    let a = of("A");
    assert_eq!(a.event_type(), Some(&EventType::ValidationError));
    assert_eq!(a.operation_type(), Some(&OperationType::CreateChangeset));
    assert_eq!(a.resource_type(), Some("AWS::Logs::LogGroup"));
    assert_eq!(a.validation_name(), Some("PROPERTY_VALIDATION"));
    assert_eq!(a.validation_path(), Some("/Resources/A/Properties"));
    assert_eq!(a.validation_status_reason(), Some("#: extraneous key [Colour] is not permitted"));
    assert_eq!(of("B").validation_status_reason(), Some("#: required key [VpcId] not found"));
    assert_eq!(failures[0].event_type(), Some(&EventType::StackEvent), "the end of the operation is the newest");
    // DescribeStackEvents knows nothing of it.
    assert_eq!(story(&client, "Lab").await, ["Lab REVIEW_IN_PROGRESS [User Initiated]"]);
    let execute = client.execute_change_set().change_set_name(&id).send().await.unwrap_err();
    assert!(message(&execute).starts_with("InvalidChangeSetStatus"));
    // Templates that are wrong in another way are refused by the call.
    let cycle = "Resources: {A: {Type: 'AWS::X::Y'}}";
    assert!(change_set(&client, "Other", cycle, false).await.unwrap_err().starts_with("ValidationError: "));
    let refusal = change_set(&client, "Other", &body, true).await.unwrap_err();
    assert!(refusal.contains("extraneous key [Colour]"), "{refusal}");
}

#[tokio::test]
async fn a_name_that_is_taken_fails_a_change_set_unless_validation_is_disabled() {
    let (endpoint, client) = start().await;
    let group = "  Group:\n    Type: AWS::Logs::LogGroup\n    Properties: {LogGroupName: /lab/taken}\n";
    let table = table("Table", "      TableName: taken");
    let role = "  Role:\n    Type: AWS::IAM::Role\n    Properties:\n      RoleName: Taken\n      AssumeRolePolicyDocument:\n        Version: '2012-10-17'\n        Statement: [{Effect: Allow, Principal: {Service: fis.amazonaws.com}, Action: 'sts:AssumeRole'}]\n";
    let repository = "  Repository:\n    Type: AWS::ECR::Repository\n    Properties: {RepositoryName: taken}\n";
    let body = template(&(group.to_owned() + &table + role + repository), "");
    let named = aws_sdk_cloudformation::types::Capability::CapabilityNamedIam;
    client.create_stack().stack_name("First").template_body(&body).capabilities(named.clone()).send().await.unwrap();
    assert_eq!(status(&settled(&client, "First").await), "CREATE_COMPLETE");

    let request = client.create_change_set().stack_name("Second").change_set_name("set").template_body(&body);
    let request = request.change_set_type(ChangeSetType::Create).capabilities(named);
    let id = request.send().await.unwrap().id.unwrap();
    let set = client.describe_change_set().change_set_name(&id).send().await.unwrap();
    assert_eq!((set.status(), set.status_reason()), (Some(&ChangeSetStatus::Failed), Some(REASON)));
    let failures = failures(&client, &id).await;
    let conflicts = failures.iter().filter(|it| it.validation_name() == Some("NAME_CONFLICT_VALIDATION"));
    let mut reasons: Vec<&str> = conflicts.filter_map(OperationEvent::validation_status_reason).collect();
    reasons.sort_unstable();
    let says =
        |kind: &str, name: &str| format!("Resource of type 'AWS::{kind}' with identifier '{name}' already exists.");
    let expected = [
        says("DynamoDB::Table", "taken"),
        says("ECR::Repository", "taken"),
        says("IAM::Role", "Taken"),
        says("Logs::LogGroup", "/lab/taken"),
    ];
    assert_eq!(reasons, expected);
    let id = change_set(&client, "Third", &template(group, ""), true).await.unwrap();
    let set = client.describe_change_set().change_set_name(&id).send().await.unwrap();
    assert_eq!(set.status(), Some(&ChangeSetStatus::CreateComplete));
    drop(endpoint);
}

#[tokio::test]
async fn events_are_found_by_stack_and_by_operation_and_failures_alone() {
    let (_endpoint, client) = start().await;
    let bad =
        "  Bad:\n    Type: AWS::EC2::Subnet\n    Properties: {VpcId: vpc-00000000000000000, CidrBlock: 10.0.0.0/24}\n";
    let created = client.create_stack().stack_name("Lab").template_body(template(bad, "")).send().await.unwrap();
    assert_eq!(status(&settled(&client, "Lab").await), "ROLLBACK_COMPLETE");
    let operation = created.operation_id.unwrap();
    let all = client.describe_events().operation_id(&operation).send().await.unwrap();
    assert!(all.operation_events().iter().all(|it| it.operation_id() == Some(operation.as_str())));
    let kinds = |events: &[OperationEvent]| -> Vec<String> {
        let line = |it: &OperationEvent| {
            let outcome = it.operation_status().map_or("", |status| status.as_str());
            format!("{} {} {outcome}", it.event_type().unwrap().as_str(), it.resource_status().unwrap().as_str())
        };
        events.iter().map(line).collect()
    };
    let expected = [
        "STACK_EVENT ROLLBACK_COMPLETE FAILED",
        "PROGRESS_EVENT DELETE_COMPLETE ",
        "STACK_EVENT ROLLBACK_IN_PROGRESS IN_PROGRESS",
        "PROVISIONING_ERROR CREATE_FAILED ",
        "PROGRESS_EVENT CREATE_IN_PROGRESS ",
        "STACK_EVENT CREATE_IN_PROGRESS IN_PROGRESS",
    ];
    assert_eq!(kinds(all.operation_events()), expected);
    let filters = EventFilter::builder().failed_events(true).build();
    let failed = client.describe_events().stack_name("Lab").filters(filters).send().await.unwrap();
    assert_eq!(kinds(failed.operation_events()), [expected[0], expected[3]]);
    let described = describe(&client, "Lab").await.unwrap();
    assert_eq!(described.last_operations()[0].operation_id(), Some(operation.as_str()));
    let nothing = client.describe_events().send().await.unwrap_err();
    assert!(message(&nothing).contains("At least one of StackName, ChangeSetName or OperationId"));
}
