use std::path::PathBuf;

use clap::{Args, CommandFactory};

use super::{Cli, Context};
use crate::error::{Error, Result};

/// Print the manual page
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop man | man -l -
  fis-workshop man --dir ~/.local/share/man/man1     One page for each command")]
pub(crate) struct ManArgs {
    /// Write the pages of all commands into this directory instead
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints or writes the pages.
pub(crate) fn run(context: &Context, args: ManArgs) -> Result<u8> {
    let failed = |error: std::io::Error| Error::failed("The manual cannot be written.").cause(error);
    let command = Cli::command();
    if let Some(directory) = args.dir {
        std::fs::create_dir_all(&directory)
            .and_then(|()| clap_mangen::generate_to(command, &directory))
            .map_err(|error| failed(error).hint(format!("Is {} a directory?", directory.display())))?;
        return Ok(0);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).map_err(failed)?;
    let page = String::from_utf8(page).map_err(|error| Error::failed("The manual is no text.").cause(error))?;
    context.ui.data(page.trim_end_matches('\n'))?;
    Ok(0)
}
