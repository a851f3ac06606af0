//! The calls that read, and the refusal of those that are not there.

use super::*;

#[tokio::test]
async fn resources_can_be_read_in_every_way() {
    let (_endpoint, client) = start().await;
    let body = template(&table("Table", "    Metadata: {Why: test}"), "");
    let stack = created(&client, "Lab", &body).await;
    let id = resources(&client, "Lab").await["Table"].clone();
    let one = client.describe_stack_resource().stack_name("Lab").logical_resource_id("Table").send().await.unwrap();
    let detail = one.stack_resource_detail().unwrap();
    assert_eq!(detail.physical_resource_id(), Some(id.as_str()));
    assert_eq!(detail.metadata(), Some("{\"Why\":\"test\"}"));
    assert!(detail.last_updated_timestamp().is_some());
    let by_id = client.describe_stack_resources().physical_resource_id(&id).send().await.unwrap();
    assert_eq!(by_id.stack_resources()[0].stack_id(), stack.stack_id());
    let list = client.list_stack_resources().stack_name("Lab").send().await.unwrap();
    assert_eq!(list.stack_resource_summaries()[0].resource_type(), Some("AWS::DynamoDB::Table"));
    let missing = client.describe_stack_resource().stack_name("Lab").logical_resource_id("No").send().await;
    assert_eq!(message(&missing.unwrap_err()), "ValidationError: Resource No does not exist for stack Lab");
    let nobody = client.describe_stack_resources().physical_resource_id("no").send().await.unwrap_err();
    assert_eq!(message(&nobody), "ValidationError: Stack for no does not exist");
}

#[tokio::test]
async fn templates_are_given_back_summed_up_and_validated() {
    let (_endpoint, client) = start().await;
    let body = "Description: A lab\nParameters:\n  Size: {Type: String, Default: s, AllowedValues: [s, m]}\nResources:\n  \
                R:\n    Type: AWS::IAM::Role\n    Properties:\n      AssumeRolePolicyDocument: {Version: '2012-10-17', Statement: []}\n";
    let summary = client.get_template_summary().template_body(body).send().await.unwrap();
    assert_eq!(summary.resource_types(), ["AWS::IAM::Role"]);
    assert_eq!(summary.capabilities()[0].as_str(), "CAPABILITY_IAM");
    assert_eq!(summary.capabilities_reason(), Some("The following resource(s) require capabilities: [AWS::IAM::Role]"));
    let size = &summary.parameters()[0];
    assert_eq!((size.parameter_type(), size.default_value()), (Some("String"), Some("s")));
    assert_eq!(size.parameter_constraints().unwrap().allowed_values(), ["s", "m"]);
    let validated = client.validate_template().template_body(body).send().await.unwrap();
    assert_eq!(validated.description(), Some("A lab"));
    assert_eq!(validated.parameters()[0].no_echo(), Some(false));
    let wrong = client.validate_template().template_body("Resources: {A: {Type: 'AWS::S3::Bucket'}}").send().await;
    assert!(message(&wrong.unwrap_err()).contains("AWS::S3::Bucket"));
    let plain = template(&table("Table", ""), "");
    created(&client, "Lab", &plain).await;
    let given = client.get_template().stack_name("Lab").send().await.unwrap();
    assert_eq!(given.template_body(), Some(plain.as_str()));
    let summary = client.get_template_summary().stack_name("Lab").send().await.unwrap();
    assert_eq!(summary.resource_types(), ["AWS::DynamoDB::Table"]);
}

#[tokio::test]
async fn events_and_stacks_come_in_pages_newest_first() {
    let (_endpoint, client) = start().await;
    let resources: String = (0..60).map(|n| table(&format!("T{n}"), "")).collect();
    created(&client, "Big", &template(&resources, "")).await;
    created(&client, "Small", &template(&table("T", ""), "")).await;
    let first = client.describe_stack_events().stack_name("Big").send().await.unwrap();
    assert_eq!(first.stack_events().len(), 100);
    assert_eq!(first.stack_events()[0].resource_status().unwrap().as_str(), "CREATE_COMPLETE");
    assert!(first.next_token().is_some());
    let all = events(&client, "Big").await;
    assert_eq!(all.len(), 2 + 3 * 60);
    let ids: std::collections::BTreeSet<_> = all.iter().map(|it| it.event_id().unwrap()).collect();
    assert_eq!(ids.len(), all.len());
    let stacks = client.describe_stacks().send().await.unwrap();
    let names: Vec<_> = stacks.stacks().iter().map(|it| it.stack_name().unwrap()).collect();
    assert_eq!(names, ["Small", "Big"]);
    let missing = client.describe_stack_events().stack_name("No").send().await.unwrap_err();
    assert_eq!(message(&missing), "ValidationError: Stack [No] does not exist");
}

#[tokio::test]
async fn unknown_operations_and_members_are_refused_by_name() {
    let (_endpoint, client) = start().await;
    let unknown = client.list_stack_sets().send().await.unwrap_err();
    assert!(message(&unknown).starts_with("InvalidAction") && message(&unknown).contains("ListStackSets"));
    let body = template(&table("Table", ""), "");
    let policy = client.create_stack().stack_name("Lab").template_body(&body).stack_policy_body("{}").send().await;
    assert!(message(&policy.unwrap_err()).contains("StackPolicyBody"));
    let role =
        client.create_stack().stack_name("Lab").template_body(&body).role_arn("arn:aws:iam::000000000000:role/x");
    assert!(message(&role.send().await.unwrap_err()).contains("RoleARN"));
    let topic = client.create_stack().stack_name("Lab").template_body(&body).notification_arns("arn:aws:sns:x");
    assert!(message(&topic.send().await.unwrap_err()).contains("NotificationARNs"));
    assert!(client.describe_stacks().send().await.unwrap().stacks().is_empty());
}
