//! What there is in a sandbox, asked of the services, the processes and the files, and not of the stacks.

use std::collections::BTreeMap;
use std::process::Command;

use crate::harness::{Sandbox, becomes};

/// Processes that have something of the sandbox on their command line: endpoint, workers and their init processes.
pub(crate) fn processes(sandbox: &Sandbox) -> Vec<String> {
    let listing = match std::fs::read_dir("/proc") {
        Ok(entries) => entries
            .filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok())
            .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
            .collect(),
        // macOS.
        Err(_) => {
            let output = Command::new("ps").args(["-axo", "args"]).output().unwrap();
            String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect::<Vec<_>>()
        }
    };
    let directory = sandbox.path().display().to_string();
    listing.into_iter().filter(|line| line.contains(&directory)).collect()
}

/// The processes of tasks. Those of functions stay for a while, in case that they are called again.
pub(crate) fn workers(sandbox: &Sandbox) -> Vec<String> {
    let of_function = |line: &String| line.contains("/local/functions/") || line.contains("/worker watchdog ");
    programs(sandbox).into_iter().filter(|line| !of_function(line)).collect()
}

/// The processes of tasks and functions.
fn programs(sandbox: &Sandbox) -> Vec<String> {
    processes(sandbox).into_iter().filter(|line| !line.contains(" local serve ")).collect()
}

/// What there is of each kind, asked of the services and not of the stacks.
pub(crate) fn census(sandbox: &Sandbox) -> BTreeMap<String, usize> {
    let variables = sandbox.variables();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(count(&config(&variables)))
}

pub(crate) fn config(variables: &BTreeMap<String, String>) -> aws_config::SdkConfig {
    use aws_sdk_ecs::config::{Credentials, SharedCredentialsProvider};
    let text = |name: &str| variables[name].clone();
    let credentials =
        Credentials::new(text("AWS_ACCESS_KEY_ID"), text("AWS_SECRET_ACCESS_KEY"), None, None, "local env");
    aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new(text("AWS_REGION")))
        .endpoint_url(text("AWS_ENDPOINT_URL"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build()
}

async fn count(config: &aws_config::SdkConfig) -> BTreeMap<String, usize> {
    let mut census = BTreeMap::new();
    let mut add = |kind: &str| *census.entry(kind.to_owned()).or_insert(0) += 1;
    // Of each resource that bears a tag, which all of the lab's do that can: `ec2 vpc`, `fis experiment-template`, ...
    let tagged = aws_sdk_resourcegroupstagging::Client::new(config).get_resources().into_paginator().send();
    for resource in tagged.try_collect().await.unwrap().iter().flat_map(|page| page.resource_tag_mapping_list()) {
        let mut parts = resource.resource_arn().unwrap().splitn(6, ':').skip(2);
        let (service, name) = (parts.next().unwrap(), parts.nth(2).unwrap());
        // Deleted resources are still listed for a while: tasks, experiments.
        let kind = match service {
            // A queue's ARN has its name alone.
            "sqs" => "queue",
            _ => name.split(['/', ':']).next().unwrap(),
        };
        if !["task", "experiment"].contains(&kind) {
            add(&format!("{service} {kind}"));
        }
    }
    let ecs = aws_sdk_ecs::Client::new(config);
    ecs.list_clusters().send().await.unwrap().cluster_arns().iter().for_each(|_| add("clusters"));
    let active = aws_sdk_ecs::types::TaskDefinitionFamilyStatus::Active;
    let families = ecs.list_task_definition_families().status(active).send().await.unwrap();
    families.families().iter().for_each(|_| add("task definition families"));
    let tables = aws_sdk_dynamodb::Client::new(config).list_tables().send().await.unwrap();
    tables.table_names().iter().for_each(|_| add("tables"));
    let templates = aws_sdk_fis::Client::new(config).list_experiment_templates().send().await.unwrap();
    templates.experiment_templates().iter().for_each(|_| add("experiment templates"));
    let groups = aws_sdk_cloudwatchlogs::Client::new(config).describe_log_groups().send().await.unwrap();
    groups.log_groups().iter().for_each(|_| add("log groups"));
    let stacks = aws_sdk_cloudformation::Client::new(config).describe_stacks().send().await.unwrap();
    for stack in stacks.stacks() {
        // A `down` that was killed may have sent the watchdog to sleep: then `up` is an update.
        let status = stack.stack_status().unwrap().as_str().replace("UPDATE_COMPLETE", "CREATE_COMPLETE");
        add(&format!("stack {} {status}", stack.stack_name().unwrap()));
    }
    census
}

/// What a clean `up` makes, by [`census`].
pub(crate) fn full_census(sandbox: &Sandbox) -> BTreeMap<String, usize> {
    sandbox.ok(&["up"]);
    let census = census(sandbox);
    for kind in ["ec2 vpc", "clusters", "tables"] {
        assert_eq!(census[kind], 1, "{kind}: {census:?}");
    }
    assert_eq!(census["ec2 subnet"], 4, "{census:?}");
    assert_eq!((census["log groups"], census["experiment templates"]), (6, 4), "{census:?}");
    assert_eq!((census["lambda function"], census["events rule"], census["sqs queue"]), (1, 2, 2), "{census:?}");
    assert!(
        image_files(sandbox).iter().any(|file| file.starts_with("images/blobs/sha256/")),
        "the images are not there"
    );
    census
}

/// The environment is complete, without anything twice, and another `up` changes nothing.
pub(crate) fn converged(sandbox: &Sandbox, expected: &BTreeMap<String, usize>) {
    assert_eq!(&census(sandbox), expected);
    assert!(
        image_files(sandbox).iter().any(|file| file.starts_with("images/blobs/sha256/")),
        "the images are not there"
    );
    assert_eq!(sandbox.json(&["up"])["changed"], false);
}

/// Nothing is left but the endpoint's own databases: no process, no resource, no file of a task or an image.
pub(crate) fn nothing_left(sandbox: &Sandbox) {
    assert_eq!(workers(sandbox), Vec::<String>::new());
    becomes(&Vec::new(), || programs(sandbox));
    assert_eq!(census(sandbox), BTreeMap::new());
    assert_eq!(sandbox.json(&["down"])["deleted_stacks"], serde_json::json!([]));
    assert_eq!(files(sandbox, "tasks"), Vec::<String>::new());
    // What a task was the last to need goes a moment after it.
    becomes(&Vec::new(), || image_files(sandbox));
}

/// Files and directories of images: blobs, half uploads, unpacked images.
pub(crate) fn image_files(sandbox: &Sandbox) -> Vec<String> {
    ["images/blobs/sha256", "images/uploads", "rootfs"].iter().flat_map(|name| files(sandbox, name)).collect()
}

/// Of a directory of the endpoint's state.
fn files(sandbox: &Sandbox, directory: &str) -> Vec<String> {
    let entries = std::fs::read_dir(sandbox.state_dir().join("local").join(directory)).into_iter().flatten();
    entries.flatten().map(|entry| format!("{directory}/{}", entry.file_name().to_string_lossy())).collect()
}
