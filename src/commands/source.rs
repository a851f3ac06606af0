use std::collections::BTreeMap;
use std::io::{IsTerminal, stdout};

use clap::Args;

use super::context::Context;
use crate::error::Result;
use crate::lab::variant::Variant;
use crate::ui::{BUSY, paint};

/// Print the source of the workers' programs
///
/// `original` and `improved` differ in two lines. `watchdog` is the function that restarts the improved worker; `queue` takes
/// its items from a queue. All of them are in the images that `up` pushes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop source original improved
  fis-workshop source improved queue
  fis-workshop source improved > improved.rs")]
pub(crate) struct SourceArgs {
    /// Which version of the batch job
    #[arg(required = true, value_name = "VARIANT")]
    variants: Vec<Variant>,
}

/// Prints them one after the other, on a terminal each under its name.
pub(crate) fn run(context: &Context, args: SourceArgs) -> Result<u8> {
    if context.ui.is_json() {
        let sources: BTreeMap<_, _> =
            args.variants.iter().map(|variant| (&*variant.design().name, source(*variant))).collect();
        context.ui.json(&sources)?;
        return Ok(0);
    }
    let has_headings = stdout().is_terminal();
    for variant in args.variants {
        if has_headings {
            context.ui.data(&paint(BUSY, format_args!("--- {variant} ---")))?;
        }
        context.ui.data(source(variant).trim_end_matches('\n'))?;
    }
    Ok(0)
}

/// What its image runs.
fn source(variant: Variant) -> &'static str {
    match variant {
        Variant::Original => include_str!("../../worker/src/bin/original.rs"),
        Variant::Improved => include_str!("../../worker/src/bin/improved.rs"),
        Variant::Watchdog => include_str!("../../worker/src/bin/watchdog.rs"),
        Variant::Queue => include_str!("../../worker/src/bin/queue.rs"),
    }
}
