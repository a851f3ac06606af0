//! Items past their time to live are deleted, within a minute; AWS takes up to a few days.

use std::sync::{Arc, Weak};
use std::time::Duration;

use dynoxide::Database;

use crate::background;

const EVERY: Duration = Duration::from_secs(60);

/// Sweeps until the endpoint is gone.
pub(super) fn start(database: &Arc<Database>) {
    let database = Arc::downgrade(database);
    background::drive("the sweep of expired items", move || sweep(Weak::clone(&database)));
}

async fn sweep(database: Weak<Database>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let database = Weak::clone(&database);
        let swept = tokio::task::spawn_blocking(move || Some(database.upgrade()?.sweep_ttl())).await;
        match swept {
            Ok(Some(Ok(_))) => {}
            Ok(None) => return,
            Ok(Some(Err(error))) => tracing::warn!(%error, "expired items were not deleted"),
            Err(error) => tracing::warn!(%error, "the sweep of expired items was cut short"),
        }
    }
}
