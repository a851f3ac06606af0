//! An image's file system, out of its layers.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use oci_spec::image::{Descriptor, ImageManifest};
use sha2::{Digest, Sha256};

use super::digest::finished;
use super::error::ImageError;
use super::store::ImageStore;
use super::tar_guard::TarGuard;

/// As many symbolic links as Linux follows before it gives up.
const MAX_LINKS: usize = 40;

// Unpacked beside and renamed: what is there under the digest is whole, whenever a kill comes.
/// `room` is how many bytes it may take.
pub(crate) fn unpack(store: &ImageStore, manifest: &ImageManifest, rootfs: &Path, room: u64) -> Result<(), ImageError> {
    let mut room = Room { left: room, all: room };
    let partial = rootfs.with_extension(format!("partial-{}", uuid::Uuid::new_v4()));
    fs::create_dir_all(&partial).map_err(ImageError::file(&partial))?;
    let result = manifest.layers().iter().try_for_each(|layer| apply_layer(store, layer, &partial, &mut room));
    let result = result.and_then(|()| {
        match fs::rename(&partial, rootfs) {
            // Another task of the same image was faster.
            Err(_) if rootfs.is_dir() => fs::remove_dir_all(&partial),
            result => result,
        }
        .map_err(ImageError::file(rootfs))
    });
    if result.is_err()
        && let Err(error) = fs::remove_dir_all(&partial)
    {
        tracing::warn!(%error, path = %partial.display(), "left behind");
    }
    result
}

fn apply_layer(store: &ImageStore, layer: &Descriptor, root: &Path, room: &mut Room) -> Result<(), ImageError> {
    let path = store.blob(layer.digest().as_ref());
    let file = File::open(&path).map_err(ImageError::file(&path))?;
    let mut hashed = HashedReader { inner: io::BufReader::new(file), hash: Sha256::new() };
    let unpacked = match layer.media_type().as_ref() {
        "application/vnd.oci.image.layer.v1.tar" => extract(&mut hashed, root, room),
        "application/vnd.oci.image.layer.v1.tar+gzip" | "application/vnd.docker.image.rootfs.diff.tar.gzip" => {
            extract(flate2::read::MultiGzDecoder::new(&mut hashed), root, room)
        }
        _ => return Err(ImageError::MediaType(layer.media_type().clone())),
    };
    // The tar's end is not the blob's: padding belongs to the digest. A wrong digest explains a broken archive.
    io::copy(&mut hashed, &mut io::sink()).map_err(ImageError::file(&path))?;
    if finished(hashed.hash) != layer.digest().to_string() {
        return Err(ImageError::Digest(layer.digest().to_string()));
    }
    unpacked.map_err(|error| ImageError::Layer(error.to_string()))
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

/// What an image may take on the disk: a megabyte of gzip can be a gigabyte of zeros.
#[derive(Debug)]
struct Room {
    left: u64,
    all: u64,
}

impl Room {
    fn take(&mut self, bytes: u64) -> io::Result<()> {
        // A file takes a block, even an empty one.
        self.left = self.left.checked_sub(bytes.max(4096)).ok_or_else(|| {
            io::Error::other(format!(
                "the image unpacks to more than {} MiB, the most that the local endpoint takes; `fis-workshop local start --max-image-size` sets another limit",
                self.all / 1024 / 1024
            ))
        })?;
        Ok(())
    }
}

fn extract(reader: impl Read, root: &Path, room: &mut Room) -> io::Result<()> {
    for entry in tar::Archive::new(TarGuard::new(reader)).entries()? {
        let mut entry = entry?;
        room.take(entry.size())?;
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
