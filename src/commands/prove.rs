use std::time::Duration;

use clap::Args;

use super::context::Context;
use super::image::ImageArgs;
use crate::aws::clients::Clients;
use crate::environment::Environment;
use crate::error::{Error, Kind, Result};
use crate::lab::variant::{Restart, Variant};
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
  fis-workshop prove --schedule original/put:1/after-effect")]
pub(crate) struct ProveArgs {
    /// Only this variant [default: all, one after the other]
    #[arg(conflicts_with = "schedule")]
    variant: Option<Variant>,
    /// How many kills there may be in one run
    #[arg(long, value_name = "KILLS", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    depth: u8,
    /// Items of the batch [default: 10, for queue 3]
    #[arg(long, value_name = "ITEMS", value_parser = clap::value_parser!(u64).range(1..=100))]
    batch_size: Option<u64>,
    /// Begin no further schedule after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    budget: Option<u64>,
    /// Play one schedule, step by step
    #[arg(long, value_name = "NAME", conflicts_with_all = ["depth", "budget"])]
    schedule: Option<String>,
}

/// Runs that wait for a queue, most of their time: more of them than there are processors.
const WAITING_LANES: u16 = 16;

/// Proves.
///
/// # Errors
/// When it cannot be played, or a variant breaks what must hold.
pub(crate) async fn run(context: &Context, args: ProveArgs) -> Result<u8> {
    if !context.settings.is_local() {
        return Err(Error::usage("`prove` holds and kills single requests, which AWS lets nobody do.")
            .hint("Leave `--target aws` out: the same programs run on this machine."));
    }
    let variants = variants(&args)?;
    let endpoint = PrivateEndpoint::start()?;
    let settings = Settings { state_dir: endpoint.state_dir().to_owned(), region: None, ..context.settings.clone() };
    let clients = Clients::local(&settings, &endpoint.record)?;
    let lanes = set_up(&context.ui, &settings, &clients, lanes(&variants, &args)?).await?;
    let mut proofs = Vec::new();
    for variant in variants {
        proofs.push(prove(&context.ui, &lanes, variant, &args).await?);
    }
    let report = Report::new(proofs);
    context.ui.result(&report)?;
    if report.passed() {
        return Ok(0);
    }
    Err(Error::new(Kind::HypothesisFailed, "Something broke that must hold, or held that should break."))
}

/// The variants that are meant, by the schedule's name if there is one.
fn variants(args: &ProveArgs) -> Result<Vec<Variant>> {
    let Some(schedule) = &args.schedule else {
        return Ok(args.variant.map_or_else(|| Variant::ALL.to_vec(), |variant| vec![variant]));
    };
    let name = schedule.split('/').next().unwrap_or_default();
    let named = Variant::ALL.iter().copied().find(|variant| variant.design().name == name);
    let unknown = || {
        Error::usage(format!("The schedule {schedule} begins with no variant.")).hint(
            "A name is e.g. `improved/put:4/after-effect`; `fis-workshop prove` prints those of runs that break something.",
        )
    };
    Ok(vec![named.ok_or_else(unknown)?])
}

/// As many as keep the processors busy; one plays one schedule.
fn lanes(variants: &[Variant], args: &ProveArgs) -> Result<Vec<Environment>> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let wait = variants.iter().any(|variant| variant.design().restart == Restart::NotNeeded);
    let count = match (&args.schedule, wait) {
        (Some(_), _) => 1,
        (None, true) => WAITING_LANES,
        (None, false) => u16::try_from(2 * processors).unwrap_or(WAITING_LANES).min(WAITING_LANES),
    };
    Environment::numbered("prove", count).map_err(Error::usage)
}

async fn set_up<'a>(
    ui: &Ui,
    settings: &Settings,
    clients: &'a Clients,
    environments: Vec<Environment>,
) -> Result<Vec<Lane<'a>>> {
    let line = ui.progress(format!("Setting up {} environments", environments.len()));
    line.event(format_args!("Setting up {} environments to play in.", environments.len()));
    let images = &ImageArgs::default().choose(settings)?.images(clients, ui).await?;
    let wanted = Wanted { environments: &environments, images, parallel: 8, by_lab: true, leaves_drift: false };
    let up = setup::up(Scene { settings, ui: &ui.quiet(), clients }, wanted).await?;
    prove::lanes(clients, up.environments).await
}

async fn prove(ui: &Ui, lanes: &[Lane<'_>], variant: Variant, args: &ProveArgs) -> Result<Proof> {
    let design = variant.design();
    let shares = design.restart == Restart::NotNeeded;
    let size = args.batch_size.unwrap_or(if shares { 3 } else { 10 });
    let line = ui.progress(format!("{design}: undisturbed", design = design.name));
    if let (Some(name), [lane, ..]) = (&args.schedule, lanes) {
        return prove::replay(lane, design, size, name).await;
    }
    let budget = args.budget.map(Duration::from_secs);
    let bounds = Bounds { size, depth: args.depth.into(), budget };
    // Where nobody waits, more at once than there are processors only slow each other down.
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let lanes = if shares { lanes } else { &lanes[..lanes.len().min(2 * processors)] };
    let proof = prove::explore(lanes, design, bounds, &line).await?;
    line.event(proof.headline());
    Ok(proof)
}
