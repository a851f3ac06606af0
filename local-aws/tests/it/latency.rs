//! Latencies as on AWS: what comes after what, what is seen meanwhile, what a kill and a failure do to a wait.

use aws_sdk_cloudformation::Client;
use local_aws::{Latency, Options};
use serde_json::json;

use crate::boto::Boto;
use crate::cloudformation::{
    begun, create, describe, events, resources, settled, status, story, table, tables, template,
};
use crate::harness::{Endpoint, until};
use crate::network::NETWORK;

async fn start(speed: f64) -> (Endpoint, Client) {
    let endpoint = Endpoint::start_with(Options { latency: Latency::aws(speed).unwrap(), ..Options::default() }).await;
    let client = Client::new(&endpoint.sdk_config());
    (endpoint, client)
}

/// Waits until an event says this.
async fn told(client: &Client, name: &str, line: &str) {
    until(line, async || story(client, name).await.iter().any(|it| it == line).then_some(())).await;
}

fn position(story: &[String], line: &str) -> usize {
    story.iter().position(|it| it == line).unwrap_or_else(|| panic!("{line}: {story:#?}"))
}

fn count(story: &[String], line: &str) -> usize {
    story.iter().filter(|it| *it == line).count()
}

#[tokio::test]
async fn resources_take_their_time_at_the_same_time_and_dependents_wait_for_the_end() {
    let (_endpoint, client) = start(100.0).await;
    let body = template(&(table("A", "") + &table("B", "") + &table("C", "    DependsOn: A")), "");
    let id = create(&client, "Times", &body).await;
    assert_eq!(status(&settled(&client, &id).await), "CREATE_COMPLETE");
    let created = story(&client, &id).await;
    let at = |line: &str| position(&created, line);
    assert!(at("A CREATE_IN_PROGRESS") < at("A CREATE_IN_PROGRESS [Resource creation Initiated]"));
    assert!(at("B CREATE_IN_PROGRESS [Resource creation Initiated]") < at("A CREATE_COMPLETE"));
    assert!(at("A CREATE_IN_PROGRESS [Resource creation Initiated]") < at("B CREATE_COMPLETE"));
    assert!(at("A CREATE_COMPLETE") < at("C CREATE_IN_PROGRESS"));
    client.delete_stack().stack_name(&id).send().await.unwrap();
    assert_eq!(status(&settled(&client, &id).await), "DELETE_COMPLETE");
    let gone = story(&client, &id).await;
    assert!(position(&gone, "C DELETE_COMPLETE") < position(&gone, "A DELETE_IN_PROGRESS"));
}

const QUEUES: &str = "  Dead: {Type: AWS::SQS::Queue}
  Queue:
    Type: AWS::SQS::Queue
    Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 5}}
  After: {Type: AWS::SQS::Queue, DependsOn: Queue, Properties: {Tags: [{Key: a, Value: !Ref Dead}]}}
";

#[tokio::test]
async fn what_refers_to_a_resource_begins_when_that_is_configured_and_what_depends_on_it_when_it_is_complete() {
    let (_endpoint, client) = start(40.0).await;
    let id = create(&client, "Optimistic", &template(QUEUES, "")).await;
    assert_eq!(status(&settled(&client, &id).await), "CREATE_COMPLETE");
    let created = story(&client, &id).await;
    let at = |line: &str| position(&created, line);
    let configured = at("Dead CREATE_IN_PROGRESS [Eventual consistency check initiated]");
    assert!(at("Dead CREATE_IN_PROGRESS [Resource creation Initiated]") < configured);
    assert!(configured < at("Queue CREATE_IN_PROGRESS"));
    assert!(at("Queue CREATE_IN_PROGRESS [Eventual consistency check initiated]") < at("Dead CREATE_COMPLETE"));
    assert!(at("Queue CREATE_COMPLETE") < at("After CREATE_IN_PROGRESS"));
    let detailed: Vec<_> = events(&client, &id).await.into_iter().filter(|it| it.detailed_status().is_some()).collect();
    assert!(detailed.iter().all(|it| it.detailed_status().unwrap().as_str() == "CONFIGURATION_COMPLETE"));
    assert_eq!(detailed.len(), 3);
}

#[tokio::test]
async fn a_kill_while_a_resource_becomes_consistent_lets_what_was_begun_go_on() {
    let (endpoint, client) = start(20.0).await;
    let id = create(&client, "KilledOptimistic", &template(QUEUES, "")).await;
    told(&client, &id, "Queue CREATE_IN_PROGRESS [Eventual consistency check initiated]").await;
    let endpoint = endpoint.restart().await;
    let client = Client::new(&endpoint.sdk_config());
    assert_eq!(status(&settled(&client, &id).await), "CREATE_COMPLETE");
    let created = story(&client, &id).await;
    for name in ["Dead", "Queue", "After"] {
        for end in ["", " [Resource creation Initiated]", " [Eventual consistency check initiated]"] {
            assert_eq!(count(&created, &format!("{name} CREATE_IN_PROGRESS{end}")), 1, "{created:#?}");
        }
        assert_eq!(count(&created, &format!("{name} CREATE_COMPLETE")), 1, "{created:#?}");
    }
}

#[tokio::test]
async fn a_nat_gateway_is_pending_then_available_and_deleting_before_it_is_gone() {
    let (endpoint, client) = start(40.0).await;
    let mut boto = Boto::start(endpoint.variables());
    let mut state = || {
        let answer = boto.call("ec2", "DescribeNatGateways", &json!({})).unwrap();
        answer["NatGateways"][0]["State"].as_str().map(str::to_owned)
    };
    // botocore is ready before there is something to see.
    assert_eq!(state(), None);
    let id = create(&client, "Network", NETWORK).await;
    let mut seen = Vec::new();
    let mut watch = async |last: &str| {
        until(last, async || {
            // The stack first: it ends after what is seen of the gateway.
            let is_over = status(&describe(&client, &id).await.unwrap()) == last;
            seen.push(state());
            is_over.then_some(())
        })
        .await;
    };
    watch("CREATE_COMPLETE").await;
    client.delete_stack().stack_name(&id).send().await.unwrap();
    watch("DELETE_COMPLETE").await;
    seen.dedup();
    assert_eq!(seen.into_iter().flatten().collect::<Vec<_>>(), ["pending", "available", "deleting"]);
}

#[tokio::test]
async fn a_failure_cancels_what_is_waited_for() {
    let (endpoint, client) = start(10.0).await;
    // Fails a second after the table was begun, two seconds before that would be complete.
    let bad = "  Cluster:\n    Type: AWS::ECS::Cluster\n  Bad:\n    Type: AWS::EC2::Subnet\n    DependsOn: Cluster\n    \
               Properties: {VpcId: vpc-00000000000000000, CidrBlock: 10.0.0.0/24}\n";
    let id = create(&client, "Fails", &template(&(table("Slow", "") + bad), "")).await;
    assert_eq!(status(&settled(&client, &id).await), "ROLLBACK_COMPLETE");
    let story = story(&client, &id).await;
    assert!(
        position(&story, "Slow CREATE_FAILED [Resource creation cancelled]")
            < position(&story, "Slow DELETE_IN_PROGRESS")
    );
    assert_eq!(count(&story, "Slow CREATE_COMPLETE"), 0, "{story:#?}");
    assert!(tables(&endpoint).await.is_empty());
}

#[tokio::test]
async fn a_deletion_does_not_wait_for_the_creation_that_it_ends() {
    let (endpoint, client) = start(10.0).await;
    let id = create(&client, "Ends", &template(&table("Slow", ""), "")).await;
    told(&client, &id, "Slow CREATE_IN_PROGRESS [Resource creation Initiated]").await;
    client.delete_stack().stack_name(&id).send().await.unwrap();
    assert_eq!(status(&settled(&client, &id).await), "DELETE_COMPLETE");
    let story = story(&client, &id).await;
    position(&story, "Slow CREATE_FAILED [Resource creation cancelled]");
    assert_eq!(count(&story, "Slow CREATE_COMPLETE"), 0, "{story:#?}");
    assert!(tables(&endpoint).await.is_empty());
}

#[tokio::test]
async fn a_kill_in_a_wait_neither_repeats_nor_shortens_it() {
    let (endpoint, client) = start(10.0).await;
    let initiated = "Slow CREATE_IN_PROGRESS [Resource creation Initiated]";
    let id = create(&client, "Killed", &template(&table("Slow", ""), "")).await;
    told(&client, &id, initiated).await;
    let physical_id = resources(&client, &id).await["Slow"].clone();
    let endpoint = endpoint.restart().await;
    let client = Client::new(&endpoint.sdk_config());
    assert_eq!(status(&settled(&client, &id).await), "CREATE_COMPLETE");
    assert_eq!(resources(&client, &id).await["Slow"], physical_id);
    assert_eq!(tables(&endpoint).await, [physical_id]);
    let created = story(&client, &id).await;
    for line in ["Slow CREATE_IN_PROGRESS", initiated, "Slow CREATE_COMPLETE"] {
        assert_eq!(count(&created, line), 1, "{created:#?}");
    }
    let all = events(&client, &id).await;
    let time = |index: usize| all[index].timestamp().unwrap().as_secs_f64();
    let took = time(position(&created, "Slow CREATE_COMPLETE")) - time(position(&created, "Slow CREATE_IN_PROGRESS"));
    // By the endpoint's own times: a busy machine only adds to them.
    assert!(took > 2.9, "a table takes 30 s, here a tenth of that: {took}");

    let delete = client.delete_stack().stack_name(&id).send();
    begun(&client, &id, delete).await;
    told(&client, &id, "Slow DELETE_IN_PROGRESS").await;
    let endpoint = endpoint.restart().await;
    let client = Client::new(&endpoint.sdk_config());
    assert_eq!(status(&settled(&client, &id).await), "DELETE_COMPLETE");
    assert_eq!(count(&story(&client, &id).await, "Slow DELETE_IN_PROGRESS"), 1);
    assert!(tables(&endpoint).await.is_empty());
}
