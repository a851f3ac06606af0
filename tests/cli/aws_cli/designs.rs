//! The designs that need more than a task and a table, as an attendee looks at them and drives them with the AWS CLI alone:
//! a function that rules call, and a queue that tasks share.

use serde_json::{Value, json};

use super::chapter::{CLUSTER, Lab, TAGGED, create_network, create_workshop, delete_both, nothing_is_left};
use super::{Terminal, list, text};
use crate::harness::{Sandbox, found};

const WATCHED: &str = "FisStopTaskWatchdogStackTaskDef";
const QUEUE: &str = "FisStopTaskQueueStackTaskDef";

#[test]
fn a_watched_job_with_the_aws_cli_alone() {
    let sandbox = Sandbox::with_endpoint();
    let aws = Terminal::of(&sandbox);
    create_network(&aws);
    let lab = create_workshop(&sandbox, &aws);
    rules_and_function_can_be_read(&lab);
    rules_restart_the_job(&lab);
    without_rules_a_call_by_hand_restarts_it(&lab);
    delete_both(&aws);
    nothing_is_left(&aws);
}

#[test]
fn a_queue_and_its_poison_with_the_aws_cli_alone() {
    let sandbox = Sandbox::with_endpoint();
    let aws = Terminal::of(&sandbox);
    create_network(&aws);
    let lab = create_workshop(&sandbox, &aws);
    let dead = queues_can_be_read(&lab);
    poison_is_given_up(&lab);
    what_was_given_up_is_brought_back(&lab, &dead);
    delete_both(&aws);
    nothing_is_left(&aws);
}

/// Variables of the worker, for one task.
fn with(variables: &[(&str, &str)]) -> String {
    let environment: Vec<_> = variables.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let overrides = json!({"containerOverrides": [{"name": "BatchJob", "environment": environment}]});
    format!("{TAGGED} --overrides '{overrides}'")
}

fn rules_and_function_can_be_read(lab: &Lab<'_>) {
    let [event, schedule] = ["WatchdogEventRuleName", "WatchdogScheduleRuleName"].map(|name| lab.output(name));
    let function = lab.output("WatchdogFunctionName");
    let [by_event, by_schedule, targets, configuration, policy, groups] = lab.aws.all([
        &format!("events describe-rule --name {event}"),
        &format!("events describe-rule --name {schedule}"),
        &format!("events list-targets-by-rule --rule {event}"),
        &format!("lambda get-function-configuration --function-name {function}"),
        &format!("lambda get-policy --function-name {function}"),
        &format!("logs describe-log-groups --log-group-name-prefix {}", lab.output("WatchdogFunctionLogGroupName")),
    ]);
    assert_eq!((&by_event["State"], &by_schedule["State"]), (&json!("ENABLED"), &json!("ENABLED")));
    let pattern: Value = serde_json::from_str(text(&by_event["EventPattern"])).unwrap();
    assert_eq!(pattern["detail"]["group"], json!([format!("family:{WATCHED}")]));
    assert_eq!(by_schedule["ScheduleExpression"], "rate(1 minute)");
    assert_eq!(targets["Targets"], json!([{"Id": "Watchdog", "Arn": configuration["FunctionArn"]}]));
    assert_eq!((&configuration["PackageType"], &configuration["State"]), (&json!("Image"), &json!("Active")));
    assert_eq!(configuration["Role"], lab.output("WatchdogRoleArn"));
    assert_eq!(configuration["Environment"]["Variables"]["TASK_DEFINITION"], WATCHED);
    assert_eq!(configuration["LoggingConfig"]["LogGroup"], lab.output("WatchdogFunctionLogGroupName"));
    for rule in [&by_event, &by_schedule] {
        assert!(text(&policy["Policy"]).contains(text(&rule["Arn"])), "{policy}");
    }
    assert_eq!(list(&groups["logGroups"]).len(), 1);
}

fn rules_restart_the_job(lab: &Lab<'_>) {
    let first = lab.run_task(WATCHED, &with(&[("ITEM_SECONDS", "0.3")]));
    lab.said("WatchdogLogGroupName", "Successfully PUT item 2 ");
    assert_eq!(lab.experiment()["state"]["status"], "completed");
    let second = lab.task_after(&first);
    assert!(text(&second["startedBy"]).starts_with("watchdog/0/"), "{second}");
    assert_eq!(second["overrides"]["containerOverrides"][0]["environment"][0]["value"], "0.3");
    let id = text(&second["taskArn"]).rsplit('/').next().unwrap();
    let stopped = lab.task_until(id, |task| task["lastStatus"] == "STOPPED");
    assert_eq!(stopped["containers"][0]["exitCode"], 0, "{stopped}");
    assert_eq!(lab.items(), 10);
    lab.said("WatchdogFunctionLogGroupName", &format!("Task {id} goes on after task {first}"));
}

fn without_rules_a_call_by_hand_restarts_it(lab: &Lab<'_>) {
    for name in ["WatchdogEventRuleName", "WatchdogScheduleRuleName"] {
        let rule = lab.output(name);
        lab.aws.aws(&format!("events disable-rule --name {rule}"));
        assert_eq!(lab.aws.aws(&format!("events describe-rule --name {rule}"))["State"], "DISABLED");
    }
    let size = with(&[("ITEM_SECONDS", "3600"), ("BATCH_SIZE", "11")]);
    let task = lab.run_task(WATCHED, &size);
    lab.task_until(&task, |task| task["lastStatus"] == "RUNNING");
    let invoke = format!(
        "lambda invoke --function-name {} --log-type Tail answer.json --query '{{StatusCode: StatusCode, \
         FunctionError: FunctionError}}'",
        lab.output("WatchdogFunctionName")
    );
    let fine = json!({"StatusCode": 200, "FunctionError": null});
    assert_eq!(lab.aws.aws(&invoke), fine);
    lab.said("WatchdogFunctionLogGroupName", &format!("Nothing to do: task {task} is at work"));
    lab.aws.aws(&format!("ecs stop-task --cluster {CLUSTER} --task {task}"));
    lab.task_until(&task, |task| task["lastStatus"] == "STOPPED");
    let running = format!("ecs list-tasks --cluster {CLUSTER} --family {WATCHED}");
    assert_eq!(lab.aws.aws(&running)["taskArns"], json!([]));
    assert_eq!(lab.aws.aws(&invoke), fine);
    assert_eq!(lab.aws.ok("cat answer.json"), "null");
    let next = lab.task_after(&task);
    lab.aws.aws(&format!("ecs stop-task --cluster {CLUSTER} --task {}", text(&next["taskArn"])));
    lab.aws.until(&running, |answer| list(&answer["taskArns"]).is_empty().then_some(()));
}

/// The ARN of the dead-letter queue.
fn queues_can_be_read(lab: &Lab<'_>) -> String {
    let [url, dead] = ["QueueUrl", "DeadLetterQueueUrl"].map(|name| lab.output(name));
    let [queue, dead, sources, empty] = lab.aws.all([
        &format!("sqs get-queue-attributes --queue-url {url} --attribute-names All"),
        &format!("sqs get-queue-attributes --queue-url {dead} --attribute-names All"),
        &format!("sqs list-dead-letter-source-queues --queue-url {dead}"),
        &format!("sqs receive-message --queue-url {url} --wait-time-seconds 0"),
    ]);
    let (queue, dead) = (&queue["Attributes"], &dead["Attributes"]);
    assert_eq!((&queue["VisibilityTimeout"], &queue["SqsManagedSseEnabled"]), (&json!("30"), &json!("true")));
    let redrive: Value = serde_json::from_str(text(&queue["RedrivePolicy"])).unwrap();
    assert_eq!(redrive, json!({"deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": 5}));
    assert_eq!(sources["queueUrls"], json!([url]));
    assert_eq!(empty, Value::Null);
    text(&dead["QueueArn"]).to_owned()
}

/// All items but those that always fail are done, and the task ends.
fn poison_is_given_up(lab: &Lab<'_>) {
    let entry = |index: u64| {
        let body = json!({"batch_id": "batch", "item_index": index}).to_string();
        json!({"Id": index.to_string(), "MessageBody": body})
    };
    let url = lab.output("QueueUrl");
    lab.aws.write("items.json", &json!((0..10).map(entry).collect::<Vec<_>>()).to_string());
    let sent = lab.aws.aws(&format!("sqs send-message-batch --queue-url {url} --entries file://items.json"));
    assert_eq!(list(&sent["Successful"]).len(), 10, "{sent}");
    let task = lab.run_task(QUEUE, &with(&[("ITEM_SECONDS", "0.05"), ("POISON_ITEMS", "3,7")]));
    let stopped = lab.task_until(&task, |task| task["lastStatus"] == "STOPPED");
    assert_eq!(stopped["containers"][0]["exitCode"], 0, "{stopped}");
    lab.said("QueueLogGroupName", "Item 3 failed: it is one of POISON_ITEMS");
    assert_eq!(lab.items(), 8);
    lab.depth("QueueUrl", 0);
    lab.depth("DeadLetterQueueUrl", 2);
    let items = lab.aws.ok("fis-workshop items");
    assert!(items.contains("8 items; missing: 3 7; written more than once: none\n"), "{items}");
    assert!(items.ends_with("Given up after several tries, in the dead-letter queue: 3 7\n"), "{items}");
}

/// Once the cause is gone, the messages go back to where they came from.
fn what_was_given_up_is_brought_back(lab: &Lab<'_>, dead: &str) {
    // Looking at them has hidden them for a moment.
    lab.depth("DeadLetterQueueUrl", 2);
    let started = lab.aws.aws(&format!("sqs start-message-move-task --source-arn {dead}"));
    assert!(started["TaskHandle"].is_string(), "{started}");
    let moved = lab.aws.until(&format!("sqs list-message-move-tasks --source-arn {dead}"), |answer| {
        let task = &answer["Results"][0];
        (task["Status"] == "COMPLETED").then(|| task.clone())
    });
    assert_eq!(moved["ApproximateNumberOfMessagesMoved"], 2, "{moved}");
    lab.depth("DeadLetterQueueUrl", 0);
    let task = lab.run_task(QUEUE, &with(&[("ITEM_SECONDS", "0.05")]));
    let stopped = lab.task_until(&task, |task| task["lastStatus"] == "STOPPED");
    assert_eq!(stopped["containers"][0]["exitCode"], 0, "{stopped}");
    assert_eq!(lab.items(), 10);
    lab.depth("QueueUrl", 0);
    let items = lab.aws.ok("fis-workshop items");
    assert!(items.ends_with("10 items; missing: none; written more than once: none\n"), "{items}");
}

impl Lab<'_> {
    /// Waits for a line in a log.
    fn said(&self, group: &str, line: &str) {
        let group = self.output(group);
        let call = format!("logs filter-log-events --log-group-name {group} --filter-pattern '\"{line}\"'");
        self.aws.until(&call, |answer| answer["events"].get(0).map(|_| ()));
    }

    /// The task that the watchdog starts after this one.
    fn task_after(&self, task: &str) -> Value {
        let list = |status: &str| {
            let call = format!("ecs list-tasks --cluster {CLUSTER} --family {WATCHED} --desired-status {status}");
            self.aws.aws(&call)["taskArns"].as_array().unwrap().clone()
        };
        found("the watchdog starts a task", || {
            let arns = [list("RUNNING"), list("STOPPED")].concat();
            let arns: Vec<_> = arns.iter().map(text).collect();
            let described = self.aws.aws(&format!("ecs describe-tasks --cluster {CLUSTER} --tasks {}", arns.join(" ")));
            let tasks = described["tasks"].as_array().unwrap();
            let stopped = tasks.iter().find(|it| text(&it["taskArn"]).ends_with(task))?["stoppedAt"].as_f64()?;
            tasks.iter().find(|it| it["createdAt"].as_f64().is_some_and(|created| created >= stopped)).cloned()
        })
    }

    /// How many items are in the table.
    fn items(&self) -> u64 {
        let query = format!(
            "dynamodb query --table-name {} --consistent-read --select COUNT --key-condition-expression 'BatchId = :batch' \
             --expression-attribute-values '{{\":batch\":{{\"S\":\"batch\"}}}}'",
            self.output("TableName")
        );
        self.aws.aws(&query)["Count"].as_u64().unwrap()
    }

    /// Waits until so many messages of a queue are ready.
    fn depth(&self, url: &str, messages: u64) {
        let call = format!(
            "sqs get-queue-attributes --queue-url {} --attribute-names ApproximateNumberOfMessages",
            self.output(url)
        );
        let wanted = messages.to_string();
        let is_it = |answer: &Value| (answer["Attributes"]["ApproximateNumberOfMessages"] == wanted).then_some(());
        self.aws.until(&call, is_it);
    }
}
