//! Exports and imports between stacks.

use super::*;

const IMPORTER: &str = "Resources:\n  G:\n    Type: AWS::Logs::LogGroup\n    Properties: {LogGroupName: !Sub ['g-${N}', {N: !ImportValue shared}]}\n";

fn exporter(value: &str) -> String {
    template(&table("Table", ""), &format!("  Out: {{Value: {value}, Export: {{Name: shared}}}}\n"))
}

#[tokio::test]
async fn an_export_in_use_cannot_change_or_go() {
    let (_endpoint, client) = start().await;
    let missing = client.create_stack().stack_name("Importer").template_body(IMPORTER).send().await.unwrap_err();
    assert!(message(&missing).contains("No export named shared found"), "{}", message(&missing));
    let stack = created(&client, "Exporter", &exporter("one")).await;
    assert_eq!(stack.outputs()[0].export_name(), Some("shared"));
    let unused = client.list_imports().export_name("shared").send().await.unwrap_err();
    assert!(message(&unused).contains("not imported by any stack"));
    created(&client, "Importer", IMPORTER).await;
    assert_eq!(resources(&client, "Importer").await["G"], "g-one");
    let exports = client.list_exports().send().await.unwrap();
    let export = &exports.exports()[0];
    assert_eq!((export.name(), export.value()), (Some("shared"), Some("one")));
    assert_eq!(export.exporting_stack_id(), stack.stack_id());
    assert_eq!(client.list_imports().export_name("shared").send().await.unwrap().imports(), ["Importer"]);

    client.update_stack().stack_name("Exporter").template_body(exporter("two")).send().await.unwrap();
    let updated = settled(&client, "Exporter").await;
    assert_eq!(status(&updated), "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(output(&updated, "Out"), "one");
    let story = story(&client, "Exporter").await;
    assert!(story.iter().any(|line| line.contains("Export shared cannot be updated as it is in use by Importer")));

    let id = stack.stack_id().unwrap();
    client.delete_stack().stack_name(id).send().await.unwrap();
    let stack = settled(&client, id).await;
    assert_eq!(status(&stack), "DELETE_FAILED");
    assert_eq!(stack.stack_status_reason(), Some("Export shared cannot be deleted as it is in use by Importer"));
    client.delete_stack().stack_name("Importer").send().await.unwrap();
    until("the importer goes", async || describe(&client, "Importer").await.err()).await;
    client.delete_stack().stack_name(id).send().await.unwrap();
    assert_eq!(status(&settled(&client, id).await), "DELETE_COMPLETE");
    assert!(client.list_exports().send().await.unwrap().exports().is_empty());
}

#[tokio::test]
async fn an_export_has_one_owner() {
    let (endpoint, client) = start().await;
    created(&client, "First", &exporter("one")).await;
    create(&client, "Second", &exporter("two")).await;
    let stack = settled(&client, "Second").await;
    assert_eq!(status(&stack), "ROLLBACK_COMPLETE");
    let story = story(&client, "Second").await;
    let reason = "Export with name shared is already exported by stack First.";
    assert!(story.iter().any(|line| line.contains(reason)), "{story:#?}");
    assert_eq!(tables(&endpoint).await.len(), 1);
}
