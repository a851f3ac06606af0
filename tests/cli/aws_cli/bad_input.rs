//! What the AWS CLI says of bad input, in AWS's words, and that it leaves nothing behind.

use serde_json::json;

use super::{Terminal, list};
use crate::harness::Sandbox;

/// Templates that CloudFormation refuses, and where it has to say that the mistake is.
const TEMPLATES: [(&str, &str, &[&str]); 8] = [
    ("unknown type", "Resources: {Bucket: {Type: 'AWS::S3::Bucket'}}", &["AWS::S3::Bucket"]),
    (
        "unknown property",
        "Resources: {Vpc: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.0.0.0/16, Colour: red}}}",
        &["Vpc", "Colour"],
    ),
    (
        "cycle",
        "Resources:
           First: {Type: 'AWS::Logs::LogGroup', Properties: {LogGroupName: !Sub '${Second}-x'}}
           Second: {Type: 'AWS::Logs::LogGroup', Properties: {LogGroupName: !Sub '${First}-y'}}",
        &["Circular dependency", "First", "Second"],
    ),
    (
        "missing Ref",
        "Resources: {Group: {Type: 'AWS::Logs::LogGroup', Properties: {LogGroupName: !Ref Nowhere}}}",
        &["Unresolved resource dependencies [Nowhere]"],
    ),
    (
        "unknown attribute",
        "Resources: {Vpc: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.0.0.0/16}}}
Outputs: {Colour: {Value: !GetAtt Vpc.Colour}}",
        &["Vpc", "Colour"],
    ),
    (
        "unknown intrinsic",
        "Resources: {Group: {Type: 'AWS::Logs::LogGroup', Properties: {LogGroupName: {'Fn::Guess': [a]}}}}",
        &["Fn::Guess"],
    ),
    (
        "unknown short tag",
        "Resources: {Group: {Type: 'AWS::Logs::LogGroup', Properties: {LogGroupName: !Guess [a]}}}",
        &["!Guess"],
    ),
    ("no template", "Resources: [", &["YAML not well-formed", "(line "]),
];

#[test]
fn a_wrong_template_is_refused_with_the_place_and_leaves_no_stack() {
    let sandbox = Sandbox::with_endpoint();
    let aws = Terminal::of(&sandbox);
    std::thread::scope(|scope| {
        for (number, (what, template, places)) in TEMPLATES.into_iter().enumerate() {
            let aws = &aws;
            scope.spawn(move || {
                let file = format!("{number}.yaml");
                aws.write(&file, template);
                let call = format!("cloudformation create-stack --stack-name stack-{number}");
                let refusal = aws.refusal(&format!("{call} --template-body file://{file}"));
                let start = "An error occurred (ValidationError) when calling the CreateStack operation: ";
                assert!(refusal.starts_with(start), "{what}: {refusal}");
                assert!(places.iter().all(|place| refusal.contains(place)), "{what}: {refusal}");
            });
        }
    });
    assert_eq!(aws.aws("cloudformation list-stacks")["StackSummaries"], json!([]));
}

#[test]
fn a_wrong_parameter_is_refused_with_its_name_and_leaves_no_stack() {
    let sandbox = Sandbox::with_endpoint();
    let aws = Terminal::of(&sandbox);
    aws.ok("fis-workshop render network > network.yaml");
    let create = "cloudformation create-stack --stack-name FisStackVpc --template-body file://network.yaml";
    for (parameter, value, expected) in [
        ("VpcCidr", "10.0.0.0/8", "must be an IPv4 range with a prefix of /16 to /22"),
        ("Egress", "Carrier-Pigeon", "must be NatGateway or VpcEndpoints"),
        ("Colour", "red", "do not exist in the template"),
    ] {
        let refusal = aws.refusal(&format!("{create} --parameters ParameterKey={parameter},ParameterValue={value}"));
        assert!(refusal.contains("(ValidationError)") && refusal.contains(parameter), "{refusal}");
        assert!(refusal.contains(expected), "{refusal}");
    }
    assert_eq!(aws.aws("cloudformation list-stacks")["StackSummaries"], json!([]));
}

#[test]
fn a_wrong_run_task_gets_the_error_of_aws_and_runs_nothing() {
    let sandbox = Sandbox::with_endpoint();
    let aws = Terminal::of(&sandbox);
    sandbox.ok(&["up"]);
    let outputs = aws.outputs("FisStopTaskStack");
    let run = |cluster: &str, definition: &str, network: &str, more: &str| {
        aws.refusal(&format!(
            "ecs run-task --launch-type FARGATE --cluster {cluster} --task-definition {definition} \
             --network-configuration '{network}' {more}"
        ))
    };
    let (cluster, definition) = ("FisStackECS-Cluster", "FisStopTaskStackTaskDef");
    let network = outputs["NetworkConfiguration"].as_str();
    let wrong = "awsvpcConfiguration={subnets=[subnet-0123456789abcdef0]}";
    let operation = "when calling the RunTask operation";
    for (refusal, code, message) in [
        (run("nowhere", definition, network, ""), "ClusterNotFoundException", "Cluster not found."),
        (run(cluster, "nothing", network, ""), "ClientException", "TaskDefinition not found."),
        (run(cluster, definition, wrong, ""), "InvalidParameterException", "subnet-0123456789abcdef0"),
        (run(cluster, definition, network, "--count 11"), "InvalidParameterException", "Count cannot exceed 10."),
    ] {
        assert!(refusal.starts_with(&format!("An error occurred ({code}) {operation}")), "{refusal}");
        assert!(refusal.contains(message), "{refusal}");
    }
    let [running, stopped] = aws.all([
        "ecs list-tasks --cluster FisStackECS-Cluster",
        "ecs list-tasks --cluster FisStackECS-Cluster --desired-status STOPPED",
    ]);
    assert!(list(&running["taskArns"]).is_empty() && list(&stopped["taskArns"]).is_empty());
}

#[test]
fn an_operation_that_the_endpoint_does_not_do_is_refused_by_name() {
    let sandbox = Sandbox::with_endpoint();
    let aws = Terminal::of(&sandbox);
    for (call, name) in [
        ("ecs create-service --service-name service", "ecs:CreateService"),
        ("ec2 run-instances --image-id ami-0123456789abcdef0", "ec2:RunInstances"),
        ("iam create-user --user-name somebody", "iam:CreateUser"),
        ("dynamodb create-backup --table-name table --backup-name backup", "dynamodb:CreateBackup"),
        ("logs describe-metric-filters", "logs:DescribeMetricFilters"),
        ("cloudformation list-stack-sets", "cloudformation:ListStackSets"),
        ("fis list-target-account-configurations --experiment-template-id EXT1", "ListTargetAccountConfigurations"),
    ] {
        let refusal = aws.refusal(call);
        assert!(refusal.contains(name) && refusal.contains("is not supported"), "{refusal}");
    }
}

#[test]
fn a_request_with_another_secret_is_refused_by_every_service() {
    let sandbox = Sandbox::with_endpoint();
    let aws = Terminal::of(&sandbox);
    let wrong = aws.with("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    for (call, code) in [
        ("cloudformation list-stacks", "SignatureDoesNotMatch"),
        ("ec2 describe-vpcs", "SignatureDoesNotMatch"),
        ("iam list-roles", "SignatureDoesNotMatch"),
        ("ecs list-clusters", "InvalidSignatureException"),
        ("dynamodb list-tables", "InvalidSignatureException"),
        ("logs describe-log-groups", "InvalidSignatureException"),
        ("fis list-experiments", "InvalidSignatureException"),
    ] {
        let refusal = wrong.refusal(call);
        assert!(refusal.starts_with(&format!("An error occurred ({code})")), "{refusal}");
    }
    let unsigned = aws.refusal("ecs list-clusters --no-sign-request");
    assert!(unsigned.contains("MissingAuthenticationToken"), "{unsigned}");
    let unknown = aws.with("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE").refusal("sts get-caller-identity");
    assert!(unknown.contains("(InvalidClientTokenId)"), "{unknown}");
}
