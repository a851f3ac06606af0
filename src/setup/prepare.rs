//! Before anything is changed: the stacks as they are, compared with what is wanted.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::StackStatus;

use super::converge::is_overtaken;
use super::{NetworkIds, Scene, StackProgress, Wanted, in_waves, network_spec, workshop_spec};
use crate::aws::stack::{self, Change, Drift, Proposal, Stack, StackSpec, status};
use crate::aws::zones;
use crate::environment::{Environment, NETWORK_STACK};
use crate::error::Result;

/// All stacks, prepared as far as that is possible now.
pub(super) struct Preparation {
    pub(super) network: Outlook,
    pub(super) network_spec: StackSpec,
    /// Ids of the network, if it is there already.
    pub(super) ids: Option<NetworkIds>,
    pub(super) environments: Vec<PreparedEnvironment>,
}

/// One environment, prepared.
pub(super) struct PreparedEnvironment {
    pub(super) environment: Environment,
    pub(super) outlook: Result<Outlook>,
    /// There is a stack already.
    pub(super) exists: bool,
    /// The stack is `lab`'s.
    pub(super) by_lab: bool,
}

/// What is known of a stack's future.
pub(super) enum Outlook {
    Proposed(Box<Proposal>),
    /// Its parameters come from a network that is not there yet.
    AwaitsNetwork,
    /// Somebody is at work on it: it is followed first, and looked at again when it is quiet.
    Busy,
}

impl Outlook {
    /// Somebody else at work on the stack is no failure.
    fn of(proposal: Result<Proposal>) -> Result<Self> {
        match proposal {
            Err(error) if is_overtaken(&error) => Ok(Self::Busy),
            proposal => Ok(Self::Proposed(Box::new(proposal?))),
        }
    }

    pub(super) fn proposal(&self) -> Option<&Proposal> {
        match self {
            Self::Proposed(proposal) => Some(proposal),
            Self::AwaitsNetwork | Self::Busy => None,
        }
    }

    pub(super) fn into_proposal(self) -> Option<Proposal> {
        match self {
            Self::Proposed(proposal) => Some(*proposal),
            Self::AwaitsNetwork | Self::Busy => None,
        }
    }
}

impl Preparation {
    /// Takes back what the planning has left in the account.
    pub(super) async fn discard(&self, scene: Scene<'_>) -> Result<()> {
        let environments = self.environments.iter().filter_map(|it| it.outlook.as_ref().ok());
        for proposal in [&self.network].into_iter().chain(environments).filter_map(Outlook::proposal) {
            proposal.discard(scene.clients).await?;
        }
        Ok(())
    }

    /// The environments are planned when the network is there.
    async fn await_network(&mut self, scene: Scene<'_>) -> Result<()> {
        self.ids = None;
        for environment in &mut self.environments {
            match &environment.outlook {
                Ok(Outlook::Proposed(proposal)) => proposal.discard(scene.clients).await?,
                // AWS plans nothing in a subnet that is gone. What else may be wrong shows when the network is there.
                Err(_) => {}
                Ok(Outlook::AwaitsNetwork | Outlook::Busy) => continue,
            }
            environment.outlook = Ok(Outlook::AwaitsNetwork);
        }
        Ok(())
    }
}

/// Whether something that environments are given by its id was deleted by hand: it comes back with another one.
fn makes_again(network: &Proposal) -> bool {
    let is_given = |change: &Change| {
        let kinds = ["AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::SecurityGroup", "AWS::ECR::Repository"];
        kinds.contains(&change.resource_type.as_str())
    };
    network.changes.iter().any(|change| change.drift == Some(Drift::Deleted) && is_given(change))
}

/// Looks at the stacks and compares; waits for operations that are under way.
pub(super) async fn prepare(scene: Scene<'_>, wanted: Wanted<'_>) -> Result<Preparation> {
    let stacks: BTreeMap<_, _> =
        stack::all(scene.clients).await?.into_iter().map(|stack| (stack.name.clone(), stack)).collect();
    let network = stacks.get(NETWORK_STACK);
    // What somebody else has made stays theirs.
    let by_lab = |stack: Option<&Stack>| wanted.by_lab && stack.is_none_or(Stack::is_made_by_lab);
    let network_is_labs = by_lab(network);
    network.map_or(Ok(()), stack::check_ours)?;
    let is_creating = network.is_some_and(|stack| stack.status == StackStatus::CreateInProgress);
    let network = if is_creating { None } else { once_quiet(scene, network).await? };
    let complete = network.as_ref().filter(|stack| status::is_updatable(&stack.status));
    let ids = complete.map(NetworkIds::of_stack).transpose()?;
    // What one that is there was made in is not asked again.
    let zones = if complete.is_none() && !is_creating { Some(zones::two(scene.clients).await?) } else { None };
    let spec = network_spec(zones, wanted, network_is_labs);
    let environment = |environment: &Environment| {
        let (environment, existing) = (environment.clone(), stacks.get(&environment.stack_name()));
        let (ids, by_lab) = (ids.as_ref(), by_lab(existing));
        async move {
            let spec = ids.map(|ids| workshop_spec(&environment, ids, wanted, by_lab));
            let outlook = prepare_environment(scene, existing, spec).await;
            PreparedEnvironment { environment, outlook, exists: existing.is_some(), by_lab }
        }
    };
    let environments = in_waves(wanted.environments.iter().map(environment), wanted.parallel);
    let network = async {
        if is_creating {
            return Ok(Outlook::Busy);
        }
        Outlook::of(stack::propose(scene.clients, spec.clone(), network).await)
    };
    let (network, environments) = tokio::join!(network, environments);
    let mut unplanned = Preparation { network: Outlook::Busy, network_spec: spec, ids, environments };
    match network {
        Ok(network) => {
            if network.proposal().is_some_and(makes_again) {
                unplanned.await_network(scene).await?;
            }
            Ok(Preparation { network, ..unplanned })
        }
        Err(error) => {
            unplanned.discard(scene).await?;
            Err(error)
        }
    }
}

/// Without a network there is no `spec` yet.
async fn prepare_environment(scene: Scene<'_>, existing: Option<&Stack>, spec: Option<StackSpec>) -> Result<Outlook> {
    let existing = once_quiet(scene, existing).await?;
    if let Some(stack) = &existing {
        stack::check_ours(stack)?;
    }
    let Some(spec) = spec else { return Ok(Outlook::AwaitsNetwork) };
    Outlook::of(stack::propose(scene.clients, spec, existing).await)
}

/// The stack when nothing is going on with it any more.
async fn once_quiet(scene: Scene<'_>, stack: Option<&Stack>) -> Result<Option<Stack>> {
    let Some(stack) = stack.filter(|stack| stack.is_busy()) else { return Ok(stack.cloned()) };
    scene.ui.note(format_args!("Something is going on with {} already; following it.", stack.name));
    let mut progress = StackProgress::of_stack(scene.ui, stack);
    stack::settle(scene.clients, &stack.name, |event| progress.show(event)).await
}
