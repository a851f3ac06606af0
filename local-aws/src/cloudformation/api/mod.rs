//! The calls on stacks: one file for each family, one function for each call.

pub(super) mod create;
pub(super) mod delete;
pub(super) mod describe;
pub(super) mod events;
pub(super) mod exports;
pub(super) mod resources;
pub(super) mod templates;
pub(super) mod update;
