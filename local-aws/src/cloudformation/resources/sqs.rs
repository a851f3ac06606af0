//! `AWS::SQS::Queue` and `AWS::SQS::QueuePolicy`.

use std::collections::BTreeMap;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::resource_type::{Context, Created, Properties, Reading, ResourceType, live, tag_list, taken};
use crate::cloudformation::latency::{TYPICAL, Times};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::sqs::{NO_QUEUE, Queue, Settings, name_in_url};
use crate::store::Tx;
use crate::tag::{self, Tag};

pub(super) const TYPES: &[&dyn ResourceType] = &[&QueueType, &QueuePolicyType];

/// Properties that are attributes of the same name.
const ATTRIBUTES: &[&str] = &[
    "DelaySeconds",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
];

fn read<T: DeserializeOwned>(properties: &Properties) -> Result<T, ApiError> {
    crate::wire::decode("InvalidRequest", "properties", Value::Object(properties.clone()))
}

/// A text as it is, all else as JSON: so attributes are written.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The queue at this URL, unless it is gone.
fn at(endpoint: &Endpoint, tx: &Tx<'_>, url: &str) -> Result<Option<Queue>, ApiError> {
    match Queue::at(endpoint, tx, url) {
        Ok(queue) => Ok(Some(queue)),
        Err(error) if error.code == NO_QUEUE => Ok(None),
        Err(error) => Err(error),
    }
}

struct QueueType;

impl QueueType {
    /// The settings that the properties say. The policy of a queue is another resource's.
    fn settings(properties: &Properties, policy: Option<String>) -> Result<Settings, ApiError> {
        let mut settings = Settings::default();
        settings.policy = policy;
        let declared = ATTRIBUTES.iter().filter_map(|name| Some((name, properties.get(*name)?)));
        declared.into_iter().try_for_each(|(name, value)| settings.set(name, &text(value)))?;
        Ok(settings)
    }

    fn tags(cx: &Context<'_>, properties: &Properties) -> Result<BTreeMap<String, String>, ApiError> {
        // SQS takes the stack's own tags, not the `aws:cloudformation:` ones (cloudFormationSystemTags is false).
        let mut tags = cx.tags.clone();
        tags.retain(|key, _| !key.starts_with("aws:"));
        let own: Vec<Tag> =
            properties.get("Tags").map_or(Ok(Vec::new()), |tags| serde_json::from_value(tags.clone()))?;
        Ok(tag::over(tags, &own))
    }
}

impl ResourceType for QueueType {
    fn type_name(&self) -> &'static str {
        "AWS::SQS::Queue"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../schemas/aws-sqs-queue.json")
    }

    fn times(&self) -> &'static [Times] {
        const {
            &[Times::new(
                62,
                62,
                31,
                "creation: 64 s with its dead-letter queue, as AWS says (32 s in events of September 2025); configuration and \
                 deletion: events of a stack, September 2025; updates typical, not verified",
            )
            .configured(2)]
        }
    }

    // There are neither FIFO queues nor keys here.
    fn refused(&self) -> &'static [&'static str] {
        &[
            "ContentBasedDeduplication",
            "DeduplicationScope",
            "FifoQueue",
            "FifoThroughputLimit",
            "KmsDataKeyReusePeriodSeconds",
            "KmsMasterKeyId",
        ]
    }

    fn taken_name(
        &self,
        _endpoint: &Endpoint,
        tx: &Tx<'_>,
        properties: &Properties,
    ) -> Result<Option<String>, ApiError> {
        taken::<Queue>(tx, properties, "QueueName")
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let name = properties.get("QueueName").and_then(Value::as_str);
        let name = name.map_or_else(|| cx.generated_name(80), str::to_owned);
        let (settings, tags) = (Self::settings(properties, None)?, Self::tags(cx, properties)?);
        let queue = Queue::create(cx.endpoint, cx.tx, &name, settings, tags)?;
        Ok(Created { physical_id: queue.url(cx.endpoint), attributes: attributes(cx, &queue) })
    }

    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        _old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        let queue = Queue::at(cx.endpoint, cx.tx, physical_id)?;
        let settings = Self::settings(new, queue.settings.policy.clone())?;
        let queue = queue.change(cx.endpoint, cx.tx, settings, Self::tags(cx, new)?)?;
        Ok(attributes(cx, &queue))
    }

    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        let Some(queue) = at(of.endpoint, of.tx, of.physical_id)? else { return Ok(None) };
        let mut properties = live([("QueueName", json!(queue.name)), ("Tags", tag_list(&queue.tags))]);
        for name in ATTRIBUTES {
            if let Some(text) = queue.settings.get(name) {
                // Numbers, booleans and documents are all JSON.
                let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
                properties.insert((*name).to_owned(), value);
            }
        }
        Ok(Some(properties))
    }

    fn delete(&self, cx: &Context<'_>, physical_id: &str, _properties: &Properties) -> Result<(), ApiError> {
        Queue::delete(cx.endpoint, cx.tx, name_in_url(cx.endpoint, physical_id)?).map(drop)
    }
}

fn attributes(cx: &Context<'_>, queue: &Queue) -> Properties {
    Properties::from_iter([
        ("Arn".to_owned(), json!(queue.arn(cx.endpoint))),
        ("QueueName".to_owned(), json!(queue.name)),
        ("QueueUrl".to_owned(), json!(queue.url(cx.endpoint))),
    ])
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct QueuePolicyProperties {
    policy_document: Value,
    /// URLs.
    queues: Vec<String>,
}

/// One policy for several queues.
struct QueuePolicyType;

impl QueuePolicyType {
    fn put(cx: &Context<'_>, wanted: &QueuePolicyProperties) -> Result<(), ApiError> {
        for url in &wanted.queues {
            let queue = Queue::at(cx.endpoint, cx.tx, url)?;
            Self::set(cx, queue, &text(&wanted.policy_document))?;
        }
        Ok(())
    }

    /// Takes the policy away; a queue that is gone has none.
    fn clear<'a>(cx: &Context<'_>, urls: impl Iterator<Item = &'a String>) -> Result<(), ApiError> {
        for url in urls {
            if let Some(queue) = at(cx.endpoint, cx.tx, url)? {
                Self::set(cx, queue, "")?;
            }
        }
        Ok(())
    }

    fn set(cx: &Context<'_>, queue: Queue, policy: &str) -> Result<(), ApiError> {
        let (mut settings, tags) = (queue.settings.clone(), queue.tags.clone());
        settings.set("Policy", policy)?;
        queue.change(cx.endpoint, cx.tx, settings, tags).map(drop)
    }
}

impl ResourceType for QueuePolicyType {
    fn type_name(&self) -> &'static str {
        "AWS::SQS::QueuePolicy"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../schemas/aws-sqs-queuepolicy.json")
    }

    fn times(&self) -> &'static [Times] {
        const { &[Times::new(2, 2, 2, TYPICAL)] }
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        Self::put(cx, &read(properties)?)?;
        let physical_id = cx.generated_name(128);
        Ok(Created { attributes: id(&physical_id), physical_id })
    }

    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        let (before, wanted): (QueuePolicyProperties, QueuePolicyProperties) = (read(old)?, read(new)?);
        Self::clear(cx, before.queues.iter().filter(|url| !wanted.queues.contains(url)))?;
        Self::put(cx, &wanted)?;
        Ok(id(physical_id))
    }

    /// It is what the first queue has; a queue that has lost it is one less.
    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        let known: QueuePolicyProperties = read(of.declared)?;
        let (mut document, mut queues) = (None, Vec::new());
        for url in known.queues {
            let queue = at(of.endpoint, of.tx, &url)?;
            if let Some(policy) = queue.and_then(|queue| queue.settings.policy) {
                queues.push(url);
                document.get_or_insert(policy);
            }
        }
        let Some(document) = document else { return Ok(None) };
        Ok(Some(live([("PolicyDocument", json!(document)), ("Queues", json!(queues))])))
    }

    fn delete(&self, cx: &Context<'_>, _physical_id: &str, properties: &Properties) -> Result<(), ApiError> {
        let known: QueuePolicyProperties = read(properties)?;
        Self::clear(cx, known.queues.iter())
    }
}

fn id(physical_id: &str) -> Properties {
    Properties::from_iter([("Id".to_owned(), json!(physical_id))])
}
