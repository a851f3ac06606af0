//! What every service works on: the state, who we are, where we listen.

use std::collections::BTreeMap;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::error::ApiError;
use crate::identity::Identity;
use crate::images::ImageStore;
use crate::latency::{Latency, Options};
use crate::store::Store;

/// The running endpoint; shared by all requests and background work.
pub(crate) struct Endpoint {
    /// Everything but DynamoDB's data.
    pub(crate) store: Store,
    /// DynamoDB's data and behaviour.
    pub(crate) dynamodb: dynoxide::Database,
    /// Account, region and the key pair of the user.
    pub(crate) identity: Identity,
    /// Directory of all state: images, tasks' files, databases.
    pub(crate) state_dir: PathBuf,
    /// Told when a call gives a stack something else to do than what it is at.
    pub(crate) stack_calls: tokio::sync::Notify,
    /// The files of images, and the uploads under way.
    pub(crate) images: ImageStore,
    /// How many stack operations are under way.
    pub(crate) stack_operations: tokio::sync::watch::Sender<usize>,
    /// Stack operations that wait for a state that can be written again (full disk): ids of the stacks, and what is wrong.
    held_up: Mutex<BTreeMap<String, ApiError>>,
    /// How long resources and tasks take to come and go.
    pub(crate) latency: Latency,
    /// Our own address, e.g. `http://127.0.0.1:4566`, for the tasks' environment.
    pub(crate) url: String,
}

impl Endpoint {
    /// Opens the state in `state_dir`; `url` is where the listener is reached.
    pub(crate) fn open(state_dir: &Path, url: String, options: Options) -> Result<Self, ApiError> {
        let identity = Identity::load_or_create(state_dir, crate::identity::DEFAULT_REGION)?;
        for database in ["state.db", "dynamodb.db"] {
            keep_private(&state_dir.join(database))?;
        }
        let store = Store::open(&state_dir.join("state.db"))?;
        let dynamodb = dynoxide::Database::new(&state_dir.join("dynamodb.db").to_string_lossy()).map_err(|error| {
            ApiError::internal(format!("The DynamoDB state in {} cannot be opened ({error}) and was left as it is; run `fis-workshop local reset` to start afresh.", state_dir.display()))
        })?;
        let images = ImageStore::new(state_dir);
        let stack_operations = tokio::sync::watch::Sender::new(0);
        Ok(Self {
            store,
            dynamodb,
            identity,
            state_dir: state_dir.to_owned(),
            images,
            stack_calls: tokio::sync::Notify::new(),
            stack_operations,
            held_up: Mutex::default(),
            latency: options.latency,
            url,
        })
    }

    /// Takes note of what keeps a stack's operation from going on, or that nothing does any more.
    pub(crate) fn hold_up(&self, stack_id: &str, error: Option<ApiError>) {
        let mut held_up = self.held_up.lock().unwrap_or_else(PoisonError::into_inner);
        match error {
            Some(error) => held_up.insert(stack_id.to_owned(), error),
            None => held_up.remove(stack_id),
        };
    }

    /// Refuses when the stack's operation is held up: whoever follows it would wait for nothing.
    pub(crate) fn check_held_up(&self, stack_id: &str) -> Result<(), ApiError> {
        let held_up = self.held_up.lock().unwrap_or_else(PoisonError::into_inner);
        held_up.get(stack_id).map_or(Ok(()), |error| Err(error.clone()))
    }

    /// ARN of a resource of this account and region: `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`.
    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.identity.region, self.identity.account_id)
    }
}

/// Makes the file, readable by its owner only, unless it is there; SQLite gives its companions (`-wal`, `-shm`) the
/// mode of the database.
fn keep_private(path: &Path) -> Result<(), ApiError> {
    std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(|_| ()).map_err(|error| {
        ApiError::internal(format!(
            "{} cannot be opened ({error}) and was left as it is; check the owner and mode of the state directory, \
                 or run `fis-workshop local reset` to start afresh.",
            path.display()
        ))
    })
}
