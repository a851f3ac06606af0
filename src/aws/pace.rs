//! How often to ask for something that changes by itself.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Url;
use tokio::time::Instant;

/// Where the questions go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// This machine, whichever target was asked for: `--target aws` with an endpoint URL on loopback speaks to an
    /// emulator, which limits nobody's rate and makes nothing visible late.
    Loopback,
    /// A network away, AWS.
    Away,
}

impl Place {
    /// By the endpoint URL that was configured; none leads to AWS.
    pub(crate) fn of(endpoint_url: Option<&str>) -> Self {
        let url = endpoint_url.and_then(|url| Url::parse(url).ok());
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default().trim_matches(['[', ']']);
        let is_loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if is_loopback { Self::Loopback } else { Self::Away }
    }
}

/// Waits between two questions: short at first, longer while nothing changes.
///
/// On this machine a question costs a fraction of a millisecond. AWS limits how often it can be asked; `DescribeStackEvents`
/// is throttled per account when a whole class polls it every second. The waits are spread at random: a class whose
/// commands were refused at the same moment must not come back at the same moment.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    first: Duration,
    longest: Duration,
    next: Duration,
    turns: Turns,
}

/// Keeps the questions of everything that is followed at the same time apart: forty stacks ask no more often than a few.
#[derive(Debug, Clone)]
pub(crate) struct Turns {
    apart: Duration,
    next: Arc<Mutex<Instant>>,
}

impl Turns {
    /// AWS documents no rate for `DescribeStackEvents`. Four a second for a whole command is our choice: forty stacks are then
    /// asked about every ten seconds each.
    pub(crate) fn new(place: Place) -> Self {
        let apart = match place {
            Place::Loopback => Duration::ZERO,
            Place::Away => Duration::from_millis(250),
        };
        Self { apart, next: Arc::new(Mutex::new(Instant::now())) }
    }

    async fn mine(&self) {
        if self.apart.is_zero() {
            return;
        }
        let turn = {
            // A time is whole whatever happened to the one who had the lock.
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = (*next).max(Instant::now());
            *next = turn + self.apart;
            turn
        };
        tokio::time::sleep_until(turn).await;
    }
}

impl Pace {
    /// For something that changes within moments locally, and within seconds on AWS.
    pub(crate) fn new(place: Place, turns: Turns) -> Self {
        match place {
            Place::Loopback => Self::between(Duration::from_millis(2), Duration::from_millis(20), turns),
            Place::Away => Self::between(Duration::from_secs(1), Duration::from_secs(5), turns),
        }
    }

    fn between(first: Duration, longest: Duration, turns: Turns) -> Self {
        Self { first, longest, next: first, turns }
    }

    /// Something has changed: more is likely to follow soon.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }

    /// Waits before the next question.
    pub(crate) async fn wait(&mut self) {
        tokio::time::sleep(self.next.mul_f64(1.0 + random() / 4.0)).await;
        self.turns.mine().await;
        self.next = (self.next * 3 / 2).min(self.longest);
    }

    /// How long something that AWS makes visible late (tags, log lines) is waited for; nothing is late locally.
    pub(crate) fn lateness(place: Place) -> Duration {
        match place {
            Place::Loopback => Duration::ZERO,
            Place::Away => Duration::from_secs(15),
        }
    }
}

/// From 0 to 1.
fn random() -> f64 {
    f64::from(uuid::Uuid::new_v4().as_fields().0) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_endpoint_on_this_machine_is_near() {
        for near in ["http://127.0.0.1:4566", "http://localhost:4566/", "http://[::1]:1", "https://localhost"] {
            assert_eq!(Place::of(Some(near)), Place::Loopback, "{near}");
        }
        for away in [
            None,
            Some("https://ecs.us-east-1.amazonaws.com"),
            Some("http://localhost.example.com:80"),
            Some("http://127.0.0.1.example.com"),
            Some(""),
        ] {
            assert_eq!(Place::of(away), Place::Away, "{away:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waits_grow_to_the_longest_and_start_over() {
        let mut pace = Pace::between(Duration::from_secs(1), Duration::from_secs(2), Turns::new(Place::Loopback));
        for (reset, expected) in [(false, 1000), (false, 1500), (false, 2000), (false, 2000), (true, 1000)] {
            if reset {
                pace.reset();
            }
            let begin = Instant::now();
            pace.wait().await;
            let waited = begin.elapsed().as_millis();
            assert!((expected..=expected * 5 / 4 + 1).contains(&waited), "{waited} ms instead of {expected}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_at_the_same_time_ask_one_after_the_other() {
        let turns = Turns::new(Place::Away);
        let begin = Instant::now();
        let wait = || async {
            Pace::new(Place::Away, turns.clone()).wait().await;
            begin.elapsed()
        };
        let (first, second, third) = tokio::join!(wait(), wait(), wait());
        let mut asked = [first, second, third];
        asked.sort_unstable();
        assert!(asked[0] >= Duration::from_secs(1), "{asked:?}");
        assert!(asked.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_millis(249)), "{asked:?}");
    }
}
