//! Setting up, or updating: the slow network and the quick environment side by side.

use std::fmt;

use serde::Serialize;
use tokio::sync::watch;

use super::network::Gathering;
use super::plan::{Preparation, prepare};
use super::{NetworkIds, Scene, StackProgress, workshop_spec};
use crate::aws::deployed::Deployed;
use crate::aws::images::{Images, Pushed};
use crate::aws::stack::{self, Action, Prepared, Stack};
use crate::environment::Environment;
use crate::error::{Error, Kind, Result};

/// How often to begin again when another `up` gets in between plan and application.
const ATTEMPTS: usize = 5;

/// What has been set up.
#[derive(Debug, Clone, Serialize)]
pub struct Up {
    /// The environment.
    pub environment: Environment,
    /// Whether anything was changed.
    pub changed: bool,
    /// Name of the network's stack and its outputs.
    pub network: StackSummary,
    /// Name of the environment's stack and its outputs.
    pub workshop: StackSummary,
    #[serde(skip)]
    pub(crate) created_network: bool,
    #[serde(skip)]
    pub(crate) created_workshop: bool,
    #[serde(skip)]
    stack: Stack,
}

/// A stack's name, status and outputs.
#[derive(Debug, Clone, Serialize)]
pub struct StackSummary {
    /// Its name.
    pub stack: String,
    /// What was done.
    pub action: Action,
    /// Status, in AWS's words.
    pub status: String,
    /// Outputs by key.
    pub outputs: std::collections::BTreeMap<String, String>,
}

impl StackSummary {
    fn of(stack: &Stack, action: Action) -> Self {
        let Stack { name, status, outputs, .. } = stack.clone();
        Self { stack: name, action, status, outputs }
    }
}

impl Up {
    /// The environment, to work in.
    pub fn deployed(&self) -> Deployed {
        Deployed::of(self.environment.clone(), self.stack.clone())
    }
}

/// Makes both stacks what they should be.
///
/// # Errors
/// When AWS refuses or a stack fails.
pub async fn up(scene: Scene<'_>, environment: &Environment, images: &Images) -> Result<Up> {
    let mut attempt = 1;
    loop {
        match attempt_up(scene, environment, images).await {
            Ok(Some(up)) => return Ok(up),
            // The network came out with other ids than the environment was given.
            Ok(None) if attempt < ATTEMPTS => {}
            Err(error) if attempt < ATTEMPTS && is_overtaken(&error) => {}
            Ok(None) => return Err(Error::failed("The network does not stop changing.")),
            Err(error) => return Err(error),
        }
        attempt += 1;
    }
}

async fn attempt_up(scene: Scene<'_>, environment: &Environment, images: &Images) -> Result<Option<Up>> {
    let preparation = prepare(scene, environment, images).await?;
    confirm(scene, &preparation, environment).await?;
    apply(scene, environment, images, preparation).await
}

/// Another `up`, or the last request of one that was killed, has got in between: CloudFormation drops the other plans
/// of a stack when it applies one.
fn is_overtaken(error: &Error) -> bool {
    error.has_code(&[
        "AlreadyExistsException",
        "ChangeSetNotFound",
        "ChangeSetNotFoundException",
        "InvalidChangeSetStatus",
        "InvalidChangeSetStatusException",
    ]) || (error.has_code(&["ValidationError"])
        && ["_IN_PROGRESS", "already exists"].iter().any(|text| error.aws_message().contains(text)))
}

async fn confirm(scene: Scene<'_>, preparation: &Preparation, environment: &Environment) -> Result<()> {
    let plan = preparation.plan(environment)?;
    if scene.settings.is_local() || scene.settings.yes || !plan.changes {
        return Ok(());
    }
    scene.ui.note(&plan);
    let answer = scene.ui.ask("Apply this plan? It costs money until `fis-workshop down`.");
    match answer {
        Ok(Some(true)) => Ok(()),
        other => {
            preparation.discard(scene).await?;
            match other? {
                Some(_) => Err(Error::failed("Nothing was changed.")),
                None => Err(Error::new(
                    Kind::Usage,
                    "On AWS this needs a confirmation, and there is no terminal to ask on.",
                )
                .hint("Add `--yes`.")),
            }
        }
    }
}

/// `None` when the environment was made with ids that the network does not have any more.
async fn apply(
    scene: Scene<'_>,
    environment: &Environment,
    images: &Images,
    preparation: Preparation,
) -> Result<Option<Up>> {
    let Preparation { network, ids, workshop, existing } = preparation;
    let (known, mut wanted) = watch::channel(ids);
    let network_work = async {
        // Dropped at the end, whatever that is: then nobody waits for ids that do not come.
        let known = known;
        let stack = apply_network(scene, &network, &known).await?;
        known.send_replace(Some(NetworkIds::of_stack(&stack)?));
        Ok::<_, Error>(stack)
    };
    let workshop_work = async {
        let waited = wanted.wait_for(Option::is_some).await;
        let ids = waited.ok().and_then(|ids| ids.clone());
        // The failure of the network is the one to report.
        let Some(ids) = ids else { return Ok(None) };
        let push = push_images(scene, images, &ids.repository_uri);
        let stack = async {
            let prepared = match workshop {
                Some(prepared) => prepared,
                None => stack::prepare(scene.clients, workshop_spec(environment, &ids, images), existing).await?,
            };
            let stack = apply_stack(scene, &prepared).await?;
            Ok((stack, prepared.action))
        };
        let (_, (stack, action)) = tokio::try_join!(push, stack)?;
        Ok::<_, Error>(Some((ids, stack, action)))
    };
    // Both to their end: what one of them has begun goes on anyway, and should be seen.
    let (network_end, workshop_end) = tokio::join!(network_work, workshop_work);
    let network_stack = network_end?;
    let Some((ids, stack, action)) = workshop_end? else {
        return Err(Error::failed("The network is complete, but its ids are not known."));
    };
    if NetworkIds::of_stack(&network_stack)? != ids {
        return Ok(None);
    }
    Ok(Some(Up {
        environment: environment.clone(),
        changed: network.action != Action::None || action != Action::None,
        network: StackSummary::of(&network_stack, network.action),
        workshop: StackSummary::of(&stack, action),
        created_network: network.action == Action::Create,
        created_workshop: action == Action::Create,
        stack,
    }))
}

async fn apply_network(
    scene: Scene<'_>,
    prepared: &Prepared,
    known: &watch::Sender<Option<NetworkIds>>,
) -> Result<Stack> {
    if prepared.action == Action::None {
        return stack::apply(scene.clients, prepared, |_| {}).await;
    }
    let mut progress = StackProgress::new(scene.ui, &prepared.spec.name);
    let mut gathering = Gathering::default();
    let mut arn = None;
    stack::apply(scene.clients, prepared, |event| {
        progress.show(event);
        if event.is_stack {
            arn = Some(event.physical_id.clone());
        }
        let ids = arn.as_ref().and_then(|arn| gathering.note(event, arn));
        if let Some(ids) = ids.filter(|_| known.borrow().is_none()) {
            known.send_replace(Some(ids));
        }
    })
    .await
}

async fn apply_stack(scene: Scene<'_>, prepared: &Prepared) -> Result<Stack> {
    if prepared.action == Action::None {
        return stack::apply(scene.clients, prepared, |_| {}).await;
    }
    let mut progress = StackProgress::new(scene.ui, &prepared.spec.name);
    stack::apply(scene.clients, prepared, |event| progress.show(event)).await
}

/// Into the registry that tasks pull from; on the local target, that is the endpoint's.
async fn push_images(scene: Scene<'_>, images: &Images, repository_uri: &str) -> Result<Pushed> {
    let line = scene.ui.progress("Images: looking at what the repository has");
    let pushed = images.push(scene.clients, repository_uri, |progress| line.now(format!("Images: {progress}"))).await?;
    if pushed.blobs_sent > 0 {
        line.event(format_args!("Images: {} blobs sent", pushed.blobs_sent));
    }
    Ok(pushed)
}

impl fmt::Display for Up {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { environment, .. } = self;
        if self.changed {
            writeln!(f, "The environment {environment} is set up.")?;
        } else {
            writeln!(f, "The environment {environment} is set up already; nothing was changed.")?;
        }
        for key in ["ClusterName", "TableName", "ExperimentTemplateId"] {
            if let Some(value) = self.workshop.outputs.get(key) {
                writeln!(f, "  {key:<21} {value}")?;
            }
        }
        Ok(())
    }
}
