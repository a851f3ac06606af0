//! What an update makes of a table: applied, replaced or refused, as on AWS.

use super::*;

const NAMED: &str = "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename mine and update the stack again.";

/// A table with these attributes, and further properties (YAML, six blanks deep).
fn body(types: &[(&str, &str)], more: &str) -> String {
    let definitions: Vec<String> =
        types.iter().map(|(name, kind)| format!("{{AttributeName: {name}, AttributeType: {kind}}}")).collect();
    let whole = table("Table", more);
    let whole = whole.replace("[{AttributeName: Id, AttributeType: S}]", &format!("[{}]", definitions.join(", ")));
    template(&whole, "")
}

fn index(name: &str, key: &str, projection: &str) -> String {
    format!(
        "{{IndexName: {name}, KeySchema: [{{AttributeName: {key}, KeyType: HASH}}], Projection: {{ProjectionType: {projection}}}}}"
    )
}

fn indexes(indexes: &[String]) -> String {
    format!("      GlobalSecondaryIndexes: [{}]", indexes.join(", "))
}

/// How the update ends, and why the table failed if it did.
async fn updated(client: &Client, body: &str) -> (String, Option<String>) {
    client.update_stack().stack_name("Lab").template_body(body).send().await.unwrap();
    let end = status(&settled(client, "Lab").await).to_owned();
    let story = story(client, "Lab").await;
    let begin = story.iter().rposition(|line| line.contains("[User Initiated]")).unwrap();
    let failed = story[begin..].iter().find_map(|line| line.strip_prefix("Table UPDATE_FAILED ["));
    (end, failed.map(|reason| reason.trim_end_matches(']').to_owned()))
}

#[tokio::test]
async fn another_type_of_an_attribute_is_another_table() {
    let (endpoint, client) = start().await;
    created(&client, "Lab", &body(&[("Id", "S")], "")).await;
    let before = resources(&client, "Lab").await;
    assert_eq!(updated(&client, &body(&[("Id", "N")], "")).await.0, "UPDATE_COMPLETE");
    let after = resources(&client, "Lab").await;
    assert_ne!(before["Table"], after["Table"]);
    let dynamodb = aws_sdk_dynamodb::Client::new(&endpoint.sdk_config());
    let made = dynamodb.describe_table().table_name(&after["Table"]).send().await.unwrap().table.unwrap();
    assert_eq!(made.attribute_definitions()[0].attribute_type().as_str(), "N");
}

#[tokio::test]
async fn a_named_table_does_not_get_another_type_of_an_attribute() {
    let (_endpoint, client) = start().await;
    created(&client, "Lab", &body(&[("Id", "S")], "      TableName: mine")).await;
    for _ in 0..2 {
        let (end, reason) = updated(&client, &body(&[("Id", "N")], "      TableName: mine")).await;
        assert_eq!((end.as_str(), reason.as_deref()), ("UPDATE_ROLLBACK_COMPLETE", Some(NAMED)));
    }
}

#[tokio::test]
async fn indexes_do_not_change_and_come_and_go_one_at_a_time() {
    let (_endpoint, client) = start().await;
    let types = [("Id", "S"), ("A", "S"), ("B", "S")];
    let (one, two) = (index("one", "A", "ALL"), index("two", "B", "ALL"));
    created(&client, "Lab", &body(&types[..2], &indexes(std::slice::from_ref(&one)))).await;
    let fixed = "Cannot update GSI's properties other than Provisioned Throughput and Contributor Insights Specification. You can create a new GSI with a different name.";
    let single = "Cannot perform more than one GSI creation or deletion in a single update";
    for (attributes, more, reason) in [
        (&[types[0], types[2]][..], indexes(&[index("one", "B", "ALL")]), fixed),
        (&types[..2], indexes(&[index("one", "A", "KEYS_ONLY")]), fixed),
        (&[types[0], types[2]], indexes(std::slice::from_ref(&two)), single),
        (&types, indexes(&[one.clone(), two.clone(), index("three", "B", "ALL")]), single),
    ] {
        let (end, failed) = updated(&client, &body(attributes, &more)).await;
        assert_eq!((end.as_str(), failed.as_deref()), ("UPDATE_ROLLBACK_COMPLETE", Some(reason)), "{more}");
    }
    assert_eq!(updated(&client, &body(&types, &indexes(&[one, two.clone()]))).await.0, "UPDATE_COMPLETE");
    assert_eq!(updated(&client, &body(&[types[0], types[2]], &indexes(&[two]))).await.0, "UPDATE_COMPLETE");
}

#[tokio::test]
async fn a_time_to_live_is_switched_off_before_it_is_another() {
    let (endpoint, client) = start().await;
    let with = |name: &str, enabled: bool| {
        body(&[("Id", "S")], &format!("      TimeToLiveSpecification: {{AttributeName: {name}, Enabled: {enabled}}}"))
    };
    created(&client, "Lab", &with("a", true)).await;
    let (end, reason) = updated(&client, &with("b", true)).await;
    let words = "TimeToLive is active on a different AttributeName: current AttributeName is a";
    assert_eq!((end.as_str(), reason.as_deref()), ("UPDATE_ROLLBACK_COMPLETE", Some(words)));
    assert_eq!(updated(&client, &with("a", false)).await.0, "UPDATE_COMPLETE");
    assert_eq!(updated(&client, &with("b", true)).await.0, "UPDATE_COMPLETE");
    let dynamodb = aws_sdk_dynamodb::Client::new(&endpoint.sdk_config());
    let name = resources(&client, "Lab").await["Table"].clone();
    let shown = dynamodb.describe_time_to_live().table_name(name).send().await.unwrap();
    let shown = shown.time_to_live_description.unwrap();
    assert_eq!((shown.attribute_name(), shown.time_to_live_status().unwrap().as_str()), (Some("b"), "ENABLED"));
}
