//! What a service of the endpoint is: a row of data, of which dispatch, the reference page and the tests are made.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinSet};

use crate::auth::Caller;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;
use crate::wire;

/// One service.
pub(crate) struct Service {
    /// How it is spoken to.
    pub(crate) wire: wire::Service,
    /// Its title in the reference.
    pub(crate) title: &'static str,
    /// Its code for a wrong parameter.
    pub(crate) invalid: &'static str,
    pub(crate) operations: &'static [Operation],
    /// Makes an input ready to be read.
    pub(crate) prepare: fn(&mut Value),
    /// Takes up what an earlier endpoint left unfinished.
    pub(crate) resume: fn(&Arc<Endpoint>) -> Result<(), ApiError>,
    /// Forgets what AWS would not show any more.
    pub(crate) forget: fn(&Tx<'_>, DateTime<Utc>) -> Result<(), ApiError>,
    /// Its tagged resources, for the tagging service.
    pub(crate) tagged: fn(&Endpoint, &Tx<'_>) -> Result<Vec<Tagged>, ApiError>,
    /// What a role must be allowed for a call.
    pub(crate) needs: Needs,
    /// The policy of the resource with this ARN, if it has one.
    pub(crate) resource_policy: fn(&Tx<'_>, &str) -> Result<Option<Value>, ApiError>,
}

impl Service {
    /// A service with no background work and no tagged resources, whose actions are not about single resources.
    pub(crate) const fn new(
        title: &'static str,
        wire: wire::Service,
        invalid: &'static str,
        operations: &'static [Operation],
    ) -> Self {
        Self {
            wire,
            title,
            invalid,
            operations,
            prepare: |_| {},
            resume: |_| Ok(()),
            forget: |_, _| Ok(()),
            tagged: |_, _| Ok(Vec::new()),
            needs: |call| Ok(vec![Need::of(call, "*")]),
            resource_policy: |_, _| Ok(None),
        }
    }

    /// The operation of this name.
    ///
    /// # Errors
    /// When the service does not do it.
    pub(crate) fn operation(&self, name: &str) -> Result<&'static Operation, ApiError> {
        let operation = self.operations.iter().find(|operation| operation.name == name);
        operation.ok_or_else(|| ApiError::unknown_operation(self.wire.signing_name, name))
    }
}

/// One operation of a service.
pub(crate) struct Operation {
    /// Its name in the AWS model, e.g. `RunTask`.
    pub(crate) name: &'static str,
    pub(crate) run: Run,
}

/// How an operation is done.
pub(crate) enum Run {
    /// At once: in short transactions, without waiting for anything.
    Now(fn(Call) -> Result<Value, ApiError>),
    /// With work that keeps a processor busy for a while.
    AtLength(fn(Call) -> Result<Value, ApiError>),
    /// In its own time.
    Later(fn(Call) -> Answer),
    /// The same as long as the caller is there: with his connection it ends, wherever it is.
    WhileAsked(fn(Call) -> Answer),
}

/// An answer that is waited for.
pub(crate) type Answer = Pending<Result<Value, ApiError>>;

/// Something that is waited for.
pub(crate) type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl Operation {
    pub(crate) const fn now(name: &'static str, run: fn(Call) -> Result<Value, ApiError>) -> Self {
        Self { name, run: Run::Now(run) }
    }

    pub(crate) const fn at_length(name: &'static str, run: fn(Call) -> Result<Value, ApiError>) -> Self {
        Self { name, run: Run::AtLength(run) }
    }

    pub(crate) const fn later(name: &'static str, run: fn(Call) -> Answer) -> Self {
        Self { name, run: Run::Later(run) }
    }

    pub(crate) const fn while_asked(name: &'static str, run: fn(Call) -> Answer) -> Self {
        Self { name, run: Run::WhileAsked(run) }
    }
}

/// One call of an operation.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) caller: Caller,
    pub(crate) service: &'static Service,
    pub(crate) operation: &'static Operation,
    /// The input in the model's member names; scalars of the query protocols are strings.
    pub(crate) input: Value,
    /// The request's body as it came.
    pub(crate) body: Bytes,
}

impl Call {
    /// Reads the input into the operation's type.
    ///
    /// # Errors
    /// The service's for a wrong parameter. Input types deny unknown fields, so a member that this endpoint does not do
    /// is refused by name.
    pub(crate) fn decode<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        self.decode_or(self.service.invalid)
    }

    /// The same with another code for a wrong parameter.
    pub(crate) fn decode_or<T: DeserializeOwned>(&self, invalid: &str) -> Result<T, ApiError> {
        wire::read(invalid, self.operation.name, &self.input)
    }

    /// Does what the call says, on the runtime of the background.
    pub(crate) async fn run(self, background: &Handle) -> Result<Value, ApiError> {
        let answer = match self.operation.run {
            // A thread of its own: it waits for nobody's turn.
            Run::Now(run) => background.spawn_blocking(move || run(self)),
            // In turn, on the threads of that runtime, which are few.
            Run::AtLength(run) => background.spawn(async move { run(self) }),
            Run::Later(run) => background.spawn(run(self)),
            Run::WhileAsked(run) => {
                let mut one = JoinSet::new();
                one.spawn_on(run(self), background);
                let answer = one.join_next().await.unwrap_or(Ok(Err(ApiError::internal("The call was not begun."))));
                return answer.map_err(cut_short)?;
            }
        };
        answer.await.map_err(cut_short)?
    }
}

fn cut_short(error: JoinError) -> ApiError {
    ApiError::internal(format!("The call was cut short: {error}"))
}

/// A resource with its tags, as each service lists them in its `tagged` function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tagged {
    pub(crate) arn: String,
    pub(crate) tags: BTreeMap<String, String>,
}

/// Says what a role must be allowed for a call.
pub(crate) type Needs = fn(&Call) -> Result<Vec<Need>, ApiError>;

/// An action on a resource that a role must be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Need {
    /// E.g. `dynamodb:PutItem`.
    pub(crate) action: String,
    /// An ARN, or `*` for actions without resource.
    pub(crate) resource: String,
    /// Condition keys and their values, e.g. `ecs:cluster`.
    pub(crate) conditions: BTreeMap<String, String>,
}

impl Need {
    pub(crate) fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into(), conditions: BTreeMap::new() }
    }

    /// The action of the call's own name.
    pub(crate) fn of(call: &Call, resource: impl Into<String>) -> Self {
        Self::new(format!("{}:{}", call.service.wire.iam_prefix(), call.operation.name), resource)
    }

    #[must_use]
    pub(crate) fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.conditions.insert(key.into(), value.into());
        self
    }
}

/// A way into the endpoint beside the AWS protocols: without a signature, or with another log-in.
pub(crate) struct Door {
    pub(crate) is_for: fn(&Parts) -> bool,
    pub(crate) handle: fn(Arc<Endpoint>, Parts, Body) -> Pending<Response>,
}
