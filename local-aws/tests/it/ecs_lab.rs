//! What the tests of ECS run tasks in: a network, roles, a log group, an image, a cluster and a definition.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use aws_sdk_cloudformation::types::Stack;
use aws_sdk_ecs::operation::run_task::builders::RunTaskFluentBuilder;
use aws_sdk_ecs::types::{
    AwsVpcConfiguration, Compatibility, ContainerDefinition, ContainerOverride, LaunchType, LogConfiguration,
    LogDriver, NetworkConfiguration, NetworkMode, Task, TaskField, TaskOverride,
};
use serde_json::json;

use crate::harness::Endpoint;
use crate::registry_client::{ARCH, Registry};

/// Reference of the test's image: `/job` is a script that runs its first argument.
pub(crate) const IMAGE: &str = "000000000000.dkr.ecr.us-east-1.amazonaws.com/job:1";

/// What the tests need from CloudFormation.
const TEMPLATE: &str = r#"{
  "Resources": {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
    "OtherVpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.1.0.0/16"}},
    "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24"}},
    "SmallSubnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.1.0/28"}},
    "OtherSubnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "OtherVpc"}, "CidrBlock": "10.1.0.0/24"}},
    "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"VpcId": {"Ref": "Vpc"}, "GroupDescription": "tasks"}},
    "OtherGroup": {"Type": "AWS::EC2::SecurityGroup",
      "Properties": {"VpcId": {"Ref": "OtherVpc"}, "GroupDescription": "elsewhere"}},
    "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "tasks"}},
    "ExecutionRole": {"Type": "AWS::IAM::Role", "Properties": {
      "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}]},
      "Policies": [{"PolicyName": "logs", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Resource": "*", "Action": ["logs:CreateLogStream", "logs:PutLogEvents",
          "ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]}]}}]}},
    "TaskRole": {"Type": "AWS::IAM::Role", "Properties": {
      "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole",
         "Condition": {"ArnLike": {"aws:SourceArn": {"Fn::Sub": "arn:aws:ecs:${AWS::Region}:${AWS::AccountId}:*"}}}}]}}},
    "ForeignRole": {"Type": "AWS::IAM::Role", "Properties": {
      "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "fis.amazonaws.com"}, "Action": "sts:AssumeRole"}]}}}
  },
  "Outputs": {
    "Subnet": {"Value": {"Ref": "Subnet"}}, "SmallSubnet": {"Value": {"Ref": "SmallSubnet"}}, "OtherSubnet": {"Value": {"Ref": "OtherSubnet"}},
    "Group": {"Value": {"Ref": "Group"}}, "OtherGroup": {"Value": {"Ref": "OtherGroup"}},
    "ExecutionRole": {"Value": {"Fn::GetAtt": ["ExecutionRole", "Arn"]}},
    "TaskRole": {"Value": {"Fn::GetAtt": ["TaskRole", "Arn"]}},
    "ForeignRole": {"Value": {"Fn::GetAtt": ["ForeignRole", "Arn"]}}
  }
}"#;

/// Clients, and what there is to run tasks with.
pub(crate) struct Lab {
    pub(crate) ecs: aws_sdk_ecs::Client,
    logs: aws_sdk_cloudwatchlogs::Client,
    outputs: HashMap<String, String>,
}

impl Lab {
    /// Sets it up in a new endpoint: cluster `c`, family `job` whose container is called `job`.
    pub(crate) async fn new(config: &SdkConfig) -> Self {
        let registry = Registry::new(config, "job").await;
        registry.push("1", &json!({"Entrypoint": ["/job"], "Cmd": ["echo hello"]}), ARCH).await;
        let outputs = create_stack(config).await;
        let lab = Self::open(config, outputs);
        lab.ecs.create_cluster().cluster_name("c").send().await.unwrap();
        lab.register(lab.container()).await;
        lab
    }

    /// The same after the endpoint was started again.
    pub(crate) fn again(&self, config: &SdkConfig) -> Self {
        Self::open(config, self.outputs.clone())
    }

    fn open(config: &SdkConfig, outputs: HashMap<String, String>) -> Self {
        let (ecs, logs) = (aws_sdk_ecs::Client::new(config), aws_sdk_cloudwatchlogs::Client::new(config));
        Self { ecs, logs, outputs }
    }

    pub(crate) fn output(&self, name: &str) -> &str {
        &self.outputs[name]
    }

    pub(crate) fn container(&self) -> aws_sdk_ecs::types::builders::ContainerDefinitionBuilder {
        let log = LogConfiguration::builder()
            .log_driver(LogDriver::Awslogs)
            .options("awslogs-group", "tasks")
            .options("awslogs-region", "us-east-1")
            .options("awslogs-stream-prefix", "p");
        ContainerDefinition::builder().name("job").image(IMAGE).stop_timeout(2).log_configuration(log.build().unwrap())
    }

    /// The next revision of the family `job`; its ARN.
    pub(crate) async fn register(&self, container: aws_sdk_ecs::types::builders::ContainerDefinitionBuilder) -> String {
        let answer = self
            .ecs
            .register_task_definition()
            .family("job")
            .network_mode(NetworkMode::Awsvpc)
            .requires_compatibilities(Compatibility::Fargate)
            .cpu("256")
            .memory("512")
            .execution_role_arn(self.output("ExecutionRole"))
            .task_role_arn(self.output("TaskRole"))
            .container_definitions(container.build())
            .tags(aws_sdk_ecs::types::Tag::builder().key("fisTarget").value("true").build())
            .send()
            .await
            .unwrap();
        answer.task_definition.unwrap().task_definition_arn.unwrap()
    }

    pub(crate) fn network(&self, subnet: &str, groups: &[&str]) -> NetworkConfiguration {
        let vpc = AwsVpcConfiguration::builder().subnets(subnet);
        let vpc = vpc.set_security_groups(Some(groups.iter().map(|group| (*group).to_owned()).collect()));
        NetworkConfiguration::builder().awsvpc_configuration(vpc.build().unwrap()).build()
    }

    /// A request to run `script`.
    pub(crate) fn run(&self, script: &str) -> RunTaskFluentBuilder {
        let container = ContainerOverride::builder().name("job").command(script).build();
        self.ecs
            .run_task()
            .cluster("c")
            .task_definition("job")
            .launch_type(LaunchType::Fargate)
            .network_configuration(self.network(self.output("Subnet"), &[self.output("Group")]))
            .overrides(TaskOverride::builder().container_overrides(container).build())
    }

    /// Runs `script`; the task's ARN.
    pub(crate) async fn start(&self, script: &str) -> String {
        let answer = self.run(script).send().await.unwrap();
        answer.tasks()[0].task_arn.clone().unwrap()
    }

    /// The credentials of a task in this role, which does nothing itself, and its ARN.
    pub(crate) async fn act_as_task(&self, endpoint: &Endpoint, role: &str) -> (SdkConfig, String) {
        let script = "echo $AWS_CONTAINER_CREDENTIALS_FULL_URI; echo up; exec sleep 600";
        let container = ContainerOverride::builder().name("job").command(script).build();
        let overrides = TaskOverride::builder().container_overrides(container).task_role_arn(role).build();
        let answer = self.run("").overrides(overrides).send().await.unwrap();
        let arn = answer.tasks()[0].task_arn.clone().unwrap();
        self.wait_for_line(&arn, "up").await;
        let (_, credentials) = get(&self.log(&arn).await[0]).await;
        let text = |name: &str| credentials[name].as_str().unwrap().to_owned();
        let config = endpoint.sdk_config_as(&text("AccessKeyId"), &text("SecretAccessKey"), Some(&text("Token")));
        (config, arn)
    }

    pub(crate) async fn describe(&self, task: &str) -> Task {
        let answer = self.ecs.describe_tasks().cluster("c").tasks(task).include(TaskField::Tags).send().await.unwrap();
        answer.tasks()[0].clone()
    }

    pub(crate) async fn wait_for(&self, task: &str, status: &str) -> Task {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let now = self.describe(task).await;
            if now.last_status() == Some(status) {
                return now;
            }
            assert!(Instant::now() < deadline, "{status} is not reached: {now:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn stopped(&self, task: &str) -> Task {
        self.wait_for(task, "STOPPED").await
    }

    pub(crate) async fn stop(&self, task: &str) -> Task {
        self.ecs.stop_task().cluster("c").task(task).send().await.unwrap().task.unwrap()
    }

    /// The task's log; empty when it has no stream.
    pub(crate) async fn log(&self, task: &str) -> Vec<String> {
        let stream = format!("p/job/{}", task.rsplit('/').next().unwrap());
        let mut pages =
            self.logs.filter_log_events().log_group_name("tasks").log_stream_names(stream).into_paginator().send();
        let mut lines = Vec::new();
        while let Some(Ok(page)) = pages.next().await {
            lines.extend(page.events().iter().map(|event| event.message().unwrap().to_owned()));
        }
        lines
    }

    /// The first lines of the task's log.
    pub(crate) async fn head(&self, task: &str, lines: i32) -> Vec<String> {
        let stream = format!("p/job/{}", task.rsplit('/').next().unwrap());
        let get = self.logs.get_log_events().log_group_name("tasks").log_stream_name(stream);
        let page = get.start_from_head(true).limit(lines).send().await;
        page.map(|page| page.events().iter().map(|event| event.message().unwrap().to_owned()).collect())
            .unwrap_or_default()
    }

    pub(crate) async fn wait_for_line(&self, task: &str, wanted: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.log(task).await.iter().any(|line| line == wanted) {
            assert!(Instant::now() < deadline, "no {wanted}: {:?}", self.describe(task).await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A request without a signature, as programs make it: status and body.
pub(crate) async fn get(url: &str) -> (u16, serde_json::Value) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
}

async fn create_stack(config: &SdkConfig) -> HashMap<String, String> {
    let cloudformation = aws_sdk_cloudformation::Client::new(config);
    let create = cloudformation.create_stack().stack_name("lab").template_body(TEMPLATE);
    create.capabilities(aws_sdk_cloudformation::types::Capability::CapabilityIam).send().await.unwrap();
    outputs(&wait_for_stack(&cloudformation, "lab", "CREATE_COMPLETE").await)
}

pub(crate) fn outputs(stack: &Stack) -> HashMap<String, String> {
    let outputs = stack.outputs().iter();
    outputs.map(|one| (one.output_key().unwrap().to_owned(), one.output_value().unwrap().to_owned())).collect()
}

pub(crate) async fn wait_for_stack(cloudformation: &aws_sdk_cloudformation::Client, name: &str, status: &str) -> Stack {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = cloudformation.describe_stacks().stack_name(name).send().await.unwrap();
        let stack = &answer.stacks()[0];
        if stack.stack_status().unwrap().as_str() == status {
            return stack.clone();
        }
        assert!(Instant::now() < deadline, "{stack:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
