//! IAM's policy language.
//!
//! - `document`: what documents say about a request; `condition`: under which circumstances
//! - `parse`: from JSON to a document; `refusal`: why not

mod condition;
mod document;
mod parse;
mod refusal;

pub(crate) use document::{Decision, Document, Kind, Request, evaluate};
