//! DynamoDB behind the endpoint's port.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BatchStatementRequest, BillingMode, Get, KeySchemaElement, KeyType,
    KeysAndAttributes, ParameterizedStatement, Put, ReturnValuesOnConditionCheckFailure, ScalarAttributeType, Tag,
    TimeToLiveSpecification, TransactGetItem, TransactWriteItem,
};

use crate::harness::Endpoint;

async fn table(client: &Client, name: &str) {
    client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(
            AttributeDefinition::builder().attribute_name("Id").attribute_type(ScalarAttributeType::S).build().unwrap(),
        )
        .key_schema(KeySchemaElement::builder().attribute_name("Id").key_type(KeyType::Hash).build().unwrap())
        .tags(Tag::builder().key("team").value("chaos").build().unwrap())
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_table_is_of_our_account_and_region_and_keeps_its_items_over_a_restart() {
    let endpoint = Endpoint::start().await;
    let client = Client::new(&endpoint.sdk_config());
    table(&client, "jobs").await;
    client.put_item().table_name("jobs").item("Id", AttributeValue::S("a".into())).send().await.unwrap();
    let endpoint = endpoint.restart().await;
    let client = Client::new(&endpoint.sdk_config());
    let described = client.describe_table().table_name("jobs").send().await.unwrap().table.unwrap();
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/jobs";
    assert_eq!(described.table_arn(), Some(arn));
    let tags = client.list_tags_of_resource().resource_arn(arn).send().await.unwrap();
    assert_eq!(tags.tags().len(), 1);
    assert_eq!(client.scan().table_name("jobs").send().await.unwrap().count(), 1);
    endpoint.stop().await;
}

#[tokio::test]
async fn refusals_are_dynamodbs_own_with_all_members() {
    let endpoint = Endpoint::start().await;
    let client = Client::new(&endpoint.sdk_config());
    let missing = client.describe_table().table_name("nothing").send().await.unwrap_err().into_service_error();
    assert!(missing.is_resource_not_found_exception(), "{missing:?}");
    table(&client, "jobs").await;
    let put = || {
        client
            .put_item()
            .table_name("jobs")
            .item("Id", AttributeValue::S("a".into()))
            .condition_expression("attribute_not_exists(Id)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
    };
    put().await.unwrap();
    match put().await.unwrap_err().into_service_error() {
        aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(error) => {
            assert_eq!(error.message(), Some("The conditional request failed"));
            assert!(error.item().is_some_and(|item| item.contains_key("Id")));
        }
        other => panic!("{other:?}"),
    }
    let item = Put::builder()
        .table_name("jobs")
        .item("Id", AttributeValue::S("a".into()))
        .condition_expression("attribute_not_exists(Id)")
        .build()
        .unwrap();
    let cancelled = client
        .transact_write_items()
        .transact_items(TransactWriteItem::builder().put(item).build())
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    match cancelled {
        aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
            error,
        ) => {
            assert_eq!(error.cancellation_reasons()[0].code(), Some("ConditionalCheckFailed"));
        }
        other => panic!("{other:?}"),
    }
    let unknown = client.list_backups().send().await.unwrap_err().into_service_error();
    assert_eq!(unknown.code(), Some("UnknownOperationException"));
    assert!(unknown.message().unwrap().contains("dynamodb:ListBackups"));
    let invalid = client.put_item().table_name("jobs").item("Other", AttributeValue::S("a".into())).send().await;
    assert_eq!(invalid.unwrap_err().into_service_error().code(), Some("ValidationException"));
    endpoint.stop().await;
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

#[tokio::test]
async fn items_are_read_and_changed_one_by_one_in_batches_and_in_transactions() {
    let endpoint = Endpoint::start().await;
    let client = Client::new(&endpoint.sdk_config());
    table(&client, "jobs").await;
    for id in ["a", "b"] {
        client.put_item().table_name("jobs").item("Id", text(id)).send().await.unwrap();
    }
    let get = |id: &str| client.get_item().table_name("jobs").key("Id", text(id)).consistent_read(true).send();
    client
        .update_item()
        .table_name("jobs")
        .key("Id", text("a"))
        .update_expression("SET Done = :done")
        .expression_attribute_values(":done", AttributeValue::Bool(true))
        .send()
        .await
        .unwrap();
    assert_eq!(get("a").await.unwrap().item.unwrap()["Done"], AttributeValue::Bool(true));

    let keys = KeysAndAttributes::builder()
        .set_keys(Some(["a", "b", "c"].map(|id| HashMap::from([("Id".to_owned(), text(id))])).to_vec()))
        .build()
        .unwrap();
    let batch = client.batch_get_item().request_items("jobs", keys).send().await.unwrap();
    assert_eq!(batch.responses.unwrap()["jobs"].len(), 2);
    let read = Get::builder().table_name("jobs").key("Id", text("b")).build().unwrap();
    let transaction =
        client.transact_get_items().transact_items(TransactGetItem::builder().get(read).build()).send().await.unwrap();
    assert_eq!(transaction.responses()[0].item().unwrap()["Id"], text("b"));

    client.delete_item().table_name("jobs").key("Id", text("b")).send().await.unwrap();
    assert!(get("b").await.unwrap().item.is_none());
}

#[tokio::test]
async fn partiql_works_on_the_same_items() {
    let endpoint = Endpoint::start().await;
    let client = Client::new(&endpoint.sdk_config());
    table(&client, "jobs").await;
    let insert = |id: &str| format!("INSERT INTO \"jobs\" VALUE {{'Id': '{id}'}}");
    client.execute_statement().statement(insert("a")).send().await.unwrap();
    let second = ParameterizedStatement::builder().statement(insert("b")).build().unwrap();
    client.execute_transaction().transact_statements(second).send().await.unwrap();
    let select = BatchStatementRequest::builder().statement("SELECT * FROM \"jobs\" WHERE Id = 'b'").build().unwrap();
    let found = client.batch_execute_statement().statements(select).send().await.unwrap();
    assert_eq!(found.responses()[0].item().unwrap()["Id"], text("b"));
    let all = client.execute_statement().statement("SELECT * FROM \"jobs\"").send().await.unwrap();
    assert_eq!(all.items().len(), 2);
}

#[tokio::test]
async fn time_to_live_is_a_setting_of_the_table() {
    let endpoint = Endpoint::start().await;
    let client = Client::new(&endpoint.sdk_config());
    table(&client, "jobs").await;
    let expiry = TimeToLiveSpecification::builder().enabled(true).attribute_name("ExpiresAt").build().unwrap();
    client.update_time_to_live().table_name("jobs").time_to_live_specification(expiry).send().await.unwrap();
    let described = client.describe_time_to_live().table_name("jobs").send().await.unwrap();
    assert_eq!(described.time_to_live_description().unwrap().attribute_name(), Some("ExpiresAt"));
}
