//! The CloudFormation templates: as they are, and as JSON.

use std::fmt;

use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};
use yaml_serde::Value;

use crate::error::{Error, Result};

/// The network: VPC, subnets, routes, security group, image repository.
pub(crate) const NETWORK: &str = include_str!("../templates/network.yaml");
/// One environment: cluster, task definitions, table, logs, roles, experiment template.
pub(crate) const WORKSHOP: &str = include_str!("../templates/workshop.yaml");

/// `template` in JSON, with the long forms of the short tags, which JSON does not have.
///
/// # Errors
/// When the template is not YAML or has a tag that CloudFormation does not know.
pub(crate) fn to_json(template: &str) -> Result<String> {
    let broken = |error: &dyn fmt::Display| Error::failed("The template cannot be written as JSON.").cause(error);
    let value: Value = yaml_serde::from_str(template).map_err(|error| broken(&error))?;
    serde_json::to_string_pretty(&LongForm(&value)).map_err(|error| broken(&error))
}

/// Logical ids and types of the resources that every stack of `template` has: those without a condition.
///
/// # Errors
/// When the template is not YAML.
pub(crate) fn unconditional_resources(template: &str) -> Result<Vec<(String, String)>> {
    let value: Value =
        yaml_serde::from_str(template).map_err(|error| Error::failed("The template cannot be read.").cause(error))?;
    let resources = value.get("Resources").and_then(Value::as_mapping);
    Ok(resources
        .into_iter()
        .flatten()
        .filter(|(_, resource)| resource.get("Condition").is_none())
        .filter_map(|(id, resource)| {
            Some((id.as_str()?.to_owned(), resource.get("Type").and_then(Value::as_str)?.to_owned()))
        })
        .collect())
}

/// A YAML value that is written in the order of its source, tags in their long form.
struct LongForm<'a>(&'a Value);

impl Serialize for LongForm<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.0 {
            Value::Sequence(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| seq.serialize_element(&LongForm(item)))?;
                seq.end()
            }
            Value::Mapping(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    let key = key.as_str().ok_or_else(|| S::Error::custom("a key that is no string"))?;
                    map.serialize_entry(key, &LongForm(value))?;
                }
                map.end()
            }
            Value::Tagged(tagged) => {
                let tag = tagged.tag.to_string();
                let name = tag.trim_start_matches('!');
                let mut map = serializer.serialize_map(Some(1))?;
                match (name, &tagged.value) {
                    ("Ref" | "Condition", value) => map.serialize_entry(name, &LongForm(value))?,
                    // `!GetAtt Table.Arn` is a string only in the short form. The attribute may contain dots.
                    ("GetAtt", Value::String(path)) => {
                        let parts = path.split_once('.');
                        let (resource, attribute) =
                            parts.ok_or_else(|| S::Error::custom(format!("!GetAtt {path} names no attribute")))?;
                        map.serialize_entry("Fn::GetAtt", &[resource, attribute])?;
                    }
                    (_, value) => map.serialize_entry(&format!("Fn::{name}"), &LongForm(value))?,
                }
                map.end()
            }
            plain => plain.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_tags_get_their_long_form() {
        let yaml = "A: !Ref X\nB: !GetAtt X.Outputs.Y\nC: !Sub\n  - ${Z}\n  - {Z: !If [Q, 1, 2]}\nD: {Condition: Q}\nE: !Condition Q";
        let json: serde_json::Value = serde_json::from_str(&to_json(yaml).unwrap()).unwrap();
        let expected = serde_json::json!({
            "A": {"Ref": "X"},
            "B": {"Fn::GetAtt": ["X", "Outputs.Y"]},
            "C": {"Fn::Sub": ["${Z}", {"Z": {"Fn::If": ["Q", 1, 2]}}]},
            "D": {"Condition": "Q"},
            "E": {"Condition": "Q"}
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn both_templates_have_a_json_form_without_tags_and_fit_into_a_request() {
        for template in [NETWORK, WORKSHOP] {
            let json = to_json(template).unwrap();
            assert!(!json.contains("\"!"), "{json}");
            // CloudFormation takes 51,200 bytes as TemplateBody; more would have to be in S3.
            assert!(template.len() <= 51_200);
        }
    }

    #[test]
    fn resources_with_a_condition_are_left_out() {
        let resources = unconditional_resources(NETWORK).unwrap();
        assert!(resources.contains(&("FisVpc".to_owned(), "AWS::EC2::VPC".to_owned())));
        assert!(!resources.iter().any(|(id, _)| id == "EcrApiEndpoint"));
    }
}
