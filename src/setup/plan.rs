//! What `up` would change.

use std::fmt;

use serde::Serialize;

use super::prepare::{Outlook, Preparation, PreparedEnvironment, prepare};
use super::{Scene, Wanted};
use crate::aws::stack::{Action, Change, Drift, Property, Proposal};
use crate::environment::{Environment, NETWORK_STACK};
use crate::error::Result;
use crate::render;
use crate::ui::{BAD, FAINT, GOOD, NOTICE, paint};

/// What is to be done with the stacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Plan {
    /// The network first, then each environment.
    pub(crate) stacks: Vec<StackPlan>,
    /// Whether there is anything to do.
    pub(crate) changes: bool,
}

/// What is to be done with one stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct StackPlan {
    pub(crate) stack: String,
    pub(crate) action: Action,
    /// Resource by resource.
    pub(crate) changes: Vec<Change>,
    /// Why what was changed by hand is not looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) obstacle: Option<String>,
}

impl Plan {
    /// The plan to show; environments that cannot be planned are not in it.
    pub(super) fn of(preparation: &Preparation) -> Result<Self> {
        let mut stacks = vec![match preparation.network.proposal() {
            Some(proposal) if proposal.action == Action::Recreate => {
                StackPlan { changes: additions(render::NETWORK)?, ..StackPlan::of(proposal) }
            }
            Some(proposal) => StackPlan::of(proposal),
            None => StackPlan::bare(NETWORK_STACK.to_owned(), Action::Follow),
        }];
        for environment in &preparation.environments {
            if let Ok(outlook) = &environment.outlook {
                stacks.push(StackPlan::of_environment(environment, outlook)?);
            }
        }
        let changes = stacks.iter().any(|stack| stack.action != Action::None);
        Ok(Self { stacks, changes })
    }

    /// What somebody has done by hand and `up` undoes, a line for each resource.
    pub(super) fn by_hand(&self) -> Vec<String> {
        self.stacks.iter().flat_map(StackPlan::by_hand).collect()
    }
}

impl StackPlan {
    /// What somebody has done by hand and the plan undoes, a line for each resource.
    pub(super) fn by_hand(&self) -> Vec<String> {
        let changes = self.changes.iter();
        let changes =
            changes.flat_map(|change| by_hand(change).into_iter().map(|line| format!("{} {line}.", change.logical_id)));
        self.not_looked_for().into_iter().chain(changes).map(|line| format!("{}: {line}", self.stack)).collect()
    }

    pub(super) fn of(proposal: &Proposal) -> Self {
        let Proposal { spec, action, changes, obstacle, .. } = proposal;
        Self { stack: spec.name.clone(), action: *action, changes: changes.clone(), obstacle: obstacle.clone() }
    }

    fn of_environment(environment: &PreparedEnvironment, outlook: &Outlook) -> Result<Self> {
        let stack = environment.environment.stack_name();
        Ok(match outlook {
            Outlook::Proposed(proposal) => Self::of(proposal),
            Outlook::AwaitsNetwork if environment.exists => Self::bare(stack, Action::Update),
            // Its parameters are not known yet, but its resources do not depend on them.
            Outlook::AwaitsNetwork => {
                Self { changes: additions(render::WORKSHOP)?, ..Self::bare(stack, Action::Create) }
            }
            Outlook::Busy => Self::bare(stack, Action::Follow),
        })
    }

    /// Why CloudFormation puts back nothing, and what does.
    fn not_looked_for(&self) -> Option<String> {
        let why = self.obstacle.as_ref()?;
        let anew = Environment::of_stack(&self.stack).map(|environment| environment.flag());
        let anew = anew.map(|flag| format!(" `fis-workshop regenerate{flag}` makes the environment anew."));
        Some(format!("What was changed by hand is not put back: {why}.{}", anew.unwrap_or_default()))
    }

    fn bare(stack: String, action: Action) -> Self {
        Self { stack, action, changes: Vec::new(), obstacle: None }
    }
}

fn additions(template: &str) -> Result<Vec<Change>> {
    let resources = render::unconditional_resources(template)?;
    Ok(resources.into_iter().map(|(id, kind)| Change::add(id, kind)).collect())
}

/// The plan, with nothing left behind of it.
pub(crate) async fn plan(scene: Scene<'_>, wanted: Wanted<'_>) -> Result<Plan> {
    let preparation = prepare(scene, wanted).await?;
    let plan = Plan::of(&preparation)?;
    preparation.discard(scene).await?;
    match preparation.environments.into_iter().find_map(|environment| environment.outlook.err()) {
        Some(error) => Err(error),
        None => Ok(plan),
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stacks.iter().try_for_each(|stack| write!(f, "{stack}"))
    }
}

impl fmt::Display for StackPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let todo = match self.action {
            Action::None => "no changes".to_owned(),
            Action::Create => format!("create, {} resources", self.changes.len()),
            Action::Update if self.changes.is_empty() => "planned when the network is there again".to_owned(),
            Action::Update => format!("update, {} changes", self.changes.len()),
            Action::Recreate => "delete what failed, then create".to_owned(),
            Action::Repair => "complete the rollback of a failed update, then update".to_owned(),
            Action::Follow => "somebody is at work on it; follow that, then look again".to_owned(),
        };
        writeln!(f, "{}: {todo}", self.stack)?;
        if let Some(line) = self.not_looked_for() {
            writeln!(f, "  {} {line}", paint(NOTICE, '!'))?;
        }
        self.changes.iter().try_for_each(|change| write_change(f, change))
    }
}

fn write_change(f: &mut fmt::Formatter<'_>, change: &Change) -> fmt::Result {
    let (symbol, style) = match (change.action.as_str(), &change.drift) {
        (_, Some(Drift::Deleted)) | ("Add" | "Import", _) => ('+', GOOD),
        ("Remove", _) => ('-', BAD),
        _ => ('~', NOTICE),
    };
    let replaced = match change.replacement.as_deref() {
        Some("True") => ", replaced",
        Some("Conditional") => ", perhaps replaced",
        _ => "",
    };
    let about = paint(FAINT, format_args!("({}{replaced})", change.resource_type));
    writeln!(f, "  {} {} {about}", paint(style, symbol), change.logical_id)?;
    by_hand(change).iter().try_for_each(|line| writeln!(f, "      {line}"))
}

/// What somebody has done to the resource, and what becomes of that.
fn by_hand(change: &Change) -> Vec<String> {
    match &change.drift {
        None => Vec::new(),
        Some(Drift::Synced) => vec!["was changed by hand to what the template says now".to_owned()],
        Some(Drift::Deleted) => {
            let lost = LOSES_DATA.iter().find(|(kind, _)| *kind == change.resource_type);
            let lost = lost.map(|(_, what)| format!("; it comes back empty: {what} are lost")).unwrap_or_default();
            vec![format!("was deleted by hand and is made again{lost}")]
        }
        Some(Drift::Modified(properties)) if properties.is_empty() => {
            vec!["was changed by hand and is put back".to_owned()]
        }
        Some(Drift::Modified(properties)) => {
            let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
            let line = |it: &Property| {
                format!("put back {}: live {}, template {}", it.path, shown(&it.live), shown(&it.template))
            };
            properties.iter().map(line).collect()
        }
    }
}

/// Types that hold what nobody can make again.
const LOSES_DATA: [(&str, &str); 3] = [
    ("AWS::DynamoDB::Table", "its items"),
    ("AWS::Logs::LogGroup", "its logs"),
    ("AWS::ECR::Repository", "its images"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_by_hand_is_shown_with_what_becomes_of_it() {
        let change = |action: &str, resource_type: &str, drift| Change {
            action: action.to_owned(),
            drift: Some(drift),
            ..Change::add("X".to_owned(), resource_type.to_owned())
        };
        let property = |path: &str, live: Option<&str>, template: Option<&str>| Property {
            path: path.to_owned(),
            live: live.map(str::to_owned),
            template: template.map(str::to_owned),
        };
        let modified = Drift::Modified(vec![
            property("RetentionInDays", Some("7"), Some("30")),
            property("Tags", None, Some("[]")),
        ]);
        let plan = StackPlan {
            changes: vec![
                // As AWS's own clients expect it, and as others have seen it.
                change("Add", "AWS::DynamoDB::Table", Drift::Deleted),
                change("Modify", "AWS::ECS::Cluster", Drift::Deleted),
                change("Modify", "AWS::Logs::LogGroup", modified),
                change("SyncWithActual", "AWS::Logs::LogGroup", Drift::Synced),
            ],
            obstacle: Some("User is not authorized".to_owned()),
            ..StackPlan::bare("FisStopTaskStack-a".to_owned(), Action::Update)
        };
        insta::assert_snapshot!(plan.to_string());
    }
}
