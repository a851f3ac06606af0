//! Queues: how they come, what they show, and what they are called.

use aws_sdk_sqs::types::QueueAttributeName as Name;

use super::*;

#[tokio::test]
async fn a_new_queue_has_the_attributes_that_aws_gives_it() {
    let endpoint = Endpoint::start().await;
    let (sqs, url) = queue(&endpoint, "q").await;
    assert_eq!(url, format!("{}/000000000000/q", endpoint.url()));
    let answer = sqs.get_queue_attributes().queue_url(&url).attribute_names(Name::All).send().await.unwrap();
    let mut attributes = answer.attributes.unwrap();
    let created = attributes.remove(&Name::CreatedTimestamp).unwrap();
    assert_eq!(attributes.remove(&Name::LastModifiedTimestamp), Some(created.clone()));
    assert_eq!(created.len(), 10);
    let expected = [
        (Name::ApproximateNumberOfMessages, "0"),
        (Name::ApproximateNumberOfMessagesDelayed, "0"),
        (Name::ApproximateNumberOfMessagesNotVisible, "0"),
        (Name::DelaySeconds, "0"),
        (Name::MaximumMessageSize, "1048576"),
        (Name::MessageRetentionPeriod, "345600"),
        (Name::QueueArn, "arn:aws:sqs:us-east-1:000000000000:q"),
        (Name::ReceiveMessageWaitTimeSeconds, "0"),
        (Name::SqsManagedSseEnabled, "true"),
        (Name::VisibilityTimeout, "30"),
    ];
    let expected = expected.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    assert_eq!(attributes, expected);
    assert_eq!(sqs.get_queue_attributes().queue_url(&url).send().await.unwrap().attributes, None);
    assert_eq!(attribute(&sqs, &url, Name::RedrivePolicy).await, None);
    assert_eq!(sqs.list_queue_tags().queue_url(&url).send().await.unwrap().tags, None);
}

#[tokio::test]
async fn a_queue_is_made_once_and_found_by_its_name() {
    let endpoint = Endpoint::start().await;
    let (sqs, url) = queue(&endpoint, "q").await;
    let again = |name: Name, value: &str| sqs.create_queue().queue_name("q").attributes(name, value).send();
    assert_eq!(again(Name::VisibilityTimeout, "30").await.unwrap().queue_url(), Some(url.as_str()));
    assert_eq!(
        refusal(&again(Name::DelaySeconds, "1").await.unwrap_err()),
        (
            "QueueAlreadyExists".to_owned(),
            "A queue already exists with the same name and a different value for attribute DelaySeconds".to_owned()
        )
    );
    assert_eq!(sqs.get_queue_url().queue_name("q").send().await.unwrap().queue_url(), Some(url.as_str()));
    for name in ["b", "ab", "abc"] {
        queue(&endpoint, name).await;
    }
    let names =
        |answer: &[String]| answer.iter().map(|url| url.rsplit('/').next().unwrap().to_owned()).collect::<Vec<_>>();
    let list = sqs.list_queues().queue_name_prefix("ab").send().await.unwrap();
    assert_eq!(names(list.queue_urls()), ["ab", "abc"]);
    let mut pages = sqs.list_queues().max_results(3).into_paginator().send();
    let mut all = Vec::new();
    while let Some(page) = pages.next().await {
        all.push(names(page.unwrap().queue_urls()));
    }
    assert_eq!(all, [vec!["ab", "abc", "b"], vec!["q"]]);
}

#[tokio::test]
async fn tags_are_set_taken_away_and_found_by_the_tagging_api() {
    let endpoint = Endpoint::start().await;
    let sqs = Client::new(&endpoint.sdk_config());
    let create = sqs.create_queue().queue_name("q").tags("team", "blue").tags("lab", "1");
    let url = create.send().await.unwrap().queue_url.unwrap();
    sqs.tag_queue().queue_url(&url).tags("team", "red").send().await.unwrap();
    sqs.untag_queue().queue_url(&url).tag_keys("lab").send().await.unwrap();
    let tags = sqs.list_queue_tags().queue_url(&url).send().await.unwrap().tags.unwrap();
    assert_eq!(tags, [("team".to_owned(), "red".to_owned())].into());
    let tagging = aws_sdk_resourcegroupstagging::Client::new(&endpoint.sdk_config());
    let found = tagging.get_resources().resource_type_filters("sqs").send().await.unwrap();
    let found: Vec<_> = found.resource_tag_mapping_list().iter().filter_map(|it| it.resource_arn()).collect();
    assert_eq!(found, ["arn:aws:sqs:us-east-1:000000000000:q"]);
}
