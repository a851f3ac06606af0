//! Answers member by member, as recordings of AWS have them.

use aws_sdk_cloudformation::types::{Capability, ChangeSetType};
use aws_sdk_dynamodb::types::{AttributeValue, Get, Put, TransactGetItem, TransactWriteItem};

use serde_json::json;

use super::*;
use crate::boto::Boto;

#[tokio::test]
async fn a_stack_out_of_a_change_set_is_updated_at_once_and_forgets_when_it_is_gone() {
    let (_endpoint, client) = start().await;
    let capabilities = [Capability::CapabilityNamedIam, Capability::CapabilityIam];
    let request =
        client.create_change_set().stack_name("Lab").change_set_name("c").template_body(template(&table("T", ""), ""));
    let request = request.change_set_type(ChangeSetType::Create).set_capabilities(Some(capabilities.to_vec()));
    let id = request.send().await.unwrap().stack_id.unwrap();
    let set = client.describe_change_set().stack_name("Lab").change_set_name("c").send().await.unwrap();
    assert_eq!(set.capabilities(), capabilities, "as they were sent");
    assert_eq!((set.parameters, set.tags), (None, None));
    assert!(describe(&client, "Lab").await.unwrap().last_updated_time.is_none());
    client.execute_change_set().stack_name("Lab").change_set_name("c").send().await.unwrap();
    let stack = settled(&client, "Lab").await;
    assert_eq!(status(&stack), "CREATE_COMPLETE");
    assert!(stack.last_updated_time().is_some() && stack.change_set_id().is_some());
    assert_eq!(stack.capabilities(), capabilities);
    assert_eq!(stack.enable_termination_protection(), Some(false));
    let [last] = stack.last_operations() else { panic!("{stack:?}") };
    assert_eq!(last.operation_type().unwrap().as_str(), "CREATE_STACK");
    let events = events(&client, "Lab").await;
    assert_eq!(events.last().unwrap().operation_id(), last.operation_id());
    client.delete_stack().stack_name("Lab").send().await.unwrap();
    let gone = settled(&client, &id).await;
    assert_eq!(status(&gone), "DELETE_COMPLETE");
    assert_eq!((gone.enable_termination_protection(), gone.change_set_id()), (None, None));
}

#[tokio::test]
async fn names_that_are_none_are_told_in_awss_words_alone() {
    let (_endpoint, client) = start().await;
    let body = "Resources: {'a-b': {Type: AWS::Logs::LogGroup}}";
    let refusal = message(&client.validate_template().template_body(body).send().await.unwrap_err());
    assert_eq!(refusal, "ValidationError: Template format error: Resource name a-b is non alphanumeric.");
}

#[tokio::test]
async fn transactions_take_a_table_by_its_arn() {
    let (endpoint, client) = start().await;
    let stack = created(&client, "Lab", &template(&table("T", ""), "  Arn: {Value: !GetAtt T.Arn}\n")).await;
    let arn = output(&stack, "Arn");
    let dynamodb = aws_sdk_dynamodb::Client::new(&endpoint.sdk_config());
    let key = || AttributeValue::S("1".to_owned());
    let put =
        TransactWriteItem::builder().put(Put::builder().table_name(arn).item("Id", key()).build().unwrap()).build();
    dynamodb.transact_write_items().transact_items(put).send().await.unwrap();
    let get = TransactGetItem::builder().get(Get::builder().table_name(arn).key("Id", key()).build().unwrap()).build();
    let got = dynamodb.transact_get_items().transact_items(get).send().await.unwrap();
    assert_eq!(got.responses()[0].item().unwrap()["Id"], key());
}

#[tokio::test]
async fn calls_that_make_no_sense_are_refused_in_awss_words() {
    let (endpoint, client) = start().await;
    let mut boto = Boto::start(endpoint.variables());
    let body = "Resources: {G: {Type: AWS::Logs::LogGroup}}";
    let deleted = created(&client, "Gone", body).await.stack_id.unwrap();
    client.delete_stack().stack_name("Gone").send().await.unwrap();
    settled(&client, &deleted).await;
    let set = json!({"StackName": "Review", "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": body});
    boto.call("cloudformation", "CreateChangeSet", &set).unwrap();
    let unknown = "arn:aws:cloudformation:us-east-1:000000000000:changeSet/a/11111111-1111-1111-1111-111111111111";
    for (operation, input, words) in [
        (
            "CreateStack",
            json!({"StackName": "*a_$", "TemplateBody": body}),
            "1 validation error detected: Value '*a_$' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*",
        ),
        (
            "CreateStack",
            json!({"StackName": "s", "TemplateBody": "Resources: {A: {Type: AWS::Logs::LogGroup, Invalid: 1}}"}),
            "Invalid template resource property 'Invalid'",
        ),
        (
            "CreateStack",
            json!({"StackName": "s", "TemplateBody": "Resources: {A: {Properties: {}}}"}),
            "Template format error: [/Resources/A] Every Resources object must contain a Type member.",
        ),
        (
            "CreateStack",
            json!({"StackName": "s", "TemplateBody": format!("Outputs: {{O: {{Value: null}}}}\n{body}")}),
            "[/Outputs/O/Value] 'null' values are not allowed in templates",
        ),
        ("GetTemplate", json!({"StackName": "none"}), "Stack with id none does not exist"),
        ("GetTemplate", json!({"ChangeSetName": "c"}), "StackName is a required parameter."),
        ("GetTemplate", json!({"ChangeSetName": unknown}), &format!("ChangeSet [{unknown}] does not exist")),
        (
            "GetTemplateSummary",
            json!({"StackName": "Review"}),
            "GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.",
        ),
        (
            "CreateChangeSet",
            json!({"StackName": deleted, "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": body}),
            &format!("Stack [{deleted}] already exists and cannot be created again with the changeSet [c]."),
        ),
        ("DescribeChangeSet", json!({"StackName": "none", "ChangeSetName": "c"}), "Stack [none] does not exist"),
        (
            "DeleteChangeSet",
            json!({"ChangeSetName": "c"}),
            "StackName must be specified if ChangeSetName is not specified as an ARN.",
        ),
    ] {
        let refusal = boto.call("cloudformation", operation, &input).unwrap_err();
        assert_eq!(refusal.message, words, "{operation} {input}");
    }
}

#[tokio::test]
async fn a_stack_under_review_may_be_made_in_another_way() {
    let (_endpoint, client) = start().await;
    let body = "Resources: {G: {Type: AWS::Logs::LogGroup}}";
    let set = client.create_change_set().stack_name("s").change_set_name("c").change_set_type(ChangeSetType::Create);
    let id = set.template_body(body).send().await.unwrap().stack_id.unwrap();
    let stack = created(&client, "s", body).await;
    assert_eq!((stack.stack_id(), stack.last_updated_time()), (Some(id.as_str()), None));
    let set = client.describe_change_set().stack_name("s").change_set_name("c").send().await.unwrap();
    assert_eq!(set.execution_status().unwrap().as_str(), "OBSOLETE");
    let summary = client.get_template_summary().stack_name("s").send().await.unwrap();
    let [identifiers] = summary.resource_identifier_summaries() else { panic!("{summary:?}") };
    assert_eq!(identifiers.logical_resource_ids(), ["G"]);
    // The deletion of what a creation had made is one.
    create(&client, "t", "Resources: {G: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: a}}, H: {Type: AWS::Logs::LogGroup, DependsOn: G, Properties: {LogGroupName: a}}}").await;
    let stack = settled(&client, "t").await;
    assert_eq!(status(&stack), "ROLLBACK_COMPLETE");
    assert!(stack.deletion_time().is_some());
}
