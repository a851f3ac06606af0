//! Tasks: their life, their programs, and what is refused.

use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_ecs::types::{
    CapacityProviderStrategyItem, Compatibility, ContainerOverride, DesiredStatus, KeyValuePair, LaunchType,
    NetworkMode, PropagateTags, Tag, TaskOverride, TaskStopCode,
};
use serde_json::json;

use crate::ecs_lab::{Lab, get};
use crate::harness::Endpoint;
use crate::registry_client::{ARCH, Registry};

async fn lab() -> (Endpoint, Lab) {
    let endpoint = Endpoint::start().await;
    let lab = Lab::new(&endpoint.sdk_config()).await;
    (endpoint, lab)
}

/// Code and message of the error.
macro_rules! refusal {
    ($call:expr) => {{
        let error = $call.send().await.unwrap_err();
        (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
    }};
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

#[tokio::test]
async fn a_task_runs_to_its_end() {
    let (endpoint, lab) = lab().await;
    let answer = lab
        .run("echo first; echo second >&2; printf last; exit 3")
        .started_by("run/1")
        .propagate_tags(PropagateTags::TaskDefinition)
        .tags(tag("own", "1"))
        .send()
        .await
        .unwrap();
    assert!(answer.failures().is_empty());
    let task = &answer.tasks()[0];
    assert_eq!(task.last_status(), Some("PROVISIONING"));
    assert_eq!(task.desired_status(), Some("RUNNING"));
    assert_eq!(task.group(), Some("family:job"));
    let mut tags: Vec<_> = task.tags().iter().map(|tag| (tag.key().unwrap(), tag.value().unwrap())).collect();
    tags.sort_unstable();
    assert_eq!(tags, [("fisTarget", "true"), ("own", "1")]);

    let arn = task.task_arn().unwrap();
    let task = lab.stopped(arn).await;
    assert_eq!(task.stop_code(), Some(&TaskStopCode::EssentialContainerExited));
    assert_eq!(task.stopped_reason(), Some("Essential container in task exited"));
    assert_eq!(task.desired_status(), Some("STOPPED"));
    assert!(task.tags().is_empty());
    let container = &task.containers()[0];
    assert_eq!(container.exit_code(), Some(3));
    assert_eq!(container.last_status(), Some("STOPPED"));
    assert!(container.image_digest().unwrap().starts_with("sha256:"));
    let (id, number) = container.runtime_id().unwrap().split_once('-').unwrap();
    assert!(arn.ends_with(id) && number.len() == 10);
    let times = [
        task.created_at(),
        task.connectivity_at(),
        task.pull_started_at(),
        task.pull_stopped_at(),
        task.started_at(),
        task.execution_stopped_at(),
        task.stopped_at(),
    ];
    let times: Vec<f64> = times.iter().map(|time| time.unwrap().as_secs_f64()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let details = task.attachments()[0].details();
    let address = details.iter().find(|pair| pair.name() == Some("privateIPv4Address")).unwrap();
    assert!(address.value().unwrap().starts_with("10.0.0."));
    assert_eq!(lab.log(arn).await, ["first", "second", "last"]);
    assert!(!endpoint.state_dir().join("tasks").join(id).exists());
}

#[tokio::test]
async fn stopping_is_sigterm_first_and_sigkill_after_the_grace() {
    let (_endpoint, lab) = lab().await;
    let polite = lab.start("trap 'echo bye; exit 143' TERM; echo up; while :; do sleep 0.01; done").await;
    let stubborn = lab.start("trap '' TERM; echo up; while :; do sleep 0.01; done").await;
    lab.wait_for_line(&polite, "up").await;
    lab.wait_for_line(&stubborn, "up").await;
    let task = lab.stop(&polite).await;
    assert_eq!((task.last_status(), task.desired_status()), (Some("RUNNING"), Some("STOPPED")));
    assert_eq!(task.stop_code(), Some(&TaskStopCode::UserInitiated));
    let reason = "Task stopped by AWS FIS (Experiment ID: EXP1)";
    lab.ecs.stop_task().cluster("c").task(&stubborn).reason(reason).send().await.unwrap();

    let task = lab.stopped(&polite).await;
    assert_eq!(task.stopped_reason(), Some("Task stopped by user"));
    assert_eq!(task.containers()[0].exit_code(), Some(143));
    assert_eq!(lab.log(&polite).await, ["up", "bye"]);
    let task = lab.stopped(&stubborn).await;
    assert_eq!(task.stopped_reason(), Some(reason));
    assert_eq!(task.containers()[0].exit_code(), Some(137));
    let seconds = task.execution_stopped_at().unwrap().as_secs_f64() - task.stopping_at().unwrap().as_secs_f64();
    assert!((1.9..4.0).contains(&seconds), "{seconds}");
    // Stopping what is stopped changes nothing.
    assert_eq!(lab.stop(&stubborn).await.stopped_reason(), Some(reason));
}

#[tokio::test]
async fn a_program_finds_its_environment_its_role_and_itself() {
    let (endpoint, lab) = lab().await;
    let variables = |pairs: &[(&str, &str)]| {
        let pair = |(name, value): &(&str, &str)| KeyValuePair::builder().name(*name).value(*value).build();
        Some(pairs.iter().map(pair).collect::<Vec<_>>())
    };
    lab.register(lab.container().set_environment(variables(&[("A", "definition"), ("B", "definition")]))).await;
    let script = "echo $A $B $AWS_REGION $AWS_EXECUTION_ENV $HOME; echo $AWS_CONTAINER_CREDENTIALS_FULL_URI; \
                  echo $ECS_CONTAINER_METADATA_URI_V4; echo $AWS_ENDPOINT_URL; echo done; sleep 60";
    let container =
        ContainerOverride::builder().name("job").command(script).set_environment(variables(&[("B", "override")]));
    let overrides = TaskOverride::builder().container_overrides(container.build()).build();
    let answer = lab.run("").overrides(overrides).send().await.unwrap();
    let arn = answer.tasks()[0].task_arn().unwrap();
    lab.wait_for_line(arn, "done").await;
    let log = lab.log(arn).await;
    let rootfs = endpoint.state_dir().join("rootfs");
    assert!(
        log[0].starts_with(&format!("definition override us-east-1 AWS_ECS_FARGATE {}", rootfs.display())),
        "{log:?}"
    );
    assert_eq!(log[3], endpoint.url());

    let (status, credentials) = get(&log[1]).await;
    assert_eq!(status, 200, "{credentials}");
    assert_eq!(credentials["RoleArn"], lab.output("TaskRole"));
    assert_eq!(get(&log[1]).await.1, credentials, "made once");
    let text = |name: &str| credentials[name].as_str().unwrap().to_owned();
    let config = endpoint.sdk_config_as(&text("AccessKeyId"), &text("SecretAccessKey"), Some(&text("Token")));
    let identity = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await.unwrap();
    let (role, id) = (lab.output("TaskRole").rsplit('/').next().unwrap(), arn.rsplit('/').next().unwrap());
    assert!(identity.arn().unwrap().ends_with(&format!(":assumed-role/{role}/{id}")));

    let (_, container) = get(&log[2]).await;
    assert_eq!(container["Labels"]["com.amazonaws.ecs.task-arn"], arn);
    let (_, task) = get(&format!("{}/task", log[2])).await;
    assert_eq!((&task["TaskARN"], &task["KnownStatus"]), (&json!(arn), &json!("RUNNING")));
    assert_eq!(task["Containers"][0], container);
    assert_eq!(get(&format!("{}/stats", log[2])).await.0, 404);
    assert_eq!(get(&format!("{}/v2/credentials/none", endpoint.url())).await.0, 404);

    lab.stop(arn).await;
    lab.stopped(arn).await;
    assert_eq!(get(&log[1]).await.0, 404);
    assert!(aws_sdk_sts::Client::new(&config).get_caller_identity().send().await.is_err());
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let (endpoint, lab) = lab().await;
    let registry = Registry::new(&endpoint.sdk_config(), "lab").await;
    registry.push("none", &json!({}), ARCH).await;
    registry.push("missing", &json!({"Entrypoint": ["/nothing"]}), ARCH).await;
    let image = |tag: &str| format!("{}:{tag}", registry.uri());
    let log = |group: &str| {
        let log = lab.container().build().log_configuration().unwrap().clone();
        let mut options = log.options.clone().unwrap();
        options.insert("awslogs-group".into(), group.into());
        aws_sdk_ecs::types::LogConfiguration::builder().log_driver(log.log_driver).set_options(Some(options)).build()
    };
    let cases = [
        (
            lab.container().image("r/x:9"),
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref r/x:9: r/x:9: not found",
        ),
        (
            lab.container().image(image("9")),
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref 000000000000.dkr.ecr.us-east-1.amazonaws.com/lab:9: 000000000000.dkr.ecr.us-east-1.amazonaws.com/lab:9: not found",
        ),
        (lab.container().image(image("none")), "CannotCreateContainerError: no command specified"),
        (lab.container().image(image("missing")), "CannotStartContainerError: "),
        (
            lab.container().log_configuration(log("no-such-group").unwrap()),
            "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException",
        ),
    ];
    for (container, expected) in cases {
        lab.register(container).await;
        let run = lab.run("").set_overrides(None).send().await.unwrap();
        let task = lab.stopped(run.tasks()[0].task_arn().unwrap()).await;
        assert_eq!(task.stop_code(), Some(&TaskStopCode::TaskFailedToStart));
        assert!(task.stopped_reason().unwrap().starts_with(expected), "{task:?}");
        assert_eq!(task.containers()[0].reason(), task.stopped_reason());
        assert_eq!((task.containers()[0].exit_code(), task.started_at()), (None, None));
    }

    let other = if ARCH == "amd64" { "arm64" } else { "amd64" };
    registry.push("other", &json!({"Entrypoint": ["/job"]}), other).await;
    lab.register(lab.container().image(image("other"))).await;
    let arn = lab.start("echo never").await;
    assert_eq!(lab.stopped(&arn).await.containers()[0].exit_code(), Some(255));
    assert_eq!(lab.log(&arn).await, ["exec /job: exec format error"]);
}

#[tokio::test]
async fn a_subnet_without_a_free_address_lets_the_task_fail() {
    let (_endpoint, lab) = lab().await;
    let small = || lab.network(lab.output("SmallSubnet"), &[]);
    let run = |count| lab.run("exec sleep 60").network_configuration(small()).count(count);
    // Of the 16 addresses AWS keeps five.
    let mut running = Vec::new();
    for count in [10, 1] {
        let answer = run(count).send().await.unwrap();
        running.extend(answer.tasks().iter().map(|task| task.task_arn.clone().unwrap()));
    }
    let mut addresses = std::collections::BTreeSet::new();
    for arn in &running {
        let task = lab.wait_for(arn, "RUNNING").await;
        let details = task.attachments()[0].details().iter();
        let address = details.clone().find(|pair| pair.name() == Some("privateIPv4Address")).unwrap();
        addresses.insert(address.value().unwrap().to_owned());
    }
    assert_eq!(addresses.len(), 11, "{addresses:?}");
    let one_more = run(1).send().await.unwrap().tasks()[0].task_arn.clone().unwrap();
    let task = lab.stopped(&one_more).await;
    assert_eq!(task.stop_code(), Some(&TaskStopCode::TaskFailedToStart));
    let reason = format!(
        "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment disabled in subnet '{}': InsufficientFreeAddressesInSubnet",
        lab.output("SmallSubnet")
    );
    assert_eq!(task.stopped_reason(), Some(reason.as_str()));
    // An address that is given back is there for the next.
    lab.stop(&running[0]).await;
    lab.stopped(&running[0]).await;
    running[0] = run(1).send().await.unwrap().tasks()[0].task_arn.clone().unwrap();
    lab.wait_for(&running[0], "RUNNING").await;
    for arn in &running {
        lab.stop(arn).await;
    }
    for arn in &running {
        lab.stopped(arn).await;
    }
}

#[tokio::test]
async fn requests_that_fargate_refuses_run_nothing() {
    let (_endpoint, lab) = lab().await;
    let invalid = |message: &str| ("InvalidParameterException".to_owned(), message.to_owned());
    let subnet = lab.output("Subnet").to_owned();
    assert_eq!(refusal!(lab.run("").count(11)), invalid("Count cannot exceed 10."));
    let refused = refusal!(lab.run("").cluster("none"));
    assert_eq!(refused, ("ClusterNotFoundException".into(), "Cluster not found.".into()));
    let refused = refusal!(lab.run("").task_definition("none"));
    assert_eq!(refused, ("ClientException".into(), "TaskDefinition not found.".into()));
    let refused = refusal!(lab.run("").set_network_configuration(None));
    assert_eq!(refused, invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified."));
    let refused = refusal!(lab.run("").network_configuration(lab.network("subnet-0", &[])));
    assert_eq!(
        refused,
        invalid(
            "Error retrieving subnet information for [subnet-0]: The subnet ID 'subnet-0' does not exist (ErrorCode: InvalidSubnetID.NotFound)"
        )
    );
    let refused = refusal!(lab.run("").network_configuration(lab.network(&subnet, &["sg-0"])));
    assert!(refused.1.starts_with("Error retrieving security group information for [sg-0]"), "{refused:?}");
    let other = lab.output("OtherGroup");
    let refused = refusal!(lab.run("").network_configuration(lab.network(&subnet, &[other])));
    let message = format!("Security group {other} does not appear to belong to the same VPC as the input subnets.");
    assert_eq!(refused, invalid(&message));
    let refused = refusal!(lab.run("").set_launch_type(None));
    assert_eq!(refused, invalid("No Container Instances were found in your cluster."));
    let container = ContainerOverride::builder().name("other").build();
    let overrides = TaskOverride::builder().container_overrides(container).build();
    let refused = refusal!(lab.run("").overrides(overrides));
    assert_eq!(refused, invalid("Override for container named other is not a container in the TaskDefinition."));
    for role in [lab.output("ForeignRole"), "arn:aws:iam::000000000000:role/none"] {
        let refused = refusal!(lab.run("").overrides(TaskOverride::builder().task_role_arn(role).build()));
        assert_eq!(refused.0, "ClientException");
        assert!(refused.1.starts_with(&format!("ECS was unable to assume the role '{role}'")), "{refused:?}");
    }
    let refused = refusal!(lab.run("").reference_id("x"));
    assert!(refused.1.contains("referenceId"), "{refused:?}");
    let refused = refusal!(lab.run("").tags(tag("aws:x", "1")));
    assert_eq!(refused.0, "InvalidParameterException");
    let refused = refusal!(lab.ecs.stop_task().cluster("c").task("0".repeat(32)));
    assert_eq!(refused, invalid("The referenced task was not found."));
    assert!(lab.ecs.list_tasks().cluster("c").send().await.unwrap().task_arns().is_empty());
}

#[tokio::test]
async fn a_strategy_takes_the_place_of_a_launch_type() {
    let (_endpoint, lab) = lab().await;
    let item = |name: &str| CapacityProviderStrategyItem::builder().capacity_provider(name).weight(1).build().unwrap();
    let run = || lab.run("exit 0").set_launch_type(None).capacity_provider_strategy(item("FARGATE"));
    assert!(refusal!(run()).1.contains("not associated with the cluster"));
    let put = || lab.ecs.put_cluster_capacity_providers().cluster("c").set_default_capacity_provider_strategy(None);
    put().capacity_providers("FARGATE").set_default_capacity_provider_strategy(Some(Vec::new())).send().await.unwrap();
    assert!(
        refusal!(put().capacity_providers("FARGATE_SPOT").default_capacity_provider_strategy(item("FARGATE_SPOT")))
            .1
            .contains("FARGATE_SPOT")
    );
    let task = run().send().await.unwrap();
    assert_eq!(task.tasks()[0].capacity_provider_name(), Some("FARGATE"));
    lab.stopped(task.tasks()[0].task_arn().unwrap()).await;
    let both = run().launch_type(LaunchType::Fargate);
    assert!(refusal!(both).1.starts_with("Specifying both a launch type and capacity provider strategy"));
}

#[tokio::test]
async fn a_token_runs_its_tasks_once() {
    let (_endpoint, lab) = lab().await;
    let arns = |tasks: &[aws_sdk_ecs::types::Task]| tasks.iter().map(|task| task.task_arn.clone()).collect::<Vec<_>>();
    let first = lab.run("sleep 60").count(2).client_token("t").send().await.unwrap();
    let second = lab.run("sleep 60").count(2).client_token("t").send().await.unwrap();
    assert_eq!(arns(first.tasks()), arns(second.tasks()));
    let error = lab.run("sleep 61").client_token("t").send().await.unwrap_err().into_service_error();
    let aws_sdk_ecs::operation::run_task::RunTaskError::ConflictException(conflict) = error else {
        panic!("{error:?}");
    };
    assert_eq!(conflict.resource_ids().len(), 2);
    assert_eq!(lab.ecs.list_tasks().cluster("c").send().await.unwrap().task_arns().len(), 2);
    for task in first.tasks() {
        lab.stop(task.task_arn().unwrap()).await;
        lab.stopped(task.task_arn().unwrap()).await;
    }
}

#[tokio::test]
async fn tasks_are_found_by_what_they_are() {
    let (_endpoint, lab) = lab().await;
    let running = lab.run("sleep 60").started_by("me").count(3).send().await.unwrap();
    let running: Vec<String> = running.tasks().iter().map(|task| task.task_arn.clone().unwrap()).collect();
    let ended = lab.start("exit 0").await;
    lab.stopped(&ended).await;
    let list = || lab.ecs.list_tasks().cluster("c");
    let one = list().max_results(2).send().await.unwrap();
    let two = list().max_results(2).next_token(one.next_token().unwrap()).send().await.unwrap();
    let mut listed = [one.task_arns(), two.task_arns()].concat();
    listed.sort();
    let mut expected = running.clone();
    expected.sort();
    assert_eq!((listed, two.next_token()), (expected, None));
    let stopped = list().desired_status(DesiredStatus::Stopped).family("job").send().await.unwrap();
    assert_eq!(stopped.task_arns(), std::slice::from_ref(&ended));
    assert_eq!(list().started_by("me").send().await.unwrap().task_arns().len(), 3);
    assert!(list().family("other").send().await.unwrap().task_arns().is_empty());
    assert!(list().launch_type(LaunchType::Ec2).send().await.unwrap().task_arns().is_empty());
    assert_eq!(refusal!(list().started_by("me").family("job")).0, "InvalidParameterException");
    assert_eq!(refusal!(list().max_results(101)).0, "InvalidParameterException");
    assert_eq!(refusal!(list().service_name("s")).0, "ServiceNotFoundException");

    let id = running[0].rsplit('/').next().unwrap();
    let missing = "0".repeat(32);
    let described = lab.ecs.describe_tasks().cluster("c").tasks(id).tasks(&missing).send().await.unwrap();
    assert_eq!(described.tasks()[0].task_arn(), Some(running[0].as_str()));
    assert_eq!(described.failures()[0].reason(), Some("MISSING"));
    assert!(described.failures()[0].arn().unwrap().ends_with(&format!(":task/c/{missing}")));
    let short = refusal!(lab.ecs.describe_tasks().cluster("c").tasks("0123"));
    assert_eq!(short.0, "InvalidParameterException");
    assert_eq!(short.1, "taskId length should be one of [32,36]");

    let cluster = lab.ecs.describe_clusters().clusters("c").send().await.unwrap();
    assert_eq!(cluster.clusters()[0].running_tasks_count() + cluster.clusters()[0].pending_tasks_count(), 3);
    let refused = refusal!(lab.ecs.delete_cluster().cluster("c"));
    assert_eq!(refused.0, "ClusterContainsTasksException");
    for task in &running {
        lab.stop(task).await;
        lab.stopped(task).await;
    }
    let deleted = lab.ecs.delete_cluster().cluster("c").send().await.unwrap();
    assert_eq!(deleted.cluster().unwrap().status(), Some("INACTIVE"));
    assert_eq!(
        refusal!(lab.run("")),
        ("ClusterNotFoundException".into(), "The referenced cluster was inactive.".into())
    );
}

#[tokio::test]
async fn definitions_are_numbered_and_checked() {
    let (_endpoint, lab) = lab().await;
    let second = lab.register(lab.container().command("echo two")).await;
    assert!(second.ends_with(":task-definition/job:2"));
    let describe = |name: &str| {
        let describe = lab.ecs.describe_task_definition().task_definition(name);
        describe.include(aws_sdk_ecs::types::TaskDefinitionField::Tags)
    };
    for name in ["job", "job:2", &second] {
        let answer = describe(name).send().await.unwrap();
        assert_eq!(answer.task_definition().unwrap().revision(), 2, "{name}");
        assert_eq!(answer.tags().len(), 1);
    }
    assert_eq!(refusal!(describe("job:3")), ("ClientException".into(), "Unable to describe task definition.".into()));
    let deregister = |name: &str| lab.ecs.deregister_task_definition().task_definition(name);
    deregister("job:2").send().await.unwrap();
    assert_eq!(describe("job").send().await.unwrap().task_definition().unwrap().revision(), 1);
    assert_eq!(refusal!(lab.run("").task_definition("job:2")).1, "TaskDefinition is inactive");
    let delete = lab.ecs.delete_task_definitions().task_definitions("job:1").task_definitions("job:2");
    let deleted = delete.send().await.unwrap();
    assert_eq!((deleted.task_definitions().len(), deleted.failures().len()), (1, 1));
    assert!(lab.register(lab.container()).await.ends_with(":3"), "no number is given twice");
    let list = lab.ecs.list_task_definitions().family_prefix("job").send().await.unwrap();
    let revisions: Vec<_> = list.task_definition_arns().iter().map(|arn| arn.rsplit(':').next().unwrap()).collect();
    assert_eq!(revisions, ["1", "3"]);
    assert_eq!(lab.ecs.list_task_definition_families().send().await.unwrap().families(), ["job"]);

    let register = |cpu: &str, memory: &str, container: aws_sdk_ecs::types::builders::ContainerDefinitionBuilder| {
        let register = lab.ecs.register_task_definition().family("f").network_mode(NetworkMode::Awsvpc);
        let register = register.requires_compatibilities(Compatibility::Fargate).cpu(cpu).memory(memory);
        register.container_definitions(container.build())
    };
    let refused = refusal!(register("256", "4096", lab.container()));
    assert!(refused.1.starts_with("No Fargate configuration exists for given values"), "{refused:?}");
    let refused = refusal!(register("256", "512", lab.container()));
    let message = "Fargate requires task definition to have execution role ARN to support log driver awslogs.";
    assert_eq!(refused, ("ClientException".into(), message.into()));
    let refused = refusal!(register("256", "512", lab.container().stop_timeout(121)));
    assert!(refused.1.contains("between 2 and 120"), "{refused:?}");
    let refused = refusal!(register("256", "512", lab.container().privileged(true)));
    assert!(refused.1.contains("The member privileged of RegisterTaskDefinition"), "{refused:?}");
}

#[tokio::test]
async fn tags_come_and_go() {
    let (_endpoint, lab) = lab().await;
    let arn = lab.start("sleep 60").await;
    let cluster = lab.ecs.describe_clusters().clusters("c").send().await.unwrap();
    let cluster = cluster.clusters()[0].cluster_arn().unwrap().to_owned();
    for arn in [&arn, &cluster] {
        lab.ecs.tag_resource().resource_arn(arn).tags(tag("a", "1")).tags(tag("b", "")).send().await.unwrap();
        lab.ecs.untag_resource().resource_arn(arn).tag_keys("a").send().await.unwrap();
        let tags = lab.ecs.list_tags_for_resource().resource_arn(arn).send().await.unwrap();
        assert_eq!(tags.tags(), [tag("b", "")]);
    }
    assert_eq!(lab.describe(&arn).await.tags(), [tag("b", "")]);
    let missing = format!("{cluster}x");
    assert_eq!(refusal!(lab.ecs.tag_resource().resource_arn(missing).tags(tag("a", ""))).0, "ClusterNotFoundException");
    lab.stop(&arn).await;
    lab.stopped(&arn).await;
    let refused = refusal!(lab.ecs.tag_resource().resource_arn(&arn).tags(tag("a", "")));
    assert_eq!(refused.0, "InvalidParameterException");
}
