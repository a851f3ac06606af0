//! The endpoint as its users see it: real AWS SDK clients against a server on a free port.

mod cloudformation;
mod dynamodb;
mod harness;
mod logs;
