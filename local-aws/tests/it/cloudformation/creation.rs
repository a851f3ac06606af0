//! CreateStack: order, events, outputs, refusals, failures.

use aws_sdk_cloudformation::types::{Capability, OnFailure, Tag};

use super::*;

#[tokio::test]
async fn a_stack_is_created_in_the_order_of_its_references_and_tells_so() {
    let (endpoint, client) = start().await;
    let body = template(
        &(table("Table", "")
            + "  Group:\n    Type: AWS::Logs::LogGroup\n    Properties:\n      LogGroupName: !Sub \"/of/${Table}\"\n      RetentionInDays: 7\n"),
        "  Name: {Value: !Ref Table, Description: The table}\n  GroupArn: {Value: !GetAtt Group.Arn}\n",
    );
    let stack = created(&client, "Lab", &body).await;
    let name = output(&stack, "Name");
    assert!(name.starts_with("Lab-Table-"), "{name}");
    assert_eq!(output(&stack, "GroupArn"), format!("arn:aws:logs:us-east-1:000000000000:log-group:/of/{name}:*"));
    assert_eq!(tables(&endpoint).await, [name]);
    let expected = [
        "Lab CREATE_IN_PROGRESS [User Initiated]",
        "Table CREATE_IN_PROGRESS",
        "Table CREATE_IN_PROGRESS [Resource creation Initiated]",
        "Table CREATE_COMPLETE",
        "Group CREATE_IN_PROGRESS",
        "Group CREATE_IN_PROGRESS [Resource creation Initiated]",
        "Group CREATE_COMPLETE",
        "Lab CREATE_COMPLETE",
    ];
    assert_eq!(story(&client, "Lab").await, expected);
    let events = events(&client, "Lab").await;
    assert_eq!(events[1].physical_resource_id(), Some(""));
    assert_eq!(events[2].physical_resource_id(), Some(name));
    assert!(events[6].resource_properties().unwrap().contains("\"RetentionInDays\":7"));
    assert!(stack.stack_id().unwrap().starts_with("arn:aws:cloudformation:us-east-1:000000000000:stack/Lab/"));
    assert_eq!(stack.enable_termination_protection(), Some(false));
    assert_eq!(stack.drift_information().unwrap().stack_drift_status().unwrap().as_str(), "NOT_CHECKED");
    endpoint.stop().await;
}

#[tokio::test]
async fn independent_resources_begin_together() {
    let (_endpoint, client) = start().await;
    let resources: String = (0..5).map(|n| table(&format!("T{n}"), "")).collect();
    created(&client, "Wide", &template(&resources, "")).await;
    let story = story(&client, "Wide").await;
    let begun: Vec<&str> = story[1..6].iter().map(String::as_str).collect();
    let expected: Vec<String> = (0..5).map(|n| format!("T{n} CREATE_IN_PROGRESS")).collect();
    assert_eq!(begun, expected);
}

#[tokio::test]
async fn stack_tags_reach_the_resources() {
    let (endpoint, client) = start().await;
    let tag = Tag::builder().key("team").value("chaos").build();
    let body = template(&table("Table", "      Tags: [{Key: own, Value: x}]"), "  Arn: {Value: !GetAtt Table.Arn}\n");
    client.create_stack().stack_name("Tagged").template_body(body).tags(tag).send().await.unwrap();
    let stack = settled(&client, "Tagged").await;
    assert_eq!(stack.tags()[0].key(), Some("team"));
    let dynamodb = aws_sdk_dynamodb::Client::new(&endpoint.sdk_config());
    let tags = dynamodb.list_tags_of_resource().resource_arn(output(&stack, "Arn")).send().await.unwrap();
    let value = |key: &str| tags.tags().iter().find(|tag| tag.key() == key).map(|tag| tag.value().to_owned());
    assert_eq!(value("team").as_deref(), Some("chaos"));
    assert_eq!(value("own").as_deref(), Some("x"));
    assert_eq!(value("aws:cloudformation:stack-name").as_deref(), Some("Tagged"));
}

#[tokio::test]
async fn bad_templates_and_parameters_leave_no_stack_behind() {
    let (_endpoint, client) = start().await;
    let one = template(&table("Table", ""), "");
    let cases = [
        ("Resources:\n  A: {Type: AWS::SNS::Topic}\n".to_owned(), "AWS::SNS::Topic"),
        (template(&table("Table", "      Foo: 1"), ""), "Foo"),
        (template(&table("Table", "      TableName: !Ref Nothing"), ""), "Nothing"),
        (template(&(table("A", "      TableName: !Ref B") + &table("B", "      TableName: !Ref A")), ""), "ircular"),
        (template(&table("Table", "      TableName: !GetAtt Table2.Arn"), ""), "Table2"),
        (template(&table("Table", "      WarmThroughput: {ReadUnitsPerSecond: 1}"), ""), "WarmThroughput"),
        (format!("Parameters:\n  P: {{Type: Number}}\n{one}"), "P"),
        (
            format!("Parameters:\n  Net: {{Type: 'AWS::EC2::Subnet::Id', Default: subnet-0}}\n{one}"),
            "parameter value subnet-0 for parameter name Net does not exist",
        ),
        (
            format!("Parameters:\n  Net: {{Type: 'AWS::EC2::VPC::Id', Default: vpc-0}}\n{one}"),
            "parameter value vpc-0 for parameter name Net does not exist",
        ),
        ("not: [a, template".to_owned(), ""),
        ("{}".to_owned(), ""),
        ("x".repeat(51_201), "51200"),
    ];
    for (body, word) in cases {
        let error = client.create_stack().stack_name("Bad").template_body(&body).send().await.unwrap_err();
        let text = message(&error);
        assert!(text.starts_with("ValidationError") && text.contains(word), "{body}\n{text}");
    }
    let unknown = client.create_stack().stack_name("Bad").template_body(&one).parameters(parameter("No", "1"));
    assert!(message(&unknown.send().await.unwrap_err()).contains("[No]"));
    let url = client.create_stack().stack_name("Bad").template_url("https://s3.amazonaws.com/b/k").send().await;
    assert!(message(&url.unwrap_err()).contains("TemplateURL"));
    let name = client.create_stack().stack_name("bad_name").template_body(&one).send().await.unwrap_err();
    assert!(message(&name).contains("stackName"));
    assert!(client.describe_stacks().send().await.unwrap().stacks().is_empty());
    assert!(client.list_stacks().send().await.unwrap().stack_summaries().is_empty());
}

#[tokio::test]
async fn iam_resources_have_to_be_acknowledged() {
    let (_endpoint, client) = start().await;
    let role = |more: &str| {
        format!(
            "Resources:\n  Role:\n    Type: AWS::IAM::Role\n    Properties:\n{more}      AssumeRolePolicyDocument:\n        \
             Version: '2012-10-17'\n        Statement: [{{Effect: Allow, Principal: {{Service: fis.amazonaws.com}}, Action: 'sts:AssumeRole'}}]\n"
        )
    };
    let create = |body: String, capability: Option<Capability>| {
        client
            .create_stack()
            .stack_name("Iam")
            .template_body(body)
            .set_capabilities(capability.map(|it| vec![it]))
            .send()
    };
    let error = create(role(""), None).await.unwrap_err();
    assert_eq!(message(&error), "InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_IAM]");
    assert!(error.into_service_error().is_insufficient_capabilities_exception());
    let named = role("      RoleName: Mine\n");
    let error = create(named.clone(), Some(Capability::CapabilityIam)).await.unwrap_err();
    assert_eq!(message(&error), "InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_NAMED_IAM]");
    create(named, Some(Capability::CapabilityNamedIam)).await.unwrap();
    let stack = settled(&client, "Iam").await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{stack:?}");
    assert_eq!(stack.capabilities(), [Capability::CapabilityNamedIam]);
}

/// `Blocked` has a name that is taken, `After` depends on it, `Before` is there first.
async fn failing(client: &Client) -> String {
    created(client, "Owner", &template(&table("Table", "      TableName: taken"), "")).await;
    template(
        &(table("Before", "")
            + &table("Blocked", "      TableName: taken\n    DependsOn: Before")
            + &table("After", "    DependsOn: Blocked")),
        "",
    )
}

#[tokio::test]
async fn a_failing_resource_rolls_the_stack_back() {
    let (endpoint, client) = start().await;
    let body = failing(&client).await;
    create(&client, "Fails", &body).await;
    let stack = settled(&client, "Fails").await;
    assert_eq!(status(&stack), "ROLLBACK_COMPLETE");
    let story = story(&client, "Fails").await;
    let reason = "Resource of type 'AWS::DynamoDB::Table' with identifier 'taken' already exists.";
    assert!(story.contains(&format!("Blocked CREATE_FAILED [{reason}]")), "{story:#?}");
    let rollback = "Fails ROLLBACK_IN_PROGRESS [The following resource(s) failed to create: [Blocked]. Rollback requested by user.]";
    assert!(story.iter().any(|line| line == rollback), "{story:#?}");
    assert!(story.iter().any(|line| line == "Before DELETE_COMPLETE"), "{story:#?}");
    assert!(!story.iter().any(|line| line.starts_with("After")), "{story:#?}");
    assert_eq!(story.last().unwrap(), "Fails ROLLBACK_COMPLETE");
    assert_eq!(tables(&endpoint).await, ["taken"], "the other stack's table is left alone");
    let update = client.update_stack().stack_name("Fails").template_body(&body).send().await.unwrap_err();
    let id = stack.stack_id().unwrap();
    assert_eq!(
        message(&update),
        format!("ValidationError: Stack:{id} is in ROLLBACK_COMPLETE state and can not be updated.")
    );
    client.delete_stack().stack_name("Fails").send().await.unwrap();
    assert_eq!(status(&settled(&client, id).await), "DELETE_COMPLETE");
}

#[tokio::test]
async fn resources_under_way_are_cancelled_when_another_fails() {
    let (_endpoint, client) = start().await;
    created(&client, "Owner", &template(&table("Table", "      TableName: taken"), "")).await;
    let many: String = (0..40).map(|n| table(&format!("T{n}"), "")).collect();
    create(&client, "Fails", &template(&(table("A", "      TableName: taken") + &many), "")).await;
    assert_eq!(status(&settled(&client, "Fails").await), "ROLLBACK_COMPLETE");
    let story = story(&client, "Fails").await;
    assert!(story.iter().any(|line| line.ends_with("CREATE_FAILED [Resource creation cancelled]")), "{story:#?}");
}

#[tokio::test]
async fn what_follows_a_failure_is_the_callers_choice() {
    let (endpoint, client) = start().await;
    let body = failing(&client).await;
    client.create_stack().stack_name("Kept").template_body(&body).disable_rollback(true).send().await.unwrap();
    let kept = settled(&client, "Kept").await;
    assert_eq!(status(&kept), "CREATE_FAILED");
    assert_eq!(kept.stack_status_reason(), Some("The following resource(s) failed to create: [Blocked]."));
    assert_eq!(tables(&endpoint).await.len(), 2);
    // Repaired, it goes on from where it stopped.
    let repaired = body.replace("TableName: taken", "TableName: free");
    client.update_stack().stack_name("Kept").template_body(&repaired).send().await.unwrap();
    assert_eq!(status(&settled(&client, "Kept").await), "UPDATE_COMPLETE");
    assert_eq!(resources(&client, "Kept").await["Blocked"], "free");

    let gone = client
        .create_stack()
        .stack_name("Gone")
        .template_body(&body)
        .on_failure(OnFailure::Delete)
        .send()
        .await
        .unwrap()
        .stack_id
        .unwrap();
    assert_eq!(status(&settled(&client, &gone).await), "DELETE_COMPLETE");
    assert!(describe(&client, "Gone").await.is_err());
}

#[tokio::test]
async fn a_stack_whose_rollback_was_disabled_can_be_rolled_back_later() {
    let (endpoint, client) = start().await;
    let body = failing(&client).await;
    client.create_stack().stack_name("Kept").template_body(&body).disable_rollback(true).send().await.unwrap();
    settled(&client, "Kept").await;
    client.rollback_stack().stack_name("Kept").send().await.unwrap();
    assert_eq!(status(&settled(&client, "Kept").await), "ROLLBACK_COMPLETE");
    assert_eq!(tables(&endpoint).await, ["taken"]);
}

#[tokio::test]
async fn the_same_request_sent_twice_makes_one_stack() {
    let (_endpoint, client) = start().await;
    let body = template(&table("Table", ""), "");
    let send =
        |token: &str| client.create_stack().stack_name("Once").template_body(&body).client_request_token(token).send();
    let first = send("t-1").await.unwrap().stack_id.unwrap();
    let second = send("t-1").await.unwrap().stack_id.unwrap();
    assert_eq!(first, second);
    let other = send("t-2").await.unwrap_err();
    assert_eq!(message(&other), "AlreadyExistsException: Stack [Once] already exists");
    settled(&client, "Once").await;
    assert_eq!(events(&client, "Once").await[0].client_request_token(), Some("t-1"));
}
