//! How far a run through the template is.

use std::collections::BTreeMap;

use super::run::Run;
use crate::cloudformation::compiled::Compiled;
use crate::cloudformation::export::Imports;
use crate::cloudformation::resources::Created;
use crate::cloudformation::stack::Stack;
use crate::cloudformation::stack_resource::StackResource;

/// What is decided by when a resource's turn comes.
pub(super) struct Pass {
    pub(super) run: Run,
    pub(super) stack: Stack,
    pub(super) compiled: Compiled,
    pub(super) imports: Imports,
    pub(super) resources: BTreeMap<String, StackResource>,
    /// Resources that are as the template wants them, for `Ref` and `Fn::GetAtt`.
    pub(super) created: BTreeMap<String, Created>,
}
