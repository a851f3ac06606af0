//! Every operation that the reference page promises is called once with AWS's own client library and answered: no name of
//! an operation stands for a call. What each of them does is tested elsewhere.

mod cloudformation;
mod dynamodb;
mod ecs;
mod events;
mod fis;
mod lambda;
mod logs;
mod rest;
mod sqs;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::boto::Boto;
use crate::ecs_lab::Lab;
use crate::harness::{Endpoint, until};

const PAGE: &str = include_str!("../../../../docs/reference/local-aws.md");

/// What botocore calls the services of a title on the page.
const TITLES: &[(&str, &[&str])] = &[
    ("CloudFormation", &["cloudformation"]),
    ("CloudWatch Logs", &["logs"]),
    ("DynamoDB, DynamoDB Streams", &["dynamodb", "dynamodbstreams"]),
    ("EC2", &["ec2"]),
    ("ECR", &["ecr"]),
    ("ECS", &["ecs"]),
    ("EventBridge", &["events"]),
    ("FIS", &["fis"]),
    ("IAM", &["iam"]),
    ("Lambda", &["lambda"]),
    ("Resource Groups Tagging", &["resourcegroupstaggingapi"]),
    ("Service Quotas", &["service-quotas"]),
    ("SQS", &["sqs"]),
    ("STS", &["sts"]),
];

/// Calls that must succeed, and which have.
struct Calls {
    boto: Boto,
    answered: BTreeSet<(&'static str, String)>,
}

impl Calls {
    fn call(&mut self, service: &'static str, operation: &str, input: &Value) -> Value {
        let answer = self.boto.call(service, operation, input);
        let answer = answer.unwrap_or_else(|refusal| panic!("{service}:{operation} {input}: {refusal:?}"));
        self.answered.insert((service, operation.to_owned()));
        answer
    }

    /// Waits until the stack is in this state.
    async fn stack_is(&mut self, name: &str, status: &str) -> Value {
        until(&format!("{name} {status}"), async || {
            let stacks = self.call("cloudformation", "DescribeStacks", &json!({"StackName": name}));
            (stacks["Stacks"][0]["StackStatus"] == status).then(|| stacks["Stacks"][0].clone())
        })
        .await
    }
}

/// The operations on the page, by title.
fn promised() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let (_, operations) = PAGE.split_once("## Operations\n").unwrap();
    let (operations, _) = operations.split_once("\n## ").unwrap();
    let lines = operations.lines().filter_map(|line| line.strip_prefix("**")?.strip_suffix('.')?.split_once("**: "));
    let promised = lines.map(|(title, names)| (title, names.split(", ").collect()));
    // botocore knows no service that is the endpoint's own: `gate` is tested by itself.
    promised.filter(|(title, _)| !title.ends_with("(the endpoint's own)")).collect()
}

#[tokio::test]
async fn every_operation_on_the_reference_page_is_answered() {
    let endpoint = Endpoint::start().await;
    let lab = Lab::new(&endpoint.sdk_config()).await;
    let mut calls = Calls { boto: Boto::start(endpoint.variables()), answered: BTreeSet::new() };
    cloudformation::all(&mut calls).await;
    dynamodb::all(&mut calls);
    ecs::all(&mut calls, &lab).await;
    events::all(&mut calls);
    lambda::all(&mut calls).await;
    logs::all(&mut calls);
    rest::all(&mut calls, &lab).await;
    sqs::all(&mut calls).await;
    // At the first experiment, FIS makes the role that IAM was asked for.
    fis::all(&mut calls, &lab);
    endpoint.stop().await;
    let promised = promised();
    let titles: BTreeSet<&str> = TITLES.iter().map(|(title, _)| *title).collect();
    assert_eq!(titles, promised.keys().copied().collect());
    for (title, services) in TITLES {
        let answered = calls.answered.iter().filter(|(service, _)| services.contains(service));
        let answered: BTreeSet<&str> = answered.map(|(_, operation)| operation.as_str()).collect();
        assert_eq!(answered, promised[title], "{title}: left what was answered, right what the page promises");
    }
}
