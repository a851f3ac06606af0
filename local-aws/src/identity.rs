//! Account, region and the key pair that requests are signed with; made once, kept 0600.

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;

/// Region of a new endpoint when nobody asks for another.
pub const DEFAULT_REGION: &str = "us-east-1";

/// File in the state directory.
const FILE: &str = "identity.json";

/// Who the endpoint is and whom it trusts. One endpoint is one account in one region.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Identity {
    /// Twelve digits.
    pub account_id: String,
    /// The only region that it serves.
    pub region: String,
    /// Access key of the user.
    pub access_key_id: String,
    /// Secret of the user; random, so only who can read the state directory can sign.
    pub secret_access_key: String,
}

impl Identity {
    /// The ARN of who bears the key pair.
    pub(crate) fn user_arn(&self) -> String {
        format!("arn:aws:iam::{}:user/fis-workshop", self.account_id)
    }

    /// The identity in `state_dir`, or `None` when there is none yet.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn load(state_dir: &Path) -> Result<Option<Self>, ApiError> {
        let path = state_dir.join(FILE);
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
                ApiError::internal(format!(
                    "{} is damaged ({error}); it was left as it is. Run `fis-workshop local reset` to start afresh.",
                    path.display()
                ))
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ApiError::internal(format!("{} cannot be read: {error}", path.display()))),
        }
    }

    /// The identity in `state_dir`; a new one in `region` when there is none yet.
    ///
    /// # Errors
    /// When the directory or the file cannot be read or written.
    pub fn load_or_create(state_dir: &Path, region: &str) -> Result<Self, ApiError> {
        if let Some(identity) = Self::load(state_dir)? {
            return Ok(identity);
        }
        let identity = Self {
            account_id: "000000000000".to_owned(),
            region: region.to_owned(),
            access_key_id: format!("AKIA{}", random_text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)),
            secret_access_key: random_text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 40),
        };
        identity.save(state_dir).map_err(|error| {
            ApiError::internal(format!("The state directory {} cannot be written: {error}", state_dir.display()))
        })?;
        Ok(identity)
    }

    // Written beside and renamed, so that a kill in between leaves no half file; a new temporary name each
    // time, so that a leftover of a killed start is in nobody's way.
    fn save(&self, state_dir: &Path) -> std::io::Result<()> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(state_dir)?;
        let temporary = state_dir.join(format!(".{FILE}.{}", std::process::id()));
        let mut file =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.sync_all()?;
        std::fs::rename(temporary, state_dir.join(FILE))
    }
}

/// `length` random characters out of `alphabet`.
pub(crate) fn random_text(alphabet: &[u8], length: usize) -> String {
    let mut rng = rand::rng();
    (0..length).map(|_| char::from(alphabet[rng.random_range(0..alphabet.len())])).collect()
}
