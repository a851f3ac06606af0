use std::fmt;

use clap::Args;
use serde::Serialize;

use super::context::{Connected, Context};
use crate::aws::deployed::Deployed;
use crate::aws::experiment::{Fault, Selection, Signal};
use crate::error::Result;
use crate::lab::aim::Trigger;
use crate::lab::evidence::Interruption;
use crate::lab::interrupt::{interrupt, look};
use crate::lab::prediction::{self, Prediction};
use crate::lab::preview::preview;
use crate::lab::variant::Variant;
use crate::record::{What, in_json};

/// Stop what runs with the FIS experiment
///
/// Shows which tasks the experiment would hit, starts it, follows it to its end and the tasks to STOPPED, and says at
/// which index each was stopped. Refuses, with the reason, when it would hit nothing.
///
/// On a terminal it asks first what you expect of the interruption. Nothing depends on the answers.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop interrupt                At once
  fis-workshop interrupt --at-index 4   When index 4, or a later one, is written
  fis-workshop interrupt --one          One of the tasks that work on the queue
  fis-workshop interrupt --dry-run      What FIS would hit; it stops nothing
  fis-workshop interrupt --signal kill  Without SIGTERM, and without grace")]
pub(crate) struct InterruptArgs {
    /// Wait until a running task has written this index
    #[arg(long, value_name = "INDEX", value_parser = super::numbers::index, allow_negative_numbers = true)]
    at_index: Option<u64>,
    /// Stop one of the running tasks, whichever FIS picks, instead of all
    #[arg(long)]
    one: bool,
    /// How the task is ended
    #[arg(long, value_name = "SIGNAL", default_value = "term")]
    signal: Signal,
    /// Only show what FIS would hit: it resolves the targets, and skips every action
    #[arg(long, conflicts_with_all = ["at_index", "predict"])]
    dry_run: bool,
    /// What you expect, instead of being asked: NAME=ANSWER,... with the names resume (at this index), redone (so many
    /// items), restarts (nobody, me, function, others)
    #[arg(long, value_name = "ANSWERS")]
    predict: Option<Prediction>,
    /// Do not ask what you expect
    #[arg(long, conflicts_with = "predict")]
    no_predict: bool,
}

/// What came of it, beside what was expected.
#[derive(Debug, Serialize)]
struct Told {
    #[serde(flatten)]
    interruption: Interruption,
    prediction: Option<Prediction>,
}

/// Interrupts.
///
/// # Errors
/// When there is nothing to interrupt, or the experiment fails.
pub(crate) async fn run(context: &Context, args: InterruptArgs) -> Result<u8> {
    let connected = context.connect().await?;
    let deployed = connected.deployed().await?;
    let selection = if args.one { Selection::One } else { Selection::All };
    let fault = Fault { selection, signal: args.signal };
    let trigger = Trigger { fault, at_index: args.at_index, task_arn: None };
    let flags = deployed.environment.flag();
    let on_start = || {
        context.after_interruption(format!(
            "An experiment that was started goes on; `fis-workshop status{flags}` shows it."
        ));
    };
    if args.dry_run {
        let preview = preview(&context.ui, &connected.clients, &deployed, fault, on_start).await?;
        context.ui.result(&preview)?;
        return Ok(0);
    }
    let prediction = match args.predict {
        None if !args.no_predict => ask(&connected, &deployed, trigger).await?,
        given => given,
    };
    let record = context.record("interrupt");
    let interruption = interrupt(&context.ui, &record, &connected.clients, &deployed, trigger, on_start).await;
    let told = Told { interruption: interruption.inspect_err(|error| record.failed(error))?, prediction };
    record.now(What::Result { result: in_json(&told)? });
    if let Err(error) = record.end() {
        context.ui.warn(error);
    }
    context.ui.result(&told)?;
    Ok(0)
}

/// Asks what is expected of the interruption, if there is somebody to ask and something to interrupt. Then nothing has
/// happened yet: the index is waited for afterwards.
async fn ask(connected: &Connected<'_>, deployed: &Deployed, trigger: Trigger<'_>) -> Result<Option<Prediction>> {
    let ui = &connected.context.ui;
    if !prediction::can_ask(ui) {
        return Ok(None);
    }
    let targets = look(ui, &connected.clients, deployed, trigger).await?;
    let verb = if trigger.fault.signal == Signal::Kill { "kill" } else { "stop" };
    let which = if trigger.fault.selection == Selection::One { "one of the tasks" } else { "the task" };
    let when = trigger.at_index.map_or_else(|| "now".to_owned(), |index| format!("when index {index} is written"));
    let program = targets.first().and_then(|task| deployed.program_of(&task.task_definition_arn));
    let shared = program.and_then(Variant::of).is_some_and(|variant| variant.design().tasks > 1);
    prediction::ask(ui, shared, &format!("the experiment will {verb} {which} {when}")).await
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.interruption)?;
        match self.prediction {
            Some(prediction) => writeln!(f, "You predicted: {prediction}. See what comes of it: `fis-workshop items`."),
            None => Ok(()),
        }
    }
}
