//! Layers: blobs that were uploaded to a repository, or promised to pushes.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::store::{Record, Tx};

/// How long a push may take from its first blob to its manifest.
const PUSH: TimeDelta = TimeDelta::hours(1);

/// A blob that was uploaded to a repository.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Layer {
    pub(crate) repository: String,
    pub(crate) digest: String,
    pub(crate) size: u64,
    /// How many pushes rely on it: they uploaded it, or asked for it and found it, and have not sent their manifest.
    promises: u32,
    /// When the last one was told so.
    promised_at: DateTime<Utc>,
}

impl Record for Layer {
    const KIND: &'static str = "ecr.layer";
    fn id(&self) -> String {
        format!("{}@{}", self.repository, self.digest)
    }
}

impl Layer {
    /// The layer of this digest in the repository.
    pub(crate) fn get(tx: &Tx<'_>, repository: &str, digest: &str) -> Result<Option<Self>, ApiError> {
        tx.get(&format!("{repository}@{digest}"))
    }

    /// Records an upload.
    pub(crate) fn put(tx: &Tx<'_>, repository: &str, digest: &str, size: u64) -> Result<(), ApiError> {
        let known = Self::get(tx, repository, digest)?.map_or(0, |layer| layer.promises);
        let (repository, digest) = (repository.to_owned(), digest.to_owned());
        Self { repository, digest, size, promises: known, promised_at: Utc::now() }.promise(tx)
    }

    /// Keeps the layer for a push that was told that it need not upload it.
    pub(crate) fn promise(mut self, tx: &Tx<'_>) -> Result<(), ApiError> {
        self.promises = self.promises.saturating_add(1);
        self.promised_at = Utc::now();
        tx.put(&self)
    }

    /// Whether a push relies on it that may still come to its manifest.
    pub(super) fn awaits_manifest(&self) -> bool {
        self.promises > 0 && Utc::now() - self.promised_at < PUSH
    }

    /// A manifest has come that the layer was kept for.
    pub(super) fn settle(tx: &Tx<'_>, repository: &str, digest: &str) -> Result<(), ApiError> {
        match Self::get(tx, repository, digest)? {
            Some(mut layer) if layer.promises > 0 => {
                layer.promises -= 1;
                tx.put(&layer)
            }
            _ => Ok(()),
        }
    }

    /// Drops all layers of a repository.
    pub(crate) fn delete_all_of(tx: &Tx<'_>, repository: &str) -> Result<(), ApiError> {
        tx.list_prefix::<Self>(&format!("{repository}@"))?.iter().try_for_each(|layer| {
            tx.delete::<Self>(&layer.id())?;
            Ok(())
        })
    }
}
