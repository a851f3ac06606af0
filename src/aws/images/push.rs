//! Pushing images: only what the registry does not have, and what there is by its digest.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fis_workshop_images::{Blob, Image};
use futures_util::future::try_join_all;
use serde::Serialize;

use super::failure::Failure;
use super::registry::Registry;
use super::tag;
use crate::aws::program::Program;
use crate::error::{Error, Result};

/// How often progress is told.
const INTERVAL: Duration = Duration::from_millis(100);
/// All images that we pack have it.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// How far a push is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Bytes that have been sent.
    pub(crate) sent: u64,
    /// Bytes of all blobs; those that the registry has already are never sent.
    pub(crate) total: u64,
}

/// What a push has done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Pushed {
    /// The images, by digest.
    pub(crate) images: Vec<String>,
    /// The same images, by tag.
    pub(crate) tags: Vec<String>,
    /// Blobs that travelled.
    pub(crate) blobs_sent: usize,
    /// Blobs that the registry had.
    pub(crate) blobs_skipped: usize,
    /// Bytes that travelled.
    pub(crate) bytes_sent: u64,
}

/// Pushes the programs' images, all at the same time, each under a tag that is the hash of its content.
///
/// # Errors
/// When the registry cannot be reached or refuses. What has arrived stays, and is not sent again the next time.
pub(crate) async fn push(
    registry: &Registry,
    images: &BTreeMap<Program, Image>,
    mut on_progress: impl FnMut(Progress),
) -> Result<Pushed> {
    let sent = Arc::new(AtomicU64::new(0));
    let total = blobs(images.values()).values().map(|blob| blob.bytes.len() as u64).sum();
    let mut work = std::pin::pin!(push_all(registry, images, &sent));
    let mut ticks = tokio::time::interval(INTERVAL);
    let blobs_sent = loop {
        tokio::select! {
            count = &mut work => break count?,
            _ = ticks.tick() => on_progress(Progress { sent: sent.load(Ordering::Relaxed), total }),
        }
    };
    let repository = registry.repository();
    Ok(Pushed {
        images: images.values().map(|image| format!("{repository}@{}", image.manifest.digest)).collect(),
        tags: images.values().map(|image| format!("{repository}:{}", tag(image))).collect(),
        blobs_sent,
        blobs_skipped: blobs(images.values()).len() - blobs_sent,
        bytes_sent: sent.load(Ordering::Relaxed),
    })
}

/// What the images are made of, by digest: what they share travels once.
fn blobs<'a>(images: impl Iterator<Item = &'a Image>) -> BTreeMap<&'a str, &'a Blob> {
    images
        .flat_map(|image| image.layers.iter().chain([&image.config]))
        .map(|blob| (blob.digest.as_str(), blob))
        .collect()
}

/// How many blobs had to travel.
async fn push_all(registry: &Registry, images: &BTreeMap<Program, Image>, sent: &Arc<AtomicU64>) -> Result<usize> {
    let failed = |image: &Image, failure: Failure| {
        failure.error(format_args!("Pushing the image {}", image.name), registry.repository())
    };
    // A registry takes a manifest only after what it names: where it is, all of it is.
    let looks = images.values().map(async |image| {
        let is_there = registry.has_manifest(&image.manifest.digest).await.map_err(|error| failed(image, error))?;
        Ok::<_, Error>((!is_there).then_some(image))
    });
    let missing: Vec<&Image> = try_join_all(looks).await?.into_iter().flatten().collect();
    let Some(first) = missing.first() else { return Ok(0) };
    let blobs = blobs(missing.iter().copied());
    let travelled = try_join_all(blobs.values().map(|blob| registry.put_blob(blob, sent)));
    let travelled = travelled.await.map_err(|error| failed(first, error))?;
    let manifests = missing.iter().map(async |image| {
        let put = registry.put_manifest(&tag(image), MANIFEST, &image.manifest).await;
        put.map_err(|error| failed(image, error))
    });
    try_join_all(manifests).await?;
    Ok(travelled.into_iter().filter(|travelled| *travelled).count())
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        write!(f, "{:.1} of {:.1} MiB", mebibytes(self.sent), mebibytes(self.total))
    }
}

impl fmt::Display for Pushed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.images.iter().zip(&self.tags).try_for_each(|(image, tag)| writeln!(f, "{tag}\n  {image}"))?;
        writeln!(
            f,
            "{} blobs ({} bytes) sent, {} were there already.",
            self.blobs_sent, self.bytes_sent, self.blobs_skipped
        )
    }
}
