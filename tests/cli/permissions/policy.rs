//! An IAM policy, read without the endpoint's own reader: what it allows, and which of its parts did so.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Values of condition keys.
pub(super) type Context = BTreeMap<&'static str, String>;

/// What somebody wants to do.
#[derive(Debug, Clone)]
pub(super) struct Need {
    pub(super) action: String,
    /// An ARN, or `*` for actions that know no resource.
    pub(super) resource: String,
    pub(super) context: Context,
}

/// The `Allow` statements of a document; the lab's policies have no others.
#[derive(Debug)]
pub(super) struct Policy {
    statements: Vec<Statement>,
}

#[derive(Debug)]
pub(super) struct Statement {
    pub(super) id: String,
    pub(super) actions: Vec<String>,
    pub(super) resources: Vec<String>,
    conditions: Vec<(String, String, Vec<String>)>,
}

impl Policy {
    pub(super) fn of(document: &Value) -> Self {
        assert_eq!(document["Version"], "2012-10-17");
        let statements = list(&document["Statement"]).into_iter().map(Statement::of).collect();
        Self { statements }
    }

    pub(super) fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The statement that allows it.
    pub(super) fn allows(&self, need: &Need) -> Option<&Statement> {
        self.statements.iter().find(|statement| statement.allows(need))
    }

    /// Each statement's id with each of its actions.
    pub(super) fn parts(&self) -> BTreeSet<(String, String)> {
        let parts = self.statements.iter().flat_map(|s| s.actions.iter().map(|action| (s.id.clone(), action.clone())));
        parts.collect()
    }

    /// The actions that are allowed on resources that are not named.
    pub(super) fn unnamed(&self) -> BTreeSet<String> {
        let unnamed = self.statements.iter().filter(|statement| statement.resources.iter().any(|r| r == "*"));
        unnamed.flat_map(|statement| statement.actions.iter().cloned()).collect()
    }
}

impl Statement {
    fn of(statement: Value) -> Self {
        assert_eq!(statement["Effect"], "Allow", "{statement}");
        let mut conditions = Vec::new();
        for (operator, keys) in statement["Condition"].as_object().into_iter().flatten() {
            for (key, values) in keys.as_object().unwrap() {
                conditions.push((operator.clone(), key.clone(), texts(values)));
            }
        }
        let id = statement["Sid"].as_str().unwrap_or_default().to_owned();
        let (actions, resources) = (texts(&statement["Action"]), texts(&statement["Resource"]));
        assert!(!actions.iter().any(|action| action.contains('*')), "{id}: a wildcard among the actions");
        Self { id, actions, resources, conditions }
    }

    fn allows(&self, need: &Need) -> bool {
        self.actions.contains(&need.action)
            && self.resources.iter().any(|pattern| matches(pattern, &need.resource))
            && self.conditions.iter().all(|(operator, key, values)| {
                let Some(value) = need.context.get(key.as_str()) else { return false };
                match operator.as_str() {
                    "StringEquals" | "ForAnyValue:StringEquals" | "ArnEquals" => values.contains(value),
                    "StringLike" | "ArnLike" => values.iter().any(|pattern| matches(pattern, value)),
                    other => panic!("{}: the operator {other}", self.id),
                }
            })
    }
}

/// IAM takes one value for a list of one.
fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

fn texts(value: &Value) -> Vec<String> {
    list(value).iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

/// With `*` for any number of characters.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(start) else { return false };
    (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| matches(rest, &text[at..]))
}
