//! Both stacks of the lab: up, and down again.

mod down;
mod network;
mod plan;
mod up;

pub use down::{Down, down};
pub use network::NetworkIds;
pub use plan::{Plan, plan};
pub use up::{Up, up};

use std::collections::BTreeMap;

use crate::aws::clients::Clients;
use crate::aws::images::Images;
use crate::aws::stack::{Event, StackSpec, status};
use crate::environment::{ENVIRONMENT_TAG, Environment, NETWORK_STACK, NETWORK_TAG_VALUE};
use crate::render;
use crate::settings::Settings;
use crate::ui::{Progress, Ui, paint};

/// What setting up and taking down work with.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// Settings of the command.
    pub settings: &'a Settings,
    /// The terminal.
    pub ui: &'a Ui,
    /// AWS.
    pub clients: &'a Clients,
}

/// The network as it should be.
fn network_spec() -> StackSpec {
    StackSpec {
        name: NETWORK_STACK.to_owned(),
        template: render::NETWORK,
        parameters: BTreeMap::new(),
        tags: tags(NETWORK_TAG_VALUE.to_owned()),
    }
}

/// The environment as it should be, in that network.
fn workshop_spec(environment: &Environment, network: &NetworkIds, images: &Images) -> StackSpec {
    let fixed = [
        ("Environment", environment.suffix().to_owned()),
        ("SubnetIds", network.subnet_ids.clone()),
        ("SecurityGroupId", network.security_group_id.clone()),
    ];
    let mut parameters: BTreeMap<_, _> = fixed.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    parameters.extend(images.parameters(&network.repository_arn, &network.repository_uri));
    StackSpec {
        name: environment.stack_name(),
        template: render::WORKSHOP,
        parameters,
        tags: tags(environment.to_string()),
    }
}

fn tags(environment: String) -> BTreeMap<String, String> {
    BTreeMap::from([(ENVIRONMENT_TAG.to_owned(), environment)])
}

/// Shows the events of one stack as they come.
struct StackProgress {
    line: Progress,
    name: String,
    settled: usize,
}

impl StackProgress {
    fn new(ui: &Ui, name: &str) -> Self {
        Self { line: ui.progress(format!("{name}: starting")), name: name.to_owned(), settled: 0 }
    }

    fn show(&mut self, event: &Event) {
        let Event { logical_id, resource_type, status, .. } = event;
        self.settled += usize::from(event.is_settled());
        self.line.now(format!("{}: {} done; {logical_id} {status}", self.name, self.settled));
        if event.is_settled() {
            let meaning = status::meaning(status);
            let reason = if event.reason.is_empty() || event.reason == "User Initiated" {
                String::new()
            } else {
                format!(": {}", event.reason)
            };
            let symbol = paint(meaning.style, meaning.symbol);
            self.line.event(format_args!("{symbol} {} {logical_id} {status} ({resource_type}){reason}", self.name));
        }
    }
}
