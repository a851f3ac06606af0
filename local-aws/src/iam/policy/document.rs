//! What a document says about a request.

use std::collections::BTreeMap;

use super::condition::Condition;
use crate::iam::wildcard;

/// Which kind of document: their rules differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What a role may do: says resources, and no principal.
    Identity,
    /// Who may assume a role: says principals, and no resource.
    Trust,
    /// Who may do what with the resource that has the document: says both.
    Resource,
}

/// A request as policies see it.
pub(crate) struct Request<'a> {
    /// E.g. `dynamodb:PutItem`.
    pub(crate) action: &'a str,
    /// An ARN, or `*` for actions without resource. Empty in a trust policy, which speaks of its own role only.
    pub(crate) resource: &'a str,
    /// Who asks, a service or an ARN; empty for identity policies.
    pub(crate) principal: &'a str,
    /// Condition keys; looked up without regard to case.
    pub(crate) context: &'a BTreeMap<String, String>,
}

/// What policies come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Allowed,
    /// A statement with `Effect: Deny` matches.
    ExplicitlyDenied,
    /// No statement allows it.
    ImplicitlyDenied,
}

/// A policy document that has passed every check.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(super) statements: Vec<Statement>,
}

#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) allow: bool,
    pub(super) actions: Selection,
    /// `None` in trust policies.
    pub(super) resources: Option<Selection>,
    /// `None` in identity policies.
    pub(super) principals: Option<Selection>,
    pub(super) conditions: Vec<Condition>,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    pub(super) patterns: Vec<String>,
    pub(super) negated: bool,
}

impl Selection {
    fn covers(&self, text: &str) -> bool {
        self.patterns.iter().any(|pattern| wildcard::matches(pattern, text)) != self.negated
    }
}

impl Statement {
    fn matches(&self, request: &Request<'_>) -> bool {
        // Actions are kept in lower case: IAM compares them without regard to case.
        self.actions.covers(&request.action.to_ascii_lowercase())
            && self.resources.as_ref().is_none_or(|resources| resources.covers(request.resource))
            && self.principals.as_ref().is_none_or(|principals| principals.covers(request.principal))
            && self.conditions.iter().all(|condition| condition.holds(request.context))
    }
}

/// What all `documents` together say: a matching Deny wins over any Allow, and without an Allow nothing is allowed.
pub(crate) fn evaluate(documents: &[Document], request: &Request<'_>) -> Decision {
    let mut decision = Decision::ImplicitlyDenied;
    for statement in documents.iter().flat_map(|document| &document.statements) {
        if statement.matches(request) {
            if !statement.allow {
                return Decision::ExplicitlyDenied;
            }
            decision = Decision::Allowed;
        }
    }
    decision
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn document(statements: Value) -> Document {
        Document::parse(&json!({"Version": "2012-10-17", "Statement": statements}), Kind::Identity).unwrap()
    }

    fn decide(documents: &[Document], action: &str, resource: &str, context: &[(&str, &str)]) -> Decision {
        let context = context.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        evaluate(documents, &Request { action, resource, principal: "", context: &context })
    }

    const TABLE: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/T";

    #[test]
    fn what_no_statement_allows_is_denied() {
        let put = document(json!([{"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": TABLE}]));
        let documents = [put];
        assert_eq!(decide(&documents, "dynamodb:PutItem", TABLE, &[]), Decision::Allowed);
        assert_eq!(decide(&documents, "DynamoDB:putitem", TABLE, &[]), Decision::Allowed);
        assert_eq!(decide(&documents, "dynamodb:Query", TABLE, &[]), Decision::ImplicitlyDenied);
        assert_eq!(decide(&documents, "dynamodb:PutItem", &format!("{TABLE}2"), &[]), Decision::ImplicitlyDenied);
    }

    #[test]
    fn not_action_and_not_resource_are_the_rest() {
        let documents = [document(json!([
            {"Effect": "Allow", "NotAction": "dynamodb:Delete*", "Resource": "*"},
            {"Effect": "Deny", "Action": "*", "NotResource": [TABLE]}
        ]))];
        assert_eq!(decide(&documents, "dynamodb:PutItem", TABLE, &[]), Decision::Allowed);
        assert_eq!(decide(&documents, "dynamodb:DeleteItem", TABLE, &[]), Decision::ImplicitlyDenied);
        assert_eq!(decide(&documents, "dynamodb:PutItem", "arn:aws:x:::y", &[]), Decision::ExplicitlyDenied);
    }

    #[test]
    fn all_conditions_must_hold_and_one_value_of_each_is_enough() {
        let documents = [document(json!([{
            "Effect": "Allow", "Action": "ecs:ListTasks", "Resource": "*",
            "Condition": {
                "ArnEquals": {"ecs:cluster": ["arn:aws:ecs:us-east-1:0:cluster/a", "arn:aws:ecs:us-east-1:0:cluster/b"]},
                "StringEqualsIfExists": {"aws:SourceAccount": "000000000000"}
            }
        }]))];
        let b = ("ecs:cluster", "arn:aws:ecs:us-east-1:0:cluster/b");
        assert_eq!(decide(&documents, "ecs:ListTasks", "*", &[b]), Decision::Allowed);
        assert_eq!(decide(&documents, "ecs:ListTasks", "*", &[]), Decision::ImplicitlyDenied);
        assert_eq!(
            decide(&documents, "ecs:ListTasks", "*", &[b, ("aws:SourceAccount", "1")]),
            Decision::ImplicitlyDenied
        );
        assert_eq!(
            decide(&documents, "ecs:ListTasks", "*", &[b, ("AWS:sourceaccount", "000000000000")]),
            Decision::Allowed
        );
    }

    fn statement() -> impl Strategy<Value = Value> {
        (
            prop::bool::ANY,
            prop::sample::select(vec!["*", "dynamodb:*", "dynamodb:Put*", "ecs:StopTask", "dynamodb:?etItem"]),
            prop::sample::select(vec!["*", "arn:aws:dynamodb:*", TABLE, "arn:aws:ecs:*:*:task/*"]),
        )
            .prop_map(|(allow, action, resource)| json!({"Effect": if allow { "Allow" } else { "Deny" }, "Action": action, "Resource": resource}))
    }

    proptest! {
        #[test]
        fn a_matching_deny_wins_wherever_it_stands(mut statements in prop::collection::vec(statement(), 0..6), at in 0usize..6) {
            let at = at.min(statements.len());
            statements.insert(at, json!({"Effect": "Deny", "Action": "dynamodb:PutItem", "Resource": TABLE}));
            prop_assert_eq!(decide(&[document(json!(statements))], "dynamodb:PutItem", TABLE, &[]), Decision::ExplicitlyDenied);
        }

        #[test]
        fn the_order_of_statements_and_their_split_over_documents_change_nothing(statements in prop::collection::vec(statement(), 1..6)) {
            let together = [document(json!(statements))];
            let mut apart: Vec<Document> = statements.iter().map(|statement| document(json!([statement]))).collect();
            apart.reverse();
            for action in ["dynamodb:PutItem", "dynamodb:GetItem", "ecs:StopTask"] {
                prop_assert_eq!(decide(&together, action, TABLE, &[]), decide(&apart, action, TABLE, &[]));
            }
        }

        #[test]
        fn allowed_means_an_allow_matches_and_no_deny_does(statements in prop::collection::vec(statement(), 1..6)) {
            let alone = |effect: &str| statements.iter().any(|statement| {
                let allow = json!([{"Effect": "Allow", "Action": statement["Action"], "Resource": statement["Resource"]}]);
                statement["Effect"] == effect && decide(&[document(allow)], "dynamodb:PutItem", TABLE, &[]) == Decision::Allowed
            });
            let expected = match (alone("Deny"), alone("Allow")) {
                (true, _) => Decision::ExplicitlyDenied,
                (false, true) => Decision::Allowed,
                (false, false) => Decision::ImplicitlyDenied,
            };
            prop_assert_eq!(decide(&[document(json!(statements))], "dynamodb:PutItem", TABLE, &[]), expected);
        }
    }
}
