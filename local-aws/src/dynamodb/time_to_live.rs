//! Items past their time to live are deleted, within a minute; AWS takes up to a few days.

use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::endpoint::Endpoint;

const EVERY: Duration = Duration::from_secs(60);

/// Sweeps until the endpoint is gone.
pub(super) fn start(endpoint: &Arc<Endpoint>) {
    let endpoint = Arc::downgrade(endpoint);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(EVERY).await;
            let endpoint = Weak::clone(&endpoint);
            let swept = tokio::task::spawn_blocking(move || Some(endpoint.upgrade()?.dynamodb.sweep_ttl())).await;
            match swept {
                Ok(Some(Ok(_))) => {}
                Ok(None) => return,
                Ok(Some(Err(error))) => tracing::warn!(%error, "expired items were not deleted"),
                Err(error) => tracing::warn!(%error, "the sweep of expired items was cut short"),
            }
        }
    });
}
