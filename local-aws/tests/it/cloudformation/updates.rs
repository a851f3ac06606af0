//! UpdateStack: in place, with replacement, back again.

use aws_sdk_cloudformation::types::Tag;

use super::*;

async fn update(client: &Client, name: &str, body: &str) -> Result<(), String> {
    let sent = client.update_stack().stack_name(name).template_body(body).send().await;
    sent.map(|_| ()).map_err(|error| message(&error))
}

/// The events since the last update began.
async fn last_story(client: &Client, name: &str) -> Vec<String> {
    let story = story(client, name).await;
    let begin = story.iter().rposition(|line| line.contains("[User Initiated]")).unwrap();
    story[begin..].to_vec()
}

#[tokio::test]
async fn a_change_in_place_keeps_the_resource() {
    let (endpoint, client) = start().await;
    created(&client, "Lab", &template(&table("Table", ""), "")).await;
    let before = resources(&client, "Lab").await;
    let body = template(&table("Table", "      DeletionProtectionEnabled: true"), "");
    update(&client, "Lab", &body).await.unwrap();
    let stack = settled(&client, "Lab").await;
    assert_eq!(status(&stack), "UPDATE_COMPLETE");
    assert!(stack.last_updated_time().is_some());
    assert_eq!(resources(&client, "Lab").await, before);
    let expected = [
        "Lab UPDATE_IN_PROGRESS [User Initiated]",
        "Table UPDATE_IN_PROGRESS",
        "Table UPDATE_COMPLETE",
        "Lab UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "Lab UPDATE_COMPLETE",
    ];
    assert_eq!(last_story(&client, "Lab").await, expected);
    let dynamodb = aws_sdk_dynamodb::Client::new(&endpoint.sdk_config());
    let table = dynamodb.describe_table().table_name(&before["Table"]).send().await.unwrap().table.unwrap();
    assert_eq!(table.deletion_protection_enabled(), Some(true));
}

#[tokio::test]
async fn a_replacement_comes_before_its_predecessor_goes() {
    let (endpoint, client) = start().await;
    let group = "  Group:\n    Type: AWS::Logs::LogGroup\n    Properties: {LogGroupName: !Sub '/of/${Table}'}\n";
    let body = |key: &str| {
        template(&(table("Table", "").replace("Id,", &format!("{key},")) + group), "  Name: {Value: !Ref Table}\n")
    };
    created(&client, "Lab", &body("Id")).await;
    let before = resources(&client, "Lab").await;
    update(&client, "Lab", &body("Other")).await.unwrap();
    let stack = settled(&client, "Lab").await;
    assert_eq!(status(&stack), "UPDATE_COMPLETE", "{:#?}", story(&client, "Lab").await);
    let after = resources(&client, "Lab").await;
    assert_ne!(before["Table"], after["Table"]);
    assert_ne!(before["Group"], after["Group"], "the name of the group follows the table's");
    assert_eq!(output(&stack, "Name"), after["Table"]);
    assert_eq!(tables(&endpoint).await, [after["Table"].clone()]);
    let expected = [
        "Lab UPDATE_IN_PROGRESS [User Initiated]",
        "Table UPDATE_IN_PROGRESS [Requested update requires the creation of a new physical resource; hence creating one.]",
        "Table UPDATE_IN_PROGRESS [Resource creation Initiated]",
        "Table UPDATE_COMPLETE",
        "Group UPDATE_IN_PROGRESS [Requested update requires the creation of a new physical resource; hence creating one.]",
        "Group UPDATE_IN_PROGRESS [Resource creation Initiated]",
        "Group UPDATE_COMPLETE",
        "Lab UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "Group DELETE_IN_PROGRESS",
        "Group DELETE_COMPLETE",
        "Table DELETE_IN_PROGRESS",
        "Table DELETE_COMPLETE",
        "Lab UPDATE_COMPLETE",
    ];
    assert_eq!(last_story(&client, "Lab").await, expected);
}

#[tokio::test]
async fn a_resource_with_a_name_of_its_own_cannot_be_replaced() {
    let (endpoint, client) = start().await;
    let body = |key: &str| template(&table("Table", "      TableName: mine").replace("Id,", &format!("{key},")), "");
    created(&client, "Lab", &body("Id")).await;
    update(&client, "Lab", &body("Other")).await.unwrap();
    let stack = settled(&client, "Lab").await;
    assert_eq!(status(&stack), "UPDATE_ROLLBACK_COMPLETE");
    let story = last_story(&client, "Lab").await;
    let reason = "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename mine and update the stack again.";
    assert!(story.contains(&format!("Table UPDATE_FAILED [{reason}]")), "{story:#?}");
    assert_eq!(tables(&endpoint).await, ["mine"]);
}

#[tokio::test]
async fn resources_come_and_go_with_the_template() {
    let (endpoint, client) = start().await;
    created(&client, "Lab", &template(&(table("Old", "") + &table("Kept", "    DeletionPolicy: Retain")), "")).await;
    let before = resources(&client, "Lab").await;
    update(&client, "Lab", &template(&table("New", ""), "")).await.unwrap();
    assert_eq!(status(&settled(&client, "Lab").await), "UPDATE_COMPLETE");
    let after = resources(&client, "Lab").await;
    assert_eq!(after.keys().collect::<Vec<_>>(), ["New"]);
    let mut expected = vec![after["New"].clone(), before["Kept"].clone()];
    expected.sort();
    assert_eq!(tables(&endpoint).await, expected);
    // What was retained keeps its name; a newcomer of the same logical id gets another one.
    update(&client, "Lab", &template(&(table("New", "") + &table("Kept", "")), "")).await.unwrap();
    assert_eq!(status(&settled(&client, "Lab").await), "UPDATE_COMPLETE");
    assert_ne!(resources(&client, "Lab").await["Kept"], before["Kept"]);
    // Under a name of its own it is in the way, and stays.
    let named = table("Named", "      TableName: mine\n    DeletionPolicy: Retain");
    for (body, expected) in
        [(named.clone(), "UPDATE_COMPLETE"), (table("New", ""), "UPDATE_COMPLETE"), (named, "UPDATE_ROLLBACK_COMPLETE")]
    {
        update(&client, "Lab", &template(&body, "")).await.unwrap();
        assert_eq!(status(&settled(&client, "Lab").await), expected);
    }
    assert!(tables(&endpoint).await.contains(&"mine".to_owned()));
}

#[tokio::test]
async fn an_update_that_changes_nothing_is_refused() {
    let (_endpoint, client) = start().await;
    let body = format!(
        "Parameters:\n  P: {{Type: String, Default: a}}\n{}",
        template(&table("Table", ""), "  O: {Value: !Ref Table}\n")
    );
    created(&client, "Lab", &body).await;
    let none = "ValidationError: No updates are to be performed.";
    assert_eq!(update(&client, "Lab", &body).await.unwrap_err(), none);
    let described = format!("Description: words only\n{body}");
    assert_eq!(update(&client, "Lab", &described).await.unwrap_err(), none);
    let unused = client.update_stack().stack_name("Lab").use_previous_template(true).parameters(parameter("P", "b"));
    assert_eq!(message(&unused.send().await.unwrap_err()), none);
    let missing = update(&client, "Nothing", &body).await.unwrap_err();
    assert_eq!(missing, "ValidationError: Stack [Nothing] does not exist");
    // An output alone is an update.
    update(&client, "Lab", &body.replace("O: {", "P: {")).await.unwrap();
    assert_eq!(status(&settled(&client, "Lab").await), "UPDATE_COMPLETE");
    // So are the stack's tags.
    let tag = Tag::builder().key("k").value("v").build();
    client.update_stack().stack_name("Lab").use_previous_template(true).tags(tag).send().await.unwrap();
    let stack = settled(&client, "Lab").await;
    assert_eq!((status(&stack), stack.tags().len()), ("UPDATE_COMPLETE", 1));
}

#[tokio::test]
async fn previous_values_are_kept_on_request() {
    let (_endpoint, client) = start().await;
    let body = "Parameters:\n  A: {Type: String}\n  Secret: {Type: String, NoEcho: true}\nResources:\n  \
                G:\n    Type: AWS::Logs::LogGroup\n    Properties: {LogGroupName: !Sub 'g-${A}-${Secret}'}\n";
    client
        .create_stack()
        .stack_name("Lab")
        .template_body(body)
        .parameters(parameter("A", "a"))
        .parameters(parameter("Secret", "s"))
        .send()
        .await
        .unwrap();
    let stack = settled(&client, "Lab").await;
    let shown: Vec<_> = stack.parameters().iter().map(|it| it.parameter_value().unwrap()).collect();
    assert_eq!(shown, ["a", "****"]);
    let request = client.update_stack().stack_name("Lab").use_previous_template(true).parameters(parameter("A", "b"));
    request.parameters(previous("Secret")).send().await.unwrap();
    assert_eq!(status(&settled(&client, "Lab").await), "UPDATE_COMPLETE");
    assert_eq!(resources(&client, "Lab").await["G"], "g-b-s");
    let created = client.create_stack().stack_name("New").template_body(body).parameters(previous("A"));
    assert!(
        message(&created.parameters(parameter("Secret", "s")).send().await.unwrap_err()).starts_with("ValidationError")
    );
}

#[tokio::test]
async fn a_failed_update_goes_back_to_what_was() {
    let (endpoint, client) = start().await;
    created(&client, "Owner", &template(&table("Table", "      TableName: taken"), "")).await;
    let good = template(
        &(table("Changed", "") + &table("Replaced", "    DependsOn: Changed") + &table("Removed", "")),
        "  O: {Value: !Ref Replaced}\n",
    );
    created(&client, "Lab", &good).await;
    let before = resources(&client, "Lab").await;
    let bad = template(
        &(table("Changed", "      DeletionProtectionEnabled: true")
            + &table("Replaced", "    DependsOn: Changed").replace("Id,", "Other,")
            + &table("Added", "    DependsOn: Replaced")
            + &table("Fails", "      TableName: taken\n    DependsOn: Added")),
        "",
    );
    update(&client, "Lab", &bad).await.unwrap();
    let stack = settled(&client, "Lab").await;
    assert_eq!(status(&stack), "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(output(&stack, "O"), before["Replaced"]);
    assert_eq!(resources(&client, "Lab").await, before);
    let mut expected: Vec<String> = before.values().cloned().chain(["taken".to_owned()]).collect();
    expected.sort();
    assert_eq!(tables(&endpoint).await, expected);
    let story = last_story(&client, "Lab").await;
    let reason = "Lab UPDATE_ROLLBACK_IN_PROGRESS [The following resource(s) failed to create: [Fails].]";
    assert!(story.iter().any(|line| line == reason), "{story:#?}");
    assert!(story.iter().any(|line| line == "Added DELETE_COMPLETE"), "{story:#?}");
    assert_eq!(story.last().unwrap(), "Lab UPDATE_ROLLBACK_COMPLETE");
    let dynamodb = aws_sdk_dynamodb::Client::new(&endpoint.sdk_config());
    let table = dynamodb.describe_table().table_name(&before["Changed"]).send().await.unwrap().table.unwrap();
    assert_ne!(table.deletion_protection_enabled(), Some(true), "the change was taken back");
    // It is what it was: the same template is no update, and the next update works.
    assert!(update(&client, "Lab", &good).await.unwrap_err().contains("No updates"));
    update(&client, "Lab", &bad.replace("TableName: taken", "TableName: free")).await.unwrap();
    assert_eq!(status(&settled(&client, "Lab").await), "UPDATE_COMPLETE");
}

#[tokio::test]
async fn a_failed_update_can_be_left_as_it_is_and_repaired_or_rolled_back() {
    let (_endpoint, client) = start().await;
    created(&client, "Owner", &template(&table("Table", "      TableName: taken"), "")).await;
    let good = template(&table("Table", ""), "");
    let bad = template(
        &(table("Table", "      DeletionProtectionEnabled: true")
            + &table("Fails", "      TableName: taken\n    DependsOn: Table")),
        "",
    );
    created(&client, "Lab", &good).await;
    let fail = || client.update_stack().stack_name("Lab").template_body(&bad).disable_rollback(true).send();
    fail().await.unwrap();
    assert_eq!(status(&settled(&client, "Lab").await), "UPDATE_FAILED");
    client.rollback_stack().stack_name("Lab").send().await.unwrap();
    assert_eq!(status(&settled(&client, "Lab").await), "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(resources(&client, "Lab").await.len(), 1);
    fail().await.unwrap();
    settled(&client, "Lab").await;
    update(&client, "Lab", &bad.replace("TableName: taken", "TableName: free")).await.unwrap();
    assert_eq!(status(&settled(&client, "Lab").await), "UPDATE_COMPLETE");
    assert_eq!(resources(&client, "Lab").await["Fails"], "free");
}

#[tokio::test]
async fn a_rollback_that_fails_goes_on_without_what_cannot_be_rolled_back() {
    let (endpoint, client) = start().await;
    created(&client, "Owner", &template(&table("Table", "      TableName: taken"), "")).await;
    created(&client, "Lab", &template(&table("Table", ""), "")).await;
    let go_on = || client.continue_update_rollback().stack_name("Lab").resources_to_skip("Table").send();
    assert!(message(&go_on().await.unwrap_err()).contains("can not continue rollback"));
    let bad = template(
        &(table("Table", "      Tags: [{Key: a, Value: b}]")
            + &table("Fails", "      TableName: taken\n    DependsOn: Table")),
        "",
    );
    client.update_stack().stack_name("Lab").template_body(&bad).disable_rollback(true).send().await.unwrap();
    assert_eq!(status(&settled(&client, "Lab").await), "UPDATE_FAILED");
    // Somebody deletes what the rollback would have to change back.
    let name = resources(&client, "Lab").await["Table"].clone();
    let dynamodb = aws_sdk_dynamodb::Client::new(&endpoint.sdk_config());
    dynamodb.delete_table().table_name(name).send().await.unwrap();
    client.rollback_stack().stack_name("Lab").send().await.unwrap();
    assert_eq!(status(&settled(&client, "Lab").await), "UPDATE_ROLLBACK_FAILED");
    go_on().await.unwrap();
    assert_eq!(status(&settled(&client, "Lab").await), "UPDATE_ROLLBACK_COMPLETE");
}

#[tokio::test]
async fn another_type_under_the_same_name_is_refused() {
    let (_endpoint, client) = start().await;
    created(&client, "Lab", &template(&table("Thing", ""), "")).await;
    let other = template("  Thing: {Type: 'AWS::Logs::LogGroup'}\n", "");
    let error = update(&client, "Lab", &other).await.unwrap_err();
    assert!(error.contains("Update of resource type is not permitted") && error.contains("[Thing]"), "{error}");
}

#[tokio::test]
async fn policies_of_a_template_that_failed_are_forgotten() {
    let (endpoint, client) = start().await;
    created(&client, "Owner", &template(&table("Table", "      TableName: taken"), "")).await;
    let id = created(&client, "Lab", &template(&table("Table", ""), "")).await.stack_id.unwrap();
    let retain = "    DeletionPolicy: Retain\n    Metadata: {New: 1}";
    let bad = template(&(table("Table", retain) + &table("Fails", "      TableName: taken\n    DependsOn: Table")), "");
    update(&client, "Lab", &bad).await.unwrap();
    assert_eq!(status(&settled(&client, "Lab").await), "UPDATE_ROLLBACK_COMPLETE");
    let unchanged = update(&client, "Lab", &template(&table("Table", ""), "")).await.unwrap_err();
    assert!(unchanged.contains("No updates"), "{unchanged}");
    client.delete_stack().stack_name("Lab").send().await.unwrap();
    assert_eq!(status(&settled(&client, &id).await), "DELETE_COMPLETE");
    assert_eq!(tables(&endpoint).await, ["taken"]);
}
