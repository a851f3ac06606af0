//! What a command runs: a variant of the lab, or a worker of one's own; how that is named, and how it gets into an
//! environment.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

use clap::builder::{EnumValueParser, PossibleValue, TypedValueParser};
use clap::{Arg, Command};

use super::context::Connected;
use crate::aws::deployed::Deployed;
use crate::aws::own::{self, Worker};
use crate::error::{Error, Result};
use crate::lab::variant::{Design, Variant, own as own_variant};
use crate::settings::{FileSettings, Settings};
use crate::ui::Ui;

/// A variant by its name, as people write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    /// One of the lab's.
    Ours(Variant),
    /// That of `fis-workshop.toml`.
    Own(String),
}

/// What is run.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    pub(super) design: Design,
    /// What the design's program is, when it is none of ours.
    pub(super) worker: Option<Worker>,
}

/// How a worker of one's own is named on a command line.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Given<'a> {
    pub(super) command: Option<&'a str>,
    pub(super) image: Option<&'a str>,
}

impl Named {
    /// The variant of this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        let ours = <Variant as clap::ValueEnum>::from_str(name, false).ok().map(Self::Ours);
        ours.or_else(|| is_own(name).then(|| Self::Own(name.to_owned())))
    }

    /// Its design.
    pub(super) fn design(&self) -> Design {
        match self {
            Self::Ours(variant) => variant.design().clone(),
            Self::Own(name) => own_variant::design(name.clone()),
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.design().name)
    }
}

impl Given<'_> {
    /// The worker that was given, if one was.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn worker(self, settings: &Settings) -> Result<Option<Worker>> {
        match self {
            Self { image: Some(uri), .. } => Ok(Some(Worker::Image(uri.parse()?))),
            Self { command: Some(line), .. } => {
                let words = shlex::split(line).ok_or_else(|| not_closed(line))?;
                command(words, settings).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// What is to be run: the given worker or, without, what was named; `None` if neither.
    ///
    /// # Errors
    /// When it cannot be started, or nobody says what it is.
    pub(super) fn choose(self, named: Option<&Named>, settings: &Settings) -> Result<Option<Chosen>> {
        if let Some(worker) = self.worker(settings)? {
            return Ok(Some(Chosen { design: own_variant::design(own_variant::NAME), worker: Some(worker) }));
        }
        let Some(named) = named else { return Ok(None) };
        let worker = match named {
            Named::Ours(_) => None,
            Named::Own(_) => Some(of_file(settings)?),
        };
        Ok(Some(Chosen { design: named.design(), worker }))
    }
}

/// The worker of `fis-workshop.toml`: its command here, its image where there is no other way.
///
/// # Errors
/// When the file has none, or it cannot be started.
pub(super) fn of_file(settings: &Settings) -> Result<Worker> {
    let none = || {
        Error::usage("There is no worker of your own to run.").hint(
            "Name its command, such as `fis-workshop try -- python3 job.py` or `--worker 'python3 job.py'`; or put it into \
             fis-workshop.toml, under `[worker]`, as `command`.",
        )
    };
    let file = settings.worker.as_ref().ok_or_else(none)?;
    let image = file.image.as_deref().map(str::parse).transpose()?.map(Worker::Image);
    match (&file.command, image) {
        // On AWS it is refused, in words that are better than that there is none.
        (Some(command), image) if settings.is_local() || image.is_none() => {
            let words = command.words().ok_or_else(|| not_closed(&command.to_string()))?;
            self::command(words, settings)
        }
        (_, Some(image)) => Ok(image),
        _ => Err(none()),
    }
}

/// A command of this machine.
///
/// # Errors
/// When it cannot be started, or is to run on AWS.
pub(super) fn command(words: Vec<String>, settings: &Settings) -> Result<Worker> {
    if settings.is_local() {
        return own::Command::here(words).map(Worker::Command);
    }
    let line = shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "));
    Err(Error::usage(format!("The command `{line}` cannot run on AWS."))
        .cause("tasks of AWS run images, and this is a program of your machine")
        .hint("Put it into an image, push that to the lab's repository, and name it with `--image`; docs/your-own-worker.md shows how. Without `--target aws` the command runs here."))
}

fn not_closed(line: &str) -> Error {
    Error::usage(format!("The command {line:?} of your worker has no end.")).cause("a quotation mark is not closed")
}

/// Makes `worker` what tasks of `Program::Own` run in the environment.
///
/// # Errors
/// When it cannot run there, or AWS refuses.
pub(super) async fn install(connected: &Connected<'_>, deployed: Deployed, worker: &Worker) -> Result<Deployed> {
    let ui = &connected.context.ui;
    if connected.context.settings.is_local() {
        say_where_it_runs(ui);
    }
    own::install(&connected.clients, deployed, worker, |warning| ui.warn(warning)).await
}

/// Before a foreign program is run on this machine.
pub(super) fn say_where_it_runs(ui: &Ui) {
    ui.note("Your worker runs as you, on this machine, with no container around it: it may do all that you may do.");
}

/// Knows the lab's variants, and the name that the settings file in the current directory gives a worker.
#[derive(Debug, Clone, Copy)]
pub(super) struct NamedParser;

impl TypedValueParser for NamedParser {
    type Value = Named;

    fn parse_ref(&self, cmd: &Command, arg: Option<&Arg>, value: &OsStr) -> std::result::Result<Named, clap::Error> {
        let ours = EnumValueParser::<Variant>::new().parse_ref(cmd, arg, value);
        match value.to_str().filter(|name| ours.is_err() && is_own(name)) {
            Some(name) => Ok(Named::Own(name.to_owned())),
            None => ours.map(Named::Ours),
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let own = own_variant::design(own_variant::NAME);
        let own = PossibleValue::new(own_variant::NAME).help(own.says);
        let ours = <Variant as clap::ValueEnum>::value_variants().iter().filter_map(clap::ValueEnum::to_possible_value);
        Some(Box::new(ours.chain([own])))
    }
}

/// A file that cannot be read says so itself, right after this.
fn is_own(name: &str) -> bool {
    let named = || FileSettings::load(Path::new(".")).map_or(true, |file| file.worker_name() == Some(name));
    name == own_variant::NAME || named()
}
