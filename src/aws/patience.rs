//! How long to wait for something that AWS should do by itself.

use std::time::Duration;

use tokio::time::Instant;

use super::clients::Clients;
use super::pace::Pace;
use crate::target::Target;

/// Asks at the pace of the target, and only for a limited time.
#[derive(Debug)]
pub(crate) struct Patience {
    pace: Pace,
    begin: Instant,
    limit: Duration,
}

impl Patience {
    /// For something that should be true within `limit`.
    pub(crate) fn new(clients: &Clients, limit: Duration) -> Self {
        Self { pace: clients.pace(), begin: Instant::now(), limit }
    }

    /// For something that is true, and that AWS shows late: a task that DescribeTasks answers as MISSING although
    /// RunTask has just started it, a tag that the index of tags does not have yet. Locally nothing is late.
    pub(crate) fn for_visibility(clients: &Clients) -> Self {
        let limit = match clients.target {
            Target::Local => Duration::from_secs(1),
            Target::Aws => Duration::from_secs(60),
        };
        Self::new(clients, limit)
    }

    /// Something has changed: the time begins again, and more changes are likely to follow soon.
    pub(crate) fn renew(&mut self) {
        self.begin = Instant::now();
        self.pace.reset();
    }

    /// Waits before the next question; `false`, and at once, when the time is over.
    pub(crate) async fn wait(&mut self) -> bool {
        if self.begin.elapsed() >= self.limit {
            return false;
        }
        self.pace.wait().await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::scripted::Script;

    #[tokio::test(start_paused = true)]
    async fn it_ends_by_time_and_begins_again_when_something_changes() {
        let clients = Script::default().clients();
        let mut patience = Patience::new(&clients, Duration::from_secs(30));
        let begin = Instant::now();
        while patience.wait().await {}
        assert!((30..38).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
        assert!(!patience.wait().await);
        patience.renew();
        assert!(patience.wait().await);
    }
}
