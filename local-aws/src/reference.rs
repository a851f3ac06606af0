//! `docs/reference/local-aws.md` is made of the services' own dispatch and of the registry of resource types.

use std::fmt::Write;
use std::path::Path;

use crate::cloudformation::latency::TIMES;
use crate::cloudformation::resources;
use crate::cloudformation::schema::Schemas;
use crate::{ecs, quotas};

const SERVICES: &[(&str, &str)] = &[
    ("CloudFormation", include_str!("cloudformation/mod.rs")),
    ("CloudWatch Logs", include_str!("logs/mod.rs")),
    ("DynamoDB, DynamoDB Streams", include_str!("dynamodb.rs")),
    ("EC2", include_str!("ec2/mod.rs")),
    ("ECR", include_str!("ecr.rs")),
    ("ECS", include_str!("ecs/mod.rs")),
    ("FIS", include_str!("fis/mod.rs")),
    ("IAM", include_str!("iam/mod.rs")),
    ("Resource Groups Tagging", include_str!("tagging.rs")),
    ("Service Quotas", include_str!("quotas.rs")),
    ("STS", include_str!("sts.rs")),
];

const INTRODUCTION: &str = "\
# What the local endpoint does

Written by `make docs` out of the endpoint's code; the tests fail when it is stale. What is not here is refused by name,
with an error in AWS's shape.

One account (`000000000000`) in one region. Requests must be signed with the key pair that `fis-workshop local env` prints, or
with a task's own credentials. The roles' policies are enforced for the tasks' DynamoDB calls, for what ECS does with the
execution role, and for what FIS does with the experiment's role.

## Operations
";

const LANGUAGE: &str = "
## Templates

YAML with short tags, or JSON, up to 51,200 bytes. `Ref`, `Fn::GetAtt`, `Fn::Sub`, `Fn::Join`, `Fn::Select`, `Fn::Split`,
`Fn::FindInMap`, `Fn::GetAZs`, `Fn::Cidr`, `Fn::Base64`, `Fn::ImportValue`, `Fn::If`, `Fn::And`, `Fn::Or`, `Fn::Not`,
`Fn::Equals`, `Condition`; pseudo parameters; parameter types but those of Systems Manager; conditions, `DependsOn`,
`DeletionPolicy`, `UpdateReplacePolicy`, exports. Transforms, macros, `Rules`, `Hooks`, `CreationPolicy` and `UpdatePolicy`
are refused.

## Resource types

Properties are those of AWS's own schemas (`local-aws/schemas/`). Those that mean nothing on one machine are refused:

| type | refused properties |
|---|---|
";

const QUOTAS: &str = "
## Quotas

AWS's default values. What goes over one that is held fails in AWS's words.

| quota | service | code | value | held |
|---|---|---|---|---|
";

const LATENCY: &str = "
## Latencies

Resources are there at once and gone at once, unless `fis-workshop local start --latency aws` says that they take as long as on
AWS; `--speed N` divides the times by N. Then the events come as on AWS: `CREATE_IN_PROGRESS`, `Resource creation Initiated`
with the physical id, and after the time below `CREATE_COMPLETE`; what depends on the resource begins then, all others go on
at the same time. A failure or a DeleteStack ends the waiting (`Resource creation cancelled`). A restart of the endpoint
neither shortens nor repeats it.

Meanwhile NAT gateways and interface endpoints are `pending` or `deleting`. Other resources are shown as if they were there:
DynamoDB tables as `ACTIVE`, clusters as `ACTIVE`. Calls of the services themselves (CreateCluster, CreateTable) take no
time, nor does the rollback of an update, up to its clean-up.

Seconds:

| resource type | created | updated | deleted | source |
|---|---|---|---|---|
";

/// The operations that a service's `match operation` names.
fn operations(source: &str) -> Vec<&str> {
    let dispatch = source.split_once("    operations! {").or_else(|| source.split_once("match operation {"));
    let (_, body) = dispatch.expect("a service dispatches on its operations");
    let arms = body.lines().take_while(|line| !line.starts_with("    }"));
    let mut names: Vec<&str> = arms
        .filter_map(|line| line.split_once(" =>"))
        .flat_map(|(patterns, _)| patterns.split('"').skip(1).step_by(2))
        .collect();
    names.sort_unstable();
    names
}

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for (service, source) in SERVICES {
        let names = operations(source);
        assert!(!names.is_empty(), "{service}");
        write!(page, "\n**{service}**: {}.\n", names.join(", ")).unwrap();
    }
    page.push_str(LANGUAGE);
    let schemas = Schemas::default();
    for resource_type in resources::all() {
        let name = resource_type.type_name();
        assert!(schemas.get(name).is_ok(), "{name} has no schema");
        let refused: Vec<String> = resource_type.refused().iter().map(|path| format!("`{path}`")).collect();
        writeln!(page, "| `{name}` | {} |", refused.join(", ")).unwrap();
    }
    page.push_str(QUOTAS);
    page.push_str(&quotas::table());
    page.push_str(LATENCY);
    for times in TIMES {
        let only = times.only.map_or(String::new(), |(property, value)| format!(", `{property}: {value}`"));
        let (create, update, delete) = (times.create, times.update, times.delete);
        writeln!(page, "| `{}`{only} | {create} | {update} | {delete} | {} |", times.resource_type, times.source)
            .unwrap();
    }
    page.push_str("\nA Fargate task: ");
    let states = ecs::latency::TIMES.iter();
    let states: Vec<String> =
        states.map(|(status, seconds, why)| format!("{status:?} {seconds} s ({why})").to_lowercase()).collect();
    writeln!(page, "{}.", states.join(", ")).unwrap();
    page
}

#[test]
fn reference_page_of_the_endpoint_is_current() {
    let page = page();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/local-aws.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == page, "docs/reference/local-aws.md is stale; `make docs` writes it again");
}

/// `RunTask` as the AWS SDK for Rust (`.run_task(`) or the AWS CLI (`run-task`) writes it.
fn words(operation: &str, separator: &str) -> String {
    let mut words = String::new();
    for (position, letter) in operation.char_indices() {
        if letter.is_uppercase() && position > 0 {
            words.push_str(separator);
        }
        words.extend(letter.to_lowercase());
    }
    words
}

fn sources_below(directory: &Path, sources: &mut String) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources_below(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_operation_is_called_by_a_test_with_the_sdk_or_the_aws_cli() {
    let crate_directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = String::new();
    for directory in ["tests", "../tests"] {
        sources_below(&crate_directory.join(directory), &mut tests);
    }
    let is_called = |operation: &&str| {
        tests.contains(&format!(".{}(", words(operation, "_"))) || tests.contains(&words(operation, "-"))
    };
    for (service, source) in SERVICES {
        let untested: Vec<&str> = operations(source).into_iter().filter(|operation| !is_called(operation)).collect();
        assert!(untested.is_empty(), "{service}: no test calls {untested:?}");
    }
}
