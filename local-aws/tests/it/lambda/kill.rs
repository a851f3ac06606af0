//! An endpoint that ends, however it ends, leaves no process of a function behind and loses no event.

use std::path::Path;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use super::invocations::is_running;
use super::stage::{Stage, notes};
use crate::ecs_kill::{Victim, config, free_port};
use crate::harness::{Endpoint, Seed, until};

fn variables(state_dir: &Path, port: u16) -> Vec<(&'static str, String)> {
    let identity = local_aws::Identity::load(state_dir).unwrap().unwrap();
    vec![
        ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}")),
        ("AWS_ACCESS_KEY_ID", identity.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", identity.secret_access_key),
        ("AWS_DEFAULT_REGION", identity.region),
    ]
}

async fn nothing_runs(state_dir: &Path) {
    // The files of the image and of the process are in the arguments of each.
    let directory = state_dir.display().to_string();
    until("no process is left", async || (!is_running(&directory)).then_some(())).await;
}

#[tokio::test]
async fn sigkill_in_the_middle_of_events_loses_none_and_leaves_no_process() {
    let dir = tempfile::tempdir().unwrap();
    let mut victim = Victim::start(dir.path(), free_port()).await;
    let stage = Stage::new(&config(dir.path(), victim.port), variables(dir.path(), victim.port)).await;
    stage.function("f", json!({"Timeout": 60}));
    stage.lambda("PutFunctionConcurrency", json!({"FunctionName": "f", "ReservedConcurrentExecutions": 2}));
    let note = |number: usize| dir.path().join(format!("note-{number}"));
    for number in 0..16 {
        stage.send("f", &json!({"note": note(number), "sleep": 0.1}));
    }
    let seed = Seed::new();
    let mut moments = StdRng::seed_from_u64(seed.0);
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(moments.random_range(0..500))).await;
        victim.kill();
        nothing_runs(dir.path()).await;
        victim = victim.kill_and_restart(dir.path()).await;
    }
    for number in 0..16 {
        until("every event is handled", async || (!notes(&note(number)).is_empty()).then_some(())).await;
        let ids = notes(&note(number));
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }
    victim.kill();
    nothing_runs(dir.path()).await;
    assert!(std::fs::read_dir(dir.path().join("functions")).unwrap().count() <= 2);
}

#[tokio::test]
async fn an_idle_process_ends_with_the_endpoint_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut victim = Victim::start(dir.path(), free_port()).await;
    let stage = Stage::new(&config(dir.path(), victim.port), variables(dir.path(), victim.port)).await;
    stage.function("f", json!({}));
    let pid = stage.invoke("f", &json!({})).payload["pid"].as_i64().unwrap();
    until("it is frozen", async || is_frozen(pid).then_some(())).await;
    victim.kill();
    nothing_runs(dir.path()).await;
    let victim = victim.kill_and_restart(dir.path()).await;
    assert_eq!(stage.invoke("f", &json!({})).payload["count"], 1);
    drop(victim);
    nothing_runs(dir.path()).await;
}

fn is_frozen(pid: i64) -> bool {
    let state = std::process::Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
    state.stdout.starts_with(b"T")
}

#[tokio::test]
async fn a_stopped_endpoint_leaves_no_process() {
    let endpoint = Endpoint::start().await;
    let stage = Stage::new(&endpoint.sdk_config(), endpoint.variables()).await;
    let directory = endpoint.state_dir().to_owned();
    stage.function("f", json!({"Timeout": 60}));
    stage.invoke("f", &json!({}));
    stage.send("f", &json!({"note": directory.join("note"), "sleep": 600}));
    until("it is at work", async || (!notes(&directory.join("note")).is_empty()).then_some(())).await;
    endpoint.stop().await;
    nothing_runs(&directory).await;
}
