//! What every service works on: the state, who we are, where we listen.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::ApiError;
use crate::identity::Identity;
use crate::latency::{Deliveries, Latency, Options};
use crate::store::Store;

/// The running endpoint; shared by all requests and background work.
pub(crate) struct Endpoint {
    /// Everything but DynamoDB's data.
    pub(crate) store: Store,
    /// Account, region and the key pair of the user.
    pub(crate) identity: Identity,
    /// Directory of all state: images, tasks' files, databases.
    pub(crate) state_dir: PathBuf,
    /// How long resources and tasks take to come and go.
    pub(crate) latency: Latency,
    /// How EventBridge delivers events.
    pub(crate) deliveries: Deliveries,
    /// What an image may take on the disk.
    pub(crate) max_image_bytes: u64,
    /// Whether the tasks' processes end with the endpoint.
    pub(crate) ends_tasks: bool,
    /// Our own address, e.g. `http://127.0.0.1:4566`, for the tasks' environment.
    pub(crate) url: String,
    /// What services keep in memory, by its type.
    memories: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl Endpoint {
    /// Opens the state in `state_dir`; `url` is where the listener is reached.
    pub(crate) fn open(state_dir: &Path, url: String, options: Options) -> Result<Self, ApiError> {
        let identity = Identity::load_or_create(state_dir, crate::identity::DEFAULT_REGION)?;
        let store = Store::open(&state_dir.join("state.db"))?;
        Ok(Self {
            store,
            identity,
            state_dir: state_dir.to_owned(),
            latency: options.latency,
            deliveries: options.deliveries,
            max_image_bytes: options.max_image_bytes,
            ends_tasks: options.ends_tasks,
            url,
            memories: Mutex::default(),
        })
    }

    /// What a service keeps in memory as long as the endpoint runs; it begins at the first use.
    pub(crate) fn memory<T: Any + Send + Sync + Default>(&self) -> Arc<T> {
        let Ok(memory) = self.memory_or(|| Ok::<_, Infallible>(T::default()));
        memory
    }

    /// The same for what needs more to begin. `begin` must not ask for a memory.
    pub(crate) fn memory_or<T: Any + Send + Sync, E>(&self, begin: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        let mut memories = self.memories.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(memory) = memories.get(&TypeId::of::<T>()).and_then(|memory| Arc::clone(memory).downcast().ok()) {
            return Ok(memory);
        }
        let memory = Arc::new(begin()?);
        memories.insert(TypeId::of::<T>(), Arc::clone(&memory) as _);
        Ok(memory)
    }

    /// ARN of a resource of this account and region: `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`.
    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.identity.region, self.identity.account_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_is_one_for_each_type_and_endpoint() {
        let (dir, other_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let open = |dir: &tempfile::TempDir| Endpoint::open(dir.path(), String::new(), Options::default()).unwrap();
        let (endpoint, other) = (open(&dir), open(&other_dir));
        *endpoint.memory::<Mutex<u32>>().lock().unwrap() = 1;
        assert_eq!(*endpoint.memory::<Mutex<u32>>().lock().unwrap(), 1);
        assert_eq!(*endpoint.memory::<Mutex<i32>>().lock().unwrap(), 0);
        assert_eq!(*other.memory::<Mutex<u32>>().lock().unwrap(), 0);
        assert!(endpoint.memory_or(|| Err::<String, _>("not now")).is_err());
        assert_eq!(*endpoint.memory_or(|| Ok::<_, ()>("begun".to_owned())).unwrap(), "begun");
    }
}
