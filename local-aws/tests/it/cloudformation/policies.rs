//! `DeletionPolicy` and `UpdateReplacePolicy`: they make an update by themselves, and are taken back with it.

use aws_sdk_cloudformation::types::{ChangeSetType, ResourceAttribute};

use super::*;

async fn update(client: &Client, body: &str) -> Result<String, String> {
    let sent = client.update_stack().stack_name("Lab").template_body(body).send().await;
    sent.map_err(|error| message(&error))?;
    Ok(status(&settled(client, "Lab").await).to_owned())
}

#[tokio::test]
async fn policies_alone_are_an_update() {
    let (endpoint, client) = start().await;
    let plain = template(&table("Table", ""), "");
    let retained = template(&table("Table", "    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain"), "");
    created(&client, "Lab", &plain).await;
    let before = resources(&client, "Lab").await;
    let request = client.create_change_set().stack_name("Lab").change_set_name("c").template_body(&retained);
    request.change_set_type(ChangeSetType::Update).send().await.unwrap();
    let set = client.describe_change_set().stack_name("Lab").change_set_name("c").send().await.unwrap();
    let [change] = set.changes() else { panic!("{set:?}") };
    let change = change.resource_change().unwrap();
    assert_eq!(change.action().unwrap().as_str(), "Modify");
    assert_eq!(change.replacement().unwrap().as_str(), "False");
    assert_eq!(change.scope(), [ResourceAttribute::DeletionPolicy, ResourceAttribute::UpdateReplacePolicy]);
    let targets: Vec<_> = change.details().iter().map(|it| it.target().unwrap().attribute().unwrap().clone()).collect();
    assert_eq!(targets, change.scope());
    client.execute_change_set().stack_name("Lab").change_set_name("c").send().await.unwrap();
    assert_eq!(status(&settled(&client, "Lab").await), "UPDATE_COMPLETE");
    assert_eq!(resources(&client, "Lab").await, before);
    assert_eq!(update(&client, &retained).await.unwrap_err(), "ValidationError: No updates are to be performed.");
    let depends = retained.replace("    DeletionPolicy", "    DependsOn: []\n    DeletionPolicy");
    assert_eq!(update(&client, &depends).await.unwrap_err(), "ValidationError: No updates are to be performed.");
    // Each alone, and without a change set.
    assert_eq!(
        update(&client, &retained.replace("    UpdateReplacePolicy: Retain\n", "")).await.unwrap(),
        "UPDATE_COMPLETE"
    );
    client.delete_stack().stack_name("Lab").send().await.unwrap();
    until("the stack is gone", async || describe(&client, "Lab").await.err()).await;
    assert_eq!(tables(&endpoint).await, [before["Table"].clone()]);
}

#[tokio::test]
async fn policies_go_back_with_a_failed_update() {
    let (endpoint, client) = start().await;
    created(&client, "Owner", &template(&table("Table", "      TableName: taken"), "")).await;
    created(&client, "Lab", &template(&table("Table", ""), "")).await;
    let both =
        table("Table", "    DeletionPolicy: Retain") + &table("Wrong", "      TableName: taken\n    DependsOn: Table");
    assert_eq!(update(&client, &template(&both, "")).await.unwrap(), "UPDATE_ROLLBACK_COMPLETE");
    client.delete_stack().stack_name("Lab").send().await.unwrap();
    until("the stack is gone", async || describe(&client, "Lab").await.err()).await;
    assert_eq!(tables(&endpoint).await, ["taken"]);
}
