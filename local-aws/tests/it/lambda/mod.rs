//! Functions as real processes, called with AWS's own client library.

mod asynchronous;
mod calls;
mod invocations;
mod kill;
mod stacks;
mod stage;
