//! Images that somebody else has made: are they there, and do they run on the tasks' processors?

use std::collections::BTreeMap;

use fis_workshop_images::Architecture;
use oci_spec::image::{ImageConfiguration, ImageIndex};

use super::reference::{ImageUri, RepositoryUri};
use super::registry::{Credentials, Registry, Remote};
use super::{ecr, embedded};
use crate::aws::clients::Clients;
use crate::aws::program::Program;
use crate::error::{Error, Result};
use crate::target::Target;

/// Ready-made images, as they were found.
#[derive(Debug, Clone)]
pub(crate) struct ReadyMade {
    pub(crate) architecture: Architecture,
    /// ARN of their repository, if they are in ECR.
    pub(crate) repository_arn: Option<String>,
    /// With their digests.
    pub(crate) uris: BTreeMap<Program, String>,
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

/// Looks the images up, before anything is made that would use them.
///
/// # Errors
/// When one is not there, or not for `architecture`, or tasks could not pull them all.
pub(crate) async fn check(
    clients: &Clients,
    uris: &BTreeMap<Program, ImageUri>,
    architecture: Option<Architecture>,
) -> Result<ReadyMade> {
    let repository_arn = one_repository(clients.target, uris)?;
    let architecture = architecture.or((clients.target == Target::Local).then(embedded::architecture));
    let (mut chosen, mut pinned, mut warnings) = (architecture, BTreeMap::new(), Vec::new());
    for (program, uri) in uris {
        let (digest, platforms) = find(clients, uri).await?;
        let digest = match platforms {
            Ok(platforms) => choose(uri, &platforms, &mut chosen)?.digest.clone(),
            Err(error) => {
                warnings.push(format!("Whether {uri} is for the tasks' processors could not be checked: {error}"));
                digest
            }
        };
        pinned.insert(*program, format!("{}@{digest}", uri.repository));
    }
    Ok(ReadyMade { architecture: chosen.unwrap_or(embedded::architecture()), repository_arn, uris: pinned, warnings })
}

/// ARN of the repository that all of them are in. The execution role may pull from one repository of ECR only.
fn one_repository(target: Target, uris: &BTreeMap<Program, ImageUri>) -> Result<Option<String>> {
    let Some(first) = uris.values().next() else { return Ok(None) };
    let arn = first.repository.arn();
    if let Some(other) = uris.values().find(|other| other.repository.arn() != arn) {
        return Err(Error::usage(format!("{first} and {other} are in different repositories."))
            .cause("the tasks' execution role may pull from one repository of ECR only")
            .hint("Push the images to one repository, with a tag for each."));
    }
    if arn.is_none() && target == Target::Local {
        return Err(Error::failed(format!("The local endpoint does not pull {first}."))
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
    let registry = Registry::open(&uri.repository, &uri.repository.host, Credentials::Anonymous, &clients.trust)?;
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

/// Which program each `--image` value is for.
///
/// # Errors
/// When a value names no image, it is not clear whose it is, or one is missing.
pub(crate) fn assign(values: &[String]) -> Result<BTreeMap<Program, ImageUri>> {
    let form =
        || format!("Give one for each: `{}`, or URIs whose name or tag says which it is.", Program::image_flags());
    let mut found = BTreeMap::new();
    for value in values {
        let (program, uri) = match value.split_once('=') {
            Some((name, uri)) => {
                let program = Program::named(name);
                (program.ok_or_else(|| Error::usage(format!("There is no program {name:?}.")).hint(form()))?, uri)
            }
            None => (guess(value)?, value.as_str()),
        };
        if let Some(previous) = found.insert(program, uri.parse::<ImageUri>()?) {
            return Err(Error::usage(format!("Two images are for {program}: {previous} and {uri}.")).hint(form()));
        }
    }
    match Program::OURS.iter().find(|program| !found.contains_key(program)) {
        Some(missing) => Err(Error::usage(format!("There is no image for {missing}.")).hint(form())),
        None => Ok(found),
    }
}

fn guess(uri: &str) -> Result<Program> {
    let parsed: ImageUri = uri.parse()?;
    let named = |program: &&Program| {
        [Some(&parsed.repository.name), parsed.tag.as_ref()]
            .into_iter()
            .flatten()
            .any(|part| part.contains(program.name()))
    };
    let matching: Vec<_> = Program::OURS.iter().filter(named).collect();
    match matching[..] {
        [program] => Ok(*program),
        _ => {
            let forms: Vec<_> = Program::OURS.iter().map(|program| format!("`--image {program}={uri}`")).collect();
            Err(Error::usage(format!("{uri} does not say which program it is."))
                .hint(format!("Say it: {}.", forms.join(" or "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assigned(values: &[&str]) -> std::result::Result<Vec<(Program, String)>, String> {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        let uris = assign(&values).map_err(|error| error.to_string())?;
        Ok(uris.into_iter().map(|(program, uri)| (program, uri.to_string())).collect())
    }

    #[test]
    fn the_program_is_said_or_told_by_name_or_tag() {
        let expected = Ok(vec![
            (Program::Original, "r.io/a:original-1".to_owned()),
            (Program::Improved, "r.io/improved:2".to_owned()),
            (Program::Watchdog, "r.io/watchdog:3".to_owned()),
            (Program::Queue, "r.io/a:queue".to_owned()),
        ]);
        let rest = ["r.io/watchdog:3", "r.io/a:queue"];
        let with_rest = |some: [&'static str; 2]| assigned(&[some, rest].concat());
        assert_eq!(with_rest(["r.io/improved:2", "r.io/a:original-1"]), expected);
        assert_eq!(with_rest(["improved=r.io/improved:2", "original=r.io/a:original-1"]), expected);
        assert!(assigned(&["r.io/a:1", "r.io/a:improved"]).unwrap_err().contains("does not say which"));
        assert!(assigned(&["r.io/original:improved", "r.io/a:improved"]).unwrap_err().contains("does not say which"));
        assert!(assigned(&["r.io/a:original"]).unwrap_err().contains("no image for improved"));
        assert!(assigned(&["r.io/a:original", "original=r.io/b:1"]).unwrap_err().contains("Two images"));
        assert!(assigned(&["other=r.io/a:original"]).unwrap_err().contains("no program"));
    }

    fn platform(architecture: &str) -> Platform {
        Platform { architecture: architecture.into(), os: "linux".into(), digest: format!("sha256:{architecture}") }
    }

    #[test]
    fn all_images_have_to_be_for_one_architecture() {
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
    fn all_images_have_to_be_in_one_repository_of_ecr() {
        let uris = |first: &str, second: &str| {
            BTreeMap::from([(Program::Original, first.parse().unwrap()), (Program::Improved, second.parse().unwrap())])
        };
        let ecr = |name: &str| format!("123456789012.dkr.ecr.eu-west-1.amazonaws.com/{name}:1");
        assert!(one_repository(Target::Aws, &uris(&ecr("a"), &ecr("a"))).unwrap().is_some());
        assert!(one_repository(Target::Aws, &uris(&ecr("a"), &ecr("b"))).is_err());
        assert_eq!(one_repository(Target::Aws, &uris("r.io/a:1", "r.io/b:1")).unwrap(), None);
        assert!(one_repository(Target::Local, &uris("r.io/a:1", "r.io/b:1")).is_err());
    }
}
