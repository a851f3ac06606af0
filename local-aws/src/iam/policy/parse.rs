//! From JSON to a [`Document`], with IAM's refusals.

use serde_json::{Map, Value};

use super::condition::Condition;
use super::document::{Document, Kind, Selection, Statement};
use super::refusal::{Refusal, SYNTAX, refuse, texts};
use crate::error::ApiError;

impl Document {
    /// Reads a document out of a CloudFormation property: an object, or its JSON as text.
    ///
    /// # Errors
    /// MalformedPolicyDocument when IAM would refuse it, or when it says something that cannot be evaluated here.
    pub(crate) fn parse(document: &Value, kind: Kind) -> Result<Self, ApiError> {
        Ok(Self::read(document, kind)?)
    }

    /// Reads a document that [`Document::parse`] has accepted before.
    pub(crate) fn stored(text: &str, kind: Kind) -> Result<Self, ApiError> {
        Self::parse(&serde_json::from_str(text)?, kind)
    }

    fn read(document: &Value, kind: Kind) -> Result<Self, Refusal> {
        if let Value::String(text) = document {
            let Ok(inner @ Value::Object(_)) = serde_json::from_str(text) else { return refuse(SYNTAX) };
            return Self::read(&inner, kind);
        }
        let Some(members) = document.as_object() else { return refuse(SYNTAX) };
        if members.keys().any(|name| !matches!(name.as_str(), "Version" | "Id" | "Statement")) {
            return refuse(SYNTAX);
        }
        if let Some(version) = members.get("Version")
            && !matches!(version.as_str(), Some("2012-10-17" | "2008-10-17"))
        {
            return refuse(SYNTAX);
        }
        let statements: Vec<&Value> = match members.get("Statement") {
            Some(Value::Array(statements)) if !statements.is_empty() => statements.iter().collect(),
            Some(statement @ Value::Object(_)) => vec![statement],
            _ => return refuse(SYNTAX),
        };
        let mut sids: Vec<&Value> = statements.iter().filter_map(|statement| statement.get("Sid")).collect();
        let named = sids.len();
        sids.sort_by_key(|sid| sid.to_string());
        sids.dedup();
        if sids.len() < named {
            return refuse("Statement IDs (SID) in a single policy must be unique.");
        }
        let statements = statements.into_iter().map(|statement| Statement::read(statement, kind));
        Ok(Self { statements: statements.collect::<Result<_, _>>()? })
    }
}

const ELEMENTS: &[&str] =
    &["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

impl Statement {
    fn read(statement: &Value, kind: Kind) -> Result<Self, Refusal> {
        let Some(members) = statement.as_object() else { return refuse(SYNTAX) };
        if let Some(sid) = members.get("Sid")
            && !sid.as_str().is_some_and(|sid| kind == Kind::Resource || sid.chars().all(|c| c.is_ascii_alphanumeric()))
        {
            return refuse(SYNTAX);
        }
        if members.keys().any(|name| !ELEMENTS.contains(&name.as_str())) {
            return refuse(SYNTAX);
        }
        let allow = match members.get("Effect").and_then(Value::as_str) {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return refuse(SYNTAX),
        };
        let conditions = members.get("Condition").map(Condition::parse).transpose()?.unwrap_or_default();
        let Some(mut actions) = selection(members, "Action")? else {
            return refuse("Policy statement must contain actions.");
        };
        actions.patterns.iter_mut().for_each(|action| action.make_ascii_lowercase());
        check_actions(&actions, kind)?;
        let (resources, principals) = match kind {
            Kind::Identity => {
                if members.contains_key("Principal") || members.contains_key("NotPrincipal") {
                    return refuse("Policy document should not specify a principal.");
                }
                (Some(resources(members)?), None)
            }
            Kind::Trust => {
                if members.contains_key("Resource") || members.contains_key("NotResource") {
                    return refuse("Has prohibited field Resource");
                }
                (None, Some(principals(members)?))
            }
            Kind::Resource => (Some(resources(members)?), Some(principals(members)?)),
        };
        Ok(Self { allow, actions, resources, principals, conditions })
    }
}

fn check_actions(actions: &Selection, kind: Kind) -> Result<(), Refusal> {
    for action in &actions.patterns {
        if action != "*" && !action.split_once(':').is_some_and(|(vendor, name)| !vendor.is_empty() && !name.is_empty())
        {
            return refuse("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
        }
        if kind == Kind::Trust && !action.starts_with("sts:") {
            return refuse("AssumeRole policy may only specify STS AssumeRole actions.");
        }
    }
    Ok(())
}

fn resources(members: &Map<String, Value>) -> Result<Selection, Refusal> {
    let Some(resources) = selection(members, "Resource")? else {
        return refuse("Policy statement must contain resources.");
    };
    for resource in &resources.patterns {
        if resource.contains("${") {
            return refuse(format!(
                "The policy variable in the resource {resource} is not supported by the local endpoint."
            ));
        }
        if resource != "*"
            && !(resource.starts_with("arn:") && resource.splitn(6, ':').count() == 6)
            && !(resource.starts_with("arn:") && resource.contains('*'))
        {
            return refuse(format!("Resource {resource} must be in ARN format or \"*\"."));
        }
    }
    Ok(resources)
}

/// The principals of a policy: services, and accounts, users and roles by their ARNs. Others do not exist here, so
/// that a statement about them can match nobody; they are legal, and kept out of the selection.
fn principals(members: &Map<String, Value>) -> Result<Selection, Refusal> {
    if members.contains_key("NotPrincipal") {
        return refuse("The element NotPrincipal is not supported by the local endpoint.");
    }
    let patterns = match members.get("Principal") {
        None => return refuse("Missing required field Principal"),
        Some(Value::String(anyone)) if anyone == "*" => vec!["*".to_owned()],
        Some(Value::Object(kinds)) => {
            let mut patterns = Vec::new();
            for (name, value) in kinds {
                let values = texts(value)?;
                match name.as_str() {
                    "Service" => {
                        if let Some(bad) = values.iter().find(|service| !service.ends_with(".amazonaws.com")) {
                            return refuse(format!("Invalid principal in policy: \"SERVICE\":\"{bad}\""));
                        }
                        patterns.extend(values);
                    }
                    "AWS" if values.iter().any(|value| value == "*") => patterns.push("*".to_owned()),
                    "AWS" => patterns.extend(values.into_iter().map(account_arn)),
                    "Federated" | "CanonicalUser" => {}
                    _ => return refuse(SYNTAX),
                }
            }
            patterns
        }
        Some(_) => return refuse("Invalid principal in policy."),
    };
    Ok(Selection { patterns, negated: false })
}

/// An account's number stands for its root.
fn account_arn(principal: String) -> String {
    let is_number = principal.len() == 12 && principal.bytes().all(|digit| digit.is_ascii_digit());
    if is_number { format!("arn:aws:iam::{principal}:root") } else { principal }
}

/// `NAME` or `NotNAME`; both at once is an error.
fn selection(members: &Map<String, Value>, name: &str) -> Result<Option<Selection>, Refusal> {
    let negation = format!("Not{name}");
    let (value, negated) = match (members.get(name), members.get(&negation)) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return refuse(SYNTAX),
        (Some(value), None) => (value, false),
        (None, Some(value)) => (value, true),
    };
    let patterns = texts(value)?;
    Ok((!patterns.is_empty()).then_some(Selection { patterns, negated }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_iam_refuses_is_refused_in_its_words() {
        let whole = |statement: Value| json!({"Version": "2012-10-17", "Statement": [statement]});
        for (document, kind, message) in [
            (json!("no json"), Kind::Identity, SYNTAX),
            (json!({"Version": "2012-10-17"}), Kind::Identity, SYNTAX),
            (json!({"Version": "2020-01-01", "Statement": []}), Kind::Identity, SYNTAX),
            (whole(json!({"Effect": "allow", "Action": "a:b", "Resource": "*"})), Kind::Identity, SYNTAX),
            (whole(json!({"Effect": "Allow", "Resource": "*"})), Kind::Identity, "must contain actions"),
            (whole(json!({"Effect": "Allow", "Action": "a:b"})), Kind::Identity, "must contain resources"),
            (
                whole(json!({"Effect": "Allow", "Action": "PutItem", "Resource": "*"})),
                Kind::Identity,
                "prefaced by a vendor",
            ),
            (
                whole(json!({"Effect": "Allow", "Action": "a:b", "Resource": "table/T"})),
                Kind::Identity,
                "must be in ARN format",
            ),
            (
                whole(json!({"Effect": "Allow", "Action": "a:b", "Resource": "*", "Principal": "*"})),
                Kind::Identity,
                "should not specify a principal",
            ),
            (
                whole(json!({"Effect": "Allow", "Action": "a:b", "Resource": "arn:aws:s3:::b/${aws:username}"})),
                Kind::Identity,
                "policy variable",
            ),
            (
                whole(json!({"Effect": "Allow", "Action": "sts:AssumeRole"})),
                Kind::Trust,
                "Missing required field Principal",
            ),
            (whole(json!({"Effect": "Allow", "Action": "s3:Get", "Principal": "*"})), Kind::Trust, "only specify STS"),
            (
                whole(json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*", "Resource": "*"})),
                Kind::Trust,
                "prohibited field Resource",
            ),
            (
                whole(json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs"}})),
                Kind::Trust,
                "Invalid principal",
            ),
        ] {
            let error = Document::parse(&document, kind).unwrap_err();
            assert_eq!(error.code, "MalformedPolicyDocument");
            assert!(error.message.contains(message), "{}: {}", document, error.message);
        }
    }

    #[test]
    fn one_statement_without_a_list_and_text_documents_are_fine() {
        let statement = json!({"Effect": "Allow", "Action": ["a:b"], "Resource": ["arn:aws:logs:r:1:log-group:x:*"]});
        assert!(Document::parse(&json!({"Statement": statement}), Kind::Identity).is_ok());
        assert!(Document::parse(&json!(json!({"Statement": [statement]}).to_string()), Kind::Identity).is_ok());
    }
}
