//! The gate: lets the requests of a cluster's tasks through in a given order, and cuts tasks off in the middle of one.
//!
//! It is the endpoint's own and no service of AWS. Every durable effect of a worker is a signed request of its task, so who
//! holds the gate decides what has happened when the task dies. A cluster without a gate, and whoever is no task of the
//! cluster, notices nothing.
//!
//! # Layout
//! - `script`: whose turn it is, for how many requests, and what ends it
//! - `record`: what came of each request
//! - `gates`: the gates of the endpoint, in memory only
//! - `passage`: a request's way through
//! - `calls`: the operations; `refusal`: what they refuse

mod calls;
mod gates;
mod passage;
mod record;
mod refusal;
mod script;

pub(crate) use self::passage::enter;
use crate::service::{Operation, Service};
use crate::wire;

pub(crate) static SERVICE: Service = Service::new(
    "Gate (the endpoint's own)",
    wire::Service::json("gate", "1.1", &["FisWorkshopGate"]),
    refusal::INVALID,
    &[
        Operation::now("DeleteGate", |call| Ok(calls::delete_gate(&call.endpoint, &call.decode()?))),
        Operation::while_asked("DescribeGate", |call| Box::pin(calls::describe_gate(call))),
        Operation::now("PutGate", |call| calls::put_gate(&call.endpoint, call.decode()?)),
    ],
);

#[cfg(test)]
mod tests;
