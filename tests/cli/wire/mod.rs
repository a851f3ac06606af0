//! What goes over the wire between the deployer and AWS: a loopback proxy in front of the endpoint that notes every call
//! of the deployer, and does to some of them what networks and AWS do.
//!
//! The deployer runs with `--target aws`, as in an account: nothing in it knows of the proxy.

mod call;
mod fault;
mod proxy;

pub(crate) use call::Call;
pub(crate) use fault::{Answer, Fault};
pub(crate) use proxy::Proxy;
