//! What somebody has deleted or changed with the AWS CLI, and how `plan` shows and `up` repairs it.

use serde_json::Value;

use super::Terminal;
use crate::harness::Sandbox;

/// Physical ids of a stack's resources by logical id.
fn ids(terminal: &Terminal, stack: &str) -> Value {
    let shown = terminal.aws(&format!("cloudformation describe-stack-resources --stack-name {stack}"));
    let all = shown["StackResources"].as_array().unwrap().iter();
    all.map(|it| (it["LogicalResourceId"].as_str().unwrap().to_owned(), it["PhysicalResourceId"].clone())).collect()
}

fn text<'a>(ids: &'a Value, logical_id: &str) -> &'a str {
    ids[logical_id].as_str().unwrap_or_else(|| panic!("no {logical_id}: {ids}"))
}

/// Resources with drift in what `plan` would do, by logical id.
fn drifted(sandbox: &Sandbox, env: &str) -> Vec<String> {
    let plan = sandbox.json(&["plan", "--env", env]);
    let stacks = plan["stacks"].as_array().unwrap();
    let changes = stacks.iter().flat_map(|stack| stack["changes"].as_array().unwrap());
    let mut names: Vec<_> = changes
        .filter(|change| !change["drift"].is_null())
        .map(|change| change["logical_id"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// Deletes a role as IAM wants it done.
fn delete_role(terminal: &Terminal, role: &str) {
    let policies = terminal.aws(&format!("iam list-role-policies --role-name {role}"));
    for policy in policies["PolicyNames"].as_array().unwrap() {
        let name = policy.as_str().unwrap();
        terminal.ok(&format!("aws iam delete-role-policy --role-name {role} --policy-name {name}"));
    }
    terminal.ok(&format!("aws iam delete-role --role-name {role}"));
}

#[test]
fn every_resource_of_an_environment_that_was_deleted_comes_back() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up", "--env", "a"]);
    let terminal = Terminal::of(&sandbox);
    let ids = ids(&terminal, "FisStopTaskStack-a");
    terminal.ok(&format!("aws dynamodb delete-table --table-name {}", text(&ids, "DynamoTable")));
    terminal.ok(&format!("aws ecs delete-cluster --cluster {}", text(&ids, "Cluster")));
    for template in ["", "OneTask", "Kill", "OneTaskKill"].map(|kind| format!("{kind}ExperimentTemplate")) {
        terminal.ok(&format!("aws fis delete-experiment-template --id {}", text(&ids, &template)));
    }
    let programs = ["Original", "Improved", "Watchdog", "Queue"];
    for group in programs.iter().chain(&["Own", "WatchdogFunction"]) {
        let group = text(&ids, &format!("{group}LogGroup")).to_owned();
        terminal.ok(&format!("aws logs delete-log-group --log-group-name {group}"));
    }
    for program in programs {
        let definition = text(&ids, &format!("{program}TaskDefinition")).to_owned();
        terminal.ok(&format!("aws ecs deregister-task-definition --task-definition {definition}"));
    }
    for rule in ["WatchdogEventRule", "WatchdogScheduleRule"] {
        let name = text(&ids, rule);
        terminal.ok(&format!("aws events remove-targets --rule {name} --ids Watchdog"));
        terminal.ok(&format!("aws events delete-rule --name {name}"));
    }
    // Its permissions and its configuration go with it.
    terminal.ok(&format!("aws lambda delete-function --function-name {}", text(&ids, "WatchdogFunction")));
    for queue in ["Queue", "DeadLetterQueue"] {
        let url = text(&ids, queue);
        terminal.ok(&format!("aws sqs delete-queue --endpoint-url $AWS_ENDPOINT_URL --queue-url {url}"));
    }
    let roles = ["Execution", "OriginalTask", "ImprovedTask", "QueueTask", "OwnTask", "Watchdog"]
        .map(|role| format!("{role}Role"));
    for role in roles.iter().map(String::as_str).chain(["FisWorkshopServiceRole"]) {
        delete_role(&terminal, text(&ids, role));
    }
    let mut all: Vec<&str> = ids.as_object().unwrap().keys().map(String::as_str).collect();
    all.sort_unstable();
    assert_eq!(drifted(&sandbox, "a"), all, "the environment has something that this test does not delete");
    let status = sandbox.run(&["status", "--env", "a"]);
    assert_eq!(status.code, 1, "{status:?}");
    for part in [
        "table, cluster, experiment template, experiment template for one task, ",
        "log group of original, task definition of original, ",
        "log group of queue, task definition of queue, log group of own, ",
        "task role of original, task role of improved, task role of watchdog, task role of queue, task role of own, ",
        "execution role, role of the watchdog, experiment role, watchdog function, switched-on rule ",
        "queue and dead-letter queue are gone: `fis-workshop up --env a` repairs it\n",
    ] {
        assert!(status.stdout.contains(part), "{part}: {status:?}");
    }

    let up = sandbox.run(&["up", "--env", "a"]);
    assert_eq!(up.code, 0, "{up:?}");
    let said = "FisStopTaskStack-a: DynamoTable was deleted by hand and is made again; it comes back empty: its items are lost.";
    assert!(up.stderr.contains(said), "{up:?}");
    assert_eq!(drifted(&sandbox, "a"), Vec::<String>::new());
    assert!(sandbox.ok(&["up", "--env", "a"]).contains("nothing was changed"));
    sandbox.ok(&["status", "--env", "a"]);
    sandbox.ok(&["lab", "--env", "a", "--item-seconds", "0.3"]);
    sandbox.ok(&["down", "--all"]);
}

#[test]
fn what_was_changed_is_shown_with_both_values_and_put_back() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up", "--env", "a"]);
    let terminal = Terminal::of(&sandbox);
    let ids = ids(&terminal, "FisStopTaskStack-a");
    let group = text(&ids, "OriginalLogGroup");
    terminal.ok(&format!("aws logs put-retention-policy --log-group-name {group} --retention-in-days 30"));
    let table = text(&ids, "DynamoTable");
    terminal.ok(&format!(
        "aws dynamodb update-table --table-name {table} --billing-mode PROVISIONED \
         --provisioned-throughput ReadCapacityUnits=5,WriteCapacityUnits=5"
    ));
    let template = text(&ids, "ExperimentTemplate");
    terminal.ok(&format!("aws fis update-experiment-template --id {template} --description other"));
    let mut targets =
        terminal.aws(&format!("fis get-experiment-template --id {template}"))["experimentTemplate"]["targets"].take();
    targets
        .as_object_mut()
        .unwrap()
        .values_mut()
        .for_each(|it| it["resourceTags"] = serde_json::json!({"other": "tag"}));
    terminal.write("targets.json", &targets.to_string());
    terminal.ok(&format!("aws fis update-experiment-template --id {template} --targets file://targets.json"));
    let status = sandbox.run(&["status", "--env", "a"]);
    let said = "target of the experiment template is gone: `fis-workshop up --env a` repairs it\n";
    assert!(status.code == 1 && status.stdout.contains(said), "{status:?}");
    // Without it, the experiment finds no task any more.
    let definition = text(&ids, "ImprovedTaskDefinition");
    terminal.ok(&format!("aws ecs untag-resource --resource-arn {definition} --tag-keys fisTarget"));
    let role = text(&ids, "OriginalTaskRole");
    let nothing = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
    let policies = terminal.aws(&format!("iam list-role-policies --role-name {role}"));
    let policy = policies["PolicyNames"][0].as_str().unwrap();
    terminal.ok(&format!(
        "aws iam put-role-policy --role-name {role} --policy-name {policy} --policy-document '{nothing}'"
    ));
    // What the template does not declare is nobody's to judge.
    terminal.ok(&format!("aws iam tag-role --role-name {role} --tags Key=owner,Value=me"));

    let changed =
        ["DynamoTable", "ExperimentTemplate", "ImprovedTaskDefinition", "OriginalLogGroup", "OriginalTaskRole"];
    assert_eq!(drifted(&sandbox, "a"), changed);
    let plan = sandbox.ok(&["plan", "--env", "a"]);
    for line in [
        "      put back RetentionInDays: live 30, template 7\n",
        "      put back BillingMode: live PROVISIONED, template PAY_PER_REQUEST\n",
        "      put back Description: live other, template ",
    ] {
        assert!(plan.contains(line), "{line}{plan}");
    }
    // Left alone on request; an ordinary plan sees nothing of it.
    assert!(sandbox.ok(&["plan", "--env", "a", "--ignore-drift"]).contains("FisStopTaskStack-a: no changes\n"));
    assert!(sandbox.ok(&["up", "--env", "a", "--ignore-drift"]).contains("nothing was changed"));
    assert_eq!(drifted(&sandbox, "a"), changed);

    // Two people see it at once.
    let ups = std::thread::scope(|scope| {
        [1, 2].map(|_| scope.spawn(|| sandbox.run(&["up", "--env", "a"]))).map(|thread| thread.join().unwrap())
    });
    assert!(ups.iter().all(|up| up.code == 0), "{ups:?}");
    let said = "OriginalLogGroup put back RetentionInDays: live 30, template 7.";
    assert!(ups.iter().any(|up| up.stderr.contains(said)), "{ups:?}");
    assert_eq!(drifted(&sandbox, "a"), Vec::<String>::new());
    let tags = terminal.aws(&format!("iam list-role-tags --role-name {role}"));
    assert!(tags["Tags"].as_array().unwrap().iter().any(|tag| tag["Key"] == "owner"), "{tags}");
    sandbox.ok(&["lab", "--env", "a", "--item-seconds", "0.3"]);
    sandbox.ok(&["down", "--all"]);
}

/// The network: what comes back has other ids, and the environments follow.
#[test]
fn a_network_that_was_broken_comes_back_with_its_environments() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up", "--env", "a", "--env", "b"]);
    let terminal = Terminal::of(&sandbox);
    let ids = ids(&terminal, "FisStackVpc");
    terminal.ok(&format!("aws ec2 delete-nat-gateway --nat-gateway-id {}", text(&ids, "NatGateway")));
    let table = text(&ids, "PrivateRouteTable");
    terminal.ok(&format!("aws ec2 delete-route --route-table-id {table} --destination-cidr-block 0.0.0.0/0"));
    let association = text(&ids, "PrivateSubnet2RouteTableAssociation");
    terminal.ok(&format!("aws ec2 disassociate-route-table --association-id {association}"));
    terminal.ok(&format!("aws ec2 delete-subnet --subnet-id {}", text(&ids, "PrivateSubnet2")));
    terminal.ok(&format!("aws ecr delete-repository --force --repository-name {}", text(&ids, "Repository")));
    let lost = terminal.outputs("FisStopTaskStack-a")["TableName"].clone();
    terminal.ok(&format!("aws dynamodb delete-table --table-name {lost}"));
    let status = sandbox.run(&["status", "--all"]);
    assert!(
        status.stdout.contains("✗ b: way out of the private subnets is gone: `fis-workshop up --env b` repairs it"),
        "{status:?}"
    );
    let gone =
        ["NatGateway", "PrivateDefaultRoute", "PrivateSubnet2", "PrivateSubnet2RouteTableAssociation", "Repository"];
    assert_eq!(drifted(&sandbox, "a"), gone);
    let plan = sandbox.ok(&["plan", "--env", "a", "--env", "b"]);
    assert!(plan.contains("FisStopTaskStack-a: planned when the network is there again\n"), "{plan}");
    let up = sandbox.run(&["up", "--env", "a", "--env", "b"]);
    assert!(up.code == 0 && up.stderr.contains("FisStopTaskStack-a: DynamoTable was deleted by hand"), "{up:?}");
    assert_eq!(drifted(&sandbox, "b"), Vec::<String>::new());
    let subnet = terminal.outputs("FisStackVpc")["PrivateSubnetIds"].split(',').nth(1).unwrap().to_owned();
    assert_ne!(subnet, text(&ids, "PrivateSubnet2"));
    for env in ["a", "b"] {
        assert!(terminal.outputs(&format!("FisStopTaskStack-{env}"))["SubnetIds"].contains(&subnet), "{env}");
    }
    sandbox.ok(&["lab", "--env", "b", "--item-seconds", "0.25"]);
    sandbox.ok(&["down", "--all"]);
}

/// CloudFormation puts nothing back in a set that would replace what somebody has changed: here the definition, whose log group
/// has to get another name. Then that is said, with what helps, and nothing fails for it.
#[test]
fn what_cannot_be_put_back_is_named_with_what_helps() {
    let sandbox = Sandbox::with_endpoint();
    sandbox.ok(&["up", "--env", "a"]);
    let terminal = Terminal::of(&sandbox);
    let ids = ids(&terminal, "FisStopTaskStack-a");
    terminal.ok(&format!("aws logs delete-log-group --log-group-name {}", text(&ids, "ImprovedLogGroup")));
    let definition = text(&ids, "ImprovedTaskDefinition");
    terminal.ok(&format!("aws ecs untag-resource --resource-arn {definition} --tag-keys fisTarget"));
    let up = sandbox.run(&["up", "--env", "a"]);
    assert_eq!(up.code, 0, "{up:?}");
    let said = "FisStopTaskStack-a: What was changed by hand is not put back: The submitted information requires replacement of \
                drifted resources, which is not supported. Resolve drift before changing immutable resource properties \
                (ImprovedTaskDefinition). `fis-workshop regenerate --env a` makes the environment anew.";
    assert!(up.stderr.contains(said), "{up:?}");
    let plan = sandbox.ok(&["plan", "--env", "a"]);
    assert!(plan.contains("  ! What was changed by hand is not put back: "), "{plan}");
    sandbox.ok(&["regenerate", "--env", "a"]);
    assert_eq!(drifted(&sandbox, "a"), Vec::<String>::new());
    sandbox.ok(&["down", "--all"]);
}
