//! `docs/reference/local-aws.md` is made of the services' rows and of the registry of resource types.

use std::fmt::Write;
use std::path::Path;

use crate::cloudformation::latency::Times;
use crate::cloudformation::resources;
use crate::service::Service;
use crate::services::SERVICES;
use crate::{ecs, quotas};

const INTRODUCTION: &str = "\
# What the local endpoint does

Written by `make docs` out of the endpoint's code; the tests fail when it is stale. What is not here is refused by name,
with an error in AWS's shape.

One account (`000000000000`) in one region. Requests must be signed with the key pair that `fis-workshop local env` prints,
with a task's own credentials, or with those that `aws sts assume-role` gives for a role. What a role may do is what its
policies say: in its own calls, in what ECS does with the execution role, and in what FIS does with the experiment's role.
Queues' policies count as well. So a policy can be tried out: make a role with it by a template, assume the role, and use it. What CloudFormation does with
the resources of a stack is not asked of the role that has the stack made, except for `Fn::GetAZs`.

## Operations
";

const REGISTRY: &str = "
## Registry

The OCI distribution API of ECR, on the same port under `/v2/`: blobs and manifests (OCI image and index, Docker schema 2
and manifest list) by tag and by digest, `tags/list`. Log in as `AWS` with the password of `aws ecr get-login-password`.
As on ECR a `PATCH` is answered by 201, and an upload takes one; a tag that is immutable does not move; the repository must
be there. Not there: `_catalog`, the referrers API, `Range`, mounts of other repositories' blobs (answered by an upload).
Lifecycle policies are kept and shown; no image expires by them.
";

const EVENTS: &str = "
## Events

The default bus only. ECS sends `ECS Task State Change` for RunTask, StopTask and every step of a task, FIS
`FIS Experiment State Change`, and PutEvents what it is given. An event is kept in the transaction of what it tells of, and an
event and its delivery end together: a kill loses none and doubles none. Nothing is kept while no enabled rule has a pattern.

Targets are Lambda functions, standard queues and clusters (RunTask in the target's role; `Input` and its like are the task's
overrides, the event itself is not handed on). Functions and queues are asked for their own policies. What may pass (5xx, 429) is
tried again; a missing permission or target is not. Then the event goes to the target's dead-letter queue, or is dropped; either
way the endpoint's log names rule, target and cause. A target that its rule no longer has when its turn comes gets nothing.

EventBridge may deliver an event late, in another order, or twice. Here it does so when asked to: `local start --delay-events
SECONDS`, `--shuffle-events SECONDS` (each is later than another by up to so much), `--duplicate-events N` (every Nth comes twice;
1 is each of them), and `--events-seed NUMBER`, from which the order and the choice follow. An endpoint that is started again
keeps them; `--delay-events 0` ends them all.

Schedules go by the clock of the wall, whatever `--speed` says, and are due to the second; a rate counts from when its rule was
made, changed or enabled. What becomes due while no endpoint runs is not sent.

Inferred: the pauses between tries (a second, then twice as long each time up to 8 minutes, by chance up to half of it
shorter), `startedBy` of a rule's tasks (`events-rule/NAME`), the reason of an experiment's state `pending`, and what
is said of a bus that is not there in an entry of PutEvents and of a target id that RemoveTargets does not find.
";

const EXPERIMENTS: &str = "
## Experiments

Targets are tasks: by ARN, or by tags, cluster, service and filters. `aws:ecs:stop-task` calls StopTask in the experiment's role.
`aws:ecs:task-kill-process` sends SIGTERM or SIGKILL to the program of each task: the endpoint has started that process, so it sends
the signal itself. `processName` must be the program's name, which is the last part of the path that the image's entry point has
for it; where it is another, the action fails, in the words of `killall`. ECS hears nothing of a signal: the task stops because its
essential container has exited, with code 137 or 143.

On AWS the same action goes through Systems Manager. There it needs the SSM agent as one more container of the task definition,
`pidMode: task`, and `ssm:SendCommand` in the experiment's role; without the agent it fails. Tasks have one container here, and
none of this is asked for.

A preview (`actionsMode` `skip-all`) resolves the targets in the experiment's role, skips every action, and asks for none of the
permissions of its actions.

Inferred: `arn` as the key of a resolved target's `targetInformation`, that a preview ends as `completed`, the words of the reasons,
and that the quota for target tasks of `aws:ecs:task-kill-process` is that of `aws:ecs:stop-task`.
";

const LAMBDA: &str = "
## Functions

Lambda's functions are of image type, from images in the registry above, by the digest that a tag has when the function is made
or updated. An environment is a process of this machine, without a root of its own: `LAMBDA_TASK_ROOT` says where the image's
files are. It speaks the Runtime API (`AWS_LAMBDA_RUNTIME_API`, a port of its own), has its role's credentials and
`AWS_ENDPOINT_URL`, waits frozen between events and ends after five minutes without one. Its process ends with the endpoint,
however that ends. Memory and `/tmp` are told, and held to nothing.

Function errors are tried again after one and two minutes, divided by `--speed`, and at once without `--latency aws`; an event
that finds no room comes back after 1 s, 2 s, up to 5 minutes, without `--latency aws` sixty times sooner. A dead-letter queue or
a destination is an SQS queue. As on AWS the log goes to `/aws/lambda/NAME` or `LoggingConfig.LogGroup`, as far as the
function's role may write it. Versions, aliases, layers, URLs, event source mappings, zip files, JSON logs, VPCs and streamed
answers are refused by name. What the repository's policy says of `lambda.amazonaws.com` is not asked: on AWS whoever makes the
function may usually add it.
";

const QUEUES: &str = "
## Queues

Standard queues, by the JSON protocol that every current SDK speaks; the older query protocol is refused by name. A message is
there when its sender is told so, whatever happens to the endpoint. Who waits for one (`WaitTimeSeconds`) is woken when it
comes, and when somebody else's visibility timeout or a delay is over, to the millisecond; who hangs up waits no more. Messages
come in the order in which they can be had: when they were sent, or came back. None comes twice before its timeout, which on
AWS it may.

Version 1 of the AWS CLI has a URL of its own for SQS, that of AWS, and asks no variable: `aws sqs ...` needs
`--endpoint-url \"$AWS_ENDPOINT_URL\"` there. Version 2 and the SDKs need nothing.

`SqsManagedSseEnabled` is kept and shown; nothing is encrypted. There are no keys (`KmsMasterKeyId`) and no FIFO queues. A
queue's name is free at once after DeleteQueue; with `--latency aws` not for a minute (`QueueDeletedRecently`). The number of
messages in flight is not bounded.

Inferred: an old receipt changes no visibility (`InvalidParameterValue`); messages whose dead-letter queue is gone stay; a
dead-letter queue's own redrive policy counts what that queue has handed out.
";

const LANGUAGE: &str = "
## Templates

YAML with short tags, or JSON, up to 51,200 bytes. `Ref`, `Fn::GetAtt`, `Fn::Sub`, `Fn::Join`, `Fn::Select`, `Fn::Split`,
`Fn::FindInMap`, `Fn::GetAZs`, `Fn::Cidr`, `Fn::Base64`, `Fn::ImportValue`, `Fn::If`, `Fn::And`, `Fn::Or`, `Fn::Not`,
`Fn::Equals`, `Condition`; pseudo parameters; parameter types but those of Systems Manager; conditions, `DependsOn`,
`DeletionPolicy`, `UpdateReplacePolicy`, exports. Transforms, macros, `Rules`, `Hooks`, `CreationPolicy`, `UpdatePolicy` and
dynamic references (`{{resolve:...}}`) are refused, and as on AWS, YAML aliases.

As on AWS, an unquoted number with a leading zero is octal (`065115117704` is 7133765572), and a decimal fraction if it has an
8 or a 9 (`012345678901` is 1.2345678901E10): quote account ids. Other numbers of YAML 1.1 (`0x1F`, `0b1`, `12:30`, `1_000`)
stay the text that they are.

A role may hold any of AWS's managed policies. The statements of most are not known here: what only such a policy could allow
is refused by its name.

Early validation is that of change sets: wrong properties and names that are taken (log groups, tables, repositories, roles)
make it `FAILED`, and DescribeEvents says why; `DisableValidation` leaves the names to the resources, and wrong properties to
the call. CreateStack and UpdateStack refuse wrong properties at once; taken names are found by the resource. The validations
that only warn (quotas, buckets, repositories with images) are not done.

`aws cloudformation deploy` names its change set by the second. Two for one stack within a second, which nothing on AWS is
quick enough for, are refused here: `ChangeSet ... already exists`.

### Drift

DetectStackDrift, DetectStackResourceDrift and change sets with `DeploymentMode=REVERT_DRIFT` read every type below as it is:
declared properties only, tags by their keys, lists without regard to their order; what is write-only stays as declared. A
resource that is gone is added again, with another generated name; what uses it follows. Where the update fails, everything goes
back to what it was found to be. Updates of every kind leave tags alone that neither stack nor template has set.

Inferred, because no recorded answer is public: the values in DescribeChangeSet (`Add` with `DELETED`, `SyncWithActual`,
`DirectModification` for what is put back), the words of the refusals beside CREATE, imports, nested stacks and another
OnStackFailure, and that a task definition which is INACTIVE counts as deleted. An update sets what was found to NOT_CHECKED.
Known and as on AWS: a property that only a replacement could change is not put back, and a change set that would replace
what somebody has changed fails.

## Resource types

Properties are those of AWS's own schemas (`local-aws/schemas/`). Those that mean nothing on one machine are refused before
anything is made:

| type | refused properties | refused values |
|---|---|---|
";

const QUOTAS: &str = "
## Quotas

AWS's default values. What goes over one that is held fails in AWS's words.

| quota | service | code | value | held |
|---|---|---|---|---|
";

const BOUNDS: &str = "
## Bounds

No request and no task can end the endpoint, stop it from answering others, or fill the disk. What goes over a bound is refused,
or waits:

| what | bound |
|---|---|
| a form (CloudFormation, EC2, IAM, STS) | 1 MiB, 5,000 members, 16 levels of a dotted name |
| a JSON request | 16 MiB, 128 levels |
| a template | 51,200 bytes; so long, too, is what `Fn::Sub` or `Fn::Join` may make, and all functions together may make 8 MiB |
| conditions that need one another | 100 in a row |
| `AllowedPattern` | 1 MiB compiled; 100,000 steps back |
| an image | 2 GiB unpacked (`fis-workshop local start --max-image-size MIB`); names and attributes of 1 MiB; no sparse files |
| a manifest or configuration of an image | 4 MiB |
| a task's output | a program that is half a megabyte ahead of its log waits, whatever `mode` says; after 256 MiB nothing more is kept, and the log says so; without an endpoint 8 GiB |
| functions | 64 environments at once, of all functions; a function whose log is half a megabyte behind waits, as a task does |
| an event, an answer | 6 MB; 1 MB for asynchronous invocations |
| a stopped task | shown for an hour, as on AWS |
| a deleted stack | shown for 90 days, as on AWS |
";

const LATENCY: &str = "
## Latencies

Resources are there at once and gone at once, unless `fis-workshop local start --latency aws` says that they take as long as on
AWS; `--speed N` divides the times by N. Then the events come as on AWS: `CREATE_IN_PROGRESS`, `Resource creation Initiated`
with the physical id, and after the time below `CREATE_COMPLETE`; what depends on the resource begins then, all others go on
at the same time. Types that AWS was seen to configure before they are complete have one event more, `Eventual consistency
check initiated` with the `DetailedStatus` `CONFIGURATION_COMPLETE`: what refers to the resource begins then, unless it has a
`DependsOn`. A stack has no such event. A failure or a DeleteStack ends the waiting (`Resource creation cancelled`). A restart of the endpoint
neither shortens nor repeats it.

Meanwhile NAT gateways and interface endpoints are `pending` or `deleting`. Other resources are shown as if they were there:
DynamoDB tables as `ACTIVE`, clusters as `ACTIVE`. Calls of the services themselves (CreateCluster, CreateTable) take no
time, nor does the rollback of an update, up to its clean-up.

Seconds:

| resource type | configured | created | updated | deleted | source |
|---|---|---|---|---|---|
";

fn operations(service: &Service) -> Vec<&str> {
    let mut names: Vec<&str> = service.operations.iter().map(|operation| operation.name).collect();
    names.sort_unstable();
    names
}

fn page() -> String {
    let mut services = SERVICES.to_vec();
    services.sort_by_key(|service| service.title.to_lowercase());
    let mut page = INTRODUCTION.to_owned();
    for service in services {
        write!(page, "\n**{}**: {}.\n", service.title, operations(service).join(", ")).unwrap();
    }
    page.push_str(REGISTRY);
    page.push_str(EXPERIMENTS);
    page.push_str(EVENTS);
    page.push_str(LAMBDA);
    page.push_str(QUEUES);
    page.push_str(LANGUAGE);
    for resource_type in resources::all() {
        let name = resource_type.type_name();
        let refused: Vec<String> = resource_type.refused().iter().map(|path| format!("`{path}`")).collect();
        let values: Vec<String> = resource_type.refused_values().iter().map(ToString::to_string).collect();
        writeln!(page, "| `{name}` | {} | {} |", refused.join(", "), values.join("; ")).unwrap();
    }
    page.push_str(QUOTAS);
    page.push_str(&quotas::table());
    page.push_str(BOUNDS);
    page.push_str(LATENCY);
    page.push_str(&times());
    page.push_str("\nA Fargate task: ");
    let states = ecs::latency::TIMES.iter();
    let states: Vec<String> =
        states.map(|(status, seconds, why)| format!("{status:?} {seconds} s ({why})").to_lowercase()).collect();
    writeln!(page, "{}.", states.join(", ")).unwrap();
    page
}

fn times() -> String {
    let mut types: Vec<_> = resources::all().map(|it| (it.type_name(), it.times())).collect();
    types.sort_unstable_by_key(|(name, _)| *name);
    let rows = types.into_iter().flat_map(|(name, times)| times.iter().map(move |times| (name, times)));
    rows.fold(String::new(), |mut table, (name, times)| {
        let Times { only, create, configured, update, delete, source } = times;
        let configured = configured.map_or(String::new(), |seconds| seconds.to_string());
        let only = only.map_or(String::new(), |(property, value)| format!(", `{property}: {value}`"));
        writeln!(table, "| `{name}`{only} | {configured} | {create} | {update} | {delete} | {source} |").unwrap();
        table
    })
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
