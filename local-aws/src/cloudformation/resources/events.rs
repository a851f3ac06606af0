//! `AWS::Events::Rule`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::resource_type::{Context, Created, Properties, Reading, Refused, ResourceType, live, tag_list};
use crate::cloudformation::latency::Times;
use crate::error::ApiError;
use crate::events::bus;
use crate::events::rule::{Rule, Settings, State};
use crate::events::target::Target;
use crate::store::Record;
use crate::tag::Tag;

pub(super) const TYPES: &[&dyn ResourceType] = &[&RuleType];

struct RuleType;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Wanted {
    name: Option<String>,
    event_bus_name: Option<String>,
    /// An object, or its text.
    event_pattern: Option<Value>,
    schedule_expression: Option<String>,
    state: Option<String>,
    description: Option<String>,
    role_arn: Option<String>,
    #[serde(default)]
    targets: Vec<Value>,
    #[serde(default)]
    tags: Vec<Tag>,
}

impl Wanted {
    fn read(cx: &Context<'_>, properties: &Properties) -> Result<Self, ApiError> {
        let wanted: Self = decode(Value::Object(properties.clone()))?;
        bus::check(cx.endpoint, wanted.event_bus_name.as_deref())?;
        Ok(wanted)
    }

    fn settings(&self) -> Result<Settings, ApiError> {
        let pattern = self.event_pattern.as_ref().map(|pattern| match pattern {
            Value::String(text) => text.clone(),
            object => object.to_string(),
        });
        Ok(Settings {
            event_pattern: pattern,
            schedule_expression: self.schedule_expression.clone().filter(|text| !text.is_empty()),
            state: self.state.as_deref().map_or(Ok(State::default()), State::parse)?,
            description: self.description.clone(),
            role_arn: self.role_arn.clone(),
        })
    }

    /// Gives the rule what is not in its settings.
    fn complete(&self, cx: &Context<'_>, rule: &mut Rule) -> Result<(), ApiError> {
        rule.tags = cx.tags_over(&self.tags);
        rule.targets.clear();
        let targets = self.targets.iter().map(|target| decode(of_api(target.clone())));
        rule.put_targets(cx.endpoint, cx.tx, targets.collect::<Result<Vec<Target>, _>>()?)
    }
}

fn decode<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, ApiError> {
    crate::wire::decode("ValidationException", "AWS::Events::Rule", value)
}

impl ResourceType for RuleType {
    fn type_name(&self) -> &'static str {
        "AWS::Events::Rule"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../schemas/aws-events-rule.json")
    }

    fn times(&self) -> &'static [Times] {
        const {
            &[Times::new(
                61,
                2,
                32,
                "creation: events of four stacks, 60 to 62 s; deletion: events of a stack, September 2025; updates typical, \
                 not verified",
            )]
        }
    }

    fn refused(&self) -> &'static [&'static str] {
        &[
            "Targets/*/AppSyncParameters",
            "Targets/*/BatchParameters",
            "Targets/*/EcsParameters/PlacementConstraints",
            "Targets/*/EcsParameters/PlacementStrategies",
            "Targets/*/EcsParameters/ReferenceId",
            "Targets/*/HttpParameters",
            "Targets/*/KinesisParameters",
            "Targets/*/RedshiftDataParameters",
            "Targets/*/RunCommandParameters",
            "Targets/*/SageMakerPipelineParameters",
            "Targets/*/SqsParameters",
        ]
    }

    fn refused_values(&self) -> &'static [Refused] {
        &[Refused::Value("State", &["ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"])]
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let wanted = Wanted::read(cx, properties)?;
        let name = wanted.name.clone().unwrap_or_else(|| cx.generated_name(64));
        if cx.tx.get::<Rule>(&name)?.is_some() {
            let message = format!("Resource of type 'AWS::Events::Rule' with identifier '{name}' already exists.");
            return Err(ApiError::new("AlreadyExists", message));
        }
        let mut rule = Rule::put(cx.endpoint, cx.tx, &name, wanted.settings()?)?;
        wanted.complete(cx, &mut rule)?;
        Ok(Created { physical_id: rule.id(), attributes: attributes(&rule) })
    }

    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        _old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        let wanted = Wanted::read(cx, new)?;
        Rule::find(cx.tx, physical_id)?;
        let mut rule = Rule::put(cx.endpoint, cx.tx, physical_id, wanted.settings()?)?;
        wanted.complete(cx, &mut rule)?;
        Ok(attributes(&rule))
    }

    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        let Some(rule) = of.tx.get::<Rule>(of.physical_id)? else { return Ok(None) };
        let Settings { event_pattern, schedule_expression, state, description, role_arn } = &rule.settings;
        // As the template has it: an object or a text.
        let is_text = of.declared.get("EventPattern").is_some_and(Value::is_string);
        let pattern = match event_pattern {
            Some(text) if !is_text => serde_json::from_str(text)?,
            text => json!(text),
        };
        Ok(Some(live([
            ("Name", json!(rule.name)),
            ("EventBusName", json!(bus::DEFAULT)),
            ("EventPattern", pattern),
            ("ScheduleExpression", json!(schedule_expression)),
            ("State", json!(state)),
            ("Description", json!(description)),
            ("RoleArn", json!(role_arn)),
            ("Targets", rule.targets.iter().map(|target| of_template(json!(target))).collect()),
            ("Tags", tag_list(&rule.tags)),
        ])))
    }

    fn delete(&self, cx: &Context<'_>, physical_id: &str, _properties: &Properties) -> Result<(), ApiError> {
        Rule::delete(cx.tx, physical_id).map(drop)
    }
}

fn attributes(rule: &Rule) -> Properties {
    Properties::from_iter([("Arn".to_owned(), json!(rule.arn)), ("RuleName".to_owned(), json!(rule.name))])
}

/// Members that templates and the API call by other names: where, in templates, in the API.
const NAMES: &[(&str, &str, &str)] = &[
    ("/EcsParameters", "TagList", "Tags"),
    ("/EcsParameters/NetworkConfiguration", "AwsVpcConfiguration", "awsvpcConfiguration"),
];
const STRATEGY: &[(&str, &str)] = &[("CapacityProvider", "capacityProvider"), ("Weight", "weight"), ("Base", "base")];

/// A target of a template as the API writes it.
fn of_api(mut target: Value) -> Value {
    for (place, from, to) in NAMES {
        rename(target.pointer_mut(place), from, to);
    }
    for item in strategy(&mut target) {
        STRATEGY.iter().for_each(|(from, to)| rename(Some(&mut *item), from, to));
    }
    target
}

/// The other way round.
fn of_template(mut target: Value) -> Value {
    for (place, to, from) in NAMES {
        rename(target.pointer_mut(place), from, to);
    }
    for item in strategy(&mut target) {
        STRATEGY.iter().for_each(|(to, from)| rename(Some(&mut *item), from, to));
    }
    target
}

fn strategy(target: &mut Value) -> impl Iterator<Item = &mut Value> {
    let items = target.pointer_mut("/EcsParameters/CapacityProviderStrategy").and_then(Value::as_array_mut);
    items.into_iter().flatten()
}

fn rename(object: Option<&mut Value>, from: &str, to: &str) {
    if let Some(members) = object.and_then(Value::as_object_mut)
        && let Some(value) = members.remove(from)
    {
        members.insert(to.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_go_to_the_api_and_back() {
        let target = json!({"Id": "a", "Arn": "arn:aws:ecs:r:1:cluster/c", "RoleArn": "r", "EcsParameters": {
            "TaskDefinitionArn": "t", "TagList": [{"Key": "k", "Value": "v"}],
            "NetworkConfiguration": {"AwsVpcConfiguration": {"Subnets": ["s"]}},
            "CapacityProviderStrategy": [{"CapacityProvider": "FARGATE", "Weight": 1, "Base": 0}],
        }});
        let read: Target = decode(of_api(target.clone())).unwrap();
        assert_eq!(of_template(json!(read)), target);
    }
}
