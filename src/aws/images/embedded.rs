//! The images inside this program, made by `build.rs`: for this machine, and for the processors of Fargate.

use bytes::Bytes;
use fis_workshop_images::programs::Quality;
use fis_workshop_images::{Architecture, Blob, Image};

type Part = (&'static str, &'static [u8]);

/// The images for one platform.
struct Set {
    os: &'static str,
    architecture: Architecture,
    images: &'static [Embedded],
    /// Of each of them.
    layers: &'static [Part],
}

struct Embedded {
    name: &'static str,
    manifest: Part,
    config: Part,
}

include!(concat!(env!("OUT_DIR"), "/images.rs"));

/// What OCI calls this machine's system. On a Mac, the local endpoint runs programs of the Mac.
pub(crate) const OS: &str = if cfg!(target_os = "macos") { "darwin" } else { "linux" };

/// This machine's.
pub(crate) const fn architecture() -> Architecture {
    ARCHITECTURE
}

/// The images that the local endpoint runs.
pub(crate) fn for_this_machine() -> Option<Vec<Image>> {
    of(OS, architecture())
}

/// The images that Fargate runs, if this program holds them.
pub(crate) fn for_fargate(architecture: Architecture) -> Option<Vec<Image>> {
    of("linux", architecture)
}

/// The processors that this program holds images for, in words.
pub(crate) fn names() -> String {
    let names: Vec<_> = SETS.iter().map(|set| format!("{} on {}", set.architecture, set.os)).collect();
    names.join(" and ")
}

fn of(os: &str, architecture: Architecture) -> Option<Vec<Image>> {
    let set = SETS.iter().find(|set| set.os == os && set.architecture == architecture)?;
    Some(set.images.iter().map(|image| image.with(set.layers)).collect())
}

impl Embedded {
    fn with(&self, layers: &[Part]) -> Image {
        let blob = |(digest, bytes): Part| Blob { digest: digest.to_owned(), bytes: Bytes::from_static(bytes) };
        Image {
            name: self.name.to_owned(),
            manifest: blob(self.manifest),
            config: blob(self.config),
            layers: layers.iter().copied().map(blob).collect(),
        }
    }
}
