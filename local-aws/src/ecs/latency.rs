//! How long a task stays in its states on AWS Fargate.
//!
//! A task of the workshop was created at 16:06:54 and ran at 16:07:13: 19 s. How they are shared out among the states
//! before RUNNING is typical and not verified. Its container was gone at least 32 s before the task was STOPPED, which is
//! the time in which AWS removes the network interface.

use std::time::Duration;

use super::task::Status;

/// States that AWS takes its time in, in seconds, with what happens meanwhile.
pub(crate) const TIMES: &[(Status, u32, &str)] = &[
    (Status::Provisioning, 9, "the network interface is made"),
    (Status::Pending, 4, "capacity is found"),
    (Status::Activating, 6, "the image is pulled"),
    (Status::Deprovisioning, 32, "the network interface is removed"),
];

/// How long a task stays in this state for AWS's own reasons.
pub(super) fn of(status: Status) -> Duration {
    let seconds = TIMES.iter().find(|(of, ..)| *of == status).map_or(0, |(_, seconds, _)| *seconds);
    Duration::from_secs(seconds.into())
}
