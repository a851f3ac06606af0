//! skopeo and the AWS CLI as judges: what they send to the registry, and how they read it, is none of ours.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::Endpoint;
use crate::registry::files;
use crate::registry_client::{ARCH, INDEX, MANIFEST, Registry, digest};

/// The variables of `fis-workshop local env`, and a directory to work in.
struct Terminal {
    directory: tempfile::TempDir,
    variables: Vec<(&'static str, String)>,
    address: String,
}

impl Terminal {
    fn of(endpoint: &Endpoint) -> Self {
        let address = endpoint.url().trim_start_matches("http://").to_owned();
        Self { directory: tempfile::tempdir().unwrap(), variables: endpoint.variables(), address }
    }

    async fn run(&self, mut command: Command) -> (bool, String, String) {
        command.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", self.directory.path());
        let name = command.get_program().to_string_lossy().into_owned();
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
        let output = output.unwrap_or_else(|error| {
            panic!("{name}: {error}; this test needs skopeo (Debian: apt-get install skopeo) and `make test`, which installs the AWS CLI")
        });
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    }

    /// stdout of an AWS CLI call that must succeed.
    async fn aws(&self, call: &str) -> String {
        let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.venv/bin/aws"));
        command.args(call.split(' '));
        let (is_done, stdout, stderr) = self.run(command).await;
        assert!(is_done, "{call}: {stderr}");
        stdout
    }

    async fn skopeo(&self, arguments: &str) -> (bool, String, String) {
        let mut command = Command::new("skopeo");
        command.arg("--insecure-policy").args(arguments.split(' '));
        self.run(command).await
    }

    /// stdout of skopeo when it must succeed; `REGISTRY/` and `DIR/` stand for what they say.
    async fn ok(&self, arguments: &str) -> String {
        let directory = self.directory.path().display().to_string();
        let line = arguments.replace("REGISTRY", &self.address).replace("DIR", &directory);
        let (is_done, stdout, stderr) = self.skopeo(&line).await;
        assert!(is_done, "{line}: {stderr}");
        stdout
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test]
async fn skopeo_copies_images_in_and_out_with_the_password_of_the_aws_cli() {
    let endpoint = Endpoint::start().await;
    let terminal = Terminal::of(&endpoint);
    let registry = Registry::new(&endpoint.sdk_config(), "lab/worker").await;
    let original = registry.push("v1", &json!({"Entrypoint": ["/job"], "User": "65532"}), ARCH).await;
    Registry::new(&endpoint.sdk_config(), "copy").await;
    let password = terminal.aws("ecr get-login-password").await;
    let from = format!("--src-tls-verify=false --src-creds AWS:{}", password.trim());
    let to = format!("--dest-tls-verify=false --dest-creds AWS:{}", password.trim());
    let on = format!("--tls-verify=false --creds AWS:{}", password.trim());

    let shown = parsed(&terminal.ok(&format!("inspect {on} docker://REGISTRY/lab/worker:v1")).await);
    assert_eq!((&shown["Digest"], &shown["Architecture"]), (&json!(original), &json!(ARCH)));
    assert_eq!(shown["RepoTags"], json!(["v1"]));
    terminal.ok(&format!("copy {from} docker://REGISTRY/lab/worker:v1 oci:DIR/out:v1")).await;
    terminal.ok(&format!("copy {to} oci:DIR/out:v1 docker://REGISTRY/copy:oci")).await;
    // The same again sends nothing and is no error.
    terminal.ok(&format!("copy {to} oci:DIR/out:v1 docker://REGISTRY/copy:oci")).await;
    let copied = parsed(&terminal.ok(&format!("inspect {on} docker://REGISTRY/copy:oci")).await);
    assert_eq!(copied["Digest"], json!(original));
    terminal.ok(&format!("copy --format v2s2 {to} oci:DIR/out:v1 docker://REGISTRY/copy:docker")).await;
    let raw = parsed(&terminal.ok(&format!("inspect --raw {on} docker://REGISTRY/copy:docker")).await);
    assert_eq!(raw["mediaType"], "application/vnd.docker.distribution.manifest.v2+json");
    let tags = parsed(&terminal.ok(&format!("list-tags {on} docker://REGISTRY/copy")).await);
    assert_eq!(tags["Tags"], json!(["docker", "oci"]));

    let manifest = registry.send("GET", "manifests/v1", &[], b"").await.body;
    let entry = json!({"mediaType": MANIFEST, "digest": original, "size": manifest.len(),
        "platform": {"os": "linux", "architecture": ARCH}});
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]});
    assert_eq!(registry.put_manifest("all", &index).await.status, 201);
    terminal.ok(&format!("copy --all {from} {to} docker://REGISTRY/lab/worker:all docker://REGISTRY/copy:all")).await;
    let raw = terminal.ok(&format!("inspect --raw {on} docker://REGISTRY/copy:all")).await;
    assert_eq!(digest(raw.as_bytes()), digest(index.to_string().as_bytes()));
    for tag in ["all", "docker", "oci"] {
        terminal.ok(&format!("delete {on} docker://REGISTRY/copy:{tag}")).await;
    }
    let left = parsed(&terminal.aws("ecr list-images --repository-name copy").await);
    assert_eq!(left["imageIds"], json!([]));

    let line = format!("inspect --tls-verify=false --creds AWS:wrong docker://{}/copy:oci", terminal.address);
    let (is_done, _, stderr) = terminal.skopeo(&line).await;
    assert!(!is_done && stderr.contains("unauthorized"), "{stderr}");
    let line = format!("copy {from} {to} docker://{0}/lab/worker:v1 docker://{0}/nowhere:v1", terminal.address);
    let (is_done, _, stderr) = terminal.skopeo(&line).await;
    assert!(!is_done && stderr.contains("The repository with name 'nowhere' does not exist"), "{stderr}");
}

#[tokio::test]
async fn the_aws_cli_shows_and_deletes_images() {
    let endpoint = Endpoint::start().await;
    let terminal = Terminal::of(&endpoint);
    terminal.aws("ecr create-repository --repository-name lab --image-tag-mutability IMMUTABLE").await;
    let registry = Registry::log_in(&endpoint.sdk_config(), "lab").await;
    let name = registry.push("1", &json!({}), ARCH).await;
    let images = parsed(&terminal.aws("ecr describe-images --repository-name lab").await);
    assert_eq!(images["imageDetails"][0]["imageDigest"], json!(name));
    assert!(images["imageDetails"][0]["imagePushedAt"].as_f64().unwrap() > 1.7e9, "{images}");
    let listed = parsed(&terminal.aws("ecr list-images --repository-name lab").await);
    assert_eq!(listed["imageIds"], json!([{"imageDigest": name, "imageTag": "1"}]));
    let got = parsed(&terminal.aws("ecr batch-get-image --repository-name lab --image-ids imageTag=1").await);
    assert_eq!(digest(got["images"][0]["imageManifest"].as_str().unwrap().as_bytes()), name);
    let delete = "ecr batch-delete-image --repository-name lab --image-ids imageTag=1 imageTag=2";
    let deleted = parsed(&terminal.aws(delete).await);
    assert_eq!(deleted["failures"][0]["failureCode"], "ImageNotFound");
    terminal.aws("ecr delete-repository --repository-name lab").await;
    assert_eq!(files(&endpoint), (0, 0));
}
