//! A lab for each test: an endpoint with a subnet and roles, and what the tests say of experiments.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_cloudformation::types::Capability;
pub(super) use aws_sdk_fis::error::ProvideErrorMetadata;
pub(super) use aws_sdk_fis::types::{
    ActionsMode, CreateExperimentTemplateActionInput as Action,
    CreateExperimentTemplateExperimentOptionsInput as Options,
    CreateExperimentTemplateStopConditionInput as StopCondition, CreateExperimentTemplateTargetInput as Target,
    EmptyTargetResolutionMode, Experiment, ExperimentActionStatus as ActionStatus, ExperimentStatus as Status,
    ExperimentTemplateTargetInputFilter as Filter, SafetyLeverStatusInput, StartExperimentExperimentOptionsInput,
    UpdateExperimentTemplateExperimentOptionsInput, UpdateSafetyLeverStateInput,
};

use crate::harness::Endpoint;
use crate::registry_client::{ARCH, Registry};

pub(super) const ACCOUNT: &str = "000000000000";

/// A VPC, and roles that FIS may assume (`Fis`), may not assume (`Untrusted`), and that may do nothing (`Powerless`).
const STACK: &str = include_str!("stack.json");

pub(super) struct Lab {
    pub(super) endpoint: Endpoint,
    pub(super) fis: aws_sdk_fis::Client,
    pub(super) ecs: aws_sdk_ecs::Client,
    pub(super) subnet: String,
}

impl Lab {
    pub(super) async fn start() -> Self {
        let endpoint = Endpoint::start().await;
        let stacks = aws_sdk_cloudformation::Client::new(&endpoint.sdk_config());
        let create = stacks.create_stack().stack_name("lab").template_body(STACK);
        create.capabilities(Capability::CapabilityNamedIam).send().await.unwrap();
        let subnet = stack_is(&stacks, "lab", "CREATE_COMPLETE").await.remove("SubnetId").unwrap();
        Self::on(endpoint, subnet)
    }

    pub(super) fn on(endpoint: Endpoint, subnet: String) -> Self {
        let config = endpoint.sdk_config();
        let (fis, ecs) = (aws_sdk_fis::Client::new(&config), aws_sdk_ecs::Client::new(&config));
        Self { endpoint, fis, ecs, subnet }
    }

    pub(super) async fn restart(self) -> Self {
        Self::on(self.endpoint.restart().await, self.subnet)
    }

    /// A template of these targets and actions.
    pub(super) async fn template(
        &self,
        role: &str,
        targets: impl IntoIterator<Item = (&str, Target)>,
        actions: impl IntoIterator<Item = (&str, Action)>,
    ) -> String {
        let mut create = self.create(role);
        for (name, target) in targets {
            create = create.targets(name, target);
        }
        for (name, action) in actions {
            create = create.actions(name, action);
        }
        create.send().await.unwrap().experiment_template.unwrap().id.unwrap()
    }

    pub(super) fn create(
        &self,
        role: &str,
    ) -> aws_sdk_fis::operation::create_experiment_template::builders::CreateExperimentTemplateFluentBuilder {
        self.fis
            .create_experiment_template()
            .description("test")
            .role_arn(format!("arn:aws:iam::{ACCOUNT}:role/{role}"))
            .stop_conditions(StopCondition::builder().source("none").build().unwrap())
    }

    pub(super) async fn run(&self, template: &str) -> Experiment {
        let started = self.fis.start_experiment().experiment_template_id(template).send().await.unwrap();
        self.end_of(&started.experiment.unwrap().id.unwrap()).await
    }

    pub(super) async fn experiment(&self, id: &str) -> Experiment {
        self.fis.get_experiment().id(id).send().await.unwrap().experiment.unwrap()
    }

    pub(super) async fn until(&self, id: &str, reached: impl Fn(&Experiment) -> bool) -> Experiment {
        for _ in 0..2_000 {
            let experiment = self.experiment(id).await;
            if reached(&experiment) {
                return experiment;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("not reached: {:?}", self.experiment(id).await);
    }

    pub(super) async fn end_of(&self, id: &str) -> Experiment {
        let ended = [Status::Completed, Status::Failed, Status::Stopped, Status::Cancelled];
        self.until(id, |experiment| ended.contains(&status(experiment))).await
    }

    /// Starts a task that sleeps, with these tags, and waits until it runs; its ARN.
    pub(super) async fn task(&self, cluster: &str, tags: &[(&str, &str)]) -> String {
        let vpc = aws_sdk_ecs::types::AwsVpcConfiguration::builder().subnets(&self.subnet).build().unwrap();
        let network = aws_sdk_ecs::types::NetworkConfiguration::builder().awsvpc_configuration(vpc).build();
        let tags = tags.iter().map(|(key, value)| aws_sdk_ecs::types::Tag::builder().key(*key).value(*value).build());
        let run = self
            .ecs
            .run_task()
            .cluster(cluster)
            .task_definition("sleeper")
            .launch_type(aws_sdk_ecs::types::LaunchType::Fargate)
            .network_configuration(network)
            .set_tags(Some(tags.collect()));
        let arn = run.send().await.unwrap().tasks.unwrap().remove(0).task_arn.unwrap();
        self.task_is(cluster, &arn, "RUNNING").await;
        arn
    }

    pub(super) async fn task_is(&self, cluster: &str, arn: &str, status: &str) -> aws_sdk_ecs::types::Task {
        for _ in 0..2_000 {
            let described = self.ecs.describe_tasks().cluster(cluster).tasks(arn).send().await.unwrap();
            let task = described.tasks.unwrap().remove(0);
            if task.last_status() == Some(status) {
                return task;
            }
            assert_ne!(task.last_status(), Some("STOPPED"), "{task:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{arn} is not {status}");
    }

    /// Clusters `one` and `two`, and the definition of a task that sleeps.
    pub(super) async fn with_tasks() -> Self {
        let lab = Self::start().await;
        let script = "#!/bin/sh\ntrap 'exit 143' TERM\nwhile :; do sleep 0.05; done\n";
        let image = push_image(&lab.endpoint, script).await;
        for name in ["one", "two"] {
            lab.ecs.create_cluster().cluster_name(name).send().await.unwrap();
        }
        let container = aws_sdk_ecs::types::ContainerDefinition::builder().name("sleeper").image(image).build();
        lab.ecs
            .register_task_definition()
            .family("sleeper")
            .network_mode(aws_sdk_ecs::types::NetworkMode::Awsvpc)
            .requires_compatibilities(aws_sdk_ecs::types::Compatibility::Fargate)
            .cpu("256")
            .memory("512")
            .execution_role_arn(format!("arn:aws:iam::{ACCOUNT}:role/Execution"))
            .container_definitions(container)
            .send()
            .await
            .unwrap();
        lab
    }
}

/// Waits until the stack has this status; its outputs.
pub(super) async fn stack_is(
    stacks: &aws_sdk_cloudformation::Client,
    name: &str,
    status: &str,
) -> HashMap<String, String> {
    for _ in 0..2_000 {
        let stack = stacks.describe_stacks().stack_name(name).send().await.unwrap().stacks.unwrap().remove(0);
        let current = stack.stack_status.unwrap();
        if current.as_str() == status {
            let outputs = stack.outputs.unwrap_or_default().into_iter();
            return outputs.map(|output| (output.output_key.unwrap(), output.output_value.unwrap())).collect();
        }
        if !current.as_str().ends_with("IN_PROGRESS") {
            panic!("{current}: {:?}", stacks.describe_stack_events().stack_name(name).send().await);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{name} is not {status}");
}

/// An image whose only file is a script, in the repository `script`; its reference.
pub(super) async fn push_image(endpoint: &Endpoint, script: &str) -> String {
    let registry = Registry::new(&endpoint.sdk_config(), "script").await;
    let manifest = registry.image("run", script, &serde_json::json!({"Entrypoint": ["/run"]}), ARCH).await;
    assert_eq!(registry.put_manifest("1", &manifest).await.status, 201);
    format!("{}:1", registry.uri())
}

pub(super) fn status(experiment: &Experiment) -> Status {
    experiment.state().unwrap().status().unwrap().clone()
}

pub(super) fn reason(experiment: &Experiment) -> &str {
    experiment.state().unwrap().reason().unwrap()
}

pub(super) fn error_code(experiment: &Experiment) -> Option<&str> {
    experiment.state().unwrap().error().and_then(|error| error.code())
}

pub(super) fn action_status(experiment: &Experiment, name: &str) -> ActionStatus {
    experiment.actions().unwrap()[name].state().unwrap().status().unwrap().clone()
}

pub(super) fn wait(duration: &str, after: &[&str]) -> Action {
    let action = Action::builder().action_id("aws:fis:wait").parameters("duration", duration);
    action.set_start_after(Some(after.iter().map(|name| (*name).to_owned()).collect())).build().unwrap()
}

pub(super) fn stop(target: &str, after: &[&str]) -> Action {
    let action = Action::builder().action_id("aws:ecs:stop-task").targets("Tasks", target);
    action.set_start_after(Some(after.iter().map(|name| (*name).to_owned()).collect())).build().unwrap()
}

/// Sends the signal to the process `run`, which is what tasks of [`Lab::with_tasks`] run.
pub(super) fn kill(target: &str, process: &str, signal: &str) -> Action {
    let action = Action::builder().action_id("aws:ecs:task-kill-process").targets("Tasks", target);
    action.parameters("processName", process).parameters("signal", signal).build().unwrap()
}

pub(super) fn tagged(
    tags: &[(&str, &str)],
    selection: &str,
) -> aws_sdk_fis::types::builders::CreateExperimentTemplateTargetInputBuilder {
    let tags: HashMap<String, String> =
        tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Target::builder().resource_type("aws:ecs:task").selection_mode(selection).set_resource_tags(Some(tags))
}
