use super::ResourceType;

pub(super) const TYPES: &[&dyn ResourceType] = &[];
