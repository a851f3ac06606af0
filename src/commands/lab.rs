use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::context::{Connected, Context};
use super::image::ImageArgs;
use super::worker::{self, Given, Named};
use crate::aws::arn::task_id;
use crate::aws::deployed::Deployed;
use crate::aws::images::Images;
use crate::aws::own::Worker;
use crate::aws::{stack, tasks};
use crate::doctor;
use crate::environment::{Environment, NETWORK_STACK};
use crate::error::{Error, Kind, Result};
use crate::lab::evidence::Conditions;
use crate::lab::play::play;
use crate::lab::prediction::{Foretold, Predictions};
use crate::lab::report::Report;
use crate::lab::variant::{Design, Variant};
use crate::record::{Recorder, Run, What, in_json};
use crate::report;
use crate::setup::{self, Down, Unwanted, Wanted};

/// Play the whole lab, and check the result
///
/// Runs each variant, interrupts it by an experiment at a chosen index (tasks that share the work at a quarter and at half of
/// the items), has it run again, and compares. Exit code 0 only if
/// the hypothesis (restarted, the job completes all items) and every invariant hold, 3 if not. Works in the environment
/// `lab` unless `--env` names one; sets up what is missing, and takes down what it has set up.
///
/// On a terminal it asks before each variant what you expect of its first interruption, and shows that beside what was
/// measured. Nothing depends on the answers.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop lab                          All variants, four items a second
  fis-workshop lab --item-seconds 30        The pace of the AWS workshop
  fis-workshop lab improved --at-index 7 --keep
  fis-workshop lab watchdog --at-index 2,5,7
  fis-workshop lab queue --tasks 3
  fis-workshop lab --predict redone=0 --predict original:redone=5
  fis-workshop lab --worker 'python3 job.py'")]
pub(crate) struct LabArgs {
    /// Only this variant [default: all, one after the other]
    #[arg(value_parser = worker::NamedParser)]
    variant: Option<Named>,
    /// Only a worker of your own: a command of this machine, as a shell takes it
    #[arg(long, value_name = "COMMAND", conflicts_with = "variant")]
    worker: Option<String>,
    /// Start the experiment when this index is written; watchdog is interrupted at each of several [default: 4, for watchdog 2,4]
    #[arg(long, value_name = "INDEX", value_delimiter = ',', value_parser = super::numbers::index, allow_negative_numbers = true)]
    at_index: Vec<u64>,
    /// Seconds for each item [default: 0.25 locally, 30 on AWS]
    #[arg(long, value_name = "SECONDS", value_parser = super::numbers::item_seconds, allow_negative_numbers = true)]
    item_seconds: Option<f64>,
    /// Items of the batch
    #[arg(long, value_name = "ITEMS", default_value_t = 10, value_parser = super::numbers::batch_size(), allow_negative_numbers = true)]
    batch_size: u64,
    /// Tasks that share the work of queue; each adds a batch of items
    #[arg(long, value_name = "TASKS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..=5))]
    tasks: u32,
    /// What you expect, instead of being asked: NAME=ANSWER,... for all variants, or VARIANT:NAME=ANSWER,... for one. The
    /// names: resume (at this index), redone (so many items), restarts (nobody, me, function, others)
    #[arg(long, value_name = "ANSWERS")]
    predict: Vec<Foretold>,
    /// Do not ask what you expect
    #[arg(long, conflicts_with = "predict")]
    no_predict: bool,
    /// Leave what the lab has set up
    #[arg(long)]
    keep: bool,
    /// What they run.
    #[command(flatten)]
    images: ImageArgs,
}

/// Half of the usual batch is written then.
const DEFAULT_INDEX: u64 = 4;

/// Plays the lab, records it, and makes the report.
///
/// # Errors
/// When it cannot be played, when it does not pass, or when something of it survives.
pub(crate) async fn run(context: &Context, mut args: LabArgs) -> Result<u8> {
    let (conditions, own_image) = (conditions(context, &args)?, args.images.take_own());
    let given = Given { command: args.worker.as_deref(), image: own_image.as_deref() };
    let chosen = given.choose(args.variant.as_ref(), &context.settings)?;
    let worker = chosen.as_ref().and_then(|chosen| chosen.worker.clone());
    let all = || Variant::ALL.iter().map(|variant| variant.design().clone()).collect();
    let designs: Vec<Design> = chosen.map_or_else(all, |chosen| vec![chosen.design]);
    let predictions = predictions(&args, &designs)?;
    let environment = context.settings.named_environment()?.unwrap_or_else(Environment::lab);
    let choice = args.images.choose(&context.settings)?;
    let connected = context.connect().await?;
    let images = choice.images(&connected.clients, &context.ui).await?;
    if !context.settings.is_local() {
        doctor::cheap(&connected.clients).await?;
    }
    let before = Before::look(&connected).await?;
    let record = context.record("lab");
    let lab = Lab { connected: &connected, record: &record, before, environment, keep: args.keep };
    let played = lab.play(&images, &designs, worker.as_ref(), conditions, &predictions).await;
    let mut report = played.inspect_err(|error| record.failed(error))?;
    lab.say_what_stays();
    record.now(What::Result { result: in_json(&report)? });
    report.report = page(context, &record);
    context.ui.result(&report)?;
    verdict(&report)
}

/// Where the lab is played, and what was there before.
struct Lab<'a> {
    connected: &'a Connected<'a>,
    record: &'a Recorder,
    before: Before,
    environment: Environment,
    /// What it has set up stays.
    keep: bool,
}

impl Lab<'_> {
    /// Sets up what is missing, plays, and takes down what it has set up.
    async fn play(
        &self,
        images: &Images,
        designs: &[Design],
        worker: Option<&Worker>,
        conditions: Conditions,
        predictions: &Predictions,
    ) -> Result<Report> {
        let Self { connected, record, before, environment, keep } = self;
        connected.context.ui.note(format_args!("Setting up the environment {environment}."));
        let environments = std::slice::from_ref(environment);
        let wanted = Wanted { environments, images, parallel: 1, by_lab: !keep, leaves_drift: false };
        let deployed = match setup::up(connected.scene(), wanted).await {
            Ok(up) => up.deployed()?,
            Err(error) => return Err(undo(connected, before, environment, *keep, error).await),
        };
        if before.left_by_lab(environment) {
            go_on(connected, &deployed).await?;
        }
        let played = async {
            let deployed = match worker {
                Some(worker) => worker::install(connected, deployed, worker).await?,
                None => deployed,
            };
            play(connected.scene(), record, &deployed, designs, conditions, predictions).await
        };
        let played = played.await;
        self.clean_up(played).await
    }

    /// Takes down what the lab has set up, however it was played.
    async fn clean_up(&self, played: Result<Report>) -> Result<Report> {
        let Self { connected, before, environment, keep, .. } = self;
        let down = if *keep { Ok(Down::default()) } else { take_down(connected, before, environment).await };
        match (played, down) {
            (Ok(report), Ok(Down { deleted_stacks, survivors, .. })) => {
                Ok(Report { deleted_stacks, survivors, ..report })
            }
            (Ok(_), Err(error)) | (Err(error), Ok(_)) => Err(error),
            (Err(error), Err(second)) => Err(error.hint(format!(
                "Taking the environment down failed, too: {second} Repeat it with `fis-workshop down{}`.",
                environment.flag()
            ))),
        }
    }

    fn say_what_stays(&self) {
        let Self { connected, before, environment, .. } = self;
        if !before.is_labs(&environment.stack_name()) {
            connected.context.ui.note(format_args!(
                "The environment {environment} was there before and stays; `fis-workshop down{}` takes it down.",
                environment.flag()
            ));
        }
    }
}

/// The report of the run, beside its record; without one, the result stands all the same.
fn page(context: &Context, record: &Recorder) -> Option<PathBuf> {
    let write = |record: PathBuf| report::write(&Run::read(&record)?, record.parent().unwrap_or(&record));
    let written = record.end().and_then(|record| record.map(write).transpose());
    written.unwrap_or_else(|error| {
        context.ui.warn(format_args!("There is no report of this run. {error}"));
        None
    })
}

/// The stacks that there are, and whether a `lab` has made them.
struct Before(BTreeMap<String, bool>);

impl Before {
    async fn look(connected: &Connected<'_>) -> Result<Self> {
        let stacks = stack::all(&connected.clients).await?.into_iter();
        Ok(Self(stacks.map(|stack| (stack.name.clone(), stack.is_made_by_lab())).collect()))
    }

    /// Whether what has this name now is the lab's to take down: it is new, or of a lab that was interrupted.
    fn is_labs(&self, stack: &str) -> bool {
        self.0.get(stack).copied().unwrap_or(true)
    }

    fn left_by_lab(&self, environment: &Environment) -> bool {
        self.0.get(&environment.stack_name()).copied().unwrap_or_default()
    }
}

/// A task of the lab that was interrupted may still run.
async fn go_on(connected: &Connected<'_>, deployed: &Deployed) -> Result<()> {
    let environment = &deployed.environment;
    let note = format_args!("An interrupted lab has left the environment {environment}: going on in it.");
    connected.context.ui.note(note);
    let stopped =
        tasks::stop_all(&connected.clients, deployed.cluster()?, "Task of an interrupted lab", |_| {}).await?;
    stopped.iter().for_each(|arn| connected.context.ui.note(format_args!("Stopped the task {}.", task_id(arn))));
    Ok(())
}

/// What was set up before the rest failed must not go on costing money.
async fn undo(
    connected: &Connected<'_>,
    before: &Before,
    environment: &Environment,
    keep: bool,
    error: Error,
) -> Error {
    let flag = environment.flag();
    let now = match Before::look(connected).await {
        Ok(now) => now,
        Err(second) => {
            let unknown = format!("What was set up cannot be seen: {second} `fis-workshop down{flag}` takes it down.");
            return error.hint(unknown);
        }
    };
    let goes = |name: &str| now.0.contains_key(name) && before.is_labs(name);
    let (environment_goes, network_goes) = (goes(&environment.stack_name()), goes(NETWORK_STACK));
    if !environment_goes && !network_goes {
        return error;
    }
    if keep {
        return error.hint(format!("What was set up stays: `fis-workshop down{flag}` takes it down."));
    }
    connected.context.ui.note("Taking down what was set up.");
    let environments = if environment_goes { std::slice::from_ref(environment) } else { &[] };
    let unwanted = Unwanted { environments, all: false, network: network_goes, parallel: 1 };
    let failure = match setup::down(connected.scene(), unwanted).await {
        Ok(down) if down.survivors.is_empty() => down.failures.into_iter().next(),
        Ok(down) => Some(Error::failed(format!("{} resources are still there.", down.survivors.len()))),
        Err(second) => Some(second),
    };
    match failure {
        None => error.hint("What the lab had set up was taken down again."),
        Some(second) => error.hint(format!(
            "Taking down what was set up failed, too: {second} Repeat it with `fis-workshop down{flag}`."
        )),
    }
}

fn conditions(context: &Context, args: &LabArgs) -> Result<Conditions> {
    let (size, given) = (args.batch_size, &args.at_index);
    let at_index = given.first().copied().unwrap_or(DEFAULT_INDEX);
    if let Some(index) = given.iter().chain([&at_index]).find(|index| index.saturating_add(1) >= size) {
        let remedy = match size.checked_sub(2) {
            Some(last) => {
                format!("Choose an index from 0 to {last} with `--at-index`, or more items with `--batch-size`.")
            }
            None => "Choose more items with `--batch-size`.".to_owned(),
        };
        let what = format!("With {size} items there is nothing left to interrupt after index {index}.");
        return Err(Error::usage(what).hint(remedy));
    }
    if !given.is_sorted_by(|index, next| index < next) {
        return Err(Error::usage("The indexes of `--at-index` do not rise.")
            .hint("Name them in the order in which they are written, e.g. `--at-index 2,5`."));
    }
    let before = Some(at_index / 2).filter(|before| given.is_empty() && *before < at_index);
    let pace = if context.settings.is_local() { 0.25 } else { 30.0 };
    let item_seconds = args.item_seconds.unwrap_or(pace);
    let at_indexes = if given.is_empty() { before.into_iter().chain([at_index]).collect() } else { given.clone() };
    Ok(Conditions { at_index, at_indexes, batch_size: size, item_seconds, tasks: args.tasks })
}

/// Nothing is asked where something was foretold, or is not to be.
fn predictions(args: &LabArgs, designs: &[Design]) -> Result<Predictions> {
    let given = &args.predict;
    for (number, Foretold { design, .. }) in given.iter().enumerate() {
        let whose = design.as_deref().unwrap_or("all variants");
        if given[..number].iter().any(|earlier| earlier.design == *design) {
            return Err(Error::usage(format!("`--predict` is given twice for {whose}."))
                .hint("All answers for one go into one: `--predict original:resume=0,redone=5`."));
        }
        if design.as_ref().is_some_and(|name| designs.iter().all(|played| played.name != name.as_str())) {
            let names: Vec<_> = designs.iter().map(|design| design.name.as_ref()).collect();
            return Err(Error::usage(format!("`--predict` is about {whose}, which is not played."))
                .hint(format!("What is played: {}.", names.join(", "))));
        }
    }
    let ask = given.is_empty() && !args.no_predict;
    Ok(if ask { Predictions::Asked } else { Predictions::Given(given.clone()) })
}

/// Only what the lab itself has set up: an environment that was there before stays.
async fn take_down(connected: &Connected<'_>, before: &Before, environment: &Environment) -> Result<Down> {
    if !before.is_labs(&environment.stack_name()) {
        return Ok(Down::default());
    }
    connected.context.ui.note("Taking down what was set up.");
    let environments = std::slice::from_ref(environment);
    let network = before.is_labs(NETWORK_STACK);
    let down = setup::down(connected.scene(), Unwanted { environments, all: false, network, parallel: 1 }).await?;
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
        let what = "The lab's hypothesis, or an invariant behind it, did not hold.";
        let error = Error::new(Kind::HypothesisFailed, what);
        return Err(match &report.report {
            Some(page) => error.hint(format!("The report shows what was seen: {}", page.display())),
            None => error,
        });
    }
    if !report.survivors.is_empty() {
        let names: Vec<_> = report.survivors.iter().map(ToString::to_string).collect();
        return Err(Error::new(Kind::Survivors, format!("{} resources of the lab have survived.", names.len()))
            .cause(names.join(", "))
            .hint(format!("`fis-workshop down{}` tries again.", report.environment.flag())));
    }
    Ok(0)
}
