use clap::Args;

use super::context::Context;
use super::several::SeveralArgs;
use crate::doctor;
use crate::error::Result;

/// Check what `up` needs, before anything is spent
///
/// On AWS: credentials, region, clock, services and their roles, quotas against what so many environments need, and
/// permissions. Locally: state directory, disk and port. Changes nothing. Exit code 1 if there is a problem; what cannot
/// be read is a warning.
#[derive(Debug, Args)]
// There is no work to be done on each of them.
#[command(mut_arg("parallel", |parallel| parallel.hide(true)))]
#[command(after_help = "\
Examples:
  fis-workshop doctor
  fis-workshop doctor --target aws --count 40
  fis-workshop doctor --target aws --output json")]
pub(crate) struct DoctorArgs {
    /// For which ones.
    #[command(flatten)]
    several: SeveralArgs,
}

/// Checks.
///
/// # Errors
/// When the environments are named wrongly, or stdout cannot be written.
pub(crate) async fn run(context: &Context, args: DoctorArgs) -> Result<u8> {
    let environments = args.several.environments(&context.settings)?;
    let place = if context.settings.is_local() {
        "this machine"
    } else {
        context.warn_of_another_endpoint();
        "the AWS account"
    };
    let progress = context.ui.progress(format!("Checking {place}"));
    let report = doctor::examine(&context.settings, &environments).await;
    drop(progress);
    context.ui.result(&report)?;
    Ok(u8::from(report.problems > 0))
}
