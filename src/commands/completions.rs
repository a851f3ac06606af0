use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Context};
use crate::error::{Error, Result};

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  source <(fis-workshop completions bash)
  fis-workshop completions fish > ~/.config/fish/completions/fis-workshop.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Prints the script.
pub(crate) fn run(context: &Context, args: CompletionsArgs) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "fis-workshop", &mut script);
    let script = String::from_utf8(script).map_err(|error| Error::failed("The script is no text.").cause(error))?;
    context.ui.data(script.trim_end_matches('\n'))?;
    Ok(0)
}
