//! An OCI image with one program in it, out of nothing but the program: no daemon, no base image.

use std::error::Error;
use std::io::Write;

use base64::Engine;
use flate2::{Compression, GzBuilder};
use oci_spec::image::{
    Arch, ConfigBuilder, DescriptorBuilder, ImageConfigurationBuilder, ImageManifestBuilder, MediaType, Os,
    RootFsBuilder, Sha256Digest,
};
use sha2::{Digest, Sha256};

/// Nobody's number in distroless images: a user that owns nothing.
const USER: &str = "65532:65532";
const PASSWD: &str = "root:x:0:0:root:/:/none\nworker:x:65532:65532:worker:/:/none\n";
/// In every image: the same source has to have the same digest whenever it is built.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// What the program runs on, in OCI's terms.
pub(crate) struct Platform<'a> {
    pub architecture: &'a str,
    pub os: &'a str,
}

/// Content and its name.
pub(crate) struct Blob {
    pub digest: String,
    pub bytes: Vec<u8>,
}

/// The three parts of an image.
pub(crate) struct Image {
    pub manifest: Blob,
    pub config: Blob,
    pub layer: Blob,
}

/// Packs `program` as `/name`, the image's entry point.
pub(crate) fn pack(name: &str, program: &[u8], platform: &Platform<'_>) -> Result<Image, Box<dyn Error>> {
    let tar = layer(name, program)?;
    let diff_id = format!("sha256:{}", hex(&tar));
    // GzBuilder writes neither a time nor a file name.
    let mut gzip = GzBuilder::new().write(Vec::new(), Compression::best());
    gzip.write_all(&tar)?;
    let layer = blob(gzip.finish()?);
    let config = ConfigBuilder::default()
        // The exec form: with a shell in between, SIGTERM would not reach the program.
        .entrypoint(vec![format!("/{name}")])
        .user(USER)
        .working_dir("/")
        .stop_signal("SIGTERM")
        .build()?;
    let root_fs = RootFsBuilder::default().typ("layers").diff_ids(vec![diff_id]).build()?;
    let config = ImageConfigurationBuilder::default()
        .created(CREATED)
        .architecture(Arch::from(platform.architecture))
        .os(Os::from(platform.os))
        .config(config)
        .rootfs(root_fs)
        .history(Vec::new())
        .build()?;
    let config = blob(config.to_string()?.into_bytes());
    let manifest = ImageManifestBuilder::default()
        .schema_version(2_u32)
        .media_type(MediaType::ImageManifest)
        .config(descriptor(MediaType::ImageConfig, &config)?)
        .layers(vec![descriptor(MediaType::ImageLayerGzip, &layer)?])
        .build()?;
    let manifest = blob(manifest.to_string()?.into_bytes());
    Ok(Image { manifest, config, layer })
}

fn descriptor(media_type: MediaType, blob: &Blob) -> Result<oci_spec::image::Descriptor, Box<dyn Error>> {
    let digest: Sha256Digest = blob.digest.trim_start_matches("sha256:").parse()?;
    Ok(DescriptorBuilder::default().media_type(media_type).digest(digest).size(blob.bytes.len() as u64).build()?)
}

fn layer(name: &str, program: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut tar = tar::Builder::new(Vec::new());
    for directory in ["etc/", "etc/ssl/", "etc/ssl/certs/"] {
        append(&mut tar, directory, tar::EntryType::Directory, 0o755, &[])?;
    }
    append(&mut tar, "etc/passwd", tar::EntryType::Regular, 0o644, PASSWD.as_bytes())?;
    // A scratch image has no certificates: every HTTPS call would fail with UnknownIssuer, on AWS only.
    let certificates = certificates();
    append(&mut tar, "etc/ssl/certs/ca-certificates.crt", tar::EntryType::Regular, 0o644, certificates.as_bytes())?;
    append(&mut tar, name, tar::EntryType::Regular, 0o755, program)?;
    Ok(tar.into_inner()?)
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

fn blob(bytes: Vec<u8>) -> Blob {
    Blob { digest: format!("sha256:{}", hex(&bytes)), bytes }
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
