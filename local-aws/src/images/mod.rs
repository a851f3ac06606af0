//! The files of images: blobs as the registry takes them, and the file systems that tasks run in.
//!
//! - `store`: where the files are, uploads under way, and who works with a file system; `upload`: a blob on its way in
//! - `unpack`: from layers to files; `tar_guard`: what archives may not ask for; `digest`: by what files are named; `error`: what goes wrong with them
//!
//! What there is, is in the database (`ecr::image`). A file is there before the record that names it, and goes after
//! it: a kill in between leaves a file too many, which the next collection (`ecr::collection`) deletes.

mod digest;
mod error;
mod store;
mod tar_guard;
mod unpack;
mod upload;

pub(crate) use digest::{digest, is_sha256};
pub(crate) use error::{ImageError, unwritable};
pub(crate) use store::{ImageStore, Lease};
pub(crate) use unpack::{resolve, unpack};
pub(crate) use upload::Upload;
