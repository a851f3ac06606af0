//! ECR's calls for images and repositories, with the real SDK.

use aws_sdk_ecr::Client;
use aws_sdk_ecr::error::ProvideErrorMetadata;
use aws_sdk_ecr::types::{DescribeImagesFilter, ImageDetail, ImageFailure, ImageIdentifier, ListImagesFilter, Tag};
use serde_json::json;

use crate::harness::Endpoint;
use crate::registry::files;
use crate::registry_client::{ARCH, CONFIG, INDEX, MANIFEST, Registry, digest};

fn by_tag(tag: &str) -> ImageIdentifier {
    ImageIdentifier::builder().image_tag(tag).build()
}

fn by_digest(digest: &str) -> ImageIdentifier {
    ImageIdentifier::builder().image_digest(digest).build()
}

fn codes(failures: &[ImageFailure]) -> Vec<&str> {
    failures.iter().map(|failure| failure.failure_code().unwrap().as_str()).collect()
}

async fn details(ecr: &Client, status: &str) -> Vec<ImageDetail> {
    let filter = DescribeImagesFilter::builder().tag_status(status.into()).build();
    let pages =
        ecr.describe_images().repository_name("lab").filter(filter).max_results(1).into_paginator().items().send();
    pages.try_collect().await.unwrap()
}

#[tokio::test]
async fn images_are_described_listed_got_and_deleted() {
    let endpoint = Endpoint::start().await;
    let config = endpoint.sdk_config();
    let ecr = Client::new(&config);
    let registry = Registry::new(&config, "lab").await;
    let old = registry.push("latest", &json!({"Cmd": ["old"]}), ARCH).await;
    let new = registry.push("latest", &json!({"Cmd": ["new"]}), ARCH).await;
    registry.push("v1", &json!({"Cmd": ["new"]}), ARCH).await;

    let of = |details: &[ImageDetail]| -> Vec<String> {
        details.iter().map(|detail| detail.image_digest().unwrap().to_owned()).collect()
    };
    let mut both = vec![old.clone(), new.clone()];
    both.sort_unstable();
    assert_eq!(of(&details(&ecr, "ANY").await), both);
    assert_eq!(of(&details(&ecr, "UNTAGGED").await), [old.as_str()]);
    let tagged = details(&ecr, "TAGGED").await;
    assert_eq!((of(&tagged), tagged[0].image_tags()), (vec![new.clone()], &["latest".to_owned(), "v1".to_owned()][..]));
    let image = &tagged[0];
    assert_eq!(image.registry_id(), Some("000000000000"));
    assert_eq!(image.repository_name(), Some("lab"));
    assert_eq!(image.image_manifest_media_type(), Some(MANIFEST));
    assert_eq!(image.artifact_media_type(), Some(CONFIG));
    let layer = registry.image("job", "#!/bin/sh\neval \"$1\"\n", &json!({}), ARCH).await["layers"][0]["size"].clone();
    assert_eq!(image.image_size_in_bytes(), layer.as_i64());
    let age = image.image_pushed_at().unwrap().as_secs_f64() - chrono::Utc::now().timestamp() as f64;
    assert!(age.abs() < 60.0, "{age}");
    assert!(image.last_recorded_pull_time().is_none(), "{image:?}");

    let got = ecr.batch_get_image().repository_name("lab").image_ids(by_tag("v1")).image_ids(by_tag("none"));
    let got = got.send().await.unwrap();
    assert_eq!(digest(got.images()[0].image_manifest().unwrap().as_bytes()), new);
    assert_eq!(got.images()[0].image_id().unwrap().image_tag(), Some("v1"));
    assert_eq!(codes(got.failures()), ["ImageNotFound"]);
    let pulled = ecr.describe_images().repository_name("lab").image_ids(by_tag("v1")).send().await.unwrap();
    assert!(pulled.image_details()[0].last_recorded_pull_time().is_some());

    let list = |status: &str| {
        let filter = ListImagesFilter::builder().tag_status(status.into()).build();
        let pages = ecr.list_images().repository_name("lab").filter(filter).max_results(1).into_paginator();
        async move {
            let ids: Vec<ImageIdentifier> = pages.items().send().try_collect().await.unwrap();
            ids.iter().map(|id| id.image_tag().unwrap_or("-").to_owned()).collect::<Vec<_>>()
        }
    };
    assert_eq!(list("TAGGED").await, ["latest", "v1"]);
    assert_eq!(list("UNTAGGED").await, ["-"]);
    assert_eq!(list("ANY").await.len(), 3);

    let mismatch = ImageIdentifier::builder().image_digest(&old).image_tag("v1").build();
    let delete = ecr.batch_delete_image().repository_name("lab");
    let delete = delete.image_ids(by_tag("latest")).image_ids(by_tag("none")).image_ids(mismatch);
    let delete = delete.image_ids(ImageIdentifier::builder().build()).image_ids(by_digest("sha256:x"));
    let deleted = delete.send().await.unwrap();
    assert_eq!((deleted.image_ids().len(), deleted.image_ids()[0].image_tag()), (1, Some("latest")));
    let expected = ["ImageNotFound", "ImageTagDoesNotMatchDigest", "MissingDigestAndTag", "InvalidImageDigest"];
    assert_eq!(codes(deleted.failures()), expected);
    assert_eq!(list("TAGGED").await, ["v1"]);
    let delete = ecr.batch_delete_image().repository_name("lab").image_ids(by_tag("v1")).image_ids(by_digest(&old));
    assert_eq!(delete.send().await.unwrap().image_ids().len(), 2);
    assert_eq!(list("ANY").await, Vec::<String>::new());
    // What was asked for and never used for an image stays for the push that asked, up to an hour.
    ecr.delete_repository().repository_name("lab").send().await.unwrap();
    assert_eq!(files(&endpoint), (0, 0));
}

#[tokio::test]
async fn an_image_of_an_index_goes_after_the_index() {
    let endpoint = Endpoint::start().await;
    let config = endpoint.sdk_config();
    let ecr = Client::new(&config);
    let registry = Registry::new(&config, "lab").await;
    let manifest = registry.image("job", "#!/bin/sh\n", &json!({}), ARCH).await;
    let name = digest(manifest.to_string().as_bytes());
    let entry = json!({"mediaType": MANIFEST, "digest": name, "size": manifest.to_string().len(),
        "platform": {"os": "linux", "architecture": ARCH}});
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]});
    assert_eq!(registry.put_manifest("all", &index).await.error(), (400, "MANIFEST_BLOB_UNKNOWN".into()));
    assert_eq!(registry.put_manifest(&name, &manifest).await.status, 201);
    assert_eq!(registry.put_manifest("all", &index).await.status, 201);
    let shown = ecr.describe_images().repository_name("lab").image_ids(by_tag("all")).send().await.unwrap();
    assert_eq!(shown.image_details()[0].image_size_in_bytes(), manifest["layers"][0]["size"].as_i64());
    let delete = |id: ImageIdentifier| ecr.batch_delete_image().repository_name("lab").image_ids(id).send();
    let refused = delete(by_digest(&name)).await.unwrap();
    assert_eq!(codes(refused.failures()), ["ImageReferencedByManifestList"]);
    let denied = registry.send("DELETE", &format!("manifests/{name}"), &[], b"").await;
    assert_eq!(denied.error(), (400, "DENIED".into()));
    for id in [by_tag("all"), by_digest(&name)] {
        assert!(delete(id).await.unwrap().failures().is_empty());
    }
    assert_eq!(files(&endpoint), (0, 0));
}

#[tokio::test]
async fn wrong_parameters_are_refused_in_the_words_of_ecr() {
    let endpoint = Endpoint::start().await;
    let config = endpoint.sdk_config();
    let ecr = Client::new(&config);
    let registry = Registry::new(&config, "lab").await;
    registry.push("1", &json!({}), ARCH).await;
    macro_rules! refusal {
        ($call:expr) => {{
            let error = $call.send().await.unwrap_err();
            (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
        }};
    }
    let missing = (
        "RepositoryNotFoundException".to_owned(),
        "The repository with name 'none' does not exist in the registry with id '000000000000'".to_owned(),
    );
    assert_eq!(refusal!(ecr.describe_images().repository_name("none")), missing);
    assert_eq!(refusal!(ecr.list_images().repository_name("none")), missing);
    assert_eq!(refusal!(ecr.batch_get_image().repository_name("none").image_ids(by_tag("1"))), missing);
    assert_eq!(refusal!(ecr.batch_delete_image().repository_name("none").image_ids(by_tag("1"))), missing);
    assert_eq!(refusal!(ecr.delete_repository().repository_name("none")), missing);
    let none = refusal!(ecr.describe_images().repository_name("lab").image_ids(by_tag("9")));
    assert_eq!(none.0, "ImageNotFoundException");
    assert_eq!(
        none.1,
        "The image with imageId {imageDigest:'null', imageTag:'9'} does not exist within the repository with name 'lab' in the registry with id '000000000000'"
    );
    let describe = || ecr.describe_images().repository_name("lab");
    for call in [
        describe().max_results(0),
        describe().max_results(1001),
        describe().next_token("?"),
        describe().image_ids(by_tag("1")).max_results(3),
        describe().set_image_ids(Some(vec![by_tag("1"); 101])),
        describe().image_ids(ImageIdentifier::builder().build()),
        describe().filter(DescribeImagesFilter::builder().tag_status("SOME".into()).build()),
    ] {
        assert_eq!(refusal!(call).0, "InvalidParameterException");
    }
    assert_eq!(refusal!(describe().registry_id("111111111111")).0, "UnsupportedOperation");
    let archived = DescribeImagesFilter::builder().image_status("ARCHIVED".into()).build();
    assert!(refusal!(describe().filter(archived)).1.contains("ARCHIVED"));
    let get = ecr.batch_get_image().repository_name("lab").image_ids(by_tag("1")).accepted_media_types("text/plain");
    assert_eq!(refusal!(get).0, "UnsupportedOperation");
    let full = refusal!(ecr.delete_repository().repository_name("lab"));
    assert_eq!(full.0, "RepositoryNotEmptyException");
    for name in ["R", "a", "-ab", "a//b", "a..b", "a/"] {
        assert_eq!(refusal!(ecr.create_repository().repository_name(name)).0, "InvalidParameterException", "{name}");
    }
    assert_eq!(refusal!(ecr.create_repository().repository_name("lab")).0, "RepositoryAlreadyExistsException");
    let mutability = ecr.create_repository().repository_name("new").image_tag_mutability("SOMETIMES".into());
    assert_eq!(refusal!(mutability).0, "InvalidParameterException");
    let put = ecr.put_image().repository_name("lab").image_manifest("{}");
    assert!(refusal!(put).1.contains("ecr:PutImage"));
}

#[tokio::test]
async fn repositories_and_their_tags_come_and_go() {
    let endpoint = Endpoint::start().await;
    let ecr = Client::new(&endpoint.sdk_config());
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    let made = ecr.create_repository().repository_name("a__b/c-1.2").tags(tag("team", "a")).send().await.unwrap();
    let made = made.repository.unwrap();
    let uri = "000000000000.dkr.ecr.us-east-1.amazonaws.com/a__b/c-1.2";
    assert_eq!((made.repository_uri(), made.image_tag_mutability().unwrap().as_str()), (Some(uri), "MUTABLE"));
    let arn = made.repository_arn().unwrap();
    ecr.tag_resource().resource_arn(arn).tags(tag("team", "b")).tags(tag("x", "")).send().await.unwrap();
    ecr.untag_resource().resource_arn(arn).tag_keys("x").send().await.unwrap();
    let tags = ecr.list_tags_for_resource().resource_arn(arn).send().await.unwrap();
    assert_eq!(tags.tags(), [tag("team", "b")]);
    let system = ecr.tag_resource().resource_arn(arn).tags(tag("aws:x", "1")).send().await.unwrap_err();
    assert_eq!(system.code(), Some("InvalidTagParameterException"));
    ecr.delete_repository().repository_name("a__b/c-1.2").send().await.unwrap();
    assert!(ecr.describe_repositories().send().await.unwrap().repositories().is_empty());
}
