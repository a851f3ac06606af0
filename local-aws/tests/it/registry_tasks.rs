//! Tasks run what was pushed.

use std::path::{Path, PathBuf};

use aws_sdk_ecr::types::ImageIdentifier;
use serde_json::{Value, json};

use crate::ecs_lab::Lab;
use crate::harness::{Endpoint, until};
use crate::registry::files;
use crate::registry_client::{ARCH, INDEX, MANIFEST, Registry, digest};

const OTHER: &str = if cfg!(target_arch = "aarch64") { "amd64" } else { "arm64" };

fn entry(manifest: &Value, architecture: &str) -> Value {
    let text = manifest.to_string();
    json!({"mediaType": MANIFEST, "digest": digest(text.as_bytes()), "size": text.len(),
        "platform": {"os": "linux", "architecture": architecture}})
}

fn file_systems(state_dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(state_dir.join("rootfs")).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn a_reference_by_tag_digest_or_index_runs_the_image_of_the_platform() {
    let endpoint = Endpoint::start().await;
    let config = endpoint.sdk_config();
    let lab = Lab::new(&config).await;
    let registry = Registry::new(&config, "multi").await;
    let image = |architecture: &'static str| {
        let registry = registry.clone();
        async move {
            let settings = json!({"Entrypoint": ["/job"]});
            let script = format!("#!/bin/sh\necho {architecture}\n");
            let manifest = registry.image("job", &script, &settings, architecture).await;
            let name = digest(manifest.to_string().as_bytes());
            assert_eq!(registry.put_manifest(&name, &manifest).await.status, 201);
            (manifest, name)
        }
    };
    let (ours, ours_digest) = image(ARCH).await;
    let (theirs, _) = image(OTHER).await;
    let index =
        json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry(&theirs, OTHER), entry(&ours, ARCH)]});
    assert_eq!(registry.put_manifest("latest", &index).await.status, 201);
    let foreign = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry(&theirs, OTHER)]});
    assert_eq!(registry.put_manifest("foreign", &foreign).await.status, 201);

    let uri = registry.uri();
    for reference in
        [uri.clone(), format!("{uri}:latest"), format!("{uri}@{ours_digest}"), format!("{uri}:x@{ours_digest}")]
    {
        lab.register(lab.container().image(&reference)).await;
        let arn = lab.start("").await;
        let task = lab.stopped(&arn).await;
        assert_eq!(task.containers()[0].image_digest(), Some(&*ours_digest), "{reference}: {task:?}");
        assert_eq!(lab.log(&arn).await, [ARCH]);
    }
    lab.register(lab.container().image(format!("{uri}:foreign"))).await;
    let task = lab.stopped(&lab.start("").await).await;
    let expected = format!(
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): image Manifest does not contain descriptor matching platform 'linux/{ARCH}'"
    );
    assert_eq!(task.stopped_reason(), Some(&*expected));
    let id = ImageIdentifier::builder().image_tag("latest").build();
    let ecr = aws_sdk_ecr::Client::new(&config);
    let shown = ecr.describe_images().repository_name("multi").image_ids(id).send().await.unwrap();
    assert!(shown.image_details()[0].last_recorded_pull_time().is_some());
}

/// Runs a task, and deletes the repository of its image.
async fn run_without_image(endpoint: &Endpoint) -> (Lab, String) {
    let config = endpoint.sdk_config();
    let lab = Lab::new(&config).await;
    let arn = lab.start("while [ ! -e stop ]; do sleep 0.01; done; rm stop; [ -e job ] && echo end").await;
    lab.wait_for(&arn, "RUNNING").await;
    let ecr = aws_sdk_ecr::Client::new(&config);
    ecr.delete_repository().repository_name("job").force(true).send().await.unwrap();
    assert_eq!(files(endpoint), (0, 0));
    (lab, arn)
}

/// Its file system is there until it ends, and no longer.
async fn ends_with_its_files(endpoint: &Endpoint, lab: &Lab, arn: &str) {
    let systems = file_systems(endpoint.state_dir());
    assert_eq!(systems.len(), 1);
    assert!(systems[0].join("job").exists());
    std::fs::write(systems[0].join("stop"), "").unwrap();
    lab.stopped(arn).await;
    assert_eq!(lab.log(arn).await, ["end"]);
    until("the file system to go", async || file_systems(endpoint.state_dir()).is_empty().then_some(())).await;
}

#[tokio::test]
async fn a_task_keeps_its_files_when_its_image_goes_and_nothing_stays_after_it() {
    let endpoint = Endpoint::start().await;
    let (lab, arn) = run_without_image(&endpoint).await;
    ends_with_its_files(&endpoint, &lab, &arn).await;
}

#[tokio::test]
async fn a_state_that_does_not_say_which_images_are_run_is_taken_over() {
    let endpoint = Endpoint::start().await;
    let (lab, arn) = run_without_image(&endpoint).await;
    // As a version before this record left it.
    let state = rusqlite::Connection::open(endpoint.state_dir().join("state.db")).unwrap();
    assert_eq!(state.execute("DELETE FROM document WHERE kind = 'ecr.image-use'", []).unwrap(), 1);
    drop(state);
    let endpoint = endpoint.restart().await;
    let lab = lab.again(&endpoint.sdk_config());
    // Once it answers, it has cleaned up.
    lab.describe(&arn).await;
    ends_with_its_files(&endpoint, &lab, &arn).await;
}

async fn gone(stacks: &aws_sdk_cloudformation::Client, name: &str) {
    let ask = async || stacks.describe_stacks().stack_name(name).send().await.is_err().then_some(());
    until("the stack to go", ask).await;
}

#[tokio::test]
async fn a_stack_takes_the_images_of_its_repository_along() {
    let endpoint = Endpoint::start().await;
    let config = endpoint.sdk_config();
    let stacks = aws_sdk_cloudformation::Client::new(&config);
    let template = |empty: bool| {
        json!({"Resources": {"R": {"Type": "AWS::ECR::Repository",
            "Properties": {"RepositoryName": "stacked", "EmptyOnDelete": empty}}}})
        .to_string()
    };
    stacks.create_stack().stack_name("s").template_body(template(false)).send().await.unwrap();
    crate::ecs_lab::wait_for_stack(&stacks, "s", "CREATE_COMPLETE").await;
    let registry = Registry::log_in(&config, "stacked").await;
    registry.push("1", &json!({}), ARCH).await;
    stacks.delete_stack().stack_name("s").send().await.unwrap();
    let stack = crate::ecs_lab::wait_for_stack(&stacks, "s", "DELETE_FAILED").await;
    assert!(stack.stack_status_reason().unwrap().contains('R'), "{stack:?}");
    assert_eq!(files(&endpoint).0, 3);
    // As on AWS a stack that failed to go is not updated: the images go first.
    let id = ImageIdentifier::builder().image_tag("1").build();
    let ecr = aws_sdk_ecr::Client::new(&config);
    ecr.batch_delete_image().repository_name("stacked").image_ids(id).send().await.unwrap();
    stacks.delete_stack().stack_name("s").send().await.unwrap();
    gone(&stacks, "s").await;

    stacks.create_stack().stack_name("s").template_body(template(true)).send().await.unwrap();
    crate::ecs_lab::wait_for_stack(&stacks, "s", "CREATE_COMPLETE").await;
    registry.push("1", &json!({}), ARCH).await;
    stacks.delete_stack().stack_name("s").send().await.unwrap();
    gone(&stacks, "s").await;
    assert_eq!(files(&endpoint), (0, 0));
}
