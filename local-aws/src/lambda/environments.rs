//! The environments that wait for the next event of their function, and how many are at work.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::environment::Environment;
use super::function::Function;
use super::refusal::refused;
use crate::endpoint::Endpoint;
use crate::error::ApiError;

/// How long an environment waits for an event before it ends. AWS tells no number; minutes.
const IDLE: Duration = Duration::from_secs(300);

/// How long a process may go on after its answer before it is frozen.
const REST: Duration = Duration::from_secs(1);

/// Most environments at once: they are processes of one machine. An account on AWS has 1,000.
pub(super) const MAX_ENVIRONMENTS: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Environments {
    // A std Mutex: never held across an await.
    pools: Mutex<HashMap<String, Pool>>,
    freed: Notify,
}

/// The environments of a function.
#[derive(Debug, Default)]
struct Pool {
    busy: usize,
    /// The one that was used last is the last.
    idle: Vec<Idle>,
}

#[derive(Debug)]
struct Idle {
    environment: Environment,
    reaper: AbortHandle,
}

/// The right to one invocation at a time.
pub(super) struct Slot {
    environments: Arc<Environments>,
    function: String,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut pools = self.environments.pools();
        if let Some(pool) = pools.get_mut(&self.function) {
            pool.busy = pool.busy.saturating_sub(1);
            if pool.busy == 0 && pool.idle.is_empty() {
                pools.remove(&self.function);
            }
        }
        drop(pools);
        self.environments.tell();
    }
}

impl Environments {
    pub(super) fn of(endpoint: &Endpoint) -> Arc<Self> {
        endpoint.memory()
    }

    fn pools(&self) -> MutexGuard<'_, HashMap<String, Pool>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that there may be room for another invocation.
    pub(super) fn tell(&self) {
        self.freed.notify_one();
    }

    /// Ready when there may be.
    pub(super) async fn is_freed(&self) {
        self.freed.notified().await;
    }

    /// Takes the right to an invocation.
    ///
    /// # Errors
    /// TooManyRequestsException.
    pub(super) fn reserve(self: &Arc<Self>, function: &Function) -> Result<Slot, ApiError> {
        let mut pools = self.pools();
        let all: usize = pools.values().map(|pool| pool.busy).sum();
        let own = pools.get(&function.name).map_or(0, |pool| pool.busy);
        let reserved = function.reserved_concurrency.and_then(|reserved| usize::try_from(reserved).ok());
        if reserved.is_some_and(|reserved| own >= reserved) {
            return Err(throttled("ReservedFunctionConcurrentInvocationLimitExceeded"));
        }
        if all >= MAX_ENVIRONMENTS {
            return Err(throttled("ConcurrentInvocationLimitExceeded"));
        }
        pools.entry(function.name.clone()).or_default().busy += 1;
        Ok(Slot { environments: Arc::clone(self), function: function.name.clone() })
    }

    /// Ends the idle environments of a function that is another now, or gone.
    pub(super) fn retire(endpoint: &Endpoint, function: &str) {
        let environments = Self::of(endpoint);
        let idle = environments.pools().get_mut(function).map(|pool| std::mem::take(&mut pool.idle));
        idle.into_iter().flatten().for_each(|idle| idle.end(endpoint));
    }

    /// Ends the idle environments of all functions that are others now, or gone.
    pub(super) fn retire_all(endpoint: &Endpoint) {
        let names: Vec<String> = Self::of(endpoint).pools().keys().cloned().collect();
        for name in names {
            let function = endpoint.store.read(|tx| tx.get::<Function>(&name)).ok().flatten();
            let generation = function.map(|function| function.generation);
            let is_of_now = |idle: &Idle| Some(&idle.environment.generation) == generation.as_ref();
            let environments = Self::of(endpoint);
            let old = environments.pools().get_mut(&name).map(|pool| {
                let (kept, old) = std::mem::take(&mut pool.idle).into_iter().partition(is_of_now);
                pool.idle = kept;
                old
            });
            old.into_iter().flatten().for_each(|idle: Idle| idle.end(endpoint));
        }
    }

    /// The environment `id`, if it is idle still.
    fn remove(&self, function: &str, id: &str) -> Option<Environment> {
        let mut pools = self.pools();
        let pool = pools.get_mut(function)?;
        let position = pool.idle.iter().position(|idle| idle.environment.id == id)?;
        let idle = pool.idle.remove(position);
        if pool.busy == 0 && pool.idle.is_empty() {
            pools.remove(function);
        }
        Some(idle.environment)
    }

    fn freeze(&self, function: &str, id: &str) {
        let mut pools = self.pools();
        let idle = pools.get_mut(function).into_iter().flat_map(|pool| &mut pool.idle);
        idle.filter(|idle| idle.environment.id == id).for_each(|idle| idle.environment.freeze());
    }

    /// Takes the idle environment that was used the longest ago out of those of a function that has one.
    fn oldest(&self) -> Option<Idle> {
        let mut pools = self.pools();
        let count: usize = pools.values().map(|pool| pool.busy + pool.idle.len()).sum();
        let pool = pools.values_mut().find(|pool| !pool.idle.is_empty()).filter(|_| count > MAX_ENVIRONMENTS)?;
        Some(pool.idle.remove(0))
    }
}

impl Idle {
    fn end(self, endpoint: &Endpoint) {
        self.reaper.abort();
        self.environment.discard(endpoint);
    }
}

impl Slot {
    /// An idle environment of the function as it is.
    pub(super) fn take(&self, endpoint: &Endpoint, function: &Function) -> Option<Environment> {
        loop {
            let idle = self.environments.pools().get_mut(&self.function)?.idle.pop();
            let Some(Idle { mut environment, reaper }) = idle else { break };
            reaper.abort();
            if environment.is_fit(function) {
                return Some(environment);
            }
            environment.discard(endpoint);
        }
        // One more is about to be started.
        while let Some(idle) = self.environments.oldest() {
            idle.end(endpoint);
        }
        None
    }

    /// Gives an environment back, to the next event of the function.
    pub(super) fn put_back(self, endpoint: &Arc<Endpoint>, environment: Environment) {
        let function = endpoint.store.read(|tx| tx.get::<Function>(&self.function));
        if !function.is_ok_and(|it| it.is_some_and(|function| function.generation == environment.generation)) {
            return environment.discard(endpoint);
        }
        let reaper = tokio::spawn(reap(Arc::downgrade(endpoint), self.function.clone(), &environment)).abort_handle();
        if let Some(pool) = self.environments.pools().get_mut(&self.function) {
            pool.idle.push(Idle { environment, reaper });
        }
    }
}

/// Freezes an idle environment when its process waits for the next event, and ends it when none comes.
fn reap(
    endpoint: std::sync::Weak<Endpoint>,
    function: String,
    environment: &Environment,
) -> impl Future<Output = ()> + Send + 'static {
    let (id, exchange) = (environment.id.clone(), Arc::clone(&environment.api.exchange));
    async move {
        tokio::select! {
            () = exchange.is_asked() => {}
            () = tokio::time::sleep(REST) => {}
        }
        if let Some(endpoint) = endpoint.upgrade() {
            Environments::of(&endpoint).freeze(&function, &id);
        }
        tokio::time::sleep(IDLE).await;
        let Some(endpoint) = endpoint.upgrade() else { return };
        if let Some(environment) = Environments::of(&endpoint).remove(&function, &id) {
            environment.discard(&endpoint);
        }
    }
}

fn throttled(reason: &str) -> ApiError {
    refused("TooManyRequestsException", 429, "Rate Exceeded.").with("Reason", reason)
}
