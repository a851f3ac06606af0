//! `AWS::Lambda::Function`, `AWS::Lambda::Permission`, `AWS::Lambda::EventInvokeConfig`.

mod event_invoke_config;
mod function;
mod permission;

use super::resource_type::ResourceType;

pub(super) const TYPES: &[&dyn ResourceType] =
    &[&function::FunctionType, &permission::PermissionType, &event_invoke_config::EventInvokeConfigType];
