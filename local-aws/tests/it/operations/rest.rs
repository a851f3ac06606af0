//! The services that the lab's resources need.

use serde_json::{Value, json};

use super::Calls;
use crate::ecs_lab::Lab;

pub(super) async fn all(calls: &mut Calls, lab: &Lab) {
    ec2(calls);
    network(calls).await;
    ecr(calls).await;
    iam(calls, lab);
    role(calls).await;
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

/// A network is changed, and taken apart.
async fn network(calls: &mut Calls) {
    let template = include_str!("../../../../templates/network.yaml");
    calls.call("cloudformation", "CreateStack", &json!({"StackName": "Net", "TemplateBody": template}));
    calls.stack_is("Net", "CREATE_COMPLETE").await;
    let all = calls.call("cloudformation", "DescribeStackResources", &json!({"StackName": "Net"}));
    let id = |logical_id: &str| {
        let mut all = all["StackResources"].as_array().unwrap().iter();
        all.find(|it| it["LogicalResourceId"] == logical_id).unwrap()["PhysicalResourceId"].clone()
    };
    let (vpc, subnet, gateway) = (id("FisVpc"), id("PrivateSubnet1"), id("InternetGateway"));
    let (table, group) = (id("PrivateRouteTable"), id("TaskSecurityGroup"));
    let rule = |port: u16| json!([{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]);
    let route = json!({"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"});
    let with = |more: Value| {
        let mut input = route.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let filter = json!({"Filters": [{"Name": "domain", "Values": ["vpc"]}]});
    let address = calls.call("ec2", "DescribeAddresses", &filter)["Addresses"][0]["AllocationId"].take();
    let attached = json!({"InternetGatewayId": gateway, "VpcId": vpc});
    let mut ec2 = |operation: &str, input: Value| calls.call("ec2", operation, &input);
    ec2("ModifyVpcAttribute", json!({"VpcId": vpc, "EnableDnsHostnames": {"Value": false}}));
    ec2("ModifySubnetAttribute", json!({"SubnetId": subnet, "MapPublicIpOnLaunch": {"Value": true}}));
    ec2("CreateTags", json!({"Resources": [vpc], "Tags": [{"Key": "k", "Value": "v"}]}));
    ec2("DeleteTags", json!({"Resources": [vpc], "Tags": [{"Key": "k"}]}));
    for (direction, port) in [("Ingress", 1), ("Egress", 2)] {
        for verb in ["Authorize", "Revoke"] {
            let input = json!({"GroupId": group, "IpPermissions": rule(port)});
            ec2(&format!("{verb}SecurityGroup{direction}"), input);
        }
    }
    ec2("ReplaceRoute", with(json!({"GatewayId": gateway})));
    ec2("DeleteRoute", route.clone());
    ec2("CreateRoute", with(json!({"NatGatewayId": id("NatGateway")})));
    ec2("DeleteNatGateway", json!({"NatGatewayId": id("NatGateway")}));
    ec2("ReleaseAddress", json!({"AllocationId": address}));
    ec2("DetachInternetGateway", attached.clone());
    ec2("AttachInternetGateway", attached.clone());
    ec2("DetachInternetGateway", attached);
    ec2("DeleteInternetGateway", json!({"InternetGatewayId": gateway}));
    ec2("DeleteVpcEndpoints", json!({"VpcEndpointIds": [id("S3Endpoint"), id("DynamoDbEndpoint")]}));
    ec2("DeleteSecurityGroup", json!({"GroupId": group}));
    for name in ["PrivateSubnet1", "PrivateSubnet2", "PublicSubnet1", "PublicSubnet2"] {
        ec2("DisassociateRouteTable", json!({"AssociationId": id(&format!("{name}RouteTableAssociation"))}));
        ec2("DeleteSubnet", json!({"SubnetId": id(name)}));
    }
    for name in ["PrivateRouteTable", "PublicRouteTable"] {
        ec2("DeleteRouteTable", json!({"RouteTableId": id(name)}));
    }
    ec2("DeleteVpc", json!({"VpcId": vpc}));
}

/// A role is changed, and deleted.
async fn role(calls: &mut Calls) {
    let statement =
        json!({"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"});
    let trust = json!({"Version": "2012-10-17", "Statement": [statement]});
    let properties = json!({"RoleName": "changed", "AssumeRolePolicyDocument": trust});
    let template = json!({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}}).to_string();
    let stack = json!({"StackName": "Changed", "TemplateBody": template, "Capabilities": ["CAPABILITY_NAMED_IAM"]});
    calls.call("cloudformation", "CreateStack", &stack);
    calls.stack_is("Changed", "CREATE_COMPLETE").await;
    let statement = json!({"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"});
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    let managed = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy";
    let mut iam = |operation: &str, mut input: Value| {
        input["RoleName"] = json!("changed");
        calls.call("iam", operation, &input)
    };
    iam("UpdateRole", json!({"Description": "other", "MaxSessionDuration": 7200}));
    iam("UpdateAssumeRolePolicy", json!({"PolicyDocument": trust.to_string()}));
    iam("TagRole", json!({"Tags": [{"Key": "k", "Value": "v"}]}));
    iam("UntagRole", json!({"TagKeys": ["k"]}));
    iam("PutRolePolicy", json!({"PolicyName": "p", "PolicyDocument": policy}));
    iam("DeleteRolePolicy", json!({"PolicyName": "p"}));
    iam("AttachRolePolicy", json!({"PolicyArn": managed}));
    iam("DetachRolePolicy", json!({"PolicyArn": managed}));
    assert_eq!(iam("GetRole", json!({}))["Role"]["MaxSessionDuration"], 7200);
    iam("DeleteRole", json!({}));
}

async fn ecr(calls: &mut Calls) {
    // The policy of the repository comes by CloudFormation only.
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
    ecr("PutImageTagMutability", json!({"repositoryName": "ruled", "imageTagMutability": "IMMUTABLE"}));
    let scan = json!({"repositoryName": "ruled", "imageScanningConfiguration": {"scanOnPush": true}});
    ecr("PutImageScanningConfiguration", scan);
    ecr("PutLifecyclePolicy", json!({"repositoryName": "ruled", "lifecyclePolicyText": "{\"rules\": []}"}));
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
