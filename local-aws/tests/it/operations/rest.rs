//! The services that the lab's resources need.

use serde_json::{Value, json};

use super::Calls;
use crate::ecs_lab::Lab;

pub(super) async fn all(calls: &mut Calls, lab: &Lab) {
    ec2(calls);
    ecr(calls).await;
    iam(calls, lab);
    let mut tagging = |operation: &str, input: Value| calls.call("resourcegroupstaggingapi", operation, &input);
    tagging("GetResources", json!({}));
    tagging("GetTagKeys", json!({}));
    tagging("GetTagValues", json!({"Key": "k"}));
    let mut quotas = |operation: &str, input: Value| calls.call("service-quotas", operation, &input);
    quotas("ListServiceQuotas", json!({"ServiceCode": "vpc"}));
    for operation in ["GetServiceQuota", "GetAWSDefaultServiceQuota"] {
        quotas(operation, json!({"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}));
    }
    sts(calls).await;
}

async fn sts(calls: &mut Calls) {
    calls.call("sts", "GetCallerIdentity", &json!({}));
    let statement = json!({"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"});
    let trust = json!({"Version": "2012-10-17", "Statement": [statement]});
    let role = json!({"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}});
    let outputs = json!({"Arn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}});
    let template = json!({"Resources": {"Role": role}, "Outputs": outputs}).to_string();
    let stack = json!({"StackName": "Assumed", "TemplateBody": template, "Capabilities": ["CAPABILITY_IAM"]});
    calls.call("cloudformation", "CreateStack", &stack);
    calls.stack_is("Assumed", "CREATE_COMPLETE").await;
    let described = calls.call("cloudformation", "DescribeStacks", &json!({"StackName": "Assumed"}));
    let arn = &described["Stacks"][0]["Outputs"][0]["OutputValue"];
    calls.call("sts", "AssumeRole", &json!({"RoleArn": arn, "RoleSessionName": "me"}));
}

fn ec2(calls: &mut Calls) {
    let mut ec2 = |operation: &str, input: Value| calls.call("ec2", operation, &input);
    for operation in [
        "DescribeAddresses",
        "DescribeAvailabilityZones",
        "DescribeInternetGateways",
        "DescribeNatGateways",
        "DescribeNetworkAcls",
        "DescribeNetworkInterfaces",
        "DescribeRouteTables",
        "DescribeSecurityGroupRules",
        "DescribeSecurityGroups",
        "DescribeSubnets",
        "DescribeTags",
        "DescribeVpcEndpoints",
    ] {
        ec2(operation, json!({}));
    }
    let vpc = ec2("DescribeVpcs", json!({}))["Vpcs"][0]["VpcId"].take();
    ec2("DescribeVpcAttribute", json!({"VpcId": vpc, "Attribute": "enableDnsSupport"}));
}

async fn ecr(calls: &mut Calls) {
    // Policies come by CloudFormation only.
    let rule = json!({
        "rulePriority": 1, "action": {"type": "expire"},
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 9},
    });
    let statement = json!({"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"});
    let properties = json!({
        "RepositoryName": "ruled",
        "LifecyclePolicy": {"LifecyclePolicyText": json!({"rules": [rule]}).to_string()},
        "RepositoryPolicyText": {"Version": "2012-10-17", "Statement": [statement]},
    });
    let repository = json!({"Type": "AWS::ECR::Repository", "Properties": properties});
    let template = json!({"Resources": {"Repository": repository}}).to_string();
    calls.call("cloudformation", "CreateStack", &json!({"StackName": "Ruled", "TemplateBody": template}));
    calls.stack_is("Ruled", "CREATE_COMPLETE").await;
    let mut ecr = |operation: &str, input: Value| calls.call("ecr", operation, &input);
    for operation in ["GetLifecyclePolicy", "GetRepositoryPolicy"] {
        ecr(operation, json!({"repositoryName": "ruled"}));
    }
    ecr("GetAuthorizationToken", json!({}));
    let arn = ecr("CreateRepository", json!({"repositoryName": "all"}))["repository"]["repositoryArn"].take();
    ecr("TagResource", json!({"resourceArn": arn, "tags": [{"Key": "k", "Value": "v"}]}));
    ecr("ListTagsForResource", json!({"resourceArn": arn}));
    ecr("UntagResource", json!({"resourceArn": arn, "tagKeys": ["k"]}));
    ecr("DescribeRepositories", json!({}));
    // The image of the task.
    let image = json!({"repositoryName": "job", "imageIds": [{"imageTag": "1"}]});
    for (operation, list) in [("DescribeImages", "imageDetails"), ("ListImages", "imageIds")] {
        assert_eq!(ecr(operation, json!({"repositoryName": "job"}))[list].as_array().unwrap().len(), 1);
    }
    assert_eq!(ecr("BatchGetImage", image.clone())["failures"], json!([]));
    assert_eq!(ecr("BatchDeleteImage", image)["failures"], json!([]));
    ecr("DeleteRepository", json!({"repositoryName": "all"}));
}

fn iam(calls: &mut Calls, lab: &Lab) {
    let arn = lab.output("ExecutionRole");
    let name = arn.rsplit('/').next().unwrap();
    let mut iam = |operation: &str, input: Value| calls.call("iam", operation, &input);
    for operation in ["GetRole", "ListAttachedRolePolicies", "ListRolePolicies", "ListRoleTags"] {
        iam(operation, json!({"RoleName": name}));
    }
    iam("ListRoles", json!({}));
    iam("GetRolePolicy", json!({"RoleName": name, "PolicyName": "logs"}));
    let simulated = json!({"PolicySourceArn": arn, "ActionNames": ["logs:PutLogEvents"]});
    let simulated = iam("SimulatePrincipalPolicy", simulated);
    assert_eq!(simulated["EvaluationResults"][0]["EvalDecision"], "allowed");
    iam("CreateServiceLinkedRole", json!({"AWSServiceName": "fis.amazonaws.com"}));
}
