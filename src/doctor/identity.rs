//! Whose credentials, which region, which time: what every other answer depends on.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_sts::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_sts::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sts::error::BoxError;
use chrono::{DateTime, TimeDelta, Utc};

use super::{Check, Level, bounded};
use crate::aws::clients::Clients;
use crate::aws::zones;
use crate::error::{Doing, Error};

/// Who calls.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) arn: String,
    pub(super) account: String,
}

/// AWS refuses a signature whose time is further off than this.
const ALLOWED_SKEW: TimeDelta = TimeDelta::minutes(5);

/// Half of it: who is there already will soon be too far off.
const NOTABLE_SKEW: TimeDelta = TimeDelta::seconds(150);

pub(super) async fn checks(clients: &Clients) -> (Vec<Check>, Option<Caller>) {
    let caller = Mutex::new(None);
    let who = async {
        let (checks, found) = credentials(clients).await;
        *caller.lock().unwrap_or_else(PoisonError::into_inner) = found;
        checks
    };
    let (credentials, region) =
        tokio::join!(bounded("credentials", who), bounded("region", async { vec![region(clients).await] }));
    let caller = caller.into_inner().unwrap_or_else(PoisonError::into_inner);
    // Without credentials the region would be refused for the same reason; a name that does not exist is another.
    let region = region.into_iter().filter(|check| caller.is_some() || check.level == Level::Problem);
    (credentials.into_iter().chain(region).collect(), caller)
}

async fn credentials(clients: &Clients) -> (Vec<Check>, Option<Caller>) {
    let date = DateHeader::default();
    let request = clients.sts.get_caller_identity().customize().interceptor(date.clone());
    let answer = request.send().await.doing("Asking whose credentials these are");
    let clock = date.check();
    match answer {
        Ok(answer) => {
            let caller = Caller {
                arn: answer.arn().unwrap_or_default().to_owned(),
                account: answer.account().unwrap_or_default().to_owned(),
            };
            let found = format!("{} in the account {}", caller.arn, caller.account);
            (std::iter::once(Check::ok("credentials", found)).chain(clock).collect(), Some(caller))
        }
        Err(error) => {
            let refusal = Check::failed("credentials", Level::Problem, &error);
            (std::iter::once(refusal).chain(clock).collect(), None)
        }
    }
}

/// A region exists if its EC2 answers; the lab's network takes two Availability Zones.
async fn region(clients: &Clients) -> Check {
    let region = &clients.region;
    match zones::with_fargate(clients).await.map(|zones| zones.len()) {
        Ok(zones) if zones >= 2 => Check::ok("region", format!("{region}, {zones} Availability Zones")),
        Ok(zones) => Check::problem(
            "region",
            format!("{region} has {zones} Availability Zones with Fargate for this account; the lab takes 2"),
            "Choose another region with `--region`.",
        ),
        Err(error) if error.is_connection() => Check::failed("region", Level::Problem, &error),
        Err(error) => unread("region", &error),
    }
}

/// What the caller may not read is no problem by itself, and not known to be right.
pub(super) fn unread(check: &'static str, error: &Error) -> Check {
    Check::failed(check, Level::Warning, error)
}

/// Remembers the time of an answer, of a refusal as well.
#[derive(Debug, Clone, Default)]
struct DateHeader(Arc<Mutex<Option<DateTime<Utc>>>>);

impl Intercept for DateHeader {
    fn name(&self) -> &'static str {
        "DateHeader"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date").and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        if let Some(date) = date {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(date.to_utc());
        }
        Ok(())
    }
}

impl DateHeader {
    /// Compares it with this machine's time; `None` when nobody has answered.
    fn check(&self) -> Option<Check> {
        let theirs = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        Some(compare(Utc::now() - theirs))
    }
}

fn compare(ahead: TimeDelta) -> Check {
    let off = ahead.abs();
    let direction = if ahead < TimeDelta::zero() { "behind" } else { "ahead of" };
    let found = format!("this machine is {} seconds {direction} AWS, which allows 300", off.num_seconds());
    let remedy = "Set the clock of this machine, for example by `sudo timedatectl set-ntp true`.";
    match off {
        off if off >= ALLOWED_SKEW => Check::problem("clock", found, remedy),
        off if off >= NOTABLE_SKEW => Check::warning("clock", found, remedy),
        _ => Check::ok("clock", "agrees with that of AWS"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_may_be_off_by_less_than_five_minutes_either_way() {
        let level = |seconds| compare(TimeDelta::seconds(seconds)).level;
        assert_eq!([level(0), level(149), level(-149)], [Level::Ok; 3]);
        assert_eq!([level(150), level(-299)], [Level::Warning; 2]);
        assert_eq!([level(300), level(-301), level(86_400)], [Level::Problem; 3]);
    }
}
