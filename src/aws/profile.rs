//! The AWS configuration files, for what the SDK does not say about them.

use aws_config::profile::{ProfileSet, load};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};

use crate::error::{Error, Result};

/// Reads them, with `named` or `AWS_PROFILE` or `default` as the selected profile.
///
/// # Errors
/// When they cannot be read, or the profile that was asked for is not there: the SDK would look for credentials
/// elsewhere, and find somebody else's.
pub(super) async fn read(named: Option<&str>) -> Result<ProfileSet> {
    let named = named.map(|name| name.to_owned().into());
    let profiles = load(&Fs::real(), &Env::real(), &EnvConfigFiles::default(), named).await.map_err(|error| {
        Error::usage("The AWS configuration files cannot be read.").cause(crate::error::root_cause(&error))
    })?;
    let name = profiles.selected_profile();
    // Without any file there is no profile `default` either, and nobody has asked for it.
    if name != "default" && profiles.get_profile(name).is_none() {
        return Err(not_there(name, profiles.profiles()));
    }
    Ok(profiles)
}

fn not_there<'a>(name: &str, others: impl Iterator<Item = &'a str>) -> Error {
    let mut others: Vec<_> = others.collect();
    others.sort_unstable();
    let failure = Error::usage(format!("There is no AWS profile {name}."));
    if others.is_empty() {
        return failure.hint("No profile is set up on this machine; `aws configure` makes one.");
    }
    failure.hint(format!("There are {}; `--profile` and `AWS_PROFILE` name one.", others.join(", ")))
}
