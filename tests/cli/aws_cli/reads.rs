//! The calls with which one looks at what the stacks have made.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Terminal, list, pairs, tags, text};
use crate::harness::Sandbox;

type Outputs = BTreeMap<String, String>;

#[test]
fn everything_that_the_stacks_have_made_can_be_read() {
    let sandbox = Sandbox::with_endpoint();
    let aws = Terminal::of(&sandbox);
    sandbox.ok(&["up"]);
    let task = sandbox.ok(&["run", "original", "--detach"]);
    let (network, workshop) = (aws.outputs("FisStackVpc"), aws.outputs("FisStopTaskStack"));
    vpc_and_subnets(&aws, &network);
    routes_and_gateways(&aws, &network);
    security_group(&aws, &network);
    roles(&aws, &workshop);
    cluster_and_task(&aws, &workshop, task.trim());
    experiment(&aws, &workshop);
    names_and_tags(&aws, &network, &workshop);
    addresses_rules_and_policies(&aws, &network, &workshop);
    stream(&aws);
}

fn only<'a>(answer: &'a Value, member: &str) -> &'a Value {
    let all = list(&answer[member]);
    assert_eq!(all.len(), 1, "{answer:#}");
    &all[0]
}

fn vpc_and_subnets(aws: &Terminal<'_>, network: &Outputs) {
    let vpc = &network["VpcId"];
    let [vpcs, subnets, dns] = aws.all([
        &format!("ec2 describe-vpcs --vpc-ids {vpc}"),
        &format!("ec2 describe-subnets --filters Name=vpc-id,Values={vpc}"),
        &format!("ec2 describe-vpc-attribute --vpc-id {vpc} --attribute enableDnsHostnames"),
    ]);
    let found = only(&vpcs, "Vpcs");
    assert_eq!(
        (&found["VpcId"], &found["CidrBlock"], &found["State"]),
        (&json!(vpc), &json!("10.0.0.0/16"), &json!("available"))
    );
    assert_eq!(tags(found)["Name"], "FisStackVpc/FisVpc");
    assert_eq!(dns["EnableDnsHostnames"]["Value"], true);
    let mut places: Vec<_> = list(&subnets["Subnets"])
        .iter()
        .map(|subnet| {
            let name = tags(subnet)["Name"].rsplit('/').next().unwrap().to_owned();
            (name, text(&subnet["CidrBlock"]), text(&subnet["AvailabilityZone"]), text(&subnet["State"]))
        })
        .collect();
    places.sort_unstable();
    let expected = [
        ("PrivateSubnet1", "10.0.2.0/24", "us-east-1a"),
        ("PrivateSubnet2", "10.0.3.0/24", "us-east-1b"),
        ("PublicSubnet1", "10.0.0.0/24", "us-east-1a"),
        ("PublicSubnet2", "10.0.1.0/24", "us-east-1b"),
    ];
    assert_eq!(places, expected.map(|(name, range, zone)| (name.to_owned(), range, zone, "available")));
}

fn routes_and_gateways(aws: &Terminal<'_>, network: &Outputs) {
    let (vpc, nat) = (&network["VpcId"], &network["NatGatewayId"]);
    let private = network["PrivateSubnetIds"].split(',').next().unwrap();
    let [private_routes, public_routes, gateways, nats, endpoints] = aws.all([
        &format!("ec2 describe-route-tables --filters Name=association.subnet-id,Values={private}"),
        "ec2 describe-route-tables --filters Name=tag:Name,Values=FisStackVpc/FisVpc/Public",
        &format!("ec2 describe-internet-gateways --filters Name=attachment.vpc-id,Values={vpc}"),
        &format!("ec2 describe-nat-gateways --nat-gateway-ids {nat}"),
        &format!("ec2 describe-vpc-endpoints --filters Name=vpc-id,Values={vpc}"),
    ]);
    let default = |answer: &Value| {
        let routes = list(&only(answer, "RouteTables")["Routes"]).to_vec();
        routes.into_iter().find(|route| route["DestinationCidrBlock"] == "0.0.0.0/0").unwrap()
    };
    assert_eq!(
        (&default(&private_routes)["NatGatewayId"], &default(&private_routes)["State"]),
        (&json!(nat), &json!("active"))
    );
    assert_eq!(list(&only(&private_routes, "RouteTables")["Associations"]).len(), 2);
    assert_eq!(default(&public_routes)["GatewayId"], only(&gateways, "InternetGateways")["InternetGatewayId"]);
    assert_eq!(gateways["InternetGateways"][0]["Attachments"], json!([{"State": "available", "VpcId": vpc}]));
    let found = only(&nats, "NatGateways");
    assert_eq!((&found["State"], &found["VpcId"]), (&json!("available"), &json!(vpc)));
    assert!(network["PublicSubnetIds"].contains(text(&found["SubnetId"])), "{found}");
    assert!(found["NatGatewayAddresses"][0]["PublicIp"].is_string(), "{found}");
    let mut services: Vec<_> =
        list(&endpoints["VpcEndpoints"]).iter().map(|endpoint| text(&endpoint["ServiceName"])).collect();
    services.sort_unstable();
    assert_eq!(services, ["com.amazonaws.us-east-1.dynamodb", "com.amazonaws.us-east-1.s3"]);
}

fn security_group(aws: &Terminal<'_>, network: &Outputs) {
    let group = &network["TaskSecurityGroupId"];
    let answer = aws.aws(&format!("ec2 describe-security-groups --group-ids {group}"));
    let found = only(&answer, "SecurityGroups");
    assert_eq!((&found["IpPermissions"], &found["VpcId"]), (&json!([]), &json!(network["VpcId"])));
    let egress = only(found, "IpPermissionsEgress");
    assert_eq!(
        (&egress["IpProtocol"], &egress["FromPort"], &egress["ToPort"]),
        (&json!("tcp"), &json!(443), &json!(443))
    );
    assert_eq!(egress["IpRanges"][0]["CidrIp"], "0.0.0.0/0");
}

fn roles(aws: &Terminal<'_>, workshop: &Outputs) {
    let name = workshop["FisRoleArn"].rsplit('/').next().unwrap();
    assert!(name.starts_with("FisStopTaskStack-FisWorkshopServiceRole-"), "{name}");
    let [identity, role, names, attached, policy] = aws.all([
        "sts get-caller-identity",
        &format!("iam get-role --role-name {name}"),
        &format!("iam list-role-policies --role-name {name}"),
        &format!("iam list-attached-role-policies --role-name {name}"),
        &format!("iam get-role-policy --role-name {name} --policy-name StopTasksOfThisCluster"),
    ]);
    let account = text(&identity["Account"]);
    assert!(text(&identity["Arn"]).starts_with(&format!("arn:aws:iam::{account}:")), "{identity}");
    assert_eq!(role["Role"]["Arn"], workshop["FisRoleArn"]);
    let trust = only(&role["Role"]["AssumeRolePolicyDocument"], "Statement");
    assert_eq!(trust["Principal"]["Service"], "fis.amazonaws.com");
    assert_eq!(trust["Condition"]["StringEquals"]["aws:SourceAccount"], account);
    assert_eq!(names["PolicyNames"], json!(["StopTasksOfThisCluster"]));
    assert_eq!(attached["AttachedPolicies"], json!([]));
    let statements = list(&policy["PolicyDocument"]["Statement"]);
    let stop = statements.iter().find(|statement| statement["Action"] == "ecs:StopTask").unwrap();
    assert!(text(&stop["Resource"]).ends_with(":task/FisStackECS-Cluster/*"), "{stop}");
}

fn cluster_and_task(aws: &Terminal<'_>, workshop: &Outputs, arn: &str) {
    let running = |answer: &Value| (answer["tasks"][0]["lastStatus"] == "RUNNING").then(|| answer["tasks"][0].clone());
    let task =
        aws.until(&format!("ecs describe-tasks --cluster FisStackECS-Cluster --tasks {arn} --include TAGS"), running);
    assert_eq!(pairs(&task["tags"], "key", "value")["fisTarget"], "true");
    assert_eq!((&task["launchType"], &task["desiredStatus"]), (&json!("FARGATE"), &json!("RUNNING")));
    let details = pairs(&task["attachments"][0]["details"], "name", "value");
    assert!(workshop["SubnetIds"].contains(&details["subnetId"]), "{details:?}");
    let [clusters, missing, definition, tasks, interfaces] = aws.all([
        "ecs describe-clusters --clusters FisStackECS-Cluster",
        "ecs describe-tasks --cluster FisStackECS-Cluster --tasks 0123456789abcdef0123456789abcdef",
        &format!("ecs describe-task-definition --task-definition {}", workshop["OriginalTaskDefinitionArn"]),
        "ecs list-tasks --cluster FisStackECS-Cluster --family FisStopTaskStackTaskDef",
        &format!("ec2 describe-network-interfaces --network-interface-ids {}", details["networkInterfaceId"]),
    ]);
    let cluster = only(&clusters, "clusters");
    assert_eq!((&cluster["status"], &cluster["runningTasksCount"]), (&json!("ACTIVE"), &json!(1)));
    assert_eq!((&missing["tasks"], &missing["failures"][0]["reason"]), (&json!([]), &json!("MISSING")));
    let definition = &definition["taskDefinition"];
    assert_eq!((&definition["cpu"], &definition["memory"]), (&json!("256"), &json!("512")));
    assert_eq!(definition["taskRoleArn"], workshop["OriginalTaskRoleArn"]);
    let container = only(definition, "containerDefinitions");
    assert_eq!(container["linuxParameters"]["initProcessEnabled"], true);
    let log = &container["logConfiguration"];
    assert_eq!((&log["logDriver"], &log["options"]["mode"]), (&json!("awslogs"), &json!("blocking")));
    assert_eq!(log["options"]["awslogs-group"], workshop["OriginalLogGroupName"]);
    assert_eq!(tasks["taskArns"], json!([arn]));
    assert_eq!(only(&interfaces, "NetworkInterfaces")["PrivateIpAddress"], details["privateIPv4Address"]);
}

fn experiment(aws: &Terminal<'_>, workshop: &Outputs) {
    let id = &workshop["ExperimentTemplateId"];
    let [actions, action, template, tags, experiments] = aws.all([
        "fis list-actions",
        "fis get-action --id aws:ecs:stop-task",
        &format!("fis get-experiment-template --id {id}"),
        &format!("fis list-tags-for-resource --resource-arn {}", workshop["ExperimentTemplateArn"]),
        "fis list-experiments",
    ]);
    let ids: Vec<_> = list(&actions["actions"]).iter().map(|action| text(&action["id"])).collect();
    assert_eq!(ids, ["aws:ecs:stop-task", "aws:ecs:task-kill-process", "aws:fis:wait"]);
    assert_eq!(action["action"]["targets"], json!({"Tasks": {"resourceType": "aws:ecs:task"}}));
    let target = &template["experimentTemplate"]["targets"]["WorkshopTasks"];
    assert_eq!(target["resourceTags"], json!({"fisTarget": "true"}));
    assert_eq!(target["parameters"], json!({"cluster": "FisStackECS-Cluster"}));
    assert_eq!((&target["resourceType"], &target["selectionMode"]), (&json!("aws:ecs:task"), &json!("ALL")));
    assert_eq!(tags["tags"]["Name"], "FisWorkshopECSTask");
    assert_eq!(experiments["experiments"], json!([]));
}

fn names_and_tags(aws: &Terminal<'_>, network: &Outputs, workshop: &Outputs) {
    let [repositories, tagged, typed, table, groups] = aws.all([
        "ecr describe-repositories",
        "resourcegroupstaggingapi get-resources --tag-filters Key=fisTarget,Values=true",
        "resourcegroupstaggingapi get-resources --resource-type-filters ec2:vpc",
        &format!("dynamodb describe-table --table-name {}", workshop["TableName"]),
        &format!("logs describe-log-groups --log-group-name-prefix {}", workshop["OriginalLogGroupName"]),
    ]);
    let repository = only(&repositories, "repositories");
    assert_eq!(repository["repositoryUri"], network["RepositoryUri"]);
    assert_eq!(repository["imageTagMutability"], "IMMUTABLE");
    let mut kinds: Vec<_> = list(&tagged["ResourceTagMappingList"])
        .iter()
        .map(|found| text(&found["ResourceARN"]).split(':').nth(5).unwrap().split('/').next().unwrap())
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds[0], "task");
    assert_eq!(kinds[1..], ["task-definition"; 4]);
    assert!(text(&only(&typed, "ResourceTagMappingList")["ResourceARN"]).ends_with(&network["VpcId"]), "{typed}");
    let table = &table["Table"];
    assert_eq!(table["TableStatus"], "ACTIVE");
    assert_eq!(table["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(table["SSEDescription"]["Status"], "ENABLED");
    assert_eq!(
        table["KeySchema"],
        json!([{"AttributeName": "BatchId", "KeyType": "HASH"}, {"AttributeName": "ItemIndex", "KeyType": "RANGE"}])
    );
    assert_eq!(only(&groups, "logGroups")["retentionInDays"], 7);
}

fn addresses_rules_and_policies(aws: &Terminal<'_>, network: &Outputs, workshop: &Outputs) {
    let (vpc, group) = (&network["VpcId"], &network["TaskSecurityGroupId"]);
    let [addresses, zones, acls, rules, vpc_tags] = aws.all([
        "ec2 describe-addresses",
        "ec2 describe-availability-zones",
        &format!("ec2 describe-network-acls --filters Name=vpc-id,Values={vpc}"),
        &format!("ec2 describe-security-group-rules --filters Name=group-id,Values={group}"),
        &format!("ec2 describe-tags --filters Name=resource-id,Values={vpc}"),
    ]);
    assert_eq!(only(&addresses, "Addresses")["Domain"], "vpc");
    assert!(list(&zones["AvailabilityZones"]).iter().all(|zone| zone["State"] == "available"), "{zones}");
    assert_eq!(only(&acls, "NetworkAcls")["IsDefault"], true);
    assert_eq!(only(&rules, "SecurityGroupRules")["IsEgress"], true);
    assert_eq!(pairs(&vpc_tags["Tags"], "Key", "Value")["Name"], "FisStackVpc/FisVpc");

    let role = workshop["ExecutionRoleArn"].rsplit('/').next().unwrap();
    let repository = &network["RepositoryName"];
    let [role_tags, lifecycle] = aws.all([
        &format!("iam list-role-tags --role-name {role}"),
        &format!("ecr get-lifecycle-policy --repository-name {repository}"),
    ]);
    let role_tags = pairs(&role_tags["Tags"], "Key", "Value");
    assert!(role_tags.keys().any(|key| key.starts_with("fis-workshop:")), "{role_tags:?}");
    assert!(text(&lifecycle["lifecyclePolicyText"]).contains("imageCountMoreThan"), "{lifecycle}");
    let policy = aws.aws(&format!("ecr get-repository-policy --repository-name {repository}"));
    assert!(text(&policy["policyText"]).contains("lambda.amazonaws.com"), "{policy}");
}

/// DynamoDB Streams is a service of its own to the AWS CLI. (It takes no shard id under 28 characters, and dynoxide's ends
/// in the table's name: that of a table with a short name is refused by the CLI itself.)
fn stream(aws: &Terminal<'_>) {
    let table = aws.aws(
        "dynamodb create-table --table-name StreamedItems --billing-mode PAY_PER_REQUEST \
         --attribute-definitions AttributeName=Id,AttributeType=S --key-schema AttributeName=Id,KeyType=HASH \
         --stream-specification StreamEnabled=true,StreamViewType=NEW_IMAGE",
    );
    let arn = text(&table["TableDescription"]["LatestStreamArn"]);
    aws.aws("dynamodb put-item --table-name StreamedItems --item '{\"Id\": {\"S\": \"a\"}}'");
    let [streams, described] = aws.all([
        "dynamodbstreams list-streams --table-name StreamedItems",
        &format!("dynamodbstreams describe-stream --stream-arn {arn}"),
    ]);
    assert_eq!(only(&streams, "Streams")["StreamArn"], arn);
    let shard = text(&only(&described["StreamDescription"], "Shards")["ShardId"]);
    let iterator = aws.aws(&format!(
        "dynamodbstreams get-shard-iterator --stream-arn {arn} --shard-id {shard} --shard-iterator-type TRIM_HORIZON"
    ));
    let records =
        aws.aws(&format!("dynamodbstreams get-records --shard-iterator '{}'", text(&iterator["ShardIterator"])));
    let record = only(&records, "Records");
    assert_eq!((&record["eventName"], &record["dynamodb"]["NewImage"]["Id"]["S"]), (&json!("INSERT"), &json!("a")));
    assert_eq!(record["awsRegion"], "us-east-1");
}
