//! The image store: an OCI image layout in the state directory, in the place of a registry.
//!
//! `images/index.json` names each manifest by the annotation `org.opencontainers.image.ref.name`, which is the whole
//! image reference as a task definition writes it. An image's file system is unpacked once, to
//! `rootfs/<digest>`, and shared by all tasks that run it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use oci_spec::image::{Descriptor, ImageConfiguration, ImageIndex, ImageManifest, MediaType};
use sha2::{Digest, Sha256};

/// Annotation of the OCI image specification that carries a manifest's name within a layout.
const REFERENCE: &str = "org.opencontainers.image.ref.name";

/// As many symbolic links as Linux follows before it gives up.
const MAX_LINKS: usize = 40;

/// An image that is ready to run.
#[derive(Debug)]
pub(crate) struct Image {
    /// Of its manifest, `sha256:...`.
    pub(crate) digest: String,
    pub(crate) config: ImageConfiguration,
    /// Its unpacked file system.
    pub(crate) rootfs: PathBuf,
}

/// Why an image cannot be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PullError {
    #[error("failed to resolve ref {0}: {0}: not found")]
    NotFound(String),
    #[error("failed to copy: blob {0} does not have the digest that its name says")]
    Digest(String),
    #[error("{0} is not supported by the local endpoint")]
    MediaType(MediaType),
    #[error("{0}")]
    Malformed(#[from] oci_spec::OciSpecError),
    #[error("failed to extract layer: {0}")]
    Layer(String),
    #[error("{path}: {error}")]
    File { path: PathBuf, error: io::Error },
}

impl PullError {
    fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File { path, error }
    }
}

/// Finds `reference` in the store and unpacks it unless that is done already. Blocks.
pub(crate) fn pull(state_dir: &Path, reference: &str) -> Result<Image, PullError> {
    let layout = state_dir.join("images");
    let not_found = || PullError::NotFound(reference.to_owned());
    let path = layout.join("index.json");
    let index = File::open(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => not_found(),
        _ => PullError::file(&path)(error),
    })?;
    let index = ImageIndex::from_reader(io::BufReader::new(index))?;
    let descriptor = index
        .manifests()
        .iter()
        .find(|manifest| {
            manifest.annotations().as_ref().and_then(|all| all.get(REFERENCE)).is_some_and(|name| name == reference)
        })
        .ok_or_else(not_found)?;
    if *descriptor.media_type() != MediaType::ImageManifest {
        return Err(PullError::MediaType(descriptor.media_type().clone()));
    }
    let manifest = ImageManifest::from_reader(blob(&layout, descriptor)?.as_slice())?;
    let config = ImageConfiguration::from_reader(blob(&layout, manifest.config())?.as_slice())?;
    let rootfs = state_dir.join("rootfs").join(descriptor.digest().digest());
    if !rootfs.exists() {
        unpack(&layout, &manifest, &rootfs)?;
    }
    Ok(Image { digest: descriptor.digest().to_string(), config, rootfs })
}

/// Deletes file systems of images that are neither in the store nor, by their digest, in `used`, and half unpacked ones.
pub(crate) fn prune(state_dir: &Path, used: &[String]) -> io::Result<()> {
    let stored: Vec<String> = match ImageIndex::from_file(state_dir.join("images").join("index.json")) {
        Ok(index) => index.manifests().iter().map(|manifest| manifest.digest().to_string()).collect(),
        Err(_) => Vec::new(),
    };
    let entries = match fs::read_dir(state_dir.join("rootfs")) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let digest = format!("sha256:{}", entry.file_name().to_string_lossy());
        if !stored.contains(&digest) && !used.contains(&digest) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

fn blob_path(layout: &Path, descriptor: &Descriptor) -> Result<PathBuf, PullError> {
    match descriptor.as_digest_sha256() {
        Some(hex) => Ok(layout.join("blobs").join("sha256").join(hex)),
        None => Err(PullError::Digest(descriptor.digest().to_string())),
    }
}

/// A small blob, verified.
fn blob(layout: &Path, descriptor: &Descriptor) -> Result<Vec<u8>, PullError> {
    let path = blob_path(layout, descriptor)?;
    let bytes = fs::read(&path).map_err(PullError::file(&path))?;
    verify(descriptor, &Sha256::digest(&bytes))?;
    Ok(bytes)
}

fn verify(descriptor: &Descriptor, sha256: &[u8]) -> Result<(), PullError> {
    let hex: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    if hex == descriptor.digest().digest() { Ok(()) } else { Err(PullError::Digest(descriptor.digest().to_string())) }
}

// Unpacked beside and renamed: what is there under the digest is whole, whenever a kill comes.
fn unpack(layout: &Path, manifest: &ImageManifest, rootfs: &Path) -> Result<(), PullError> {
    let partial = rootfs.with_extension(format!("partial-{}", uuid::Uuid::new_v4()));
    fs::create_dir_all(&partial).map_err(PullError::file(&partial))?;
    let result = manifest.layers().iter().try_for_each(|layer| apply_layer(layout, layer, &partial)).and_then(|()| {
        match fs::rename(&partial, rootfs) {
            // Another task of the same image was faster.
            Err(_) if rootfs.is_dir() => fs::remove_dir_all(&partial),
            result => result,
        }
        .map_err(PullError::file(rootfs))
    });
    if result.is_err()
        && let Err(error) = fs::remove_dir_all(&partial)
    {
        tracing::warn!(%error, path = %partial.display(), "left behind");
    }
    result
}

fn apply_layer(layout: &Path, layer: &Descriptor, root: &Path) -> Result<(), PullError> {
    let path = blob_path(layout, layer)?;
    let file = File::open(&path).map_err(PullError::file(&path))?;
    let mut hashed = HashedReader { inner: io::BufReader::new(file), hash: Sha256::new() };
    let unpacked = match layer.media_type().as_ref() {
        "application/vnd.oci.image.layer.v1.tar" => extract(&mut hashed, root),
        "application/vnd.oci.image.layer.v1.tar+gzip" | "application/vnd.docker.image.rootfs.diff.tar.gzip" => {
            extract(flate2::read::MultiGzDecoder::new(&mut hashed), root)
        }
        _ => return Err(PullError::MediaType(layer.media_type().clone())),
    };
    // The tar's end is not the blob's: padding belongs to the digest. A wrong digest explains a broken archive.
    io::copy(&mut hashed, &mut io::sink()).map_err(PullError::file(&path))?;
    verify(layer, &hashed.hash.finalize())?;
    unpacked.map_err(|error| PullError::Layer(error.to_string()))
}

struct HashedReader<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Read for HashedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.hash.update(&buffer[..length]);
        Ok(length)
    }
}

fn extract(reader: impl Read, root: &Path) -> io::Result<()> {
    for entry in tar::Archive::new(reader).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        if path.components().any(|component| component == Component::ParentDir) {
            return Err(io::Error::other(format!("{} leaves the image", path.display())));
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if let Some(hidden) = name.strip_prefix(".wh.") {
            let parent = resolve(root, path.parent().unwrap_or(Path::new("")))?;
            whiteout(&parent, hidden)?;
            continue;
        }
        // Device nodes and pipes need the rights of root, and no program of ours looks for them.
        let kind = entry.header().entry_type();
        if kind.is_character_special() || kind.is_block_special() || kind.is_fifo() {
            continue;
        }
        if kind.is_dir() {
            // Made by us, writable: a later layer may add to a directory that its image says is read-only.
            let directory = resolve(root, &path)?;
            fs::create_dir_all(&directory)?;
            let mode = entry.header().mode()? & 0o777 | 0o700;
            fs::set_permissions(&directory, fs::Permissions::from_mode(mode))?;
        } else if !entry.unpack_in(root)? {
            return Err(io::Error::other(format!("{} leaves the image", path.display())));
        }
    }
    Ok(())
}

/// Takes away what a lower layer put there: one file or directory, or all that is in the directory.
fn whiteout(parent: &Path, hidden: &str) -> io::Result<()> {
    let remove = |path: &Path| match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    match hidden {
        ".wh..opq" => fs::read_dir(parent)?.try_for_each(|entry| remove(&entry?.path())),
        "" | "." | ".." => Err(io::Error::other("a whiteout names no file")),
        name => remove(&parent.join(name)),
    }
}

/// The host's path of `path` within `root`, symbolic links followed as if `root` were `/`.
pub(crate) fn resolve(root: &Path, path: &Path) -> io::Result<PathBuf> {
    let mut pending: Vec<PathBuf> = path.components().rev().map(|part| PathBuf::from(part.as_os_str())).collect();
    let mut resolved = PathBuf::new();
    let mut links = 0;
    while let Some(part) = pending.pop() {
        match part.components().next() {
            Some(Component::RootDir) => resolved = PathBuf::new(),
            Some(Component::ParentDir) => {
                resolved.pop();
            }
            Some(Component::Normal(name)) => {
                let host = root.join(&resolved).join(name);
                match fs::read_link(&host) {
                    Ok(target) => {
                        links += 1;
                        if links > MAX_LINKS {
                            return Err(io::Error::other(format!("too many symbolic links in {}", path.display())));
                        }
                        pending.extend(target.components().rev().map(|part| PathBuf::from(part.as_os_str())));
                    }
                    Err(_) => resolved.push(name),
                }
            }
            _ => {}
        }
    }
    Ok(root.join(resolved))
}

#[cfg(test)]
mod tests;
