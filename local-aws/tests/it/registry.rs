//! The registry's own API: what goes in comes out, and what is wrong is refused.

use aws_config::SdkConfig;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Endpoint, until};
use crate::registry_client::{ARCH, CONFIG, INDEX, LAYER, MANIFEST, Registry, digest, layer};

async fn registry() -> (Endpoint, SdkConfig, Registry) {
    let endpoint = Endpoint::start().await;
    let config = endpoint.sdk_config();
    let registry = Registry::new(&config, "lab/worker").await;
    (endpoint, config, registry)
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// Files of blobs and of uploads.
pub(crate) fn files(endpoint: &Endpoint) -> (usize, usize) {
    let count =
        |name: &str| std::fs::read_dir(endpoint.state_dir().join("images").join(name)).map_or(0, Iterator::count);
    (count("blobs/sha256"), count("uploads"))
}

#[tokio::test]
async fn only_who_logged_in_gets_in_and_no_browser() {
    let (endpoint, _, registry) = registry().await;
    assert_eq!(registry.send("GET", "/v2/", &[], b"").await.status, 200);
    for credentials in ["", "QVdTOndyb25n", "?"] {
        let stranger = Registry { credentials: credentials.into(), ..registry.clone() };
        let answer = stranger.send("GET", "/v2/", &[], b"").await;
        assert_eq!(answer.error(), refused(401, "UNAUTHORIZED"));
        let challenge = format!(r#"Basic realm="{}/",service="ecr.amazonaws.com""#, endpoint.url());
        assert_eq!(answer.header("www-authenticate"), Some(&*challenge));
        assert!(answer.message().contains("aws ecr get-login-password"));
        assert_eq!(stranger.send("POST", "blobs/uploads/", &[], b"").await.status, 401);
    }
    let page = registry.send("GET", "/v2/", &[("Origin", "http://evil.example")], b"").await;
    assert_eq!(page.status, 403);
    let catalog = registry.send("GET", "/v2/_catalog", &[], b"").await;
    assert_eq!(catalog.error(), refused(405, "UNSUPPORTED"));
    assert_eq!(registry.send("POST", "tags/list", &[], b"").await.error(), refused(405, "UNSUPPORTED"));
    assert_eq!(registry.send("GET", "referrers/x", &[], b"").await.error(), refused(404, "UNSUPPORTED"));
}

#[tokio::test]
async fn a_blob_goes_in_by_one_patch_or_one_put_or_one_post() {
    let (endpoint, _, registry) = registry().await;
    // Larger than any other request may be.
    let bytes: Vec<u8> = (0..20_000_000_u32).map(|number| number.to_le_bytes()[number as usize % 4]).collect();
    let name = digest(&bytes);
    let path = format!("blobs/{name}");
    assert_eq!(registry.send("HEAD", &path, &[], b"").await.status, 404);
    let location = registry.begin().await;
    let patched = registry.send("PATCH", &location, &[("Content-Type", "application/octet-stream")], &bytes).await;
    assert_eq!((patched.status, patched.header("range")), (201, Some("0-19999999")));
    let status = registry.send("GET", &location, &[], b"").await;
    assert_eq!((status.status, status.header("range")), (204, Some("0-19999999")));
    let again = registry.send("PATCH", &location, &[], b"more").await;
    assert_eq!(again.error(), refused(416, "BLOB_UPLOAD_INVALID"));
    assert_eq!(again.message(), "First byte of the layer part is 0 instead of 20000000");
    let next = registry.send("PATCH", &location, &[("Content-Range", "20000000-20000003")], b"more").await;
    assert!(next.message().contains("one PATCH or PUT"), "{next:?}");
    let done = registry.send("PUT", &format!("{location}?digest={}", name.replace(':', "%3A")), &[], b"").await;
    assert_eq!((done.status, done.header("docker-content-digest")), (201, Some(&*name)));
    assert_eq!(done.header("location"), Some(&*format!("/v2/lab/worker/{path}")));
    let head = registry.send("HEAD", &path, &[], b"").await;
    assert_eq!((head.status, head.header("content-length")), (200, Some("20000000")));
    assert!(registry.send("GET", &path, &[], b"").await.body == bytes);
    assert_eq!(registry.send("GET", &location, &[], b"").await.error(), refused(404, "BLOB_UPLOAD_UNKNOWN"));

    registry.push_blob(LAYER, b"by put").await;
    let by_post = digest(b"by post");
    let posted = registry.send("POST", &format!("blobs/uploads/?digest={by_post}"), &[], b"by post").await;
    assert_eq!(posted.status, 201);
    let mounted = registry.send("POST", &format!("blobs/uploads/?mount={by_post}&from=lab/worker"), &[], b"").await;
    assert_eq!(mounted.status, 202);
    let location = mounted.header("location").unwrap();
    assert_eq!(registry.send("DELETE", location, &[], b"").await.status, 204);
    assert_eq!(registry.send("DELETE", location, &[], b"").await.error(), refused(404, "BLOB_UPLOAD_UNKNOWN"));
    assert_eq!(files(&endpoint), (3, 0));
    // A layer belongs to the repository that it was pushed to.
    let other = Registry { repository: "other".into(), ..registry.clone() };
    assert_eq!(other.send("GET", &path, &[], b"").await.error(), refused(404, "NAME_UNKNOWN"));
}

#[tokio::test]
async fn a_blob_that_is_not_what_it_says_leaves_nothing() {
    let (endpoint, config, registry) = registry().await;
    let wrong = digest(b"other");
    let location = registry.begin().await;
    let put = registry.send("PUT", &format!("{location}?digest={wrong}"), &[], b"this").await;
    assert_eq!(put.error(), refused(400, "BLOB_UPLOAD_INVALID"));
    assert_eq!(registry.send("HEAD", &format!("blobs/{wrong}"), &[], b"").await.status, 404);
    for bad in ["", "sha512:00", "sha256:../../../identity.json", &wrong.to_uppercase(), &wrong[..70]] {
        let location = registry.begin().await;
        let put = registry.send("PUT", &format!("{location}?digest={bad}"), &[], b"this").await;
        assert_eq!(put.error(), refused(400, "DIGEST_INVALID"), "{bad}");
    }
    let without = registry.begin().await;
    assert_eq!(registry.send("PUT", &without, &[], b"this").await.error(), refused(400, "DIGEST_INVALID"));
    let late = registry.begin().await;
    let late = registry.send("PATCH", &late, &[("Content-Range", "5-8")], b"this").await;
    assert_eq!(late.message(), "First byte of the layer part is 5 instead of 0");
    // The upload of another repository is none of ours.
    let other = Registry::new(&config, "other").await;
    let foreign = other.begin().await.replace("/other/", "/lab/worker/");
    assert_eq!(registry.send("PATCH", &foreign, &[], b"x").await.error(), refused(404, "BLOB_UPLOAD_UNKNOWN"));
    // Two uploads wait: the one with the late part, and the other repository's.
    assert_eq!(files(&endpoint), (0, 2));
}

#[tokio::test]
async fn an_upload_whose_client_is_gone_goes_with_its_repository() {
    let (endpoint, config, registry) = registry().await;
    for _ in 0..300 {
        let stream = registry.open("POST", "blobs/uploads/", &[], 0).await;
        stream.set_zero_linger().unwrap();
    }
    let ecr = aws_sdk_ecr::Client::new(&config);
    ecr.delete_repository().repository_name("lab/worker").send().await.unwrap();
    until("the uploads go", async || (files(&endpoint) == (0, 0)).then_some(())).await;
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing_and_a_restart_forgets_the_rest() {
    let (endpoint, config, registry) = registry().await;
    let location = registry.begin().await;
    let mut stream = registry.open("PATCH", &location, &[], 1_000_000).await;
    stream.write_all(&[7; 500_000]).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    // Whether there is an answer is up to the server; that it has ended is not.
    let _ = stream.read_to_end(&mut answer).await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while registry.send("GET", &location, &[], b"").await.status != 404 || files(&endpoint).1 > 0 {
        assert!(std::time::Instant::now() < deadline, "{:?}", files(&endpoint));
    }
    let acknowledged = registry.push_blob(LAYER, b"acknowledged").await;
    let location = registry.begin().await;
    assert_eq!(registry.send("PATCH", &location, &[], b"half").await.status, 201);
    assert_eq!(files(&endpoint), (1, 1));
    let endpoint = endpoint.restart().await;
    let registry = Registry::log_in(&endpoint.sdk_config(), "lab/worker").await;
    assert_eq!(registry.send("PATCH", &location, &[], b"x").await.error(), refused(404, "BLOB_UPLOAD_UNKNOWN"));
    assert_eq!(files(&endpoint), (1, 0));
    let path = format!("blobs/{}", acknowledged["digest"].as_str().unwrap());
    assert_eq!(registry.send("GET", &path, &[], b"").await.body, b"acknowledged");
    drop(config);
}

#[tokio::test]
async fn a_manifest_is_taken_only_with_all_that_it_names() {
    let (endpoint, config, registry) = registry().await;
    let manifest = registry.image("job", "#!/bin/sh\n", &json!({}), ARCH).await;
    let name = digest(manifest.to_string().as_bytes());
    let with = |change: &dyn Fn(&mut Value)| {
        let mut other = manifest.clone();
        change(&mut other);
        other
    };
    let other = Registry::new(&config, "other").await;
    assert_eq!(other.put_manifest("1", &manifest).await.error(), refused(400, "MANIFEST_BLOB_UNKNOWN"));
    let nowhere = Registry { repository: "nowhere".into(), ..registry.clone() };
    assert_eq!(nowhere.put_manifest("1", &manifest).await.error(), refused(404, "NAME_UNKNOWN"));
    let cases = [
        (with(&|one| one["layers"][0]["digest"] = json!(digest(b"x"))), "MANIFEST_BLOB_UNKNOWN"),
        (with(&|one| one["config"]["digest"] = json!(digest(b"x"))), "MANIFEST_BLOB_UNKNOWN"),
        (with(&|one| one["layers"][0]["size"] = json!(1)), "MANIFEST_INVALID"),
        (with(&|one| one["layers"][0]["digest"] = json!("sha256:../../identity.json")), "MANIFEST_INVALID"),
        (with(&|one| one["layers"] = json!(3)), "MANIFEST_INVALID"),
        (
            with(&|one| one["mediaType"] = json!("application/vnd.docker.distribution.manifest.v1+json")),
            "MANIFEST_INVALID",
        ),
    ];
    for (wrong, code) in cases {
        assert_eq!(registry.put_manifest("1", &wrong).await.error(), refused(400, code), "{wrong}");
    }
    let typed = [("Content-Type", MANIFEST)];
    let text = registry.send("PUT", "manifests/1", &typed, b"no json").await;
    assert_eq!(text.error(), refused(400, "MANIFEST_INVALID"));
    let called = registry.send("PUT", "manifests/1", &[("Content-Type", INDEX)], manifest.to_string().as_bytes()).await;
    assert_eq!(called.error(), refused(400, "MANIFEST_INVALID"));
    let mut huge = manifest.to_string();
    huge.push_str(&" ".repeat(4 * 1024 * 1024));
    let huge = registry.send("PUT", "manifests/1", &typed, huge.as_bytes()).await;
    assert_eq!(huge.error(), refused(413, "MANIFEST_INVALID"));
    for tag in ["-1", ".hidden", "a%2Fb", "%20", &"t".repeat(129)] {
        let put = registry.put_manifest(tag, &manifest).await;
        assert_eq!(put.error(), refused(400, "TAG_INVALID"), "{tag}");
    }
    assert_eq!(registry.put_manifest(&digest(b"x"), &manifest).await.error(), refused(400, "DIGEST_INVALID"));
    assert_eq!(registry.send("GET", "manifests/1", &[], b"").await.error(), refused(404, "MANIFEST_UNKNOWN"));
    assert_eq!(files(&endpoint).0, 2);

    let put = registry.put_manifest(&name, &manifest).await;
    assert_eq!((put.status, put.header("docker-content-digest")), (201, Some(&*name)));
    assert_eq!(put.header("location"), Some(&*format!("/v2/lab/worker/manifests/{name}")));
    for tag in ["b", "a", "c"] {
        assert_eq!(registry.put_manifest(tag, &manifest).await.status, 201);
    }
    for reference in ["a", &name] {
        let got = registry.send("GET", &format!("manifests/{reference}"), &[("Accept", MANIFEST)], b"").await;
        assert_eq!((got.status, got.header("content-type")), (200, Some(MANIFEST)));
        assert_eq!(got.header("docker-content-digest"), Some(&*name));
        assert_eq!(got.json(), manifest);
        let head = registry.send("HEAD", &format!("manifests/{reference}"), &[], b"").await;
        assert_eq!(head.header("content-length"), Some(&*manifest.to_string().len().to_string()));
    }
    let first = registry.send("GET", "tags/list?n=2", &[], b"").await;
    assert_eq!(first.json(), json!({"name": "lab/worker", "tags": ["a", "b"]}));
    let link = first.header("link").unwrap();
    let rest = registry.send("GET", link.trim_start_matches('<').split('>').next().unwrap(), &[], b"").await;
    assert_eq!((rest.json()["tags"].clone(), rest.header("link")), (json!(["c"]), None));
    assert_eq!(registry.send("GET", "tags/list?n=0", &[], b"").await.status, 400);
    assert_eq!(registry.send("DELETE", "manifests/a", &[], b"").await.status, 202);
    assert_eq!(registry.send("GET", "manifests/a", &[], b"").await.status, 404);
    assert_eq!(registry.send("DELETE", &format!("manifests/{name}"), &[], b"").await.status, 202);
    assert_eq!(files(&endpoint), (0, 0));
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_refused() {
    let (_endpoint, _, registry) = registry().await;
    for path in [
        "/v2/../lab/manifests/1",
        "/v2/lab/../../x/manifests/1",
        "/v2/Lab/manifests/1",
        "/v2/lab%2F..%2Fx/manifests/1",
        "/v2//manifests/1",
        "/v2/a/manifests/1",
        "/v2/lab//worker/blobs/uploads/",
        "/v2/-lab/tags/list",
        "/v2/lab._worker/tags/list",
    ] {
        let answer = registry.send("GET", path, &[], b"").await;
        assert!(
            [(400, "NAME_INVALID".to_owned()), (405, "UNSUPPORTED".to_owned())].contains(&answer.error()),
            "{path}: {answer:?}"
        );
    }
    for path in ["blobs/sha256:..%2F..%2Fidentity.json", "blobs/identity.json", "blobs/sha256:", "blobs/.."] {
        assert_eq!(registry.send("GET", path, &[], b"").await.error(), refused(400, "DIGEST_INVALID"), "{path}");
    }
    assert_eq!(
        registry.send("PATCH", "blobs/uploads/..", &[], b"x").await.error(),
        refused(404, "BLOB_UPLOAD_UNKNOWN")
    );
}

#[tokio::test]
async fn tags_move_only_where_they_may() {
    let (_endpoint, config, registry) = registry().await;
    let ecr = aws_sdk_ecr::Client::new(&config);
    let (one, two) = (json!({"Cmd": ["one"]}), json!({"Cmd": ["two"]}));
    let first = registry.push("latest", &one, ARCH).await;
    let second = registry.push("latest", &two, ARCH).await;
    assert_ne!(first, second);
    let untagged = registry.send("GET", &format!("manifests/{first}"), &[], b"").await;
    assert_eq!(untagged.status, 200);
    assert_eq!(
        registry.send("HEAD", "manifests/latest", &[], b"").await.header("docker-content-digest"),
        Some(&*second)
    );

    let create = ecr.create_repository().repository_name("fixed").image_tag_mutability("IMMUTABLE".into());
    create.send().await.unwrap();
    let fixed = Registry { repository: "fixed".into(), ..registry.clone() };
    let pushed = fixed.push("v1", &one, ARCH).await;
    assert_eq!(fixed.push("v1", &one, ARCH).await, pushed, "the same again is success");
    let manifest = fixed.image("job", "#!/bin/sh\n", &two, ARCH).await;
    let moved = fixed.put_manifest("v1", &manifest).await;
    assert_eq!(moved.error(), refused(400, "TAG_INVALID"));
    assert_eq!(
        moved.message(),
        "The image tag 'v1' already exists in the 'fixed' repository and cannot be overwritten because the tag is immutable."
    );
    assert_eq!(fixed.put_manifest("v2", &manifest).await.status, 201);

    let filter = aws_sdk_ecr::types::ImageTagMutabilityExclusionFilter::builder()
        .filter_type("WILDCARD".into())
        .filter("dev-*")
        .build()
        .unwrap();
    let create = ecr.create_repository().repository_name("mixed");
    let create = create.image_tag_mutability("IMMUTABLE_WITH_EXCLUSION".into());
    create.image_tag_mutability_exclusion_filters(filter).send().await.unwrap();
    let mixed = Registry { repository: "mixed".into(), ..registry.clone() };
    for tag in ["dev-1", "v1"] {
        mixed.push(tag, &one, ARCH).await;
        let manifest = mixed.image("job", "#!/bin/sh\n", &two, ARCH).await;
        let status = mixed.put_manifest(tag, &manifest).await.status;
        assert_eq!(status, if tag == "v1" { 400 } else { 201 }, "{tag}");
    }
}

#[tokio::test]
async fn a_push_under_way_keeps_the_layers_that_it_was_promised() {
    let (endpoint, config, registry) = registry().await;
    let ecr = aws_sdk_ecr::Client::new(&config);
    let manifest = registry.image("job", "#!/bin/sh\n", &json!({}), ARCH).await;
    assert_eq!(registry.put_manifest("old", &manifest).await.status, 201);
    let layer = manifest["layers"][0]["digest"].as_str().unwrap().to_owned();
    // Another push finds the layer there, and does not send it again.
    assert_eq!(registry.send("HEAD", &format!("blobs/{layer}"), &[], b"").await.status, 200);
    let id = aws_sdk_ecr::types::ImageIdentifier::builder().image_tag("old").build();
    ecr.batch_delete_image().repository_name("lab/worker").image_ids(id).send().await.unwrap();
    let config = registry.push_blob(CONFIG, b"{}").await;
    let next = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": manifest["layers"]});
    assert_eq!(registry.put_manifest("new", &next).await.status, 201);
    let endpoint = endpoint.restart().await;
    let registry = Registry::log_in(&endpoint.sdk_config(), "lab/worker").await;
    assert_eq!(registry.send("GET", &format!("blobs/{layer}"), &[], b"").await.status, 200);
    // The old image's configuration has gone with it.
    assert_eq!(files(&endpoint), (3, 0));
}

#[tokio::test]
async fn pushes_and_deletions_at_the_same_time_end_in_whole_images_or_none() {
    let (endpoint, config, registry) = registry().await;
    let shared = layer("shared", "#!/bin/sh\n");
    let pushes: Vec<_> = (0..8)
        .map(|number| {
            let (registry, shared, config) = (registry.clone(), shared.clone(), config.clone());
            tokio::spawn(async move {
                let ecr = aws_sdk_ecr::Client::new(&config);
                for round in 0..6 {
                    let layer = registry.push_blob(LAYER, &shared).await;
                    let config = json!({"number": number, "round": round}).to_string();
                    let config = registry.push_blob(CONFIG, config.as_bytes()).await;
                    let manifest =
                        json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]});
                    let tag = format!("t{number}");
                    let put = registry.put_manifest(&tag, &manifest).await;
                    assert_eq!(put.status, 201, "{put:?}");
                    let id = aws_sdk_ecr::types::ImageIdentifier::builder().image_tag(tag).build();
                    let delete = ecr.batch_delete_image().repository_name("lab/worker").image_ids(id);
                    assert!(delete.send().await.unwrap().failures().is_empty());
                }
            })
        })
        .collect();
    for push in pushes {
        push.await.unwrap();
    }
    registry.begin().await;
    let force = aws_sdk_ecr::Client::new(&config).delete_repository().repository_name("lab/worker").force(true);
    force.send().await.unwrap();
    assert_eq!(files(&endpoint), (0, 0));
}
