//! An OCI image layout: images in a directory, as skopeo, podman and buildah read them (`oci:DIRECTORY:NAME`).

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use oci_spec::image::{Descriptor, ImageIndex, ImageIndexBuilder, ImageManifest, MediaType};

use crate::pack::descriptor;
use crate::{Blob, Error, Image};

/// Annotation that carries a manifest's name within a layout.
const NAME: &str = "org.opencontainers.image.ref.name";

/// Writes a layout that holds exactly `images`, each under its name; one that is there already is replaced, and the
/// blobs that it alone used are deleted.
///
/// # Errors
/// When the directory cannot be written.
pub fn write(directory: &Path, images: &[Image]) -> Result<(), Error> {
    let blobs = directory.join("blobs/sha256");
    fs::create_dir_all(&blobs).map_err(Error::file(&blobs))?;
    let _lock = lock(directory)?;
    let mut manifests = Vec::new();
    let mut kept = Vec::new();
    for image in images {
        for blob in image.layers.iter().chain([&image.config, &image.manifest]) {
            replace(directory, &blob_path(directory, &blob.digest), &blob.bytes)?;
            kept.push(blob.digest.clone());
        }
        let mut entry = descriptor(MediaType::ImageManifest, &image.manifest)?;
        entry.set_annotations(Some([(NAME.to_owned(), image.name.clone())].into()));
        manifests.push(entry);
    }
    let index = ImageIndexBuilder::default()
        .schema_version(2_u32)
        .media_type(MediaType::ImageIndex)
        .manifests(manifests)
        .build()?;
    replace(directory, &directory.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    replace(directory, &directory.join("index.json"), index.to_string()?.as_bytes())?;
    remove_others(&blobs, &kept)
}

/// The images of a layout that have a name.
///
/// # Errors
/// When there is no layout, or something in it is not what its digest says.
pub fn read(directory: &Path) -> Result<Vec<Image>, Error> {
    let path = directory.join("index.json");
    let text = fs::read_to_string(&path).map_err(Error::file(&path))?;
    let index: ImageIndex = parse(&path, text.as_bytes())?;
    let named = index.manifests().iter().filter_map(|entry| Some((entry.annotations().as_ref()?.get(NAME)?, entry)));
    named.map(|(name, entry)| read_image(directory, name, entry)).collect()
}

fn read_image(directory: &Path, name: &str, entry: &Descriptor) -> Result<Image, Error> {
    let manifest = read_blob(directory, entry)?;
    let parts: ImageManifest = parse(&blob_path(directory, &manifest.digest), &manifest.bytes)?;
    Ok(Image {
        name: name.to_owned(),
        config: read_blob(directory, parts.config())?,
        layers: parts.layers().iter().map(|layer| read_blob(directory, layer)).collect::<Result<_, _>>()?,
        manifest,
    })
}

fn read_blob(directory: &Path, descriptor: &Descriptor) -> Result<Blob, Error> {
    let digest = descriptor.digest().to_string();
    let path = blob_path(directory, &digest);
    let blob = Blob::new(fs::read(&path).map_err(Error::file(&path))?);
    if blob.digest == digest {
        Ok(blob)
    } else {
        Err(Error::Damaged(format!("{} is not what its digest says", path.display())))
    }
}

fn parse<T: for<'a> serde::Deserialize<'a>>(path: &Path, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| Error::Damaged(format!("{}: {error}", path.display())))
}

fn blob_path(directory: &Path, digest: &str) -> PathBuf {
    directory.join("blobs").join(digest.replace(':', "/"))
}

/// Two builds at once would each delete the blobs of the other.
fn lock(directory: &Path) -> Result<File, Error> {
    let path = directory.join(".lock");
    let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = open.map_err(Error::file(&path))?;
    file.lock().map_err(Error::file(&path))?;
    Ok(file)
}

/// Beside and renamed: a reader, or a kill, never sees a part.
fn replace(directory: &Path, path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let temporary = directory.join(".new");
    let mut file = File::create(&temporary).map_err(Error::file(&temporary))?;
    file.write_all(bytes).map_err(Error::file(&temporary))?;
    fs::rename(&temporary, path).map_err(Error::file(path))
}

fn remove_others(blobs: &Path, kept: &[String]) -> Result<(), Error> {
    for entry in fs::read_dir(blobs).map_err(Error::file(blobs))? {
        let entry = entry.map_err(Error::file(blobs))?;
        if !kept.contains(&format!("sha256:{}", entry.file_name().to_string_lossy())) {
            fs::remove_file(entry.path()).map_err(Error::file(&entry.path()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WORKERS;
    use crate::pack::{Platform, pack};

    fn images(program: &[u8]) -> Vec<Image> {
        pack(program, &Platform { architecture: "amd64", os: "linux" }).unwrap()
    }

    #[test]
    fn what_was_written_is_read_and_a_second_build_leaves_nothing_of_the_first() {
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), &images(b"1")).unwrap();
        let images = images(b"2");
        write(directory.path(), &images).unwrap();
        assert_eq!(read(directory.path()).unwrap(), images);
        // A manifest and a configuration for each, and the layer that they share.
        assert_eq!(fs::read_dir(directory.path().join("blobs/sha256")).unwrap().count(), 2 * WORKERS.len() + 1);
    }

    #[test]
    fn a_blob_that_is_not_what_its_digest_says_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let images = images(b"1");
        write(directory.path(), &images).unwrap();
        let layer = &images[0].layers[0].digest;
        fs::write(blob_path(directory.path(), layer), b"x").unwrap();
        let error = read(directory.path()).unwrap_err().to_string();
        assert!(error.contains(layer.trim_start_matches("sha256:")), "{error}");
    }

    #[test]
    fn an_image_runs_its_program_directly_and_not_as_root() {
        for (image, name) in images(b"1").iter().zip(WORKERS) {
            assert_eq!(image.name, *name);
            let config: serde_json::Value = serde_json::from_slice(&image.config.bytes).unwrap();
            assert_eq!(config["config"]["Entrypoint"], serde_json::json!(["/worker", name]));
            assert_eq!(config["config"]["User"], "65532:65532");
            assert_eq!(config["config"]["StopSignal"], "SIGTERM");
        }
    }
}
