//! Wrong usage: what clap cannot know of it.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Parser, ValueEnum};

use super::Cli;
use crate::lab::variant::Variant;

/// What clap says, with what to do instead where it names nothing, or something else.
pub(crate) fn explained(mut error: clap::Error) -> clap::Error {
    if std::env::args_os().len() == 1 {
        // To clap, a variable that is set is an argument, and a command without a verb is a mistake then.
        return Cli::try_parse_from(["fis-workshop", "-h"]).map_or_else(|help| help, |_| error);
    }
    if let Some(tip) = tip(&error) {
        error.remove(ContextKind::SuggestedSubcommand);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

fn tip(error: &clap::Error) -> Option<String> {
    match (error.kind(), error.get(ContextKind::InvalidSubcommand), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::InvalidSubcommand, Some(ContextValue::String(verb)), _) => other_verb(verb).map(str::to_owned),
        (ErrorKind::MissingRequiredArgument, _, Some(ContextValue::Strings(missing)))
            if missing.iter().any(|argument| argument == "<VARIANT>") =>
        {
            let values = Variant::value_variants().iter().map(|variant| format!("`{variant}`"));
            Some(format!("the variants are {}", values.collect::<Vec<_>>().join(" and ")))
        }
        _ => None,
    }
}

/// Verbs of other programs.
fn other_verb(verb: &str) -> Option<&'static str> {
    match verb {
        "start" => {
            Some("`fis-workshop up` sets up an environment, `fis-workshop local start` starts the endpoint alone")
        }
        "stop" => Some(
            "`fis-workshop down` takes an environment down, `fis-workshop interrupt` stops its task, `fis-workshop local stop` stops the endpoint",
        ),
        _ => None,
    }
}
