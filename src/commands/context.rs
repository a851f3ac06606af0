//! What the commands work with: settings, terminal, and the way to AWS or to the local endpoint.

use std::cell::RefCell;

use super::existing;
use crate::aws::clients::Clients;
use crate::aws::deployed::Deployed;
use crate::aws::stack;
use crate::endpoint::{self, InUse, Record, Start, StateDir};
use crate::error::{Error, Result};
use crate::record::{Recorder, Runs};
use crate::settings::Settings;
use crate::setup::Scene;
use crate::target::Target;
use crate::ui::Ui;

/// What every command gets.
#[derive(Debug)]
pub(crate) struct Context {
    /// The resolved settings.
    pub(crate) settings: Settings,
    /// The terminal.
    pub(crate) ui: Ui,
    advice: RefCell<Option<String>>,
}

/// A context connected to AWS.
#[derive(Debug)]
pub(crate) struct Connected<'a> {
    pub(super) context: &'a Context,
    /// The SDK's clients.
    pub(crate) clients: Clients,
    /// The local endpoint, on the local target.
    pub(crate) record: Option<Record>,
    /// Whether it was started just now.
    pub(crate) is_new: bool,
    in_use: Option<InUse>,
}

impl Context {
    /// For one command.
    pub(crate) fn new(settings: Settings, ui: Ui) -> Self {
        Self { settings, ui, advice: RefCell::default() }
    }

    /// From now on, this is what Ctrl-C leaves behind, and how to go on.
    pub(crate) fn after_interruption(&self, advice: impl Into<String>) {
        self.advice.replace(Some(advice.into()));
    }

    /// What Ctrl-C leaves behind now.
    pub(crate) fn advice(&self) -> Option<String> {
        self.advice.borrow().clone()
    }

    /// Begins the record of a run. One that cannot be recorded is run all the same, and this says so.
    pub(crate) fn record(&self, verb: &str) -> Recorder {
        let record = Runs::of(&self.settings.state_dir).begin(verb, self.settings.target);
        record.unwrap_or_else(|error| {
            self.ui.warn(error);
            Recorder::off()
        })
    }

    /// Clients for the target; starts the local endpoint when it is needed and does not run.
    ///
    /// # Errors
    /// When it cannot be started, or there are no usable settings for AWS.
    pub(crate) async fn connect(&self) -> Result<Connected<'_>> {
        if self.settings.target == Target::Aws {
            self.warn_of_another_endpoint();
            let clients = Clients::aws(&self.settings).await?;
            return Ok(Connected { context: self, clients, record: None, is_new: false, in_use: None });
        }
        let state = StateDir::new(&self.settings.state_dir);
        let in_use = Some(InUse::begin(&state).await?);
        let how = Start {
            port: None,
            region: self.settings.region.as_deref(),
            pace: None,
            deliveries: None,
            max_image_size: None,
            automatic: true,
        };
        let started = endpoint::start(&state, how).await?;
        if started.new {
            let taken = started.taken.map(|port| format!("; the port {port} is taken")).unwrap_or_default();
            self.ui.note(format_args!("Started the local endpoint at {}{taken}.", started.record.endpoint));
        }
        let clients = Clients::local(&self.settings, &started.record)?;
        Ok(Connected { context: self, clients, record: Some(started.record), is_new: started.new, in_use })
    }

    /// Says so when what is meant for AWS goes elsewhere, as in a shell that has read `local env`.
    pub(super) fn warn_of_another_endpoint(&self) {
        if std::env::var_os("AWS_ENDPOINT_URL").is_some() {
            self.ui.warn(
                "AWS_ENDPOINT_URL is set: requests go there, not to AWS. `unset AWS_ENDPOINT_URL` changes that; \
                 what `local env` has set, `local env --unset` takes back.",
            );
        }
    }
}

impl Connected<'_> {
    /// What setting up and taking down work with.
    pub(crate) fn scene(&self) -> Scene<'_> {
        Scene { settings: &self.context.settings, ui: &self.context.ui, clients: &self.clients }
    }

    /// The environment of the settings.
    ///
    /// # Errors
    /// When it does not exist, with the one that was probably meant; when it is not complete.
    pub(crate) async fn deployed(&self) -> Result<Deployed> {
        let environment = self.context.settings.environment()?;
        if let Some(deployed) = Deployed::find(&self.clients, &environment).await? {
            return Ok(deployed);
        }
        // Who may not list the stacks is told what is known without.
        let others = existing::all(&self.clients).await.unwrap_or_default();
        Err(existing::missing(&environment, &others))
    }

    /// Ends the local endpoint when nothing is in it any more.
    pub(crate) async fn stop_endpoint_if_unused(&self) -> Result<()> {
        let (Some(record), Some(in_use)) = (&self.record, &self.in_use) else { return Ok(()) };
        let state = StateDir::new(&self.context.settings.state_dir);
        let is_empty = async || Ok::<_, Error>(stack::all(&self.clients).await?.is_empty());
        if endpoint::stop_if_unused(&state, record, in_use, is_empty).await? {
            self.context.ui.note("Stopped the local endpoint, which a command had started.");
        }
        Ok(())
    }
}
