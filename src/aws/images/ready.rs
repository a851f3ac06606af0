//! Images that somebody else has made: are they there, and do they run on the tasks' processors?

use fis_workshop_images::Architecture;
use oci_spec::image::{ImageConfiguration, ImageIndex};

use super::reference::{ImageUri, RepositoryUri};
use super::registry::{Credentials, Registry, Remote};
use super::{ecr, embedded};
use crate::aws::clients::Clients;
use crate::aws::deployed::Variant;
use crate::error::{Error, Result};
use crate::settings::Target;

/// Ready-made images, as they were found.
#[derive(Debug, Clone)]
pub(crate) struct ReadyMade {
    pub(crate) architecture: Architecture,
    /// ARN of their repository, if they are in ECR.
    pub(crate) repository_arn: Option<String>,
    /// With their digests, one for each variant in the chapter's order.
    pub(crate) uris: Vec<String>,
    pub(crate) warnings: Vec<String>,
}

/// One platform that an image is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Platform {
    /// In OCI's words.
    pub(crate) architecture: String,
    /// In OCI's words.
    pub(crate) os: String,
    /// Digest of the manifest for it.
    pub(crate) digest: String,
}

/// Looks both images up, before anything is made that would use them.
///
/// # Errors
/// When one is not there, or not for `architecture`, or tasks could not pull both.
pub(crate) async fn check(
    clients: &Clients,
    uris: &[ImageUri; 2],
    architecture: Option<Architecture>,
) -> Result<ReadyMade> {
    let repository_arn = one_repository(clients.target, uris)?;
    let architecture = architecture.or((clients.target == Target::Local).then(embedded::architecture));
    let (mut chosen, mut pinned, mut warnings) = (architecture, Vec::new(), Vec::new());
    for uri in uris {
        let (digest, platforms) = find(clients, uri).await?;
        match platforms {
            Ok(platforms) => {
                let platform = choose(uri, &platforms, &mut chosen)?;
                pinned.push(format!("{}@{}", uri.repository, platform.digest));
            }
            Err(error) => {
                warnings.push(format!("Whether {uri} is for the tasks' processors could not be checked: {error}"));
                pinned.push(format!("{}@{digest}", uri.repository));
            }
        }
    }
    Ok(ReadyMade { architecture: chosen.unwrap_or(embedded::architecture()), repository_arn, uris: pinned, warnings })
}

/// ARN of the repository that both are in. The execution role may pull from one repository of ECR only.
fn one_repository(target: Target, uris: &[ImageUri; 2]) -> Result<Option<String>> {
    let arns = uris.each_ref().map(|uri| uri.repository.arn());
    if arns[0] != arns[1] {
        return Err(Error::usage(format!("{} and {} are in different repositories.", uris[0], uris[1]))
            .cause("the tasks' execution role may pull from one repository of ECR only")
            .hint("Push both images to one repository, with a tag for each."));
    }
    let [arn, _] = arns;
    if arn.is_none() && target == Target::Local {
        return Err(Error::failed(format!("The local endpoint does not pull {}.", uris[0]))
            .cause("its tasks run images of its own registry, and it asks no other")
            .hint(
                "`fis-workshop image push` pushes the lab's images there, `skopeo copy --all` others; see docs/instructor.md.",
            ));
    }
    Ok(arn)
}

/// The image's digest, and the platforms it is for, where the registry tells.
async fn find(clients: &Clients, uri: &ImageUri) -> Result<(String, Result<Vec<Platform>>)> {
    if uri.repository.ecr().is_some() {
        let digest = ecr::digest_of(clients, uri).await?;
        let platforms = async {
            let registry = ecr::registry(clients, &uri.repository).await?;
            let remote = registry.manifest(&digest).await?;
            let remote = remote.ok_or_else(|| Error::failed(format!("the registry does not have {digest}")))?;
            platforms(&registry, &remote).await
        };
        return Ok((digest.clone(), platforms.await));
    }
    let registry = Registry::open(&uri.repository, &uri.repository.host, Credentials::Anonymous)?;
    let remote = registry.manifest(uri.reference()).await?.ok_or_else(|| not_found(uri))?;
    let platforms = platforms(&registry, &remote).await;
    Ok((remote.digest, platforms))
}

/// The error for an image that its registry does not have.
pub(crate) fn not_found(uri: &ImageUri) -> Error {
    let RepositoryUri { host, name } = &uri.repository;
    Error::failed(format!("There is no image {uri}."))
        .cause(format!("the repository {name} of {host} has nothing that is called {}", uri.reference()))
        .hint("Check tag and digest, or push the image first.")
}

/// What the image `remote` is for; several platforms if it is a list.
///
/// # Errors
/// When the registry does not give its configuration, or that is none.
pub(crate) async fn platforms(registry: &Registry, remote: &Remote) -> Result<Vec<Platform>> {
    let unusable = |error: &dyn std::fmt::Display| {
        Error::failed(format!("{} is not an image manifest.", remote.digest)).cause(error)
    };
    let value: serde_json::Value = serde_json::from_slice(&remote.bytes).map_err(|error| unusable(&error))?;
    if value.get("manifests").is_some() {
        let index = ImageIndex::from_reader(&*remote.bytes).map_err(|error| unusable(&error))?;
        let entries = index.manifests().iter().filter_map(|entry| Some((entry, entry.platform().as_ref()?)));
        return Ok(entries
            .map(|(entry, platform)| Platform {
                architecture: platform.architecture().to_string(),
                os: platform.os().to_string(),
                digest: entry.digest().to_string(),
            })
            .collect());
    }
    let config = value["config"]["digest"].as_str().ok_or_else(|| unusable(&"it names no configuration"))?;
    let config = registry.blob(config).await?;
    let config = ImageConfiguration::from_reader(&*config).map_err(|error| unusable(&error))?;
    Ok(vec![Platform {
        architecture: config.architecture().to_string(),
        os: config.os().to_string(),
        digest: remote.digest.clone(),
    }])
}

/// The platform for `wanted`; where nothing is wanted yet, the image decides, and the next one has to follow.
fn choose<'a>(uri: &ImageUri, platforms: &'a [Platform], wanted: &mut Option<Architecture>) -> Result<&'a Platform> {
    // A task of Fargate with these templates is a Linux one; on a Mac, the local endpoint's are programs of the Mac.
    let on = |architecture: Architecture| {
        platforms.iter().find(|platform| {
            platform.architecture == architecture.oci() && ["linux", embedded::OS].contains(&platform.os.as_str())
        })
    };
    let preferred = [embedded::architecture()].into_iter().chain(Architecture::ALL);
    let architecture = wanted.or_else(|| preferred.into_iter().find(|architecture| on(*architecture).is_some()));
    if let Some(found) = architecture.and_then(on) {
        *wanted = architecture;
        return Ok(found);
    }
    let names: Vec<String> =
        platforms.iter().map(|platform| format!("{}/{}", platform.os, platform.architecture)).collect();
    let wanted = architecture.map_or_else(|| "amd64 or arm64".to_owned(), |wanted| wanted.oci().to_owned());
    let error = Error::failed(format!("The image {uri} is for the wrong architecture."))
        .cause(format!("it is for {}, and linux/{wanted} is needed", names.join(", ")));
    Err(match Architecture::ALL.into_iter().find(|architecture| on(*architecture).is_some()) {
        Some(other) => error.hint(format!(
            "Take an image for {wanted}, or, on AWS, set up tasks for it and the other one with `--arch {other}`."
        )),
        None => error.hint(format!("Take an image for linux/{wanted}.")),
    })
}

/// Which variant each of the two `--image` values is for, in the chapter's order.
///
/// # Errors
/// When a value names no image, or it is not clear which variant it is.
pub(crate) fn assign(values: &[String]) -> Result<[ImageUri; 2]> {
    const FORM: &str =
        "Give it twice: `--image original=URI --image improved=URI`, or URIs whose name or tag says which it is.";
    let mut found: [Option<ImageUri>; 2] = [None, None];
    for value in values {
        let (index, uri) = match value.split_once('=') {
            Some((name, uri)) => {
                let index = Variant::ALL.iter().position(|variant| variant.name() == name);
                (index.ok_or_else(|| Error::usage(format!("There is no variant {name:?}.")).hint(FORM))?, uri)
            }
            None => (guess(value)?, value.as_str()),
        };
        let previous = found[index].replace(uri.parse()?);
        if let Some(previous) = previous {
            let variant = Variant::ALL[index];
            return Err(Error::usage(format!("Two images are for {variant}: {previous} and {uri}.")).hint(FORM));
        }
    }
    match found {
        [Some(original), Some(improved)] => Ok([original, improved]),
        [original, _] => {
            let missing = if original.is_none() { Variant::Original } else { Variant::Improved };
            Err(Error::usage(format!("There is no image for {missing}.")).hint(FORM))
        }
    }
}

fn guess(uri: &str) -> Result<usize> {
    let parsed: ImageUri = uri.parse()?;
    let named = |variant: &Variant| {
        [Some(&parsed.repository.name), parsed.tag.as_ref()]
            .into_iter()
            .flatten()
            .any(|part| part.contains(variant.name()))
    };
    let matching: Vec<usize> = (0..Variant::ALL.len()).filter(|index| named(&Variant::ALL[*index])).collect();
    match matching[..] {
        [index] => Ok(index),
        _ => Err(Error::usage(format!("{uri} does not say which variant it is for."))
            .hint(format!("Say it: `--image original={uri}` or `--image improved={uri}`."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assigned(values: &[&str]) -> std::result::Result<[String; 2], String> {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        assign(&values).map(|uris| uris.map(|uri| uri.to_string())).map_err(|error| error.to_string())
    }

    #[test]
    fn the_variant_is_said_or_told_by_name_or_tag() {
        let expected = Ok(["r.io/a:original-1".to_owned(), "r.io/improved:2".to_owned()]);
        assert_eq!(assigned(&["r.io/improved:2", "r.io/a:original-1"]), expected);
        assert_eq!(assigned(&["improved=r.io/improved:2", "original=r.io/a:original-1"]), expected);
        assert!(assigned(&["r.io/a:1", "r.io/a:improved"]).unwrap_err().contains("does not say which"));
        assert!(assigned(&["r.io/original:improved", "r.io/a:improved"]).unwrap_err().contains("does not say which"));
        assert!(assigned(&["r.io/a:original"]).unwrap_err().contains("no image for improved"));
        assert!(assigned(&["r.io/a:original", "original=r.io/b:1"]).unwrap_err().contains("Two images"));
        assert!(assigned(&["other=r.io/a:original"]).unwrap_err().contains("no variant"));
    }

    fn platform(architecture: &str) -> Platform {
        Platform { architecture: architecture.into(), os: "linux".into(), digest: format!("sha256:{architecture}") }
    }

    #[test]
    fn both_images_have_to_be_for_one_architecture() {
        let uri: ImageUri = "r.io/a:original".parse().unwrap();
        let mut wanted = None;
        assert_eq!(choose(&uri, &[platform("arm64")], &mut wanted).unwrap().digest, "sha256:arm64");
        assert_eq!(wanted, Some(Architecture::Arm64));
        let error = choose(&uri, &[platform("amd64")], &mut wanted).unwrap_err().to_string();
        assert!(error.contains("wrong architecture") && error.contains("linux/amd64"), "{error}");
        let several = [platform("amd64"), platform("arm64")];
        assert_eq!(choose(&uri, &several, &mut wanted).unwrap().digest, "sha256:arm64");
    }

    #[test]
    fn both_images_have_to_be_in_one_repository_of_ecr() {
        let uris = |first: &str, second: &str| [first.parse().unwrap(), second.parse().unwrap()];
        let ecr = |name: &str| format!("123456789012.dkr.ecr.eu-west-1.amazonaws.com/{name}:1");
        assert!(one_repository(Target::Aws, &uris(&ecr("a"), &ecr("a"))).unwrap().is_some());
        assert!(one_repository(Target::Aws, &uris(&ecr("a"), &ecr("b"))).is_err());
        assert_eq!(one_repository(Target::Aws, &uris("r.io/a:1", "r.io/b:1")).unwrap(), None);
        assert!(one_repository(Target::Local, &uris("r.io/a:1", "r.io/b:1")).is_err());
    }
}
