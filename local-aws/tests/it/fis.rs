//! FIS, with real tasks.

mod experiments;
mod lab;
mod tasks;
mod templates;
