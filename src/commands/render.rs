use clap::{Args, ValueEnum};

use super::context::Context;
use crate::error::Result;
use crate::render;
use crate::settings::Output;

/// Print a CloudFormation template
///
/// Usable by itself, for example with `aws cloudformation deploy`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop render network > network.yaml
  fis-workshop render workshop --output json")]
pub(crate) struct RenderArgs {
    /// Which template
    template: Template,
}

/// The templates.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Template {
    /// VPC, subnets, routes, security group, image repository
    Network,
    /// One environment: cluster, task definitions, table, logs, roles, experiment template
    Workshop,
}

/// Prints a template.
pub(crate) fn run(context: &Context, args: RenderArgs) -> Result<u8> {
    let template = match args.template {
        Template::Network => render::NETWORK,
        Template::Workshop => render::WORKSHOP,
    };
    match context.settings.output {
        Output::Text => context.ui.data(template.trim_end_matches('\n'))?,
        Output::Json => context.ui.data(&render::to_json(template)?)?,
    }
    Ok(0)
}
