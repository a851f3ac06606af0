//! CloudFormation: stacks as they are, and their deletion.

mod change_set;
mod delete;
mod deploy;
mod follow;
mod ownership;
pub(crate) mod status;

pub(crate) use change_set::{Change, Drift, Property};
pub(crate) use delete::delete;
pub(crate) use deploy::{Action, Proposal, execute, propose, settle};
pub(crate) use follow::{Event, Follower};
pub(crate) use ownership::{check_deletable, check_ours};

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::{self, StackStatus};

use super::clients::Clients;
use super::tasks::timestamp;
use crate::environment::{MADE_BY_TAG, OUR_TAGS};
use crate::error::{Doing, Error, Result};

/// A stack as we want it.
#[derive(Debug, Clone)]
pub(crate) struct StackSpec {
    pub(crate) name: String,
    pub(crate) template: &'static str,
    /// Values of its parameters; a stack that exists keeps the values of those that are not named.
    pub(crate) parameters: BTreeMap<String, String>,
    /// Values that only a stack gets that is new: what was chosen then is kept.
    pub(crate) at_creation: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// What somebody has changed by hand stays so.
    pub(crate) leaves_drift: bool,
}

impl StackSpec {
    /// Takes over what somebody has set in the stack that this one replaces.
    pub(crate) fn keep_parameters(&mut self, replaced: &Stack) {
        for (key, value) in &replaced.parameters {
            if !self.parameters.contains_key(key) && self.declares(key) {
                self.parameters.insert(key.clone(), value.clone());
            }
        }
    }

    /// Takes over the tags that others have put on the stack, an organisation for example: they are no reason to change it,
    /// and a change must not take them away.
    pub(crate) fn keep_tags(&mut self, stack: &Stack) {
        for (key, value) in stack.tags.iter().filter(|(key, _)| !key.starts_with(OUR_TAGS)) {
            self.tags.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }

    /// A parameter that a newer template does not have any more must not be named.
    fn declares(&self, parameter: &str) -> bool {
        self.template.lines().any(|line| line.strip_prefix("  ").is_some_and(|line| line == format!("{parameter}:")))
    }
}

/// A stack as it is.
#[derive(Debug, Clone)]
pub(crate) struct Stack {
    pub(crate) name: String,
    /// Its ARN, which still names it when it is deleted.
    pub(crate) id: String,
    pub(crate) status: StackStatus,
    /// When it was made, in RFC 3339.
    pub(crate) created_at: Option<String>,
    /// Why, if AWS says.
    pub(crate) reason: Option<String>,
    /// Outputs by key.
    pub(crate) outputs: BTreeMap<String, String>,
    /// Parameters by key.
    pub(crate) parameters: BTreeMap<String, String>,
    /// Tags by key.
    pub(crate) tags: BTreeMap<String, String>,
    /// CloudFormation refuses to delete it as long as this is so.
    pub(crate) termination_protection: bool,
}

impl Stack {
    /// The output `key`.
    ///
    /// # Errors
    /// When the stack does not have it, for example because it is not complete.
    pub(crate) fn output(&self, key: &str) -> Result<&str> {
        self.outputs.get(key).map(String::as_str).ok_or_else(|| {
            Error::failed(format!("The stack {} ({}) has no output {key}.", self.name, self.status))
                .hint("`fis-workshop up` completes or updates it.")
        })
    }

    /// Whether `lab` has made it, for itself.
    pub(crate) fn is_made_by_lab(&self) -> bool {
        let (key, value) = MADE_BY_TAG;
        self.tags.get(key).is_some_and(|maker| maker == value)
    }

    /// Whether an operation is under way.
    pub(crate) fn is_busy(&self) -> bool {
        !status::meaning(self.status.as_str()).settled
    }

    /// A complete one, for tests.
    #[cfg(test)]
    pub(crate) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            id: name.to_owned(),
            status: StackStatus::CreateComplete,
            created_at: None,
            reason: None,
            outputs: BTreeMap::new(),
            parameters: BTreeMap::new(),
            tags: BTreeMap::new(),
            termination_protection: false,
        }
    }

    /// A stack that has nothing but change sets.
    fn is_shell(&self) -> bool {
        status::meaning(self.status.as_str()).category == status::Category::Review
    }

    fn of(stack: &types::Stack) -> Self {
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        let outputs = stack.outputs().iter().map(|o| (text(o.output_key()), text(o.output_value())));
        let parameters = stack.parameters().iter().map(|p| (text(p.parameter_key()), text(p.parameter_value())));
        let tags = stack.tags().iter().map(|tag| (text(tag.key()), text(tag.value())));
        Self {
            name: text(stack.stack_name()),
            id: text(stack.stack_id()),
            // AWS names one of every stack.
            status: stack.stack_status().cloned().unwrap_or_else(|| StackStatus::from("unknown")),
            created_at: stack.creation_time().and_then(timestamp),
            reason: stack.stack_status_reason().map(str::to_owned),
            outputs: outputs.collect(),
            parameters: parameters.collect(),
            tags: tags.collect(),
            termination_protection: stack.enable_termination_protection().unwrap_or_default(),
        }
    }
}

/// The stack with this name (or ARN), unless there is none.
pub(crate) async fn find(clients: &Clients, name: &str) -> Result<Option<Stack>> {
    let answer = clients.cloudformation.describe_stacks().stack_name(name).send().await;
    match answer.doing(format_args!("Describing the stack {name}")) {
        Ok(answer) => Ok(answer.stacks().first().map(Stack::of)),
        Err(error) if does_not_exist(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// All stacks of the account in this region.
pub(crate) async fn all(clients: &Clients) -> Result<Vec<Stack>> {
    let mut stacks = Vec::new();
    let mut next = None;
    loop {
        let page =
            clients.cloudformation.describe_stacks().set_next_token(next).send().await.doing("Listing the stacks")?;
        stacks.extend(page.stacks().iter().map(Stack::of));
        next = page.next_token().map(str::to_owned);
        if next.is_none() {
            return Ok(stacks);
        }
    }
}

/// CloudFormation has no error of its own for that.
fn does_not_exist(error: &Error) -> bool {
    error.has_code(&["ValidationError"]) && error.aws_message().contains("does not exist")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_that_is_made_again_keeps_the_parameters_that_its_template_still_has() {
        let mut spec = StackSpec {
            name: "FisStopTaskStack".into(),
            template: crate::render::WORKSHOP,
            parameters: BTreeMap::from([("SubnetIds".into(), "new".into())]),
            at_creation: BTreeMap::new(),
            tags: BTreeMap::new(),
            leaves_drift: false,
        };
        let before = [("SubnetIds", "old"), ("ItemSeconds", "5"), ("Gone", "x")];
        let parameters = before.map(|(key, value)| (key.to_owned(), value.to_owned()));
        spec.keep_parameters(&Stack { parameters: parameters.into(), ..Stack::named("FisStopTaskStack") });
        let kept = [("ItemSeconds".to_owned(), "5".to_owned()), ("SubnetIds".to_owned(), "new".to_owned())];
        assert_eq!(spec.parameters, BTreeMap::from(kept));
    }
}
