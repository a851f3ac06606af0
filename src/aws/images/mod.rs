//! The workers' images: which ones an environment runs, and their way into its repository.

pub(crate) mod ecr;
pub(crate) mod embedded;
mod failure;
mod push;
mod ready;
mod reference;
mod registry;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use fis_workshop_images::{Architecture, Image, layout};

pub(crate) use push::{Progress, Pushed, push};
pub(crate) use ready::{ReadyMade, assign, check, not_found, platforms};
pub(crate) use reference::{ImageUri, RepositoryUri};
pub(crate) use registry::{Credentials, Registry};

use super::clients::Clients;
use super::program::Program;
use crate::error::{Error, Result};
use crate::settings::Settings;

/// The images of an environment.
#[derive(Debug, Clone)]
pub(crate) enum Images {
    /// Built by us; they are pushed to the repository of the network's stack.
    Built(Built),
    /// Made and pushed by somebody else.
    Ready(ReadyMade),
}

/// Images that we have built.
#[derive(Debug, Clone)]
pub(crate) struct Built {
    pub(crate) architecture: Architecture,
    pub(crate) images: BTreeMap<Program, Image>,
}

impl Images {
    /// Values of the template's parameters, for an environment next to the repository that has this ARN and URI.
    pub(crate) fn parameters(&self, repository_arn: &str, repository_uri: &str) -> BTreeMap<String, String> {
        let (arn, architecture) = match self {
            Self::Built(built) => (repository_arn, built.architecture),
            Self::Ready(ready) => (ready.repository_arn.as_deref().unwrap_or(repository_arn), ready.architecture),
        };
        let mut parameters = BTreeMap::from([
            ("RepositoryArn".to_owned(), arn.to_owned()),
            ("CpuArchitecture".to_owned(), architecture.ecs().to_owned()),
        ]);
        let uris = self.uris(repository_uri);
        parameters.extend(uris.into_iter().map(|(program, uri)| (program.image_parameter(), uri)));
        parameters
    }

    /// By digest: what runs is what was pushed, whatever becomes of a tag.
    fn uris(&self, repository_uri: &str) -> BTreeMap<Program, String> {
        let pinned = |image: &Image| format!("{repository_uri}@{}", image.manifest.digest);
        match self {
            Self::Built(built) => built.images.iter().map(|(program, image)| (*program, pinned(image))).collect(),
            Self::Ready(ready) => ready.uris.clone(),
        }
    }

    /// Pushes what is not in the repository yet; nothing of ready-made images.
    pub(crate) async fn push(
        &self,
        clients: &Clients,
        repository_uri: &str,
        on_progress: impl FnMut(Progress),
    ) -> Result<Pushed> {
        match self {
            Self::Built(built) => {
                let registry = ecr::registry(clients, &RepositoryUri::answered(repository_uri)?).await?;
                push(&registry, &built.images, on_progress).await
            }
            Self::Ready(_) => Ok(Pushed::default()),
        }
    }
}

impl Built {
    /// The images for `architecture`: those inside this program, or those that `image build` has put into the state
    /// directory.
    pub(crate) fn find(settings: &Settings, architecture: Option<Architecture>) -> Result<Self> {
        let own = embedded::architecture();
        let architecture = architecture.unwrap_or(own);
        let inside = if settings.is_local() && architecture == own {
            embedded::for_this_machine()
        } else {
            embedded::for_fargate(architecture)
        };
        if let Some(images) = inside {
            return Ok(Self { architecture, images: of_programs(images)? });
        }
        let directory = directory(&settings.state_dir, architecture);
        if !directory.join("index.json").exists() {
            return Err(Error::failed(format!(
                "There are no images for {architecture} yet; this program holds those for {}.",
                embedded::names()
            ))
            .hint(format!(
                "`fis-workshop image build --arch {architecture}`, in the project's directory, builds them."
            )));
        }
        Ok(Self { architecture, images: of_layout(&directory)? })
    }
}

/// Where `image build` puts the images for `architecture`, and `up` looks for them.
pub(crate) fn directory(state_dir: &Path, architecture: Architecture) -> PathBuf {
    state_dir.join("images").join(architecture.name())
}

/// Refuses what this machine cannot run.
///
/// # Errors
/// When `architecture` is another one.
pub(crate) fn runs_here(architecture: Architecture) -> Result<()> {
    let own = embedded::architecture();
    if architecture == own {
        return Ok(());
    }
    Err(Error::failed(format!("This machine does not run programs for {architecture}: it has {own}."))
        .hint(format!("Leave `--arch` out, or set up on AWS with `--target aws --arch {architecture}`.")))
}

/// The images in an OCI layout.
///
/// # Errors
/// When it is damaged, or one is missing.
pub(crate) fn of_layout(directory: &Path) -> Result<BTreeMap<Program, Image>> {
    let unusable = |why: &dyn fmt::Display| {
        Error::failed(format!("The images in {} cannot be used.", directory.display()))
            .cause(why)
            .hint("`fis-workshop image build` writes them again.")
    };
    let images = layout::read(directory).map_err(|error| unusable(&error))?;
    of_programs(images).map_err(|error| unusable(&error))
}

/// Which image is whose, by their names; others are left out.
fn of_programs(mut images: Vec<Image>) -> Result<BTreeMap<Program, Image>> {
    let find = |program: &Program| {
        let position = images.iter().position(|image| image.name == program.name());
        let position = position.ok_or_else(|| Error::failed(format!("None of the images is called {program}.")))?;
        Ok((*program, images.swap_remove(position)))
    };
    Program::OURS.iter().map(find).collect()
}

/// Tag of an image: the hash of what it names, because the repository refuses to move a tag.
pub(crate) fn tag(image: &Image) -> String {
    let digest = image.manifest.digest.trim_start_matches("sha256:");
    format!("{}-{}", image.name, &digest[..16])
}
