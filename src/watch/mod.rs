//! The live page of an environment: looked at for all viewers at once, rendered here, sent to browsers as it changes.
//!
//! # Layout
//! - `look`: the questions to AWS, and how often
//! - `seen`: what is seen at one moment, and what follows from it
//! - `step`: what comes next in the chapter
//! - `page`: the same as HTML, made of `parts` and the buttons of `act`; `lines`: as lines
//! - `server`: the page and its events; `guard`: who gets them
//! - `show`: from looks to viewers

mod act;
mod guard;
mod lines;
mod look;
mod page;
mod parts;
mod seen;
mod server;
mod show;
mod step;

pub(crate) use self::show::{Subject, in_browser, in_lines};
