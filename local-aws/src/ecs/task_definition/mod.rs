//! A task definition: its record, what it may say, and what is checked.

mod input;
mod record;
mod validate;

pub(crate) use input::{ContainerDefinition, KeyValuePair, RegisterTaskDefinition};
pub(crate) use record::{DefinitionStatus, TaskDefinition};
pub(super) use record::{Family, role_arn};
pub(super) use validate::{fargate_size, validate};
