//! Which images: `--arch` and `--image`.

use std::collections::BTreeMap;

use clap::Args;
use fis_workshop_images::Architecture;

use crate::aws::clients::Clients;
use crate::aws::images::{self, Built, ImageUri, Images};
use crate::aws::program::Program;
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::ui::Ui;

/// Options of the commands that set environments up.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ImageArgs {
    /// Processor of the tasks: x86_64 or arm64 [default: this machine's]
    #[arg(long, value_name = "ARCH")]
    arch: Option<Architecture>,
    /// A ready-made image instead of the built one; once for each of the workers' programs
    #[arg(long = "image", value_name = "[PROGRAM=]URI")]
    images: Vec<String>,
}

/// Which images were asked for, before AWS is asked for anything.
#[derive(Debug)]
pub(crate) enum Choice {
    /// Ours.
    Built(Built),
    /// Those of somebody else.
    Ready(BTreeMap<Program, ImageUri>, Option<Architecture>),
}

impl ImageArgs {
    /// Takes `own=URI` out: the image of a worker of one's own, which no environment is set up with.
    pub(crate) fn take_own(&mut self) -> Option<String> {
        let is_own = |value: &String| value.split_once('=').is_some_and(|(program, _)| program == Program::Own.name());
        let position = self.images.iter().position(is_own)?;
        self.images.remove(position).split_once('=').map(|(_, uri)| uri.to_owned())
    }

    /// What the options ask for.
    ///
    /// # Errors
    /// When that cannot be, whatever AWS says.
    pub(crate) fn choose(&self, settings: &Settings) -> Result<Choice> {
        if let (true, Some(architecture)) = (settings.is_local(), self.arch) {
            images::runs_here(architecture)?;
        }
        if self.images.is_empty() {
            return Built::find(settings, self.arch).map(Choice::Built);
        }
        Ok(Choice::Ready(images::assign(&self.images)?, self.arch))
    }
}

impl Choice {
    /// The images themselves; ready-made ones are looked up in their registry.
    ///
    /// # Errors
    /// When they are not there, or for another processor.
    pub(crate) async fn images(self, clients: &Clients, ui: &Ui) -> Result<Images> {
        match self {
            Self::Built(built) => Ok(Images::Built(built)),
            Self::Ready(uris, architecture) => {
                let ready = images::check(clients, &uris, architecture).await?;
                ready.warnings.iter().for_each(|warning| ui.warn(warning));
                Ok(Images::Ready(ready))
            }
        }
    }
}

/// The error for a command that needs the lab's repository.
pub(super) fn no_network_stack() -> Error {
    Error::failed("There is no repository of the lab: the network's stack is not set up.")
        .hint("`fis-workshop up` makes it and pushes the images; or name another repository, HOST[:PORT]/NAME.")
}
