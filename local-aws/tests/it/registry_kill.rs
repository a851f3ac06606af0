//! The endpoint killed in the middle of pushes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use crate::ecs_kill::{Victim, config, free_port};
use crate::harness::Seed;
use crate::registry_client::{ARCH, LAYER, Registry, digest};

/// Every file of a blob is what its name says.
fn check_files(state_dir: &Path) -> usize {
    let blobs = std::fs::read_dir(state_dir.join("images/blobs/sha256")).into_iter().flatten();
    let names = blobs.map(|entry| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        assert_eq!(digest(&std::fs::read(entry.path()).unwrap()), format!("sha256:{name}"));
    });
    names.count()
}

/// Pushes images one after the other until the endpoint is gone or it is enough; how many manifests it took.
async fn push_on(registry: Registry, round: usize, is_enough: Arc<AtomicBool>) -> usize {
    let mut acknowledged = 0;
    while !is_enough.load(Ordering::SeqCst) {
        let name = format!("t{round}-{acknowledged}");
        let settings = json!({"Cmd": [name], "Env": ["x".repeat(100_000)]});
        let push = tokio::spawn({
            let registry = registry.clone();
            async move {
                registry.push_blob(LAYER, &vec![7; 2_000_000]).await;
                registry.push(&name, &settings, ARCH).await
            }
        });
        if push.await.is_err() {
            break;
        }
        acknowledged += 1;
    }
    acknowledged
}

#[tokio::test]
async fn sigkill_in_the_middle_of_a_push_loses_nothing_acknowledged_and_leaves_nothing_half() {
    let seed = Seed::new();
    let mut moments = StdRng::seed_from_u64(seed.0);
    let dir = tempfile::tempdir().unwrap();
    let mut victim = Victim::start(dir.path(), free_port()).await;
    let config = config(dir.path(), victim.port);
    let registry = Registry::new(&config, "job").await;
    let ecr = aws_sdk_ecr::Client::new(&config);
    let mut expected = 0;
    for round in 0..12 {
        let is_enough = Arc::new(AtomicBool::new(false));
        let pushes = tokio::spawn(push_on(registry.clone(), round, is_enough.clone()));
        tokio::time::sleep(Duration::from_millis(moments.random_range(1..150))).await;
        victim = victim.kill_and_restart(dir.path()).await;
        is_enough.store(true, Ordering::SeqCst);
        let acknowledged = pushes.await.unwrap();
        let images: Vec<_> =
            ecr.describe_images().repository_name("job").into_paginator().items().send().try_collect().await.unwrap();
        // One more, when its answer was lost.
        assert!((expected + acknowledged..=expected + acknowledged + 1).contains(&images.len()), "{}", images.len());
        expected = images.len();
        check_files(dir.path());
        assert_eq!(std::fs::read_dir(dir.path().join("images/uploads")).map_or(0, Iterator::count), 0);
        for image in &images {
            let path = format!("manifests/{}", image.image_digest().unwrap());
            let manifest = registry.send("GET", &path, &[], b"").await.json();
            for blob in manifest["layers"].as_array().unwrap().iter().chain([&manifest["config"]]) {
                let path = format!("blobs/{}", blob["digest"].as_str().unwrap());
                assert_eq!(registry.send("GET", &path, &[], b"").await.status, 200);
            }
        }
    }
    registry.push("last", &json!({"Entrypoint": ["/job"]}), ARCH).await;
    ecr.delete_repository().repository_name("job").force(true).send().await.unwrap();
    assert_eq!(check_files(dir.path()), 0);
    drop(victim);
}
