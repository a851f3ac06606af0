//! What was pushed, as others see it.

use serde_json::{Value, json};

use super::registry::Registry;
use super::{stdout, tool};
use crate::harness::Sandbox;

fn skopeo(args: &[&str]) -> String {
    // Debian's default policy is not there in every container.
    stdout(tool("skopeo").arg("--insecure-policy").args(args))
}

#[test]
fn a_push_arrives_and_a_second_one_sends_nothing() {
    let (sandbox, registry) = (Sandbox::new(), Registry::open());
    let repository = format!("{}/fis/lab", registry.host);
    let first = sandbox.json(&["image", "push", &repository]);
    assert_eq!((&first["blobs_sent"], &first["blobs_skipped"]), (&json!(5), &json!(0)), "{first}");
    assert!(first["bytes_sent"].as_u64().unwrap() < 24 << 20);
    // A configuration for each image, and the layer that they share.
    assert_eq!(registry.requests("POST /v2/fis/lab/blobs/uploads/"), 5);
    assert_eq!(registry.requests("PATCH"), 0);

    let second = sandbox.json(&["image", "push", &repository]);
    assert_eq!(
        second,
        json!({
            "images": first["images"], "tags": first["tags"], "blobs_sent": 0, "blobs_skipped": 5, "bytes_sent": 0,
        })
    );
    assert_eq!(registry.requests("POST"), 5);
    assert_eq!(registry.requests("PUT /v2/fis/lab/manifests/"), 4);
}

#[test]
fn skopeo_reads_what_was_pushed() {
    let (sandbox, registry) = (Sandbox::new(), Registry::open());
    let pushed = sandbox.json(&["image", "push", &format!("{}/lab", registry.host)]);
    for (index, variant) in ["original", "improved"].into_iter().enumerate() {
        let [tag, image] = ["tags", "images"].map(|key| pushed[key][index].as_str().unwrap().to_owned());
        let (_, digest) = image.split_once('@').unwrap();
        let seen: Value =
            serde_json::from_str(&skopeo(&["inspect", "--tls-verify=false", &format!("docker://{tag}")])).unwrap();
        assert_eq!(seen["Digest"], digest);
        assert_eq!(seen["Os"], "linux");
        let copy = sandbox.path().join(variant);
        let target = format!("oci:{}:copy", copy.display());
        skopeo(&["copy", "--src-tls-verify=false", &format!("docker://{tag}"), &target]);
        let index: Value = serde_json::from_slice(&std::fs::read(copy.join("index.json")).unwrap()).unwrap();
        assert_eq!(index["manifests"][0]["digest"], digest);

        let ours = &sandbox.json(&["image", "inspect", &tag])["images"][0];
        let embedded = &sandbox.json(&["image", "inspect", variant])["images"][0];
        assert_eq!(ours["digest"], digest);
        assert_eq!(ours["entrypoint"], json!(["/worker", variant]));
        for key in ["digest", "architecture", "user", "created", "layers", "compressed_bytes", "stop_signal"] {
            assert_eq!(ours[key], embedded[key], "{key}");
        }
        assert!(embedded["compressed_bytes"].as_u64().unwrap() < 12_000_000, "{embedded}");
        assert!(embedded["unpacked_bytes"].as_u64() > embedded["compressed_bytes"].as_u64());
    }
}

#[test]
fn a_registry_with_a_password_gets_it_and_refuses_without() {
    let (sandbox, registry) = (Sandbox::new(), Registry::closed());
    let repository = format!("{}/lab", registry.host);
    let refused = sandbox.run(&["image", "push", &repository]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("401 Unauthorized") && refused.stderr.contains("--password-stdin"), "{refused:?}");

    let with_password = |password: &str| {
        use std::io::Write;
        let mut command = sandbox.command(&["image", "push", &repository, "--username", "user", "--password-stdin"]);
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let mut child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
        writeln!(child.stdin.take().unwrap(), "{password}").unwrap();
        child.wait_with_output().unwrap()
    };
    assert_eq!(with_password("wrong").status.code(), Some(1));
    assert_eq!(with_password("secret").status.code(), Some(0));
}

#[test]
fn what_is_no_repository_or_not_there_is_said() {
    let (sandbox, registry) = (Sandbox::new(), Registry::open());
    for name in ["lab", "UPPER/lab", "host.example/lab:tag"] {
        let run = sandbox.run(&["image", "push", name]);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains("HOST[:PORT]/NAME"), "{run:?}");
    }
    sandbox.ok(&["image", "push", &format!("{}/lab", registry.host)]);
    let missing = sandbox.run(&["image", "inspect", &format!("{}/lab:missing", registry.host)]);
    assert_eq!(missing.code, 1);
    assert!(missing.stderr.contains("There is no image"), "{missing:?}");
    let nobody = sandbox.run(&["image", "push", "127.0.0.1:1/lab"]);
    assert_eq!(nobody.code, 1);
    assert!(nobody.stderr.contains("does not answer"), "{nobody:?}");
}
