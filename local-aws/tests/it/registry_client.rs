//! Pushes images over HTTP, request by request, as a client of the registry does.

use aws_config::SdkConfig;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Media types of the OCI image specification.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// This machine, as images write it.
pub(crate) const ARCH: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };

/// A logged-in client of one repository.
#[derive(Clone)]
pub(crate) struct Registry {
    /// `127.0.0.1:PORT`
    pub(crate) address: String,
    /// What follows `Basic `.
    pub(crate) credentials: String,
    pub(crate) repository: String,
}

/// An answer of the registry.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Status and code of an error.
    pub(crate) fn error(&self) -> (u16, String) {
        (self.status, self.json()["errors"][0]["code"].as_str().unwrap_or_default().to_owned())
    }

    pub(crate) fn message(&self) -> String {
        self.json()["errors"][0]["message"].as_str().unwrap_or_default().to_owned()
    }
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{:x}", Sha256::digest(bytes))
}

/// A layer with one executable script.
pub(crate) fn layer(path: &str, script: &str) -> Vec<u8> {
    let mut layer = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o755);
    header.set_size(script.len() as u64);
    layer.append_data(&mut header, path, script.as_bytes()).unwrap();
    layer.into_inner().unwrap().finish().unwrap()
}

impl Registry {
    /// Logs in, and makes the repository unless it is there.
    pub(crate) async fn new(config: &SdkConfig, repository: &str) -> Self {
        let ecr = aws_sdk_ecr::Client::new(config);
        if let Err(error) = ecr.create_repository().repository_name(repository).send().await {
            assert!(error.into_service_error().is_repository_already_exists_exception());
        }
        Self::log_in(config, repository).await
    }

    pub(crate) async fn log_in(config: &SdkConfig, repository: &str) -> Self {
        let answer = aws_sdk_ecr::Client::new(config).get_authorization_token().send().await.unwrap();
        let data = &answer.authorization_data()[0];
        let address = data.proxy_endpoint().unwrap().trim_start_matches("http://").to_owned();
        let credentials = data.authorization_token().unwrap().to_owned();
        Self { address, credentials, repository: repository.to_owned() }
    }

    /// The repository's name in task definitions.
    pub(crate) fn uri(&self) -> String {
        format!("000000000000.dkr.ecr.us-east-1.amazonaws.com/{}", self.repository)
    }

    /// One request; `path` is what follows `/v2/REPOSITORY/`, or a whole path.
    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = self.open(method, path, headers, body.len()).await;
        stream.write_all(body).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = answer.split_off(end + 4);
        assert!(!head.to_ascii_lowercase().contains("transfer-encoding"), "{head}");
        Answer { status, head, body }
    }

    /// A request whose body of `length` bytes is still to be sent.
    pub(crate) async fn open(&self, method: &str, path: &str, headers: &[(&str, &str)], length: usize) -> TcpStream {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/v2/{}/{path}", self.repository) };
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n",
            self.address
        );
        if !self.credentials.is_empty() {
            head += &format!("Authorization: Basic {}\r\n", self.credentials);
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
        stream
    }

    /// Where to send the bytes of a new upload.
    pub(crate) async fn begin(&self) -> String {
        let begun = self.send("POST", "blobs/uploads/", &[], b"").await;
        assert_eq!(begun.status, 202, "{begun:?}");
        begun.header("location").unwrap().to_owned()
    }

    /// Pushes a blob; its descriptor.
    pub(crate) async fn push_blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = digest(bytes);
        if self.send("HEAD", &format!("blobs/{digest}"), &[], b"").await.status == 404 {
            let location = self.begin().await;
            let put = self.send("PUT", &format!("{location}?digest={digest}"), &[], bytes).await;
            assert_eq!(put.status, 201, "{put:?}");
            assert_eq!(put.header("docker-content-digest"), Some(&*digest));
        }
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    }

    pub(crate) async fn put_manifest(&self, reference: &str, manifest: &Value) -> Answer {
        let media_type = manifest["mediaType"].as_str().unwrap().to_owned();
        let path = format!("manifests/{reference}");
        self.send("PUT", &path, &[("Content-Type", &media_type)], manifest.to_string().as_bytes()).await
    }

    /// The manifest of an image whose blobs are there: of one script, with this `config`.
    pub(crate) async fn image(&self, path: &str, script: &str, config: &Value, architecture: &str) -> Value {
        let layer = self.push_blob(LAYER, &layer(path, script)).await;
        let config = json!({
            "architecture": architecture, "os": "linux", "config": config,
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
        });
        let config = self.push_blob(CONFIG, config.to_string().as_bytes()).await;
        json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]})
    }

    /// Pushes an image whose file `/job` is a script that runs its first argument; its digest.
    pub(crate) async fn push(&self, tag: &str, config: &Value, architecture: &str) -> String {
        let manifest = self.image("job", "#!/bin/sh\neval \"$1\"\n", config, architecture).await;
        let put = self.put_manifest(tag, &manifest).await;
        assert_eq!(put.status, 201, "{put:?}");
        digest(manifest.to_string().as_bytes())
    }
}
