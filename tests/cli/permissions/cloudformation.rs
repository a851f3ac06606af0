//! What CloudFormation does on behalf of the person who deploys: each resource type's schema names the permissions of
//! its handlers, for every property that the type has. Those of properties that the templates do not use are left out,
//! each for a reason.

use std::collections::{BTreeMap, BTreeSet};

use super::{document, operations};
use crate::harness::{Sandbox, judge};

/// What making, changing and tagging the resource types of the files needs, by their cfn-lint schemas: one permission a
/// line.
const HANDLERS: &str = "
import re, sys
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER as schemas
types = set()
for path in sys.argv[1:]:
    types |= set(re.findall(r'^    Type: (AWS::[A-Za-z0-9]+::[A-Za-z0-9]+)$', open(path).read(), re.M))
for name in types:
    schema = schemas.get_resource_schema('us-east-1', name).schema
    permissions = [schema['handlers'].get(verb, {}) for verb in ('create', 'read', 'update', 'delete')]
    for part in permissions + [schema.get('tagging', {})]:
        for permission in part.get('permissions', []):
            print(permission)
";

/// Why a handler's permission is left out: by action, or by service.
const LEFT_OUT: &[(&str, &[&str])] = &[
    ("nothing is encrypted with a customer managed key", &["kms:", "logs:AssociateKmsKey", "logs:DisassociateKmsKey"]),
    (
        "no table is imported",
        &[
            "dynamodb:DescribeImport",
            "dynamodb:ImportTable",
            "s3:GetObject",
            "s3:GetObjectMetadata",
            "s3:ListBucket",
            "logs:CreateLogStream",
            "logs:DescribeLogStreams",
            "logs:PutLogEvents",
        ],
    ),
    (
        "the table has no replicas",
        &[
            "dynamodb:CreateTableReplica",
            "dynamodb:AssociateTableReplica",
            "dynamodb:Scan",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
            "dynamodb:PutItem",
            "dynamodb:GetItem",
            "dynamodb:DeleteItem",
            "dynamodb:BatchWriteItem",
        ],
    ),
    (
        "the table has no stream, insights, expiry or policy of its own",
        &[
            "dynamodb:EnableKinesisStreamingDestination",
            "dynamodb:DisableKinesisStreamingDestination",
            "dynamodb:UpdateKinesisStreamingDestination",
            "kinesis:",
            "dynamodb:UpdateContributorInsights",
            "dynamodb:UpdateTimeToLive",
            "dynamodb:PutResourcePolicy",
            "dynamodb:DeleteResourcePolicy",
        ],
    ),
    (
        "addresses are neither transferred nor given to instances",
        &["ec2:AcceptAddressTransfer", "ec2:AssociateAddress"],
    ),
    (
        "the NAT gateway has one address",
        &[
            "ec2:AssociateNatGatewayAddress",
            "ec2:DisassociateNatGatewayAddress",
            "ec2:AssignPrivateNatGatewayAddress",
            "ec2:UnassignPrivateNatGatewayAddress",
        ],
    ),
    ("the subnets have no IPv6", &["ec2:AssociateSubnetCidrBlock", "ec2:DisassociateSubnetCidrBlock"]),
    (
        "the VPC has no VPN, lattice, other region, encryption control or hardware of its own",
        &[
            "ec2:AttachVpnGateway",
            "ec2:DetachVpnGateway",
            "vpc-lattice:",
            "vpce:",
            "ec2:CreateVpcEncryptionControl",
            "ec2:ModifyVpcTenancy",
        ],
    ),
    ("the repository always has a lifecycle policy", &["ecr:DeleteLifecyclePolicy"]),
    (
        "the function is an image, outside any VPC, without layers, file systems, versions, signatures or a reservation",
        &[
            "elasticfilesystem:",
            "s3files:",
            "s3:GetObjectVersion",
            "lambda:AssociateRuntimeAlias",
            "lambda:DeleteFunctionCodeSigningConfig",
            "lambda:DeleteFunctionConcurrency",
            "lambda:GetCodeSigningConfig",
            "lambda:GetLayerVersion",
            "lambda:PassCapacityProvider",
            "lambda:PublishVersion",
            "lambda:PutFunctionCodeSigningConfig",
            "lambda:PutFunctionConcurrency",
            "lambda:PutFunctionRecursionConfig",
            "lambda:PutFunctionScalingConfig",
            "lambda:PutRuntimeManagementConfig",
        ],
    ),
    (
        "the cluster has no capacity providers, and nobody's account settings are changed",
        &["ecs:PutAccountSetting", "ecs:PutAccountSettingDefault", "ecs:PutClusterCapacityProviders"],
    ),
    (
        "the roles have inline policies only, and no boundary",
        &[
            "iam:AttachRolePolicy",
            "iam:DetachRolePolicy",
            "iam:PutRolePermissionsBoundary",
            "iam:DeleteRolePermissionsBoundary",
        ],
    ),
    (
        "the log groups deliver to nobody, and have a retention and no other policy",
        &[
            "firehose:",
            "s3:REST.PUT.OBJECT",
            "logs:CreateLogDelivery",
            "logs:PutDataProtectionPolicy",
            "logs:PutIndexPolicy",
            "logs:DeleteIndexPolicy",
            "logs:PutResourcePolicy",
            "logs:DeleteResourcePolicy",
            "logs:DeleteRetentionPolicy",
            "logs:PutBearerTokenAuthentication",
            "logs:PutLogGroupDeletionProtection",
        ],
    ),
];

/// What CloudFormation does, in as many files as IAM's limit asks for.
const POLICIES: [&str; 2] = ["deployer-cloudformation.json", "deployer-cloudformation-network.json"];

#[test]
fn the_policy_of_cloudformation_is_that_of_the_resource_types_less_what_the_templates_do_not_use() {
    let handlers = handlers();
    let reasons: BTreeMap<&str, &str> =
        LEFT_OUT.iter().flat_map(|(reason, parts)| parts.iter().map(|part| (*part, *reason))).collect();
    let reason = |action: &str| {
        let service = action.split_inclusive(':').next().unwrap();
        reasons.get_key_value(action).or_else(|| reasons.get_key_value(service)).map(|(part, _)| *part)
    };
    let wanted: BTreeSet<&str> =
        handlers.iter().map(String::as_str).filter(|action| reason(action).is_none()).collect();
    let sandbox = Sandbox::new();
    let templates = ["network", "workshop"].map(|name| sandbox.ok(&["render", name])).concat();
    let wanted: BTreeSet<&str> = wanted.into_iter().chain(operations::of_functions(&templates)).collect();
    let policies = POLICIES.map(|name| document(name).0);
    let statements = policies.iter().flat_map(|policy| policy.statements());
    let allowed: BTreeSet<&str> = statements.flat_map(|s| s.actions.iter().map(String::as_str)).collect();
    assert_eq!(wanted.difference(&allowed).collect::<Vec<_>>(), Vec::<&&str>::new(), "missing in the policy");
    assert_eq!(allowed.difference(&wanted).collect::<Vec<_>>(), Vec::<&&str>::new(), "no resource type asks for it");
    // No reason is left for what nobody asks for.
    let given: BTreeSet<&str> = handlers.iter().filter_map(|action| reason(action)).collect();
    assert_eq!(reasons.keys().filter(|part| !given.contains(*part)).collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn only_cloudformation_acts_by_its_policy() {
    let policies = POLICIES.map(|name| serde_json::from_str::<serde_json::Value>(&document(name).1).unwrap());
    for statement in policies.iter().flat_map(|policy| policy["Statement"].as_array().unwrap()) {
        let via = &statement["Condition"]["ForAnyValue:StringEquals"]["aws:CalledVia"];
        // Functions and parameters of a template are resolved before any resource handler is called, and whether
        // the key is set then, AWS does not say. What is allowed without it only reads.
        match statement["Sid"].as_str() {
            Some("SeeNetworks") => {
                let actions = statement["Action"].as_array().unwrap();
                assert!(actions.iter().all(|action| action.as_str().unwrap().starts_with("ec2:Describe")));
            }
            _ => assert_eq!(*via, serde_json::json!(["cloudformation.amazonaws.com"]), "{statement}"),
        }
    }
}

fn handlers() -> BTreeSet<String> {
    let sandbox = Sandbox::new();
    let files = ["network", "workshop"].map(|name| {
        let file = sandbox.path().join(format!("{name}.yaml"));
        std::fs::write(&file, sandbox.ok(&["render", name])).unwrap();
        file
    });
    let mut python = std::process::Command::new(judge("python"));
    let output = python.env_clear().current_dir(sandbox.path()).args(["-c", HANDLERS]).args(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}
