//! Setting up, or updating: the slow network and the quick environments side by side.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::converge::{Converged, converge};
use super::network::NetworkOutputs;
use super::plan::Plan;
use super::prepare::{Preparation, PreparedEnvironment, prepare};
use super::progress::Tally;
use super::{NetworkIds, Scene, StackProgress, Wanted, in_waves, workshop_spec};
use crate::aws::deployed::Deployed;
use crate::aws::images::Images;
use crate::aws::stack::{Action, Event, Proposal};
use crate::environment::Environment;
use crate::error::{Error, Result};

/// How often to begin again when the network comes out with other ids than the environments were given.
const ATTEMPTS: usize = 3;

/// How long a plan may wait for its yes: it shows the live state of the moment when it was made.
const FRESH: Duration = Duration::from_secs(60);

/// What has been set up.
#[derive(Debug, Clone)]
pub(crate) struct Up {
    pub(crate) network: Converged,
    /// Each environment, in the order in which they were named.
    pub(crate) environments: Vec<EnvironmentUp>,
}

/// What has come of one environment.
#[derive(Debug, Clone)]
pub(crate) struct EnvironmentUp {
    pub(crate) environment: Environment,
    /// Its stack; one that failed does not stop the others.
    pub(crate) result: Result<Converged>,
}

impl Up {
    /// Whether anything was changed.
    pub(crate) fn changed(&self) -> bool {
        let made = self.environments.iter().filter_map(|it| it.result.as_ref().ok());
        made.chain([&self.network]).any(|it| it.action != Action::None)
    }

    /// The first environment, to work in.
    pub(crate) fn deployed(&self) -> Result<Deployed> {
        let first = self.environments.first().ok_or_else(|| Error::failed("No environment was set up."))?;
        Ok(Deployed::of(first.environment.clone(), first.result.clone()?.stack))
    }
}

/// Makes the network and the environments what they should be, `parallel` environments at once.
///
/// # Errors
/// When AWS refuses, the network fails, or the only environment does.
pub(crate) async fn up(scene: Scene<'_>, wanted: Wanted<'_>) -> Result<Up> {
    let mut agreed = None;
    for _ in 0..ATTEMPTS {
        let mut preparation = prepare(scene, wanted).await?;
        if preparation.environments.iter().all(|it| it.outlook.is_err()) {
            preparation.discard(scene).await?;
            if let Some(PreparedEnvironment { outlook: Err(error), .. }) = preparation.environments.pop() {
                return Err(error);
            }
        }
        let plan = Plan::of(&preparation)?;
        if agreed.as_ref() != Some(&plan) {
            let begin = Instant::now();
            confirm(scene, &preparation, &plan).await?;
            agreed = Some(plan);
            if begin.elapsed() > FRESH {
                preparation.discard(scene).await?;
                continue;
            }
        }
        let Some(mut up) = apply(scene, preparation, wanted).await? else { continue };
        return match up.environments.as_mut_slice() {
            [EnvironmentUp { result: Err(error), .. }] => Err(error.clone()),
            _ => Ok(up),
        };
    }
    Err(Error::failed("The network kept changing; gave up after 3 attempts."))
}

async fn confirm(scene: Scene<'_>, preparation: &Preparation, plan: &Plan) -> Result<()> {
    if scene.settings.is_local() || scene.settings.yes || !plan.changes {
        plan.by_hand().iter().for_each(|line| scene.ui.note(line));
        return Ok(());
    }
    scene.ui.note(plan);
    let answer = scene.confirm("Apply this plan? It costs money until `fis-workshop down`.").await;
    if answer.is_err() {
        preparation.discard(scene).await?;
    }
    answer
}

/// `None` when the environments were made with ids that the network does not have any more.
async fn apply(scene: Scene<'_>, preparation: Preparation, what: Wanted<'_>) -> Result<Option<Up>> {
    let Preparation { network, network_spec: spec, ids, environments } = preparation;
    let (known, wanted) = watch::channel(ids);
    let (pushed, arrival) = watch::channel(false);
    let network_work = async {
        // Dropped at the end, whatever that is: then nobody waits for ids that do not come.
        let known = known;
        let mut progress = StackProgress::of_spec(scene.ui, &spec);
        let mut gathered = NetworkOutputs::default();
        let on_event = |event: &Event| {
            progress.show(event);
            if let Some(ids) = gathered.note(event).filter(|_| known.borrow().is_none()) {
                known.send_replace(Some(ids));
            }
        };
        let network = converge(scene, &spec, network.into_proposal(), on_event).await?;
        known.send_replace(Some(NetworkIds::of_stack(&network.stack)?));
        Ok::<_, Error>(network)
    };
    let images_work = async {
        // As above: nobody waits for images that do not come.
        let pushed = pushed;
        // Without ids, the failure of the network is the one to report.
        if let Some(ids) = ids_of(&mut wanted.clone()).await {
            push_images(scene, what.images, &ids.repository_uri).await?;
            pushed.send_replace(true);
        }
        Ok::<_, Error>(())
    };
    let tally = Tally::new(scene.ui, environments.len(), what.parallel, "set up");
    let tally = &tally;
    let environment_work = environments.into_iter().map(|prepared| {
        let (mut wanted, mut arrival) = (wanted.clone(), arrival.clone());
        async move {
            let environment = prepared.environment.clone();
            let ids = ids_of(&mut wanted).await.ok_or("the network was not completed");
            // A function is not made of an image that is not there.
            let have_arrived = arrival.wait_for(|arrived| *arrived).await.is_ok();
            let made = match ids.and_then(|ids| have_arrived.then_some(ids).ok_or("the images were not pushed")) {
                Ok(ids) => set_up(scene, prepared, &ids, what, tally).await.map(|converged| (converged, ids)),
                Err(why) => Err(Error::failed(format!("The environment {environment} was not begun.")).cause(why)),
            };
            tally.one_done(&environment, made.as_ref().err());
            (environment, made)
        }
    });
    let environment_work = in_waves(environment_work, what.parallel);
    // All to their end: what one of them has begun goes on anyway, and should be seen.
    let (network, images, made) = tokio::join!(network_work, images_work, environment_work);
    let network = network?;
    images?;
    let ids = NetworkIds::of_stack(&network.stack)?;
    if made.iter().any(|(_, made)| made.as_ref().is_ok_and(|(_, used)| *used != ids)) {
        return Ok(None);
    }
    let environments = made.into_iter();
    let environments = environments
        .map(|(environment, made)| EnvironmentUp { environment, result: made.map(|(converged, _)| converged) });
    Ok(Some(Up { network, environments: environments.collect() }))
}

async fn ids_of(wanted: &mut watch::Receiver<Option<NetworkIds>>) -> Option<NetworkIds> {
    wanted.wait_for(Option::is_some).await.ok().and_then(|ids| ids.clone())
}

async fn set_up(
    scene: Scene<'_>,
    prepared: PreparedEnvironment,
    ids: &NetworkIds,
    wanted: Wanted<'_>,
    tally: &Tally,
) -> Result<Converged> {
    let PreparedEnvironment { environment, outlook, by_lab, .. } = prepared;
    let proposal = outlook?.into_proposal();
    if let Some(stack) = proposal.as_ref().and_then(Proposal::unchanged) {
        return Ok(Converged { stack: stack.clone(), action: Action::None });
    }
    let spec = workshop_spec(&environment, ids, wanted, by_lab);
    let mut progress = tally.one(StackProgress::of_spec(scene.ui, &spec));
    converge(scene, &spec, proposal, |event| progress.show(event)).await
}

/// Into the registry that tasks pull from; on the local target, that is the endpoint's.
pub(super) async fn push_images(scene: Scene<'_>, images: &Images, repository_uri: &str) -> Result<()> {
    let line = scene.ui.progress("Images: looking at what the repository has");
    let pushed = images.push(scene.clients, repository_uri, |progress| line.now(format!("Images: {progress}"))).await?;
    if pushed.blobs_sent > 0 {
        line.event(format_args!("Images: {} blobs sent", pushed.blobs_sent));
    }
    Ok(())
}
