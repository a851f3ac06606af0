//! Every property that an update may change: it is applied, makes another resource, or is refused by name.
//!
//! `properties.json` has a case for each that the schemas let change: the type's `plain` properties with those of `before`,
//! then with those of `after`, and what comes of it. `shown` is a call (`ID` is the physical id) and a text that its answer
//! has afterwards and had not before; `kept` is a property that only CloudFormation itself goes by. `@NAME@` is the physical
//! id of a resource of the `base`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aws_sdk_cloudformation::types::Capability;
use serde_json::{Map, Value, json};

use super::*;
use crate::boto::Boto;
use crate::registry_client::{ARCH, Registry};

fn data() -> Value {
    serde_json::from_str(include_str!("properties.json")).unwrap()
}

/// One case of a type.
struct Case<'a> {
    resource_type: &'a str,
    plain: &'a Map<String, Value>,
    case: &'a Value,
}

fn cases(data: &Value) -> impl Iterator<Item = Case<'_>> {
    data["types"].as_object().unwrap().iter().flat_map(|(resource_type, one)| {
        let plain = one["plain"].as_object().unwrap();
        one["cases"].as_array().unwrap().iter().map(move |case| Case { resource_type, plain, case })
    })
}

impl Case<'_> {
    fn name(&self) -> String {
        format!("{} {}", self.resource_type, self.case["property"].as_str().unwrap())
    }

    /// The template with the properties of `side`.
    fn template(&self, side: &str) -> Value {
        let more = self.case[side].as_object().cloned().unwrap_or_default();
        let properties: Map<String, Value> = self.plain.clone().into_iter().chain(more).collect();
        json!({"Resources": {"R": {"Type": self.resource_type, "Properties": properties}}})
    }
}

/// What the cases are played with.
struct Stage {
    client: Client,
    boto: Boto,
    /// Physical ids of the base.
    ids: BTreeMap<String, String>,
}

impl Stage {
    fn filled(&self, value: &Value) -> String {
        let text = value.to_string();
        self.ids.iter().fold(text, |text, (name, id)| text.replace(&format!("@{name}@"), id))
    }

    /// The answer to the call of `shown`; a refusal says that there is nothing yet.
    fn shown(&mut self, case: &Case<'_>, stack: &str, id: &str) -> String {
        let Some([service, operation, input, _]) = case.case["shown"].as_array().map(Vec::as_slice) else {
            return String::new();
        };
        let input = self.filled(input).replace("\"ID\"", &format!("\"{id}\"")).replace("STACK", stack);
        let input = serde_json::from_str(&input).unwrap();
        let answer = self.boto.call(service.as_str().unwrap(), operation.as_str().unwrap(), &input);
        answer.map_or_else(|refusal| refusal.message, |answer| answer.to_string())
    }

    /// Where the resource is not as it was declared, by CloudFormation's own look at it.
    fn drift(&mut self, stack: &str) -> Option<String> {
        let input = json!({"StackName": stack, "LogicalResourceId": "R"});
        let drift = self.boto.call("cloudformation", "DetectStackResourceDrift", &input).unwrap();
        let drift = &drift["StackResourceDrift"];
        (drift["StackResourceDriftStatus"] != "IN_SYNC").then(|| drift.to_string())
    }

    /// What is wrong with how the case ends.
    async fn fault(&mut self, case: &Case<'_>, stack: &str) -> Option<String> {
        let create = self.client.create_stack().stack_name(stack).template_body(self.filled(&case.template("before")));
        if let Err(error) = create.capabilities(Capability::CapabilityIam).send().await {
            return Some(format!("is refused before: {}", message(&error)));
        }
        if status(&settled(&self.client, stack).await) != "CREATE_COMPLETE" {
            return Some(format!("is not made: {:?}", story(&self.client, stack).await));
        }
        if let Some(drift) = self.drift(stack) {
            return Some(format!("is not what was declared before: {drift}"));
        }
        let id_before = resources(&self.client, stack).await["R"].clone();
        let before = self.shown(case, stack, &id_before);
        let update = self.client.update_stack().stack_name(stack).template_body(self.filled(&case.template("after")));
        let refusal = match update.capabilities(Capability::CapabilityIam).send().await {
            Err(error) => Some(message(&error)),
            Ok(_) if status(&settled(&self.client, stack).await) == "UPDATE_COMPLETE" => None,
            Ok(_) => Some(format!("{:?}", story(&self.client, stack).await)),
        };
        let id = resources(&self.client, stack).await["R"].clone();
        let wanted = case.case["refused"].as_str();
        match refusal {
            Some(refusal) if wanted.is_some_and(|words| refusal.contains(words)) => None,
            None if self.drift(stack).is_some() => self.drift(stack),
            None if case.case["end"] == "kept" => None,
            None if case.case["end"] == "replaced" => (id == id_before).then(|| "is the same resource".to_owned()),
            None if wanted.is_none() => {
                let text: String = serde_json::from_str(&self.filled(&case.case["shown"][3])).unwrap();
                let after = self.shown(case, stack, &id);
                let is_right = after.contains(&text) && !before.contains(&text);
                (!is_right).then(|| format!("{text} is not shown:\n{before}\n{after}"))
            }
            end => Some(format!("ends with {end:?}")),
        }
    }
}

#[tokio::test]
async fn what_an_update_may_change_is_applied_replaced_or_refused() {
    let (endpoint, client) = start().await;
    let registry = Registry::new(&endpoint.sdk_config(), "job").await;
    for tag in ["1", "2"] {
        registry.push(tag, &json!({"Entrypoint": ["/job"], "Cmd": [tag]}), ARCH).await;
    }
    let data = data();
    let base = json!({"Resources": data["base"]}).to_string();
    let create = client.create_stack().stack_name("Base").template_body(base);
    create.capabilities(Capability::CapabilityIam).send().await.unwrap();
    assert_eq!(status(&settled(&client, "Base").await), "CREATE_COMPLETE", "{:#?}", story(&client, "Base").await);
    let ids = resources(&client, "Base").await;
    let mut stage = Stage { client, boto: Boto::start(endpoint.variables()), ids };
    let mut faults = Vec::new();
    for (number, case) in cases(&data).enumerate() {
        let stack = format!("case-{number}");
        if let Some(fault) = stage.fault(&case, &stack).await {
            faults.push(format!("{}: {fault}", case.name()));
        }
        stage.client.delete_stack().stack_name(&stack).send().await.unwrap();
        until("the end of the stack", async || {
            // A table that is protected stays, and nothing of it is in the way of the others.
            let stack = describe(&stage.client, &stack).await;
            stack.is_ok_and(|stack| status(&stack) == "DELETE_IN_PROGRESS").then_some(()).xor(Some(()))
        })
        .await;
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// By the schemas: all properties but those that are read only, that replace, or that the reference says are refused.
#[test]
fn every_property_that_may_change_has_a_case() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let reference = std::fs::read_to_string(root.join("../docs/reference/local-aws.md")).unwrap();
    let data = data();
    let mut may_change = BTreeSet::new();
    for resource_type in data["types"].as_object().unwrap().keys() {
        let file = resource_type.to_ascii_lowercase().replace("::", "-");
        let schema = std::fs::read_to_string(root.join(format!("schemas/{file}.json"))).unwrap();
        let schema: Value = serde_json::from_str(&schema).unwrap();
        let row = reference.lines().find(|line| line.starts_with(&format!("| `{resource_type}` |"))).unwrap();
        let refused = row.split('|').nth(2).unwrap();
        let is_fixed = |property: &str| {
            let path = json!(format!("/properties/{property}"));
            let is_in = |list: &str| schema[list].as_array().is_some_and(|paths| paths.contains(&path));
            is_in("readOnlyProperties") || is_in("createOnlyProperties") || refused.contains(&format!("`{property}`"))
        };
        let properties = schema["properties"].as_object().unwrap().keys().filter(|property| !is_fixed(property));
        may_change.extend(properties.map(|property| format!("{resource_type} {property}")));
    }
    let listed: BTreeSet<String> = cases(&data).map(|case| case.name()).collect();
    assert_eq!(listed, may_change);
    let documented = reference.lines().filter_map(|line| line.strip_prefix("| `AWS::"));
    let types: BTreeSet<String> = documented.map(|line| format!("AWS::{}", line.split('`').next().unwrap())).collect();
    let fixed = ["AWS::EC2::SubnetRouteTableAssociation", "AWS::Lambda::Permission"].map(str::to_owned);
    assert_eq!(types, data["types"].as_object().unwrap().keys().cloned().chain(fixed).collect());
}
