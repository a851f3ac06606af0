//! Values that are known only after something has been created, in plans.
//!
//! A plan resolves a template before its resources are there. What a resource will give is then a mark: a string that
//! no template can contain, and that stays recognisable inside `Fn::Join` and `Fn::Sub`.

use serde_json::Value;

/// No template and no parameter may contain it; see `Template::parse` and `parameters::bind`.
pub(crate) const MARK: char = '\u{0}';

/// What DescribeChangeSet shows for a value that is not known yet.
pub(crate) const KNOWN_AFTER_APPLY: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

/// The mark of `Ref` (no attribute) or `Fn::GetAtt`.
pub(crate) fn value(_logical_id: &str, _attribute: Option<&str>) -> Value {
    unimplemented!()
}

/// Whether the value is, or contains, something unknown.
pub(crate) fn is_in(_value: &Value) -> bool {
    unimplemented!()
}

/// The value as a change set shows it: AWS's words in place of marks.
pub(crate) fn shown(_value: &Value) -> Value {
    unimplemented!()
}
