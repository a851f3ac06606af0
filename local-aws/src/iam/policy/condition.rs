//! The `Condition` element: operators over the keys of a request.

use std::collections::BTreeMap;

use super::refusal::{Refusal, refuse, texts};
use crate::iam::wildcard;

/// Keys whose values this endpoint can give where AWS gives them. A policy that asks for another key of [`JUDGED`] is
/// refused: its absence here would decide otherwise than its value there.
const KEYS: &[&str] = &[
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:principalarn",
    "aws:principalaccount",
    // Only in requests of services in somebody's name, which are not judged here.
    "aws:calledvia",
    "ec2:region",
    "ecs:cluster",
    "ecs:createaction",
    "iam:passedtoservice",
    "iam:awsservicename",
];

/// The same for tags, whose names follow.
const TAGS: [&str; 2] = ["aws:requesttag/", "aws:resourcetag/"];

/// The services whose keys the calls here can have on AWS, and what all services share. No request has a key of any other
/// service, on AWS either: such a key is absent, whatever the policy asks of it. EC2's Describe calls have none but the
/// region, and CloudFormation's have theirs for members that are refused here.
const JUDGED: &[&str] = &["aws", "dynamodb", "ecs", "ecr", "logs", "fis", "iam", "lambda", "sqs", "sts", "tag"];

/// Whether what a request has of this key is known, be it that it has none.
fn is_known(key: &str) -> bool {
    let service = key.split(':').next().unwrap_or_default();
    KEYS.contains(&key) || TAGS.iter().any(|prefix| key.starts_with(prefix)) || !JUDGED.contains(&service)
}

/// One operator on one key: holds if one of the values fits (for a negated operator: if none does).
#[derive(Debug, Clone)]
pub(super) struct Condition {
    quantifier: Quantifier,
    operator: Operator,
    negated: bool,
    if_exists: bool,
    key: String,
    values: Vec<String>,
}

/// What an operator says of a key that may have several values; the keys here have one or none.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Quantifier {
    None,
    ForAnyValue,
    ForAllValues,
}

impl Quantifier {
    /// That of an operator's name, and the rest of the name.
    fn of(name: &str) -> (Self, &str) {
        match name.split_once(':') {
            Some(("ForAnyValue", operator)) => (Self::ForAnyValue, operator),
            Some(("ForAllValues", operator)) => (Self::ForAllValues, operator),
            _ => (Self::None, name),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Operator {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    Arn,
    Bool,
    Null,
}

impl Operator {
    /// The operator of this name, and whether it is negated.
    fn of(name: &str) -> Result<(Self, bool), Refusal> {
        Ok(match name {
            "StringEquals" => (Self::StringEquals, false),
            "StringNotEquals" => (Self::StringEquals, true),
            "StringEqualsIgnoreCase" => (Self::StringEqualsIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => (Self::StringEqualsIgnoreCase, true),
            "StringLike" => (Self::StringLike, false),
            "StringNotLike" => (Self::StringLike, true),
            // ArnEquals and ArnLike behave identically.
            "ArnEquals" | "ArnLike" => (Self::Arn, false),
            "ArnNotEquals" | "ArnNotLike" => (Self::Arn, true),
            "Bool" => (Self::Bool, false),
            "Null" => (Self::Null, false),
            other if is_known_to_aws(other) => {
                return refuse(format!("The condition operator {other} is not supported by the local endpoint."));
            }
            other => return refuse(format!("Invalid Condition type : {other}.")),
        })
    }

    fn fits(self, pattern: &str, value: &str) -> bool {
        match self {
            Self::StringEquals => pattern == value,
            Self::StringEqualsIgnoreCase | Self::Bool => pattern.eq_ignore_ascii_case(value),
            Self::StringLike => wildcard::matches(pattern, value),
            Self::Arn => wildcard::arn_matches(pattern, value),
            Self::Null => false,
        }
    }
}

fn is_known_to_aws(operator: &str) -> bool {
    ["Numeric", "Date"].iter().any(|prefix| operator.starts_with(prefix))
        || matches!(operator, "BinaryEquals" | "IpAddress" | "NotIpAddress")
}

impl Condition {
    /// Reads the `Condition` element.
    pub(super) fn parse(element: &serde_json::Value) -> Result<Vec<Self>, Refusal> {
        let Some(operators) = element.as_object() else { return refuse("Syntax errors in policy.") };
        let mut conditions = Vec::new();
        for (name, keys) in operators {
            let if_exists = name.ends_with("IfExists");
            let (quantifier, operator) = Quantifier::of(name.strip_suffix("IfExists").unwrap_or(name));
            let (operator, negated) = Operator::of(operator)?;
            if operator == Operator::Null && (if_exists || quantifier != Quantifier::None) {
                return refuse(format!("Invalid Condition type : {name}."));
            }
            let Some(keys) = keys.as_object() else { return refuse("Syntax errors in policy.") };
            for (key, values) in keys {
                let lower = key.to_ascii_lowercase();
                if !is_known(&lower) {
                    return refuse(format!("The condition key {key} is not supported by the local endpoint."));
                }
                let values = texts(values)?;
                if let Some(variable) = values.iter().find(|value| value.contains("${")) {
                    return refuse(format!(
                        "The policy variable in {variable} is not supported by the local endpoint."
                    ));
                }
                conditions.push(Self { quantifier, operator, negated, if_exists, key: lower, values });
            }
        }
        Ok(conditions)
    }

    /// Whether it holds for a request with these keys.
    pub(super) fn holds(&self, context: &BTreeMap<String, String>) -> bool {
        let value = context.iter().find(|(key, _)| key.eq_ignore_ascii_case(&self.key)).map(|(_, value)| value);
        if self.operator == Operator::Null {
            let absent = value.is_none().to_string();
            return self.values.iter().any(|expected| expected.eq_ignore_ascii_case(&absent));
        }
        match value {
            Some(value) => self.values.iter().any(|pattern| self.operator.fits(pattern, value)) != self.negated,
            // An absent key fails a positive operator and satisfies a negated one; of no value, anything is true for all
            // and nothing for one.
            None if self.if_exists => true,
            None => match self.quantifier {
                Quantifier::None => self.negated,
                Quantifier::ForAnyValue => false,
                Quantifier::ForAllValues => true,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn holds(element: serde_json::Value, context: &[(&str, &str)]) -> bool {
        let context = context.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Condition::parse(&element).unwrap().iter().all(|condition| condition.holds(&context))
    }

    #[test]
    fn operators_decide_as_iam_says() {
        let account = &[("aws:SourceAccount", "123")][..];
        for (operator, value, with_key, without_key) in [
            ("StringEquals", "123", true, false),
            ("StringEquals", "12*", false, false),
            ("StringNotEquals", "123", false, true),
            ("StringNotEquals", "999", true, true),
            ("StringLike", "1?3", true, false),
            ("StringNotLike", "1*", false, true),
            ("StringLikeIfExists", "9*", false, true),
            ("StringNotEqualsIfExists", "123", false, true),
            ("Null", "true", false, true),
            ("Null", "false", true, false),
            ("ForAnyValue:StringEquals", "123", true, false),
            ("ForAnyValue:StringNotEquals", "999", true, false),
            ("ForAllValues:StringEquals", "123", true, true),
            ("ForAllValues:StringEquals", "999", false, true),
            ("ForAnyValue:StringLikeIfExists", "9*", false, true),
        ] {
            let element = json!({operator: {"aws:SourceAccount": value}});
            assert_eq!(holds(element.clone(), account), with_key, "{operator} {value}");
            assert_eq!(holds(element, &[]), without_key, "{operator} {value} without the key");
        }
    }

    #[test]
    fn a_negated_operator_means_none_of_the_values() {
        let element = json!({"StringNotEquals": {"aws:SourceAccount": ["1", "2"]}});
        assert!(!holds(element.clone(), &[("aws:SourceAccount", "2")]));
        assert!(holds(element, &[("aws:SourceAccount", "3")]));
    }

    #[test]
    fn keys_of_other_services_are_absent() {
        for (operator, value, expected) in [
            ("StringEquals", "123", false),
            ("StringNotEquals", "123", true),
            ("StringEqualsIfExists", "123", true),
            ("ArnLike", "*", false),
            ("Null", "true", true),
            ("Null", "false", false),
        ] {
            for key in ["s3:ResourceAccount", "ec2:ResourceTag/Name", "kms:ViaService"] {
                let element = json!({operator: {key: value}});
                assert_eq!(holds(element, &[("aws:SourceAccount", "123")]), expected, "{operator} {key} {value}");
            }
        }
    }

    #[test]
    fn what_cannot_be_decided_is_refused_by_name() {
        for (element, named) in [
            (json!({"NumericLessThan": {"aws:SourceAccount": "5"}}), "NumericLessThan is not supported"),
            (json!({"ForAnyValue:DateEquals": {"aws:SourceAccount": "5"}}), "DateEquals is not supported"),
            (json!({"ForAnyValue:Null": {"aws:SourceAccount": "true"}}), "Invalid Condition type : ForAnyValue:Null."),
            (json!({"ForOne:StringEquals": {"aws:SourceAccount": "5"}}), "Invalid Condition type : ForOne:"),
            (json!({"StringEqual": {"aws:SourceAccount": "5"}}), "Invalid Condition type : StringEqual."),
            (json!({"StringEquals": {"dynamodb:LeadingKeys": "5"}}), "dynamodb:LeadingKeys is not supported"),
        ] {
            let Refusal(message) = Condition::parse(&element).unwrap_err();
            assert!(message.contains(named), "{message}");
        }
    }
}
