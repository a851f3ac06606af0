//! The chapter as an attendee does it who has nothing but the rendered templates and the AWS CLI.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Terminal, list, pairs, tags, text};
use crate::harness::Sandbox;

pub(super) const CLUSTER: &str = "FisStackECS-Cluster";
const ORIGINAL: &str = "FisStopTaskStackTaskDef";
const IMPROVED: &str = "FisStopTaskImprovedStackTaskDef";
pub(super) const TAGGED: &str = "--propagate-tags TASK_DEFINITION";

/// What both stacks have put out.
pub(super) struct Lab<'a> {
    pub(super) aws: &'a Terminal<'a>,
    outputs: BTreeMap<String, String>,
}

/// What a task has left when it is stopped.
struct Outcome {
    task: String,
    log: Vec<String>,
    /// The tasks that have written the items 0, 1, 2 and so on.
    writers: Vec<String>,
}

#[test]
fn the_chapter_with_the_aws_cli_alone() {
    let sandbox = Sandbox::with_endpoint();
    let aws = Terminal::of(&sandbox);
    create_network(&aws);
    let lab = create_workshop(&sandbox, &aws);
    stacks_can_be_inspected(&lab);
    what_the_chapter_names_is_there(&lab);
    without_propagated_tags_nothing_is_hit(&lab);
    lab.interrupt(ORIGINAL, "OriginalLogGroupName");
    let second = lab.finish(ORIGINAL, "OriginalLogGroupName");
    assert_eq!(second.log[1], "Starting at 0");
    assert_eq!(second.writers, vec![second.task; 10], "everything was done again");
    lab.clear();
    let first = lab.interrupt(IMPROVED, "ImprovedLogGroupName");
    let second = lab.finish(IMPROVED, "ImprovedLogGroupName");
    let written = first.writers.len();
    assert_eq!(second.log[1], format!("Continuing at {written}"));
    let expected = [first.writers, vec![second.task; 10 - written]].concat();
    assert_eq!(second.writers, expected, "nothing was done twice");
    delete_both(&aws);
    nothing_is_left(&aws);
}

/// A task's own pace.
fn pace(item_seconds: &str) -> String {
    let environment = json!([{"name": "ITEM_SECONDS", "value": item_seconds}]);
    format!("--overrides '{}'", json!({"containerOverrides": [{"name": "BatchJob", "environment": environment}]}))
}

/// Creates a stack. `wait` asks only twice a minute, so it is first asked for when there is nothing to wait for.
fn create_stack(aws: &Terminal<'_>, stack: &str, arguments: &str) {
    let created = aws.aws(&format!("cloudformation create-stack --stack-name {stack} {arguments}"));
    assert!(text(&created["StackId"]).contains(&format!(":stack/{stack}/")), "{created}");
    let complete = |answer: &Value| (answer["Stacks"][0]["StackStatus"] != "CREATE_IN_PROGRESS").then_some(());
    aws.until(&format!("cloudformation describe-stacks --stack-name {stack}"), complete);
    aws.ok(&format!("aws cloudformation wait stack-create-complete --stack-name {stack}"));
}

pub(super) fn create_network(aws: &Terminal<'_>) {
    aws.ok("fis-workshop render network > network.yaml && fis-workshop render workshop > workshop.yaml");
    // The tag says to the deployer that the stack is the lab's, and may be updated and deleted.
    let tag = "--tags Key=fis-workshop:environment,Value=@network";
    create_stack(aws, "FisStackVpc", &format!("--template-body file://network.yaml {tag}"));
}

pub(super) fn create_workshop<'a>(sandbox: &Sandbox, aws: &'a Terminal<'a>) -> Lab<'a> {
    // Puts the workers' images into the repository of the network. On AWS that would be a push.
    let seed = &sandbox.json(&["up", "--env", "seed"])["workshop"]["stack"];
    let seed = aws.aws(&format!("cloudformation describe-stacks --stack-name {}", text(seed)));
    let parameters = pairs(&seed["Stacks"][0]["Parameters"], "ParameterKey", "ParameterValue");
    let network = aws.outputs("FisStackVpc");
    let values = [
        ("SubnetIds", &network["PrivateSubnetIds"]),
        ("SecurityGroupId", &network["TaskSecurityGroupId"]),
        ("RepositoryArn", &network["RepositoryArn"]),
        ("OriginalImageUri", &parameters["OriginalImageUri"]),
        ("ImprovedImageUri", &parameters["ImprovedImageUri"]),
        ("WatchdogImageUri", &parameters["WatchdogImageUri"]),
        ("QueueImageUri", &parameters["QueueImageUri"]),
        ("ItemSeconds", &"0.7".to_owned()),
    ];
    let values = values.map(|(key, value)| json!({"ParameterKey": key, "ParameterValue": value}));
    aws.write("parameters.json", &json!(values).to_string());
    let arguments = "--template-body file://workshop.yaml --parameters file://parameters.json \
                     --tags Key=fis-workshop:environment,Value=default";
    let refusal = aws.refusal(&format!("cloudformation create-stack --stack-name FisStopTaskStack {arguments}"));
    assert!(refusal.contains("(InsufficientCapabilitiesException)"), "{refusal}");
    create_stack(aws, "FisStopTaskStack", &format!("{arguments} --capabilities CAPABILITY_IAM"));
    let down = sandbox.json(&["down", "--env", "seed"]);
    assert_eq!(down["deleted_stacks"], json!(["FisStopTaskStack-seed"]));
    let mut outputs = network;
    outputs.extend(aws.outputs("FisStopTaskStack"));
    Lab { aws, outputs }
}

fn stacks_can_be_inspected(lab: &Lab<'_>) {
    let [stacks, events, resources, exports, template, valid] = lab.aws.all([
        "cloudformation describe-stacks",
        "cloudformation describe-stack-events --stack-name FisStopTaskStack",
        "cloudformation describe-stack-resources --stack-name FisStopTaskStack",
        "cloudformation list-exports",
        "cloudformation get-template --stack-name FisStopTaskStack",
        "cloudformation validate-template --template-body file://workshop.yaml",
    ]);
    let mut names: Vec<_> = list(&stacks["Stacks"]).iter().map(|stack| text(&stack["StackName"])).collect();
    names.sort_unstable();
    assert_eq!(names, ["FisStackVpc", "FisStopTaskStack"]);
    let events = list(&events["StackEvents"]);
    let stack_event = |event: &Value| (text(&event["LogicalResourceId"]).to_owned(), event["ResourceStatus"].clone());
    let name = "FisStopTaskStack".to_owned();
    assert_eq!(stack_event(&events[0]), (name.clone(), json!("CREATE_COMPLETE")), "the newest comes first");
    assert_eq!(stack_event(&events[events.len() - 1]), (name, json!("CREATE_IN_PROGRESS")));
    let resources = list(&resources["StackResources"]);
    assert!(resources.iter().all(|resource| resource["ResourceStatus"] == "CREATE_COMPLETE"), "{resources:#?}");
    let logical = |name: &str| resources.iter().find(|resource| resource["LogicalResourceId"] == name).unwrap();
    assert_eq!(logical("Cluster")["PhysicalResourceId"], CLUSTER);
    assert_eq!(logical("ExperimentTemplate")["PhysicalResourceId"], lab.output("ExperimentTemplateId"));
    assert_eq!(exports["Exports"], json!([]));
    let rendered = lab.aws.ok("cat workshop.yaml");
    assert_eq!(text(&template["TemplateBody"]).trim_end(), rendered.trim_end());
    assert_eq!(valid["Capabilities"], json!(["CAPABILITY_IAM"]));
    let parameters = list(&valid["Parameters"]).iter();
    let defaults = parameters.filter(|parameter| parameter["ParameterKey"] == "ItemSeconds");
    assert_eq!(defaults.map(|parameter| &parameter["DefaultValue"]).collect::<Vec<_>>(), ["30"]);
    let deploy = "aws cloudformation deploy --stack-name FisStopTaskStack --template-file workshop.yaml \
                  --tags fis-workshop:environment=default";
    let again = lab.aws.ok(&format!("{deploy} --capabilities CAPABILITY_IAM --no-fail-on-empty-changeset"));
    assert!(again.contains("No changes to deploy. Stack FisStopTaskStack is up to date"), "{again}");
}

fn what_the_chapter_names_is_there(lab: &Lab<'_>) {
    let [vpcs, subnets, clusters, original, improved, tables, groups, templates] = lab.aws.all([
        "ec2 describe-vpcs --filters Name=tag:Name,Values=FisStackVpc/FisVpc",
        "ec2 describe-subnets --filters 'Name=tag:Name,Values=*Private*'",
        "ecs list-clusters",
        "ecs describe-task-definition --task-definition FisStopTaskStackTaskDef --include TAGS",
        "ecs describe-task-definition --task-definition FisStopTaskImprovedStackTaskDef --include TAGS",
        "dynamodb list-tables",
        "logs describe-log-groups --log-group-name-prefix FisStopTask",
        "fis list-experiment-templates",
    ]);
    assert_eq!(list(&vpcs["Vpcs"]).len(), 1);
    assert_eq!(vpcs["Vpcs"][0]["VpcId"], lab.output("VpcId"));
    let subnets = list(&subnets["Subnets"]);
    assert_eq!(subnets.len(), 2);
    assert_ne!(subnets[0]["AvailabilityZone"], subnets[1]["AvailabilityZone"]);
    for subnet in subnets {
        assert!(lab.output("PrivateSubnetIds").contains(text(&subnet["SubnetId"])), "{subnet}");
        assert_eq!((&subnet["MapPublicIpOnLaunch"], &subnet["VpcId"]), (&json!(false), &vpcs["Vpcs"][0]["VpcId"]));
        assert_eq!(tags(subnet)["aws:cloudformation:stack-name"], "FisStackVpc");
    }
    assert_eq!(list(&clusters["clusterArns"]).len(), 1);
    assert!(text(&clusters["clusterArns"][0]).ends_with(":cluster/FisStackECS-Cluster"));
    for (definition, family) in [(original, ORIGINAL), (improved, IMPROVED)] {
        assert_eq!(definition["taskDefinition"]["family"], family);
        assert_eq!(pairs(&definition["tags"], "key", "value")["fisTarget"], "true");
    }
    assert_eq!(tables["TableNames"], json!([lab.output("TableName")]));
    assert!(lab.output("TableName").starts_with("FisStopTaskStack-DynamoTable"));
    let groups: Vec<_> = list(&groups["logGroups"]).iter().map(|group| text(&group["logGroupName"])).collect();
    let ours = ["Improved", "Original", "Own", "Queue", "WatchdogFunction", "Watchdog"];
    assert_eq!(groups, ours.map(|whose| lab.output(&format!("{whose}LogGroupName"))));
    let names: Vec<_> = list(&templates["experimentTemplates"]).iter().map(|it| text(&it["tags"]["Name"])).collect();
    // The last two are there on the local endpoint only.
    let ours = ["FisWorkshopECSTask", "FisWorkshopOneECSTask", "FisWorkshopKillWorker", "FisWorkshopKillOneWorker"];
    assert_eq!(BTreeSet::from_iter(names), BTreeSet::from(ours));
    let id = lab.output("ExperimentTemplateId");
    let template = &lab.aws.aws(&format!("fis get-experiment-template --id {id}"))["experimentTemplate"];
    assert_eq!(template["description"], "Stop ECS Task during processing");
    assert_eq!(template["actions"]["StopECSTask"]["actionId"], "aws:ecs:stop-task");
    assert!(text(&template["roleArn"]).contains("FisWorkshopServiceRole"), "{template}");
    assert_eq!(template["stopConditions"], json!([{"source": "none"}]));
}

fn without_propagated_tags_nothing_is_hit(lab: &Lab<'_>) {
    let task = lab.run_task(ORIGINAL, &pace("3600"));
    lab.task_until(&task, |task| task["lastStatus"] == "RUNNING");
    let experiment = lab.experiment();
    assert_eq!(experiment["state"]["status"], "failed");
    assert_eq!(experiment["state"]["reason"], "Target resolution returned empty set");
    assert_eq!(experiment["state"]["error"]["code"], "InvalidTarget");
    assert_eq!(lab.task(&task)["lastStatus"], "RUNNING", "the task goes on");
    lab.aws.aws(&format!("ecs stop-task --cluster {CLUSTER} --task {task} --reason 'by hand'"));
    let stopped = lab.task_until(&task, |task| task["lastStatus"] == "STOPPED");
    assert_eq!((&stopped["stopCode"], &stopped["stoppedReason"]), (&json!("UserInitiated"), &json!("by hand")));
}

pub(super) fn delete_both(aws: &Terminal<'_>) {
    for stack in ["FisStopTaskStack", "FisStackVpc"] {
        aws.aws(&format!("cloudformation delete-stack --stack-name {stack}"));
        let named = move |entry: &&Value| entry["StackName"] == stack && entry["StackStatus"] != "DELETE_COMPLETE";
        let gone = |answer: &Value| list(&answer["StackSummaries"]).iter().find(named).is_none().then_some(());
        aws.until("cloudformation list-stacks", gone);
        aws.ok(&format!("aws cloudformation wait stack-delete-complete --stack-name {stack}"));
    }
}

pub(super) fn nothing_is_left(aws: &Terminal<'_>) {
    let calls = [
        ("cloudformation describe-stacks", "Stacks"),
        ("ec2 describe-vpcs", "Vpcs"),
        ("ec2 describe-nat-gateways --filter Name=state,Values=pending,available", "NatGateways"),
        ("ecs list-clusters", "clusterArns"),
        ("ecs list-task-definitions", "taskDefinitionArns"),
        ("dynamodb list-tables", "TableNames"),
        ("logs describe-log-groups", "logGroups"),
        // The service-linked roles are the account's.
        (r#"iam list-roles --query "{Roles: Roles[?!starts_with(Path, '/aws-service-role/')]}""#, "Roles"),
        ("ecr describe-repositories", "repositories"),
        ("events list-rules", "Rules"),
        ("lambda list-functions", "Functions"),
        // Without a queue the answer has no such member.
        ("sqs list-queues --query '{QueueUrls: QueueUrls || `[]`}'", "QueueUrls"),
        ("fis list-experiment-templates", "experimentTemplates"),
        ("resourcegroupstaggingapi get-resources", "ResourceTagMappingList"),
    ];
    for ((call, member), answer) in calls.into_iter().zip(aws.all(calls.map(|(call, _)| call))) {
        assert_eq!(answer[member], json!([]), "{call}");
    }
    let refusal = aws.refusal("cloudformation describe-stacks --stack-name FisStopTaskStack");
    assert!(refusal.contains("(ValidationError)") && refusal.contains("does not exist"), "{refusal}");
}

impl Lab<'_> {
    pub(super) fn output(&self, key: &str) -> &str {
        self.outputs.get(key).unwrap_or_else(|| panic!("no output {key}"))
    }

    /// Runs a task; its id.
    pub(super) fn run_task(&self, family: &str, arguments: &str) -> String {
        let network = self.output("NetworkConfiguration");
        let answer = self.aws.aws(&format!(
            "ecs run-task --launch-type FARGATE --cluster {CLUSTER} --task-definition {family} \
             --network-configuration '{network}' {arguments}"
        ));
        assert_eq!((list(&answer["tasks"]).len(), &answer["failures"]), (1, &json!([])), "{answer}");
        assert_eq!(answer["tasks"][0]["lastStatus"], "PROVISIONING");
        text(&answer["tasks"][0]["taskArn"]).rsplit('/').next().unwrap().to_owned()
    }

    fn task(&self, id: &str) -> Value {
        self.task_until(id, |_| true)
    }

    pub(super) fn task_until(&self, id: &str, reached: impl Fn(&Value) -> bool) -> Value {
        let call = format!("ecs describe-tasks --cluster {CLUSTER} --tasks {id}");
        self.aws.until(&call, |answer| {
            let task = &answer["tasks"][0];
            reached(task).then(|| task.clone())
        })
    }

    /// Starts the experiment and follows it to its end.
    pub(super) fn experiment(&self) -> Value {
        let template = self.output("ExperimentTemplateId");
        let started = self.aws.aws(&format!("fis start-experiment --experiment-template-id {template}"));
        let experiment = &started["experiment"];
        assert!(text(&experiment["id"]).starts_with("EXP"), "{started}");
        let ended = |answer: &Value| {
            let status = text(&answer["experiment"]["state"]["status"]);
            ["completed", "failed", "stopped", "cancelled"].contains(&status).then(|| answer["experiment"].clone())
        };
        self.aws.until(&format!("fis get-experiment --id {}", text(&experiment["id"])), ended)
    }

    /// Runs a task until it has written item 2, and has it stopped by the experiment.
    fn interrupt(&self, family: &str, group: &str) -> Outcome {
        let task = self.run_task(family, TAGGED);
        let call = format!(
            "logs filter-log-events --log-group-name {} --log-stream-name-prefix BatchJobEcs/BatchJob/{task} \
             --filter-pattern '\"Successfully PUT item 2\"'",
            self.output(group)
        );
        let line = self.aws.until(&call, |answer| answer["events"].get(0).cloned());
        assert_eq!(line["message"], "Successfully PUT item 2 out of 10 into DDB");
        let experiment = self.experiment();
        assert_eq!(experiment["state"], json!({"status": "completed", "reason": "Experiment completed."}));
        assert_eq!(experiment["actions"]["StopECSTask"]["state"]["status"], "completed");
        let id = text(&experiment["id"]);
        let resolved = self.aws.aws(&format!("fis list-experiment-resolved-targets --experiment-id {id}"));
        assert_eq!(list(&resolved["resolvedTargets"]).len(), 1);
        assert_eq!(resolved["resolvedTargets"][0]["resourceType"], "aws:ecs:task");
        assert!(text(&resolved["resolvedTargets"][0]["targetInformation"]["arn"]).ends_with(&task), "{resolved}");
        let stopped = self.task_until(&task, |task| task["lastStatus"] == "STOPPED");
        assert_eq!(stopped["stopCode"], "UserInitiated");
        assert_eq!(stopped["stoppedReason"], format!("Task stopped by AWS FIS (Experiment ID: {id})"));
        assert_eq!(stopped["containers"][0]["exitCode"], 143);
        let outcome = self.outcome(task, group);
        let (task, writers) = (&outcome.task, &outcome.writers);
        assert!((3..10).contains(&writers.len()) && writers.iter().all(|writer| writer == task), "{writers:?}");
        let last = format!("Successfully PUT item {} out of 10 into DDB", writers.len() - 1);
        assert!(outcome.log.contains(&last), "{:?}", outcome.log);
        outcome
    }

    /// Runs a task that writes all that is left.
    fn finish(&self, family: &str, group: &str) -> Outcome {
        let task = self.run_task(family, &format!("{TAGGED} {}", pace("0")));
        let stopped = self.task_until(&task, |task| task["lastStatus"] == "STOPPED");
        assert_eq!(stopped["stopCode"], "EssentialContainerExited");
        assert_eq!(stopped["stoppedReason"], "Essential container in task exited");
        assert_eq!(stopped["containers"][0]["exitCode"], 0, "{stopped}");
        self.outcome(task, group)
    }

    fn outcome(&self, task: String, group: &str) -> Outcome {
        let log = format!(
            "logs get-log-events --start-from-head --log-group-name {} \
             --log-stream-name BatchJobEcs/BatchJob/{task}",
            self.output(group)
        );
        let query = format!(
            "dynamodb query --table-name {} --consistent-read --key-condition-expression 'BatchId = :batch' \
             --expression-attribute-values '{{\":batch\":{{\"S\":\"batch\"}}}}'",
            self.output("TableName")
        );
        let [log, items] = self.aws.all([&log, &query]);
        let items = list(&items["Items"]);
        for (index, item) in items.iter().enumerate() {
            assert_eq!(text(&item["ItemIndex"]["N"]), index.to_string());
        }
        Outcome {
            task,
            log: list(&log["events"]).iter().map(|event| text(&event["message"]).to_owned()).collect(),
            writers: items.iter().map(|item| text(&item["TaskId"]["S"]).to_owned()).collect(),
        }
    }

    fn clear(&self) {
        let table = self.output("TableName");
        let scan = format!("dynamodb scan --table-name {table} --projection-expression BatchId,ItemIndex");
        let keys = self.aws.aws(&scan)["Items"].clone();
        let deletions: Vec<_> = list(&keys).iter().map(|key| json!({"DeleteRequest": {"Key": key}})).collect();
        self.aws.write("clear.json", &json!({table: deletions}).to_string());
        let answer = self.aws.aws("dynamodb batch-write-item --request-items file://clear.json");
        assert_eq!(answer["UnprocessedItems"], json!({}));
        assert_eq!(self.aws.aws(&scan)["Count"], 0);
    }
}
