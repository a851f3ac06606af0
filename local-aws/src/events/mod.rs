//! EventBridge.
//!
//! - `pattern`, `schedule`, `transform`: what a rule waits for, when it is due, and what its target gets

mod pattern;
mod schedule;
mod transform;
