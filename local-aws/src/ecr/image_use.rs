//! Who runs an image: its file system stays as long, although the image may have left its repository.

use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::store::{Record, Tx};

/// Something that runs an image, e.g. a task.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ImageUse {
    /// ARN of what runs it; it runs one.
    user: String,
    pub(super) digest: String,
}

impl Record for ImageUse {
    const KIND: &'static str = "ecr.image-use";
    fn id(&self) -> String {
        self.user.clone()
    }
}

impl ImageUse {
    /// Records that `user` runs the image; in the transaction that makes it so.
    pub(crate) fn begin(tx: &Tx<'_>, user: &str, digest: &str) -> Result<(), ApiError> {
        tx.put(&Self { user: user.to_owned(), digest: digest.to_owned() })
    }

    /// Forgets what `user` ran; does nothing if it ran nothing.
    pub(crate) fn end(tx: &Tx<'_>, user: &str) -> Result<(), ApiError> {
        tx.delete::<Self>(user).map(drop)
    }
}
