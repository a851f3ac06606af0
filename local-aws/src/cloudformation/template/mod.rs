//! The template language: text to declarations to values. Pure: no store, no I/O.
//!
//! # Layout
//! In reading order:
//! - `document`, `yaml`, `json`: the text to one plain value in the long form of every function
//! - `number`: numbers, read and written
//! - `place`: where in the template something is, and the errors that say so
//! - `declared`: what a template declares; `parse`: the sections of the document to a [`Template`]
//! - `parameters`, `parameter_types`, `allowed_pattern`: declarations, and the values that a call gives for them
//! - `function`: the syntax of each intrinsic function; `sub`: the text of `Fn::Sub`
//! - `conditions`: which are true; `active`: which resources exist by them
//! - `resolve`: a [`Scope`] turns what a template says into values; `intrinsics`, `cidr`: the functions that do
//! - `unknown`: values that are known only after something has been created
//! - `dependencies`: what has to be there before what
//! - `validate`: everything that can be known before anything is created
//!
//! An operation goes `Template::parse` -> `validate::references` -> `parameters::bind` -> `validate::resources` (plans
//! with unknown values) -> for each resource in the order of `dependencies`: [`Scope::properties`] ->
//! `schema::Schema::prepare` -> the resource type.

mod active;
mod allowed_pattern;
mod cidr;
pub(crate) mod conditions;
mod declared;
pub(crate) mod dependencies;
mod document;
mod function;
mod intrinsics;
mod json;
pub(crate) mod number;
mod parameter_types;
pub(crate) mod parameters;
mod parse;
mod place;
pub(crate) mod resolve;
mod sub;
pub(crate) mod unknown;
pub(crate) mod validate;
mod yaml;

pub(crate) use declared::{DeletionPolicy, Environment, Parameter, Template};
pub(crate) use document::MAX_BODY;
pub(crate) use parameters::Parameters;
pub(crate) use place::Place;
pub(crate) use resolve::{Output, Scope};

#[cfg(test)]
mod tests;
