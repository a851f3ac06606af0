//! The images inside this program, made by `build.rs`.

use bytes::Bytes;
use fis_workshop_images::{Architecture, Blob, Image};

type Part = (&'static str, &'static [u8]);

struct Embedded {
    name: &'static str,
    manifest: Part,
    config: Part,
    layers: &'static [Part],
}

include!(concat!(env!("OUT_DIR"), "/images.rs"));

/// What the embedded images run on.
pub(crate) const fn architecture() -> Architecture {
    ARCHITECTURE
}

/// Whether they run on Fargate, too: those inside a program for macOS are programs of the Mac.
pub(crate) fn are_for_linux() -> bool {
    OS == "linux"
}

/// The embedded images.
pub(crate) fn images() -> Vec<Image> {
    let blob = |(digest, bytes): Part| Blob { digest: digest.to_owned(), bytes: Bytes::from_static(bytes) };
    IMAGES
        .iter()
        .map(|embedded| Image {
            name: embedded.name.to_owned(),
            manifest: blob(embedded.manifest),
            config: blob(embedded.config),
            layers: embedded.layers.iter().copied().map(blob).collect(),
        })
        .collect()
}
