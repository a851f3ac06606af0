//! What this machine must have.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use rustix::fs::{Access, access, statvfs};

use super::{Check, Level};
use crate::aws::images;
use crate::endpoint::{DEFAULT_PORT, StateDir};
use crate::settings::{PORT_VARIABLE, Settings};

/// Databases, logs and images of a lab, with room to spare.
const DISK_BYTES: u64 = 200 << 20;

/// The images are in this program, so there is nothing to build them with.
pub(super) fn images() -> Check {
    Check::ok("images", format!("embedded, for {}", images::embedded::names()))
}

pub(super) fn local(settings: &Settings) -> Vec<Check> {
    let state = StateDir::new(&settings.state_dir);
    let (directory, usable) = state_directory(state.path());
    let disk = usable.as_deref().map(disk);
    std::iter::once(directory).chain(disk).chain([endpoint(&state), images()]).collect()
}

/// The directory, or the nearest that is there and would hold it.
fn state_directory(path: &Path) -> (Check, Option<std::path::PathBuf>) {
    let remedy = "Name another one with `--state-dir` or `FIS_WORKSHOP_STATE_DIR`.";
    let Some(nearest) = path.ancestors().find(|ancestor| ancestor.exists()) else {
        return (Check::problem("state directory", format!("{} is not a valid path", path.display()), remedy), None);
    };
    if !nearest.is_dir() {
        let found = format!("{} is no directory", nearest.display());
        return (Check::problem("state directory", found, remedy), None);
    }
    match access(nearest, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => (Check::ok("state directory", path.display().to_string()), Some(nearest.to_owned())),
        Err(error) => {
            let found = format!("{} cannot be written: {error}", nearest.display());
            (Check::problem("state directory", found, remedy), None)
        }
    }
}

fn disk(directory: &Path) -> Check {
    let remedy = "Free some space, or name a directory on another disk with `--state-dir`.";
    match statvfs(directory) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let enough = free >= DISK_BYTES;
            let found = if enough { "enough is free".to_owned() } else { format!("only {} MB are free", free >> 20) };
            if enough { Check::ok("disk", found) } else { Check::warning("disk", found, remedy) }
        }
        Err(error) => Check::warning("disk", format!("its free space cannot be read: {error}"), remedy),
    }
}

fn endpoint(state: &StateDir) -> Check {
    match state.running() {
        Ok(Some(record)) => Check::ok("endpoint", format!("runs at {} (pid {})", record.endpoint, record.pid)),
        Ok(None) => port(),
        Err(error) => Check::failed("endpoint", Level::Problem, &error),
    }
}

/// Nothing of ours runs: the port that `up` would take must be free.
fn port() -> Check {
    let named = std::env::var(PORT_VARIABLE).ok().filter(|text| !text.is_empty());
    let port = match named.map(|text| text.parse::<u16>().map_err(|_| text)) {
        None => DEFAULT_PORT,
        Some(Ok(port)) => port,
        Some(Err(text)) => {
            let remedy = format!("Set {PORT_VARIABLE} to a number from 0 to 65535, or unset it.");
            return Check::problem("port", format!("{PORT_VARIABLE} is {text:?}"), remedy);
        }
    };
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Check::ok("port", format!("{port} is free; the endpoint starts when it is needed")),
        Err(error) => {
            let remedy = "`fis-workshop local start --port 0` takes any free one; `up` then finds it.";
            Check::problem("port", format!("{port} cannot be taken: {error}"), remedy)
        }
    }
}
