//! The workers' images: where they are put, and how they are called there.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use oci_spec::image::{Descriptor, DescriptorBuilder, ImageIndex, ImageIndexBuilder, MediaType, Sha256Digest};

use super::deployed::Variant;
use crate::error::{Error, Result};

/// Content and the digest that names it.
#[derive(Debug, Clone, Copy)]
pub struct Blob {
    /// `sha256:...`
    pub digest: &'static str,
    /// The content.
    pub bytes: &'static [u8],
}

/// An image, made by `build.rs`.
#[derive(Debug, Clone, Copy)]
pub struct Image {
    /// Name of its program.
    pub name: &'static str,
    /// Its manifest, whose digest is the image's.
    pub manifest: Blob,
    /// Its configuration.
    pub config: Blob,
    /// Its only layer.
    pub layer: Blob,
}

include!(concat!(env!("OUT_DIR"), "/images.rs"));

/// What the images run on, as a task definition names it.
pub const CPU_ARCHITECTURE: &str = env!("WORKER_CPU_ARCHITECTURE");

/// Where a registry's image references are kept in an OCI layout.
const REFERENCE: &str = "org.opencontainers.image.ref.name";

/// Full reference of the image of `variant` in the repository. Its tag is the hash of what it names: the repository
/// refuses to move a tag, and a new worker makes a new revision of the task definition.
pub fn reference(repository_uri: &str, variant: Variant) -> String {
    let image = image(variant);
    let digest = image.manifest.digest.trim_start_matches("sha256:");
    format!("{repository_uri}:{}-{}", image.name, &digest[..16])
}

fn image(variant: Variant) -> &'static Image {
    match variant {
        Variant::Original => &IMAGES[0],
        Variant::Improved => &IMAGES[1],
    }
}

/// Puts the images into the OCI layout `directory`, as those of the repository. Does nothing when they are there.
///
/// # Errors
/// When the layout cannot be written or is damaged.
pub fn put(directory: &Path, repository_uri: &str) -> Result<()> {
    create(&directory.join("blobs/sha256")).map_err(|error| unwritable(directory, &error))?;
    let _lock = lock(directory)?;
    let mut index = read_index(directory)?;
    let mut changed = false;
    for variant in Variant::ALL {
        let image = image(variant);
        for blob in [&image.layer, &image.config, &image.manifest] {
            put_blob(directory, blob).map_err(|error| unwritable(directory, &error))?;
        }
        let wanted = entry(image, &reference(repository_uri, variant))?;
        if !index.manifests().contains(&wanted) {
            let mut manifests = index.manifests().clone();
            manifests.push(wanted);
            index.set_manifests(manifests);
            changed = true;
        }
    }
    if changed { write_index(directory, &index) } else { Ok(()) }
}

fn entry(image: &Image, reference: &str) -> Result<Descriptor> {
    let broken = |error: &dyn std::fmt::Display| Error::failed("The image has no descriptor.").cause(error);
    let digest: Sha256Digest =
        image.manifest.digest.trim_start_matches("sha256:").parse().map_err(|error| broken(&error))?;
    DescriptorBuilder::default()
        .media_type(MediaType::ImageManifest)
        .digest(digest)
        .size(image.manifest.bytes.len() as u64)
        .annotations([(REFERENCE.to_owned(), reference.to_owned())])
        .build()
        .map_err(|error| broken(&error))
}

/// Two commands at once would each write an index without the entries of the other.
fn lock(directory: &Path) -> Result<File> {
    let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(directory.join(".lock"));
    let file = open.map_err(|error| unwritable(directory, &error))?;
    file.lock().map_err(|error| unwritable(directory, &error))?;
    Ok(file)
}

fn read_index(directory: &Path) -> Result<ImageIndex> {
    let path = directory.join("index.json");
    let damaged = |error: &dyn std::fmt::Display| {
        Error::failed(format!("The image store {} is damaged; it was left as it is.", directory.display()))
            .cause(error)
            .hint("`fis-workshop local reset` starts afresh.")
    };
    match File::open(&path) {
        Ok(file) => ImageIndex::from_reader(file).map_err(|error| damaged(&error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => ImageIndexBuilder::default()
            .schema_version(2_u32)
            .media_type(MediaType::ImageIndex)
            .manifests(Vec::new())
            .build()
            .map_err(|error| damaged(&error)),
        Err(error) => Err(damaged(&error)),
    }
}

fn write_index(directory: &Path, index: &ImageIndex) -> Result<()> {
    let text = index.to_string().map_err(|error| Error::failed("The image index has no JSON form.").cause(error))?;
    write(directory, &directory.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#)
        .and_then(|()| write(directory, &directory.join("index.json"), text.as_bytes()))
        .map_err(|error| unwritable(directory, &error))
}

fn put_blob(directory: &Path, blob: &Blob) -> std::io::Result<()> {
    let path = directory.join("blobs").join(blob.digest.replace(':', "/"));
    match std::fs::metadata(&path) {
        Ok(metadata) if metadata.len() == blob.bytes.len() as u64 => Ok(()),
        _ => write(directory, &path, blob.bytes),
    }
}

/// Beside and renamed: a reader, or a kill, never sees a part.
fn write(directory: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let temporary = directory.join(format!(".new.{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    std::fs::rename(&temporary, path)
}

fn create(directory: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

fn unwritable(directory: &Path, error: &std::io::Error) -> Error {
    let directory: PathBuf = directory.to_owned();
    Error::failed(format!("The image store {} cannot be written.", directory.display())).cause(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPOSITORY: &str = "000000000000.dkr.ecr.us-east-1.amazonaws.com/fis";

    fn references(directory: &Path) -> Vec<String> {
        let index = read_index(directory).unwrap();
        let names = index.manifests().iter().map(|entry| entry.annotations().as_ref().unwrap()[REFERENCE].clone());
        names.collect()
    }

    #[test]
    fn the_layout_holds_each_image_once_under_its_reference() {
        let dir = tempfile::tempdir().unwrap();
        put(dir.path(), REPOSITORY).unwrap();
        put(dir.path(), REPOSITORY).unwrap();
        let expected: Vec<_> = Variant::ALL.iter().map(|variant| reference(REPOSITORY, *variant)).collect();
        assert_eq!(references(dir.path()), expected);
        for image in IMAGES {
            for blob in [image.manifest, image.config, image.layer] {
                let path = dir.path().join("blobs").join(blob.digest.replace(':', "/"));
                assert_eq!(std::fs::read(path).unwrap(), blob.bytes);
            }
        }
    }

    #[test]
    fn an_image_runs_its_program_directly_and_not_as_root() {
        for image in IMAGES {
            let config: serde_json::Value = serde_json::from_slice(image.config.bytes).unwrap();
            assert_eq!(config["config"]["Entrypoint"], serde_json::json!([format!("/{}", image.name)]));
            assert_eq!(config["config"]["User"], "65532:65532");
            assert_eq!(config["config"]["StopSignal"], "SIGTERM");
        }
    }

    #[test]
    fn a_damaged_index_is_reported_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("index.json"), "{").unwrap();
        assert!(put(dir.path(), REPOSITORY).is_err());
        assert_eq!(std::fs::read_to_string(dir.path().join("index.json")).unwrap(), "{");
    }
}
