//! What goes when nothing refers to it any more.
//!
//! Whoever adds a reference to a file does so in a transaction of the store. A collection holds the store while it
//! compares files with references, so it never takes what a request is just about to refer to.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::store::{ImageStore, unwritable};
use crate::ecr::image::{Image, Layer};
use crate::ecr::repository::Repository;
use crate::ecs;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

/// Cleans up after an earlier endpoint: half uploads, and files that nothing refers to.
pub(crate) fn resume(endpoint: &Endpoint) -> Result<(), ApiError> {
    let uploads = ImageStore::of(endpoint).directory().join("uploads");
    match fs::remove_dir_all(&uploads) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unwritable(&uploads, &error)),
        _ => {}
    }
    endpoint.store.write(Layer::forget_abandoned)?;
    collect(endpoint);
    Ok(())
}

/// Deletes the files that nothing refers to. What cannot be deleted is left to the next collection.
pub(crate) fn collect(endpoint: &Endpoint) {
    let images = ImageStore::of(endpoint);
    let _one_at_a_time = images.one_collection();
    let unused = endpoint.store.read(|tx| {
        let repositories: HashSet<String> = tx.list::<Repository>()?.into_iter().map(|one| one.name).collect();
        images.give_up_uploads_but_to(&repositories);
        sweep_blobs(&images, &digests(tx)?)?;
        retire_rootfs(&images, tx)
    });
    let deleted = unused.and_then(|directories| {
        directories.iter().try_for_each(|path| fs::remove_dir_all(path).map_err(|error| unwritable(path, &error)))
    });
    if let Err(error) = deleted {
        tracing::warn!(%error, "old files of images were left behind");
    }
}

/// Collects when the image is not in any repository: a task that ran it was the last to need its file system.
pub(crate) fn collect_unless_kept(endpoint: &Endpoint, digest: &str) -> Result<(), ApiError> {
    if ImageStore::of(endpoint).rootfs(digest).exists() && !endpoint.store.read(|tx| Image::is_kept(tx, digest))? {
        collect(endpoint);
    }
    Ok(())
}

fn digests(tx: &Tx<'_>) -> Result<HashSet<String>, ApiError> {
    let layers = tx.list::<Layer>()?.into_iter().map(|layer| layer.digest);
    Ok(layers.chain(tx.list::<Image>()?.into_iter().map(|image| image.digest)).collect())
}

fn entries(directory: &Path) -> Result<Vec<(String, PathBuf)>, ApiError> {
    let read = |entry: io::Result<fs::DirEntry>| {
        entry.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
    };
    match fs::read_dir(directory).and_then(|entries| entries.map(read).collect()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        result => result.map_err(|error| unwritable(directory, &error)),
    }
}

fn sweep_blobs(store: &ImageStore, wanted: &HashSet<String>) -> Result<(), ApiError> {
    for (name, path) in entries(&store.directory().join("blobs/sha256"))? {
        if !wanted.contains(&format!("sha256:{name}")) {
            fs::remove_file(&path).map_err(|error| unwritable(&path, &error))?;
        }
    }
    Ok(())
}

/// Moves the file systems aside that no image and no task needs, half unpacked ones included, to be deleted when the
/// store is free again: they may hold many files.
fn retire_rootfs(store: &ImageStore, tx: &Tx<'_>) -> Result<Vec<PathBuf>, ApiError> {
    let mut wanted: HashSet<String> = tx.list::<Image>()?.into_iter().map(|image| image.digest).collect();
    wanted.extend(ecs::active::images_in_use(tx)?);
    let mut unused = Vec::new();
    for (name, path) in entries(store.rootfs_directory())? {
        let digest = format!("sha256:{}", name.split('.').next().unwrap_or_default());
        let is_whole = !name.contains('.');
        if store.is_leased(&digest) || (is_whole && wanted.contains(&digest)) {
            continue;
        }
        let aside = path.with_extension(format!("unused-{}", uuid::Uuid::new_v4()));
        fs::rename(&path, &aside).map_err(|error| unwritable(&path, &error))?;
        unused.push(aside);
    }
    Ok(unused)
}
