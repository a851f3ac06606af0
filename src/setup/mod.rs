//! Both stacks of the lab: up, and down again.

mod converge;
mod down;
mod network;
mod plan;
mod prepare;
mod progress;
mod regenerate;
mod time_left;
mod up;

pub(crate) use converge::Converged;
pub(crate) use down::{Down, Unwanted, down};
pub(crate) use network::NetworkIds;
pub(crate) use plan::plan;
pub(crate) use regenerate::regenerate;
pub(crate) use up::{EnvironmentUp, Up, up};

use progress::StackProgress;

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};

use crate::aws::clients::Clients;
use crate::aws::images::Images;
use crate::aws::stack::StackSpec;
use crate::environment::{ENVIRONMENT_TAG, Environment, MADE_BY_TAG, NETWORK_STACK, NETWORK_TAG_VALUE};
use crate::error::{Error, Result};
use crate::render;
use crate::settings::Settings;
use crate::ui::Ui;

/// What setting up and taking down work with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    /// Settings of the command.
    pub(crate) settings: &'a Settings,
    pub(crate) ui: &'a Ui,
    /// AWS.
    pub(crate) clients: &'a Clients,
}

/// What is to be set up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) environments: &'a [Environment],
    pub(crate) images: &'a Images,
    pub(crate) parallel: usize,
    /// For `lab`, which takes down again what is made now.
    pub(crate) by_lab: bool,
    /// What somebody has changed by hand stays so.
    pub(crate) leaves_drift: bool,
}

impl Scene<'_> {
    /// On AWS, where it costs or destroys, a person has to agree.
    ///
    /// # Errors
    /// When the answer is no, or there is nobody to ask.
    pub(crate) async fn confirm(&self, question: &str) -> Result<()> {
        if self.settings.is_local() || self.settings.yes {
            return Ok(());
        }
        match self.ui.ask(question).await? {
            Some(true) => Ok(()),
            Some(false) => Err(Error::failed("Nothing was changed.")),
            None => Err(Error::usage("On AWS this needs a confirmation, and there is no terminal to ask on.")
                .hint("Add `--yes`.")),
        }
    }
}

/// Runs all futures, at most `parallel` at a time; results in input order. A slow one holds up nobody behind it.
async fn in_waves<T>(work: impl Iterator<Item = impl Future<Output = T>>, parallel: usize) -> Vec<T> {
    let numbered = work.enumerate().map(|(number, work)| async move { (number, work.await) });
    let mut done: Vec<_> = stream::iter(numbered).buffer_unordered(parallel).collect().await;
    done.sort_unstable_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

/// The network as it should be: a new one in these zones; one that is there stays in its own.
fn network_spec(zones: Option<[String; 2]>, wanted: Wanted<'_>, by_lab: bool) -> StackSpec {
    let names = ["Zone1", "Zone2"].map(str::to_owned);
    StackSpec {
        name: NETWORK_STACK.to_owned(),
        template: render::NETWORK,
        parameters: BTreeMap::new(),
        at_creation: zones.map(|zones| names.into_iter().zip(zones).collect()).unwrap_or_default(),
        tags: tags(NETWORK_TAG_VALUE.to_owned(), by_lab),
        leaves_drift: wanted.leaves_drift,
    }
}

/// The environment as it should be, in that network.
fn workshop_spec(environment: &Environment, network: &NetworkIds, wanted: Wanted<'_>, by_lab: bool) -> StackSpec {
    let fixed = [
        ("Environment", environment.suffix().to_owned()),
        ("SubnetIds", network.subnet_ids.clone()),
        ("SecurityGroupId", network.security_group_id.clone()),
    ];
    let mut parameters: BTreeMap<_, _> = fixed.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    parameters.extend(wanted.images.parameters(&network.repository_arn, &network.repository_uri));
    StackSpec {
        name: environment.stack_name(),
        template: render::WORKSHOP,
        parameters,
        at_creation: BTreeMap::new(),
        tags: tags(environment.to_string(), by_lab),
        leaves_drift: wanted.leaves_drift,
    }
}

fn tags(environment: String, by_lab: bool) -> BTreeMap<String, String> {
    let made_by = by_lab.then(|| (MADE_BY_TAG.0.to_owned(), MADE_BY_TAG.1.to_owned()));
    [(ENVIRONMENT_TAG.to_owned(), environment)].into_iter().chain(made_by).collect()
}
