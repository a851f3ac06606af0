//! Properties that hold for every template.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Template, here, within};
use crate::cloudformation::template::function::walk;
use crate::cloudformation::template::{dependencies::dependencies, unknown};

/// For each resource the ones that it needs, each by one way of saying so.
fn template_of(edges: &[(usize, usize, u8)], count: usize) -> Value {
    let mut resources: Vec<Value> = (0..count)
        .map(|_| json!({"Type": "AWS::Logs::LogGroup", "DependsOn": [], "Properties": {"Uses": []}, "Metadata": {"Uses": []}}))
        .collect();
    for (from, to, way) in edges {
        let name = format!("R{to}");
        let resource = &mut resources[*from];
        let uses = match way {
            0 => resource["DependsOn"].as_array_mut(),
            1 => resource["Metadata"]["Uses"].as_array_mut(),
            _ => resource["Properties"]["Uses"].as_array_mut(),
        };
        uses.unwrap().push(match way {
            0 => json!(name),
            1 | 2 => json!({"Ref": name}),
            3 => json!({"Fn::GetAtt": [name, "Arn"]}),
            4 => json!({"Fn::Sub": format!("a${{{name}}}b")}),
            5 => json!({"Fn::Join": ["-", [{"Fn::Sub": ["${x}", {"x": {"Ref": name}}]}]]}),
            _ => json!({"Fn::If": ["Holds", {"Fn::Select": [0, [{"Ref": name}]]}, "none"]}),
        });
    }
    let resources: Map<String, Value> =
        resources.into_iter().enumerate().map(|(index, resource)| (format!("R{index}"), resource)).collect();
    json!({"Conditions": {"Holds": {"Fn::Equals": ["a", "a"]}}, "Resources": resources})
}

fn graph(body: &Value) -> Result<BTreeMap<String, BTreeSet<String>>, crate::ApiError> {
    within(&body.to_string(), &BTreeMap::new(), true, |scope| dependencies(scope.template, scope.conditions))
}

/// A value as YAML with short tags.
fn yaml(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for item in items {
                yaml(item, out);
                out.push_str(", ");
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut names = members.iter();
            let function =
                names.next().filter(|(name, _)| members.len() == 1 && (*name == "Ref" || name.starts_with("Fn::")));
            if let Some((name, argument)) = function {
                write!(out, "!{} ", name.trim_start_matches("Fn::")).unwrap();
                return yaml(argument, out);
            }
            out.push('{');
            for (name, member) in members {
                write!(out, "{}: ", Value::from(name.as_str())).unwrap();
                yaml(member, out);
                out.push_str(", ");
            }
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

fn scalars() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[ -~äöü]{0,12}".prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(json!("yes")),
        Just(json!("012")),
        Just(json!({"Ref": "Text"})),
        Just(json!({"Ref": "AWS::Region"})),
        Just(json!({"Ref": "Other"})),
        Just(json!({"Fn::GetAtt": ["Other", "Arn"]})),
        Just(json!({"Fn::Sub": "${Text}/${Other}/${!Text}"})),
        Just(json!({"Fn::Select": [1, {"Fn::GetAZs": ""}]})),
        Just(json!({"Fn::FindInMap": ["Map", "a", "b"]})),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    scalars().prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("[A-Za-z]{1,6}", inner.clone(), 0..4)
                .prop_map(|map| { Value::Object(map.into_iter().filter(|(name, _)| name != "Ref").collect()) }),
            (inner.clone(), inner).prop_map(|(then, otherwise)| json!({"Fn::If": ["Holds", then, otherwise]})),
            vec(scalars(), 0..4).prop_map(|items| json!({"Fn::Join": ["-", items]})),
        ]
    })
}

fn template_with(properties: &Value) -> Value {
    json!({
        "Parameters": {"Text": {"Type": "String", "Default": "t"}},
        "Mappings": {"Map": {"a": {"b": "c"}}},
        "Conditions": {"Holds": {"Fn::Equals": [{"Ref": "Text"}, "t"]}},
        "Resources": {
            "Other": {"Type": "AWS::Logs::LogGroup"},
            "Subject": {"Type": "AWS::Logs::LogGroup", "Properties": {"It": properties}},
        },
    })
}

proptest! {
    #[test]
    fn acyclic_templates_have_an_order(edges in vec((0_usize..12, 0_usize..12, 0_u8..7), 0..40)) {
        let edges: Vec<_> = edges.into_iter().filter(|(from, to, _)| from > to).collect();
        let graph = graph(&template_of(&edges, 12)).unwrap();
        for (from, to, _) in &edges {
            let (from, to) = (format!("R{from}"), format!("R{to}"));
            prop_assert!(graph[&from].contains(&to));
        }
        // Made one after the other as soon as their needs are there, all get made.
        let mut made = BTreeSet::new();
        while made.len() < 12 {
            let next: Vec<_> = graph
                .iter()
                .filter(|(name, needs)| !made.contains(*name) && needs.is_subset(&made))
                .map(|(name, _)| name.clone())
                .collect();
            prop_assert!(!next.is_empty());
            made.extend(next);
        }
    }

    #[test]
    fn circles_are_found(edges in vec((0_usize..8, 0_usize..8, 0_u8..7), 0..20), circle in vec((0_usize..8, 0_u8..7), 1..5)) {
        let mut edges: Vec<_> = edges.into_iter().filter(|(from, to, _)| from > to).collect();
        for (index, (from, way)) in circle.iter().enumerate() {
            edges.push((*from, circle[(index + 1) % circle.len()].0, *way));
        }
        let message = graph(&template_of(&edges, 8)).unwrap_err().message;
        prop_assert!(message.starts_with("Circular dependency between resources: ["), "{}", message);
        for (member, _) in &circle {
            let member = format!("R{member}");
            prop_assert!(message.contains(&member), "{}", message);
        }
    }

    #[test]
    fn json_and_yaml_are_the_same(value in values()) {
        let body = template_with(&value);
        let mut text = String::new();
        for (name, section) in body.as_object().unwrap() {
            write!(text, "{name}: ").unwrap();
            yaml(section, &mut text);
            text.push('\n');
        }
        let from_json = Template::parse(&body.to_string()).unwrap();
        let from_yaml = Template::parse(&text);
        prop_assert_eq!(from_json, from_yaml.unwrap(), "{}", text);
    }

    #[test]
    fn no_function_is_left(value in values()) {
        let body = template_with(&value).to_string();
        let resolved = within(&body, &BTreeMap::new(), true, |scope| scope.properties("Subject"));
        // A list or an object where a string is due is refused; everything else resolves.
        if let Ok(properties) = resolved {
            let properties = Value::Object(properties);
            let mut left = 0;
            walk(&here(), &properties, None, &mut |_, _| { left += 1; Ok(()) }).unwrap();
            prop_assert_eq!(left, 0, "{}", properties);
            prop_assert!(!unknown::shown(&properties).to_string().contains("\\u0000"));
        }
    }

    #[test]
    fn split_undoes_join(words in vec("[a-z ]{0,5}", 1..6)) {
        let split = json!({"Fn::Split": ["|", {"Fn::Join": ["|", words]}]});
        let body = template_with(&split).to_string();
        let resolved = within(&body, &BTreeMap::new(), false, |scope| scope.properties("Subject")).unwrap();
        prop_assert_eq!(&resolved["It"], &json!(words));
    }

    #[test]
    fn sub_is_join(words in vec("[ -#%-z]{0,5}", 1..6)) {
        let variables: Map<String, Value> =
            words.iter().enumerate().map(|(index, word)| (format!("v{index}"), json!(word))).collect();
        let text: String = (0..words.len()).map(|index| format!("${{v{index}}}")).collect();
        let body = template_with(&json!([{"Fn::Sub": [text, variables]}, {"Fn::Join": ["", words]}])).to_string();
        let resolved = within(&body, &BTreeMap::new(), false, |scope| scope.properties("Subject")).unwrap();
        prop_assert_eq!(&resolved["It"][0], &resolved["It"][1]);
    }

    #[test]
    fn nothing_panics(body in "\\PC{0,200}") {
        let _ = Template::parse(&body);
        let _ = Template::parse(&format!("Resources:\n  A:\n    Type: T\n    Properties:\n      X: {body}"));
    }
}
