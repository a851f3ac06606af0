use std::time::Duration;

use clap::Args;
use futures_util::future::try_join_all;

use super::context::Context;
use super::image::ImageArgs;
use super::worker::{Chosen, Given, Named, NamedParser, say_where_it_runs};
use crate::aws::clients::Clients;
use crate::aws::program::Program;
use crate::environment::Environment;
use crate::error::{Error, Kind, Result};
use crate::lab::variant::{Design, Restart, Variant};
use crate::prove::{self, Bounds, Lane, PrivateEndpoint, Proof, Report};
use crate::settings::Settings;
use crate::setup::{self, Scene, Wanted};
use crate::ui::Ui;

/// Kill a variant at every point of its protocol
///
/// Every durable effect of a worker is a request to AWS. For each request of an undisturbed run, a task is killed before the
/// effect, after it, and after the answer; the job is started again until it ends; and the invariants are checked against
/// table, log and queue. Two copies at once, and events and messages that come twice, late or never, are tried as well.
/// The real programs run, on an endpoint of `prove`'s own that ends with it. Exit code 3 when a variant breaks what its
/// design does not say that it breaks.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop prove                        All variants
  fis-workshop prove improved --depth 2     A second kill in each recovery
  fis-workshop prove --schedule original/put:1/after-effect
  fis-workshop prove --worker 'python3 job.py'")]
pub(crate) struct ProveArgs {
    /// Only this variant [default: the lab's own, one after the other]
    #[arg(value_parser = NamedParser, conflicts_with = "schedule")]
    variant: Option<Named>,
    /// A command of this machine instead, as a shell takes it: a worker of your own
    #[arg(long, value_name = "COMMAND", conflicts_with = "variant")]
    worker: Option<String>,
    /// How many kills there may be in one run
    #[arg(long, value_name = "KILLS", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    depth: u8,
    /// Items of the batch [default: 10, for queue 3, for a worker of your own 5]
    #[arg(long, value_name = "ITEMS", value_parser = clap::value_parser!(u64).range(1..=100))]
    batch_size: Option<u64>,
    /// Begin no further schedule after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    budget: Option<u64>,
    /// Play one schedule, step by step
    #[arg(long, value_name = "NAME", conflicts_with_all = ["depth", "budget"])]
    schedule: Option<String>,
}

/// Proves.
///
/// # Errors
/// When it cannot be played, or a variant breaks what must hold.
pub(crate) async fn run(context: &Context, args: ProveArgs) -> Result<u8> {
    if !context.settings.is_local() {
        return Err(Error::usage("`prove` holds and kills single requests, which AWS lets nobody do.")
            .hint("Leave `--target aws` out: the same programs run on this machine."));
    }
    let variants = variants(&args, &context.settings)?;
    let endpoint = PrivateEndpoint::start()?;
    let settings = Settings { state_dir: endpoint.state_dir().to_owned(), region: None, ..context.settings.clone() };
    let clients = Clients::local(&settings, &endpoint.record)?;
    // Those that wait most of their time are played beside those that work.
    let (waiting, working): (Vec<_>, Vec<_>) = variants.iter().partition(|it| waits(&it.design));
    let (lanes_to_wait, lanes_to_work) = (lanes(&waiting, &args), lanes(&working, &args));
    let mut lanes = set_up(&context.ui, &settings, &clients, lanes_to_wait + lanes_to_work).await?;
    let (to_work, to_wait) = lanes.split_at_mut(lanes_to_work);
    let all = |variants, lanes| prove_all(&context.ui, lanes, variants, &args);
    let (mut proofs, others) = tokio::try_join!(all(working, to_work), all(waiting, to_wait))?;
    proofs.extend(others);
    let report = Report::new(proofs);
    context.ui.result(&report)?;
    if report.passed() {
        return Ok(0);
    }
    Err(Error::new(Kind::HypothesisFailed, "Something broke that must hold, or held that should break."))
}

/// The variants that are meant: by the worker that was given, the schedule's name, or their own.
fn variants(args: &ProveArgs, settings: &Settings) -> Result<Vec<Chosen>> {
    let given = Given { command: args.worker.as_deref(), image: None };
    let named = match &args.schedule {
        Some(schedule) => Some(named(schedule)?),
        None => args.variant.clone(),
    };
    let ours = |variant: &Variant| Chosen { design: variant.design().clone(), worker: None };
    let one = given.choose(named.as_ref(), settings)?;
    Ok(one.map_or_else(|| Variant::ALL.iter().map(ours).collect(), |one| vec![one]))
}

fn named(schedule: &str) -> Result<Named> {
    Named::of(schedule.split('/').next().unwrap_or_default()).ok_or_else(|| {
        Error::usage(format!("The schedule {schedule} begins with no variant.")).hint(
            "A name is e.g. `improved/put:4/after-effect`; `fis-workshop prove` prints those of runs that break something.",
        )
    })
}

/// Whether its schedules wait most of their time: for messages that others have taken.
fn waits(design: &Design) -> bool {
    design.restart == Restart::NotNeeded
}

/// How many schedules of these variants are played at once: of those that work, more only slow each other down.
fn lanes(variants: &[&Chosen], args: &ProveArgs) -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    match variants {
        [] => 0,
        _ if args.schedule.is_some() => 1,
        [first, ..] if waits(&first.design) => 12 * processors,
        _ => 2 * processors,
    }
}

/// Environments to play in.
async fn set_up<'a>(ui: &Ui, settings: &Settings, clients: &'a Clients, count: usize) -> Result<Vec<Lane<'a>>> {
    let count = u16::try_from(count).unwrap_or(u16::MAX);
    let environments = Environment::numbered("prove", count).map_err(Error::usage)?;
    let line = ui.progress(format!("Setting up {count} environments"));
    line.event(format_args!("Setting up {count} environments to play in."));
    let images = &ImageArgs::default().choose(settings)?.images(clients, ui).await?;
    let wanted = Wanted { environments: &environments, images, parallel: 8, by_lab: true, leaves_drift: false };
    let up = setup::up(Scene { settings, ui: &ui.quiet(), clients }, wanted).await?;
    prove::lanes(clients, up.environments).await
}

/// Proves one variant after the other.
async fn prove_all(ui: &Ui, lanes: &mut [Lane<'_>], variants: Vec<&Chosen>, args: &ProveArgs) -> Result<Vec<Proof>> {
    let mut proofs = Vec::new();
    for Chosen { design, worker } in variants {
        if let Some(worker) = worker {
            say_where_it_runs(ui);
            try_join_all(lanes.iter_mut().map(|lane| lane.take_in(worker))).await?;
        }
        proofs.push(prove(ui, lanes, design, args).await?);
    }
    Ok(proofs)
}

async fn prove(ui: &Ui, lanes: &[Lane<'_>], design: &Design, args: &ProveArgs) -> Result<Proof> {
    let usual = match (design.restart, design.program) {
        (Restart::NotNeeded, _) => 3,
        (_, Program::Own) => 5,
        _ => 10,
    };
    let size = args.batch_size.unwrap_or(usual);
    let line = ui.progress(format!("{}: undisturbed", design.name));
    let mut proof = match (&args.schedule, lanes) {
        (Some(name), [lane, ..]) => prove::replay(lane, design, size, name).await?,
        _ => {
            let bounds = Bounds { size, depth: args.depth.into(), budget: args.budget.map(Duration::from_secs) };
            let proof = prove::explore(lanes, design, bounds, &line).await?;
            line.event(proof.headline());
            proof
        }
    };
    proof.flags = flags(args);
    Ok(proof)
}

/// What plays the same worker on the same batch again.
fn flags(args: &ProveArgs) -> String {
    let quoted = |worker: &String| shlex::try_quote(worker).map_or_else(|_| worker.clone(), |it| it.into_owned());
    let worker = args.worker.as_ref().map(|worker| format!(" --worker {}", quoted(worker)));
    let size = args.batch_size.map(|size| format!(" --batch-size {size}"));
    worker.into_iter().chain(size).collect()
}
