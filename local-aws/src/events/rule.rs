//! A rule: which events, or when, and to whom.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::pattern::Pattern;
use super::refusal::{check_length, check_name, constraint, invalid, not_found};
use super::schedule::Schedule;
use super::target::Target;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::outbox;
use crate::store::{Record, Tx};

/// Targets that a rule may have.
const MAX_TARGETS: usize = 5;

/// Rules that a bus may have.
const MAX_RULES: usize = 300;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum State {
    #[default]
    Enabled,
    Disabled,
}

impl State {
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        match text {
            "ENABLED" => Ok(Self::Enabled),
            "DISABLED" => Ok(Self::Disabled),
            "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" => {
                Err(ApiError::unsupported(format!("The State {text} of a rule")))
            }
            other => Err(constraint(
                "state",
                other,
                "satisfy enum value set: [ENABLED, DISABLED, ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS]",
            )),
        }
    }
}

/// What PutRule and templates say of a rule, but for its name, targets and tags.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) event_pattern: Option<String>,
    pub(crate) schedule_expression: Option<String>,
    pub(crate) state: State,
    pub(crate) description: Option<String>,
    pub(crate) role_arn: Option<String>,
}

impl Settings {
    /// Refuses what AWS refuses.
    pub(super) fn check(&self) -> Result<(), ApiError> {
        check_length("description", self.description.as_deref(), 512)?;
        check_length("eventPattern", self.event_pattern.as_deref(), 4096)?;
        check_length("scheduleExpression", self.schedule_expression.as_deref(), 256)?;
        if self.event_pattern.is_none() && self.schedule_expression.is_none() {
            return Err(invalid("Parameter(s) EventPattern or ScheduleExpression must be specified."));
        }
        if let Some(pattern) = &self.event_pattern {
            Pattern::compile(pattern)?;
        }
        if let Some(expression) = &self.schedule_expression {
            Schedule::parse(expression)?;
        }
        Ok(())
    }
}

/// The record of a rule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) settings: Settings,
    pub(crate) targets: Vec<Target>,
    pub(crate) tags: BTreeMap<String, String>,
    /// When it was made, changed or enabled: a rate counts from here.
    pub(super) since: DateTime<Utc>,
}

impl Record for Rule {
    const KIND: &'static str = "events.rule";
    fn id(&self) -> String {
        self.name.clone()
    }
}

impl Rule {
    /// Makes the rule, or gives one that is there these settings: what they do not say is gone.
    pub(crate) fn put(endpoint: &Endpoint, tx: &Tx<'_>, name: &str, settings: Settings) -> Result<Self, ApiError> {
        check_name("name", name)?;
        settings.check()?;
        let rule = match tx.get::<Self>(name)? {
            Some(rule) => Self { settings, since: Utc::now(), ..rule },
            None if tx.list::<Self>()?.len() >= MAX_RULES => return Err(limit_exceeded()),
            None => Self {
                name: name.to_owned(),
                arn: endpoint.arn("events", &format!("rule/{name}")),
                settings,
                targets: Vec::new(),
                tags: BTreeMap::new(),
                since: Utc::now(),
            },
        };
        rule.save(endpoint, tx)?;
        Ok(rule)
    }

    /// Adds targets, and puts those whose ids are there in the places of the old ones.
    pub(crate) fn put_targets(
        &mut self,
        endpoint: &Endpoint,
        tx: &Tx<'_>,
        targets: Vec<Target>,
    ) -> Result<(), ApiError> {
        for (number, target) in targets.into_iter().enumerate() {
            target.check(number + 1)?;
            match self.targets.iter_mut().find(|known| known.id == target.id) {
                Some(known) => *known = target,
                None => self.targets.push(target),
            }
        }
        if self.targets.len() > MAX_TARGETS {
            return Err(limit_exceeded());
        }
        self.save(endpoint, tx)
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.settings.state == State::Enabled
    }

    /// Writes the record, and whether the rule wants events.
    pub(crate) fn save(&self, endpoint: &Endpoint, tx: &Tx<'_>) -> Result<(), ApiError> {
        tx.put(self)?;
        if self.is_enabled() && self.settings.event_pattern.is_some() {
            outbox::listen(tx, &self.name)?;
        } else {
            outbox::leave(tx, &self.name)?;
        }
        // It may be due before what is being waited for.
        outbox::Bell::of(endpoint).ring();
        Ok(())
    }

    /// Deletes the rule with its targets; says whether it was there.
    pub(crate) fn delete(tx: &Tx<'_>, name: &str) -> Result<bool, ApiError> {
        outbox::leave(tx, name)?;
        tx.delete::<Self>(name)
    }

    /// The rule of this name.
    pub(crate) fn find(tx: &Tx<'_>, name: &str) -> Result<Self, ApiError> {
        check_name("name", name)?;
        tx.get(name)?.ok_or_else(|| not_found(format!("Rule {name} does not exist on EventBus default.")))
    }
}

fn limit_exceeded() -> ApiError {
    ApiError::new("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
}
