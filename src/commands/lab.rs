use clap::Args;

use super::context::{Connected, Context};
use super::image::ImageArgs;
use crate::aws::stack::Action;
use crate::environment::Environment;
use crate::error::{Error, Kind, Result};
use crate::lab::evidence::Conditions;
use crate::lab::play::play;
use crate::lab::report::Report;
use crate::lab::variant::Variant;
use crate::setup::{self, Down, Unwanted, Up, Wanted};

/// Play the whole lab, and check the result
///
/// Runs each variant, interrupts it by an experiment at a chosen index, runs it again, and compares. Exit code 0 only if
/// the hypothesis (restarted, the job completes all items) and every invariant hold, 3 if not. Works in the environment
/// `lab` unless `--env` names one; sets up what is missing, and takes down what it has set up.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop lab                          All variants, half a second an item
  fis-workshop lab --item-seconds 30        The pace of the AWS workshop
  fis-workshop lab improved --at-index 7 --keep")]
pub(crate) struct LabArgs {
    /// Only this variant [default: all, one after the other]
    variant: Option<Variant>,
    /// Start the experiment when this index is written
    #[arg(long, value_name = "INDEX", default_value_t = 4, allow_negative_numbers = true)]
    at_index: u64,
    /// Seconds for each item [default: 0.5 locally, 30 on AWS]
    #[arg(long, value_name = "SECONDS", value_parser = super::numbers::item_seconds, allow_negative_numbers = true)]
    item_seconds: Option<f64>,
    /// Items of the batch
    #[arg(long, value_name = "ITEMS", default_value_t = 10, value_parser = super::numbers::batch_size(), allow_negative_numbers = true)]
    batch_size: u64,
    /// Leave what the lab has set up
    #[arg(long)]
    keep: bool,
    /// What they run.
    #[command(flatten)]
    images: ImageArgs,
}

/// Plays the lab.
///
/// # Errors
/// When it cannot be played, when it does not pass, or when something of it survives.
pub(crate) async fn run(context: &Context, args: LabArgs) -> Result<u8> {
    let conditions = conditions(context, &args)?;
    let variants = args.variant.map_or_else(|| Variant::ALL.to_vec(), |variant| vec![variant]);
    let environment = context.settings.named_environment()?.unwrap_or_else(Environment::lab);
    let choice = args.images.choose(&context.settings)?;
    let connected = context.connect().await?;
    let images = &choice.images(&connected.clients, &context.ui).await?;
    context.ui.note(format_args!("Setting up the environment {environment}."));
    let up =
        setup::up(connected.scene(), Wanted { environments: std::slice::from_ref(&environment), images, parallel: 1 });
    let up = up.await?;
    let deployed = up.deployed()?;
    let played = play(connected.scene(), &deployed, &variants, conditions).await;
    let down = if args.keep { Ok(Down::default()) } else { take_down(&connected, &up, &environment).await };
    let mut report = match (played, &down) {
        (Ok(report), _) => report,
        (Err(error), Ok(_)) => return Err(error),
        (Err(error), Err(second)) => {
            return Err(error.hint(format!(
                "Taking the environment down failed, too: {second} Repeat it with `fis-workshop down{}`.",
                environment.flag()
            )));
        }
    };
    let down = down?;
    report.deleted_stacks = down.deleted_stacks;
    report.survivors = down.survivors;
    context.ui.result(&report)?;
    verdict(&report)
}

fn conditions(context: &Context, args: &LabArgs) -> Result<Conditions> {
    if args.at_index.saturating_add(1) >= args.batch_size {
        return Err(Error::usage(format!(
            "With {} items there is nothing left to interrupt after index {}.",
            args.batch_size, args.at_index
        ))
        .hint(match args.batch_size.checked_sub(2) {
            Some(last) => {
                format!("Choose an index from 0 to {last} with `--at-index`, or more items with `--batch-size`.")
            }
            None => "Choose more items with `--batch-size`.".to_owned(),
        }));
    }
    let pace = if context.settings.is_local() { 0.5 } else { 30.0 };
    let item_seconds = args.item_seconds.unwrap_or(pace);
    Ok(Conditions { at_index: args.at_index, batch_size: args.batch_size, item_seconds })
}

/// Only what the lab itself has set up: an environment that was there before stays.
async fn take_down(connected: &Connected<'_>, up: &Up, environment: &Environment) -> Result<Down> {
    let created = up.environments.iter().all(|it| it.result.as_ref().is_ok_and(|it| it.action == Action::Create));
    if !created {
        return Ok(Down::default());
    }
    connected.context.ui.note("Taking down what was set up.");
    let environments = std::slice::from_ref(environment);
    let network = up.network.action == Action::Create;
    let down = setup::down(connected.scene(), Unwanted { environments, network, parallel: 1 }).await?;
    if let Some(error) = down.failures.first() {
        return Err(error.clone());
    }
    if down.left_nothing() && connected.is_new {
        connected.stop_endpoint_if_unused().await?;
    }
    Ok(down)
}

fn verdict(report: &Report) -> Result<u8> {
    if !report.passed() {
        return Err(Error::new(
            Kind::HypothesisFailed,
            "The lab's hypothesis, or an invariant behind it, did not hold.",
        ));
    }
    if !report.survivors.is_empty() {
        let names: Vec<_> = report.survivors.iter().map(ToString::to_string).collect();
        return Err(Error::new(Kind::Survivors, format!("{} resources of the lab have survived.", names.len()))
            .cause(names.join(", "))
            .hint(format!("`fis-workshop down{}` tries again.", report.environment.flag())));
    }
    Ok(0)
}
