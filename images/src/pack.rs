//! OCI images with one file in their only layer, out of nothing but that file: no daemon, no base image.

use std::io::Write;

use base64::Engine;
use bytes::Bytes;
use flate2::{Compression, GzBuilder};
use oci_spec::image::{
    Arch, ConfigBuilder, Descriptor, DescriptorBuilder, ImageConfigurationBuilder, ImageManifestBuilder, MediaType, Os,
    RootFsBuilder, Sha256Digest,
};
use sha2::{Digest, Sha256};

use crate::{Error, PROGRAM, WORKERS};

/// Nobody's number in distroless images: a user that owns nothing.
const USER: &str = "65532:65532";
const PASSWD: &str = "root:x:0:0:root:/:/none\nworker:x:65532:65532:worker:/:/none\n";
/// In every image: the same source has to have the same digest whenever it is built.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// What the program runs on, in OCI's terms.
#[derive(Debug, Clone, Copy)]
pub struct Platform<'a> {
    /// `amd64` or `arm64`.
    pub architecture: &'a str,
    /// `linux`; on a Mac, the images of the local endpoint are `darwin`.
    pub os: &'a str,
}

/// Content and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// `sha256:...`
    pub digest: String,
    /// The content.
    pub bytes: Bytes,
}

impl Blob {
    /// Content, named by its hash.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { digest: format!("sha256:{hash}"), bytes }
    }
}

/// The parts of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Which worker it is.
    pub name: String,
    /// Its manifest, whose digest is the image's.
    pub manifest: Blob,
    /// Its configuration.
    pub config: Blob,
    /// Its file system.
    pub layers: Vec<Blob>,
}

/// Packs the file with the programs: an image for each of [`WORKERS`], in their order, that differs from the others in its
/// entry point. A registry keeps their layer once, and who has pulled one has most of the next.
///
/// # Errors
/// When a part is too large for its header; none of ours is.
pub fn pack(program: &[u8], platform: &Platform<'_>) -> Result<Vec<Image>, Error> {
    let layer = Layer::of(&tar_of_programs(program).map_err(in_memory)?)?;
    // The exec form: with a shell in between, SIGTERM would not reach the program.
    let entry_point = |name: &str| vec![format!("/{PROGRAM}"), name.to_owned()];
    WORKERS.iter().map(|name| image(name, entry_point(name), &layer, platform)).collect()
}

/// Packs a script that is run with the words of a container's command: an image with nothing else in it, for a machine that
/// has all that the script needs.
///
/// # Errors
/// When a part is too large for its header.
pub fn pack_script(name: &str, script: &str, platform: &Platform<'_>) -> Result<Image, Error> {
    let mut tar = tar::Builder::new(Vec::new());
    let appended = append(&mut tar, name, tar::EntryType::Regular, 0o755, script.as_bytes());
    let layer = Layer::of(&appended.and_then(|()| tar.into_inner()).map_err(in_memory)?)?;
    image(name, vec![format!("/{name}")], &layer, platform)
}

fn in_memory(error: std::io::Error) -> Error {
    Error::Damaged(format!("The image cannot be packed: {error}"))
}

/// A layer, and its digest before it was compressed.
struct Layer {
    blob: Blob,
    diff_id: String,
}

impl Layer {
    fn of(tar: &[u8]) -> Result<Self, Error> {
        // GzBuilder writes neither a time nor a file name.
        let mut gzip = GzBuilder::new().write(Vec::new(), Compression::best());
        let compressed = gzip.write_all(tar).and_then(|()| gzip.finish()).map_err(in_memory)?;
        Ok(Self { blob: Blob::new(compressed), diff_id: Blob::new(tar.to_vec()).digest })
    }
}

/// The image of one program.
fn image(name: &str, entry_point: Vec<String>, layer: &Layer, platform: &Platform<'_>) -> Result<Image, Error> {
    let config =
        ConfigBuilder::default().entrypoint(entry_point).user(USER).working_dir("/").stop_signal("SIGTERM").build()?;
    let root_fs = RootFsBuilder::default().typ("layers").diff_ids(vec![layer.diff_id.clone()]).build()?;
    let config = ImageConfigurationBuilder::default()
        .created(CREATED)
        .architecture(Arch::from(platform.architecture))
        .os(Os::from(platform.os))
        .config(config)
        .rootfs(root_fs)
        .history(Vec::new())
        .build()?;
    let config = Blob::new(config.to_string()?.into_bytes());
    let manifest = ImageManifestBuilder::default()
        .schema_version(2_u32)
        .media_type(MediaType::ImageManifest)
        .config(descriptor(MediaType::ImageConfig, &config)?)
        .layers(vec![descriptor(MediaType::ImageLayerGzip, &layer.blob)?])
        .build()?;
    let manifest = Blob::new(manifest.to_string()?.into_bytes());
    Ok(Image { name: name.to_owned(), manifest, config, layers: vec![layer.blob.clone()] })
}

pub(crate) fn descriptor(media_type: MediaType, blob: &Blob) -> Result<Descriptor, Error> {
    let digest: Sha256Digest = blob.digest.trim_start_matches("sha256:").parse()?;
    Ok(DescriptorBuilder::default().media_type(media_type).digest(digest).size(blob.bytes.len() as u64).build()?)
}

fn tar_of_programs(program: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for directory in ["etc/", "etc/ssl/", "etc/ssl/certs/"] {
        append(&mut tar, directory, tar::EntryType::Directory, 0o755, &[])?;
    }
    append(&mut tar, "etc/passwd", tar::EntryType::Regular, 0o644, PASSWD.as_bytes())?;
    // A scratch image has no certificates: every HTTPS call would fail with UnknownIssuer, on AWS only.
    let certificates = certificates();
    append(&mut tar, "etc/ssl/certs/ca-certificates.crt", tar::EntryType::Regular, 0o644, certificates.as_bytes())?;
    append(&mut tar, PROGRAM, tar::EntryType::Regular, 0o755, program)?;
    tar.into_inner()
}

fn append(
    tar: &mut tar::Builder<Vec<u8>>,
    path: &str,
    kind: tar::EntryType,
    mode: u32,
    content: &[u8],
) -> std::io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(content.len() as u64);
    tar.append_data(&mut header, path, content)
}

fn certificates() -> String {
    let mut pem = String::new();
    for certificate in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        let text = base64::engine::general_purpose::STANDARD.encode(certificate);
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in text.as_bytes().chunks(64) {
            pem.extend(line.iter().copied().map(char::from));
            pem.push('\n');
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    pem
}
