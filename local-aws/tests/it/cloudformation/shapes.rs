//! Answers member by member, as recordings of AWS have them.

use aws_sdk_cloudformation::types::{Capability, ChangeSetType};
use aws_sdk_dynamodb::types::{AttributeValue, Get, Put, TransactGetItem, TransactWriteItem};

use super::*;

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
