//! The texts of templates. A stack's record is read at every step of each of its resources, so the text is not in it;
//! and forty environments that are made of one text have it once.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::change_set::ChangeSet;
use super::stack::{Stack, Target};
use crate::error::ApiError;
use crate::images::digest;
use crate::store::{Record, Tx};

/// A text.
#[derive(Serialize, Deserialize)]
pub(super) struct TemplateText {
    pub(super) id: String,
    pub(super) text: String,
}

impl Record for TemplateText {
    const KIND: &'static str = "cloudformation.template";
    fn id(&self) -> String {
        self.id.clone()
    }
}

impl TemplateText {
    pub(super) fn new(text: String) -> Self {
        Self { id: digest(text.as_bytes()), text }
    }

    /// The text that this is made of; none for a stack that no change set has made yet.
    pub(super) fn of(tx: &Tx<'_>, target: &Target) -> Result<String, ApiError> {
        if target.template_id.is_empty() {
            return Ok(String::new());
        }
        let text = tx.get::<Self>(&target.template_id)?.map(|it| it.text);
        text.ok_or_else(|| ApiError::internal(format!("The template {} is not in the state.", target.template_id)))
    }
}

/// Deletes the texts that nothing is made of any more.
pub(super) fn forget(tx: &Tx<'_>) -> Result<(), ApiError> {
    let mut used = BTreeSet::new();
    tx.each(|stack: Stack| {
        let targets = [Some(stack.target), stack.stable];
        used.extend(targets.into_iter().flatten().map(|target| target.template_id));
    })?;
    tx.each(|set: ChangeSet| {
        used.insert(set.target.template_id);
    })?;
    let mut unused = Vec::new();
    tx.each(|text: TemplateText| {
        if !used.contains(&text.id) {
            unused.push(text.id);
        }
    })?;
    unused.iter().try_for_each(|id| tx.delete::<TemplateText>(id).map(|_| ()))
}
