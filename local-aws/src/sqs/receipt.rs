//! Receipt handles: for which message, and for which of the times that it was handed out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use super::queue::Queue;
use crate::error::ApiError;

/// A receipt: the last one of a message is the one that counts.
pub(super) struct Receipt {
    queue: String,
    pub(super) sequence: i64,
    pub(super) number: String,
}

impl Receipt {
    pub(super) fn new(queue: &str, sequence: i64) -> Self {
        Self { queue: queue.to_owned(), sequence, number: Uuid::new_v4().simple().to_string() }
    }

    /// The handle as receivers get it.
    pub(super) fn handle(&self) -> String {
        STANDARD.encode(format!("{}:{}:{}", self.queue, self.sequence, self.number))
    }

    /// The receipt of a handle.
    ///
    /// # Errors
    /// ReceiptHandleIsInvalid for what is no handle, or one of another queue.
    pub(super) fn read(handle: &str, queue: &Queue) -> Result<Self, ApiError> {
        let read = || {
            let text = String::from_utf8(STANDARD.decode(handle).ok()?).ok()?;
            let mut parts = text.split(':');
            let (queue, sequence, number) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
            parts.next().is_none().then(|| Self { queue: queue.to_owned(), sequence, number: number.to_owned() })
        };
        read().filter(|receipt| receipt.queue == queue.name).ok_or_else(|| {
            ApiError::new(
                "ReceiptHandleIsInvalid",
                format!("The input receipt handle \"{handle}\" is not a valid receipt handle."),
            )
        })
    }
}
