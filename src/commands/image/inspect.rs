use std::fmt;

use clap::Args;
use fis_workshop_images::{Architecture, Blob, Image};
use flate2::read::MultiGzDecoder;
use oci_spec::image::{ImageConfiguration, ImageManifest};
use serde::Serialize;

use super::super::context::Context;
use crate::aws::images::{self, Built, Credentials, ImageUri, Registry, ecr};
use crate::aws::program::Program;
use crate::aws::way_out::Trust;
use crate::error::{Error, Result};

/// Show what an image is
///
/// By the name of a worker's program, it is the image that `up` would push; a URI is one in a registry.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fis-workshop image inspect
  fis-workshop image inspect improved --output json
  fis-workshop image inspect localhost:5000/lab:improved-0123456789abcdef")]
pub(super) struct InspectArgs {
    #[arg(value_name = "PROGRAM|URI", help = which_images())]
    image: Option<String>,
    /// Processor: x86_64 or arm64 [default: this machine's]
    #[arg(long, value_name = "ARCH")]
    arch: Option<Architecture>,
}

fn which_images() -> String {
    let names: Vec<_> = Program::OURS.iter().map(|program| program.name()).collect();
    format!("Which image: {}, or HOST/NAME with :TAG or @DIGEST [default: all programs']", names.join(", "))
}

/// What there is to know of the images.
#[derive(Debug, Serialize)]
struct Report {
    images: Vec<Inspected>,
}

/// What there is to know of one image.
#[derive(Debug, Serialize)]
struct Inspected {
    /// Program or URI.
    image: String,
    digest: String,
    architecture: String,
    os: String,
    created: Option<String>,
    user: Option<String>,
    entrypoint: Vec<String>,
    stop_signal: Option<String>,
    /// All that travels when it is pulled.
    compressed_bytes: u64,
    /// Unknown for an image in a registry, whose layers were not fetched.
    unpacked_bytes: Option<u64>,
    layers: Vec<Layer>,
}

#[derive(Debug, Serialize)]
struct Layer {
    digest: String,
    media_type: String,
    bytes: u64,
}

/// Inspects images.
///
/// # Errors
/// When there is no such image, or its registry cannot be reached.
pub(super) async fn run(context: &Context, args: InspectArgs) -> Result<u8> {
    let program = args.image.as_deref().and_then(Program::named);
    let images = match (args.image, program) {
        (Some(uri), None) => vec![remote(context, &uri.parse()?, args.arch).await?],
        (_, program) => {
            let built = Built::find(&context.settings, args.arch)?;
            let wanted = built.images.iter().filter(|(of, _)| program.is_none_or(|program| program == **of));
            wanted.map(|(_, image)| local(image)).collect::<Result<_>>()?
        }
    };
    context.ui.result(&Report { images })?;
    Ok(0)
}

fn local(image: &Image) -> Result<Inspected> {
    let unpacked = image.layers.iter().map(unpacked_size).sum::<std::io::Result<u64>>();
    let unpacked = unpacked.map_err(|error| {
        Error::failed(format!("The layers of the image {} cannot be unpacked.", image.name)).cause(error)
    })?;
    let mut inspected = inspected(&image.name, &image.manifest, &image.config.bytes)?;
    inspected.unpacked_bytes = Some(unpacked);
    Ok(inspected)
}

fn unpacked_size(layer: &Blob) -> std::io::Result<u64> {
    std::io::copy(&mut MultiGzDecoder::new(&*layer.bytes), &mut std::io::sink())
}

async fn remote(context: &Context, uri: &ImageUri, architecture: Option<Architecture>) -> Result<Inspected> {
    let (registry, reference) = if uri.repository.ecr().is_some() {
        let connected = context.connect().await?;
        let digest = ecr::digest_of(&connected.clients, uri).await?;
        (ecr::registry(&connected.clients, &uri.repository).await?, digest)
    } else {
        let registry = Registry::open(&uri.repository, &uri.repository.host, Credentials::Anonymous, &Trust::Machine)?;
        (registry, uri.reference().to_owned())
    };
    let missing = || images::not_found(uri);
    let mut manifest = registry.manifest(&reference).await?.ok_or_else(missing)?;
    let platforms = images::platforms(&registry, &manifest).await?;
    if platforms.first().is_none_or(|platform| platform.digest != manifest.digest) {
        // A list of images, one for each platform.
        let wanted = architecture.unwrap_or(images::embedded::architecture());
        let chosen = platforms.iter().find(|one| one.architecture == wanted.oci()).ok_or_else(|| {
            let names: Vec<_> = platforms.iter().map(|one| format!("{}/{}", one.os, one.architecture)).collect();
            Error::failed(format!("The image {uri} is not for {wanted}."))
                .cause(format!("it is for {}", names.join(", ")))
                .hint("Choose another one with `--arch`.")
        })?;
        manifest = registry.manifest(&chosen.digest).await?.ok_or_else(missing)?;
    }
    let parts: ImageManifest = parse(&manifest.bytes)?;
    let config = registry.blob(parts.config().digest().as_ref()).await?;
    inspected(&uri.to_string(), &Blob { digest: manifest.digest, bytes: manifest.bytes }, &config)
}

fn inspected(name: &str, manifest: &Blob, config: &[u8]) -> Result<Inspected> {
    let parts: ImageManifest = parse(&manifest.bytes)?;
    let config: ImageConfiguration = parse(config)?;
    let run = config.config().as_ref();
    let layers: Vec<Layer> = parts
        .layers()
        .iter()
        .map(|layer| Layer {
            digest: layer.digest().to_string(),
            media_type: layer.media_type().to_string(),
            bytes: layer.size(),
        })
        .collect();
    let layer_bytes: u64 = layers.iter().map(|layer| layer.bytes).sum();
    Ok(Inspected {
        image: name.to_owned(),
        digest: manifest.digest.clone(),
        architecture: config.architecture().to_string(),
        os: config.os().to_string(),
        created: config.created().clone(),
        user: run.and_then(|run| run.user().clone()),
        entrypoint: run.and_then(|run| run.entrypoint().clone()).unwrap_or_default(),
        stop_signal: run.and_then(|run| run.stop_signal().clone()),
        compressed_bytes: layer_bytes + parts.config().size() + manifest.bytes.len() as u64,
        unpacked_bytes: None,
        layers,
    })
}

fn parse<T: for<'a> serde::Deserialize<'a>>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::failed("The image's manifest or configuration is not valid.").cause(error))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.images.iter().try_for_each(|image| write!(f, "{image}"))
    }
}

impl fmt::Display for Inspected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let none = || "-".to_owned();
        writeln!(f, "{}", self.image)?;
        writeln!(f, "  digest      {}", self.digest)?;
        writeln!(f, "  platform    {}/{}", self.os, self.architecture)?;
        writeln!(f, "  entrypoint  {:?}", self.entrypoint)?;
        writeln!(f, "  user        {}", self.user.clone().unwrap_or_else(none))?;
        writeln!(f, "  stop signal {}", self.stop_signal.clone().unwrap_or_else(none))?;
        writeln!(f, "  created     {}", self.created.clone().unwrap_or_else(none))?;
        let unpacked = self.unpacked_bytes.map_or_else(none, |bytes| bytes.to_string());
        writeln!(f, "  bytes       {} compressed, {unpacked} unpacked", self.compressed_bytes)?;
        for layer in &self.layers {
            writeln!(f, "  layer       {}  {} bytes", layer.digest, layer.bytes)?;
        }
        Ok(())
    }
}
