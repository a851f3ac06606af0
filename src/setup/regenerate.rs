//! An environment deleted and made again, in the network that is there.

use super::converge::{Converged, converge};
use super::down::take_down;
use super::progress::{StackProgress, Tally};
use super::up::{EnvironmentUp, Up, push_images};
use super::{NetworkIds, Scene, Wanted, in_waves, workshop_spec};
use crate::aws::stack::{self, Action, Stack, StackSpec, status};
use crate::environment::{Environment, NETWORK_STACK};
use crate::error::{Error, Result};

/// Deletes the environments' stacks and makes them again: no item, log line or task of before is left, and nobody waits
/// for a NAT gateway.
///
/// # Errors
/// When there is no network, AWS refuses, or the only environment fails.
pub(crate) async fn regenerate(scene: Scene<'_>, wanted: Wanted<'_>) -> Result<Up> {
    let Wanted { environments, images, parallel, .. } = wanted;
    let stacks = stack::all(scene.clients).await?;
    let existing = |environment: &Environment| {
        let name = environment.stack_name();
        stacks.iter().find(|stack| stack.name == name)
    };
    let network = stacks.iter().find(|stack| stack.name == NETWORK_STACK).ok_or_else(|| {
        Error::failed(format!("There is no network yet: the stack {NETWORK_STACK} does not exist."))
            .hint("`fis-workshop up` sets the network and the environments up.")
    })?;
    stack::check_ours(network)?;
    let network = complete(scene, network).await?;
    let ids = &NetworkIds::of_stack(&network)?;
    if let [one] = environments {
        existing(one).map_or(Ok(()), stack::check_deletable)?;
    }
    let names: Vec<_> = environments.iter().map(ToString::to_string).collect();
    scene.confirm(&format!("Delete all data of the environments {}, and make them again?", names.join(", "))).await?;
    let tally = Tally::new(scene.ui, environments.len(), parallel, "regenerated");
    let tally = &tally;
    let work = environments.iter().map(|environment| {
        let existing = existing(environment);
        async move {
            let result =
                again(scene, environment, existing, &workshop_spec(environment, ids, wanted, false), tally).await;
            tally.one_done(environment, result.as_ref().err());
            EnvironmentUp { environment: environment.clone(), result }
        }
    });
    // Before anything is deleted: a function is not made of an image that is not there.
    push_images(scene, images, &ids.repository_uri).await?;
    let mut made = in_waves(work, parallel).await;
    match made.as_mut_slice() {
        [EnvironmentUp { result: Err(error), .. }] => Err(error.clone()),
        _ => Ok(Up { network: Converged { stack: network, action: Action::None }, environments: made }),
    }
}

async fn complete(scene: Scene<'_>, network: &Stack) -> Result<Stack> {
    let settled = stack::settle(scene.clients, &network.name, |_| {}).await?;
    settled.filter(|stack| status::is_updatable(&stack.status)).ok_or_else(|| {
        Error::failed(format!("The network is not complete: its stack is in {}.", network.status))
            .hint("`fis-workshop up` completes it.")
    })
}

async fn again(
    scene: Scene<'_>,
    environment: &Environment,
    existing: Option<&Stack>,
    spec: &StackSpec,
    tally: &Tally,
) -> Result<Converged> {
    let mut spec = spec.clone();
    if let Some(existing) = existing {
        spec.keep_parameters(existing);
        spec.keep_tags(existing);
    }
    take_down(scene, environment, existing, tally).await?;
    let mut progress = tally.one(StackProgress::of_spec(scene.ui, &spec));
    let made = converge(scene, &spec, None, |event| progress.show(event)).await?;
    Ok(Converged { action: if existing.is_some() { Action::Recreate } else { made.action }, ..made })
}
