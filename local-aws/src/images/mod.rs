//! The files of images: blobs as the registry takes them, and the file systems that tasks run in.
//!
//! - `store`: where the files are, and uploads under way; `collection`: what goes when nothing refers to it
//! - `pull`: from an image reference to a file system and a configuration; `unpack`: layers to files
//!
//! What there is, is in the database (`ecr::image`). A file is there before the record that names it, and goes after
//! it: a kill in between leaves a file too many, which the next collection deletes.

mod collection;
mod pull;
mod store;
mod unpack;

pub(crate) use collection::{collect, collect_unless_kept, resume};
pub(crate) use pull::{Image, pull};
pub(crate) use store::{ImageStore, Upload, hex, is_sha256, unwritable};
pub(crate) use unpack::resolve;
