use std::fmt;
use std::io::IsTerminal;

use clap::Args;
use serde::Serialize;

use super::context::Context;
use super::existing;
use crate::aws::stack;
use crate::error::{Error, Result};
use crate::watch::{Subject, in_browser, in_lines};

/// Show live in the browser what happens, and what to do next
///
/// Stacks, tasks, the table with its gaps, the log, experiments, the next step of the chapter with its command, and buttons that run
/// a variant, interrupt it and empty the table. The page is for this machine and for who has its link, and it is gone with this command:
/// Ctrl-C ends it.
///
/// Where stdout is no terminal, and with `--plain`, there is a line for each change instead. With `--output json` the document
/// has the link.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop watch
  fis-workshop watch --plain        Lines instead of a page
  fis-workshop watch --port 8080    For a port that is forwarded")]
pub(crate) struct WatchArgs {
    /// Lines on stdout instead of a page
    #[arg(long, conflicts_with = "port")]
    plain: bool,
    /// Port of the page on 127.0.0.1; 0 for any [default: 0]
    #[arg(long, value_name = "PORT", allow_negative_numbers = true)]
    port: Option<u16>,
}

/// Where the page is.
#[derive(Debug, Serialize)]
struct Link<'a> {
    url: &'a str,
}

/// Watches.
///
/// # Errors
/// When the environment was probably meant otherwise, or cannot be read; when the port is taken.
pub(crate) async fn run(context: &Context, args: WatchArgs) -> Result<u8> {
    if args.plain && context.ui.is_json() {
        return Err(Error::usage("`watch --plain` writes lines, which are no JSON document.")
            .hint("`fis-workshop status --output json` gives one of what is there now."));
    }
    let environment = context.settings.environment()?;
    let connected = context.connect().await?;
    if stack::find(&connected.clients, &environment.stack_name()).await?.is_none() {
        // Who may not list the stacks is told what is known without.
        let others = existing::all(&connected.clients).await.unwrap_or_default();
        if environment.likely(&others).is_some() {
            return Err(existing::missing(&environment, &others));
        }
    }
    context.after_interruption("Only the page has ended: `fis-workshop watch` opens another one.");
    let subject = Subject { clients: &connected.clients, environment: &environment, place: &context.settings.place };
    let wants_page = args.port.is_some() || context.ui.is_json() || std::io::stdout().is_terminal();
    if args.plain || !wants_page {
        match in_lines(subject, &context.ui).await? {}
    }
    let ready = |link: &str| {
        context.ui.result(&Link { url: link })?;
        context.ui.hint("Open it in a browser of this machine; Ctrl-C ends it.");
        Ok(())
    };
    match in_browser(subject, args.port.unwrap_or_default(), ready).await? {}
}

impl fmt::Display for Link<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.url)
    }
}
