//! How often to ask for something that changes by itself.

use std::time::Duration;

use crate::settings::Target;

/// Waits between two questions: short at first, longer while nothing changes.
///
/// On this machine a question costs a fraction of a millisecond. AWS limits how often it can be asked; `DescribeStackEvents`
/// is throttled per account when a whole class polls it every second.
#[derive(Debug, Clone)]
pub struct Pace {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Pace {
    /// For something that changes within moments locally, and within seconds on AWS.
    pub fn new(target: Target) -> Self {
        match target {
            Target::Local => Self::between(Duration::from_millis(2), Duration::from_millis(20)),
            Target::Aws => Self::between(Duration::from_secs(1), Duration::from_secs(5)),
        }
    }

    fn between(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first }
    }

    /// Something has changed: more is likely to follow soon.
    pub fn reset(&mut self) {
        self.next = self.first;
    }

    /// Waits before the next question.
    pub async fn wait(&mut self) {
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 3 / 2).min(self.longest);
    }

    /// How long something that AWS makes visible late (tags, log lines) is waited for; nothing is late locally.
    pub fn lateness(target: Target) -> Duration {
        match target {
            Target::Local => Duration::ZERO,
            Target::Aws => Duration::from_secs(15),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_grow_to_the_longest_and_start_over() {
        let mut pace = Pace::between(Duration::from_secs(1), Duration::from_secs(2));
        let begin = tokio::time::Instant::now();
        for _ in 0..3 {
            pace.wait().await;
        }
        assert_eq!(begin.elapsed(), Duration::from_millis(1000 + 1500 + 2000));
        pace.reset();
        pace.wait().await;
        assert_eq!(begin.elapsed(), Duration::from_millis(5500));
    }
}
