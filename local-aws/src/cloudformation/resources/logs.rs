//! `AWS::Logs::LogGroup`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::resource_type::{Context, Created, Properties, Reading, Refused, ResourceType, live, tag_list, taken};
use crate::cloudformation::latency::{LOG, Times};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::logs::{self, LogGroup};
use crate::store::{Record, Tx};

pub(super) const TYPES: &[&dyn ResourceType] = &[&LogGroupType];

struct LogGroupType;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct LogGroupProperties {
    log_group_name: Option<String>,
    retention_in_days: Option<i64>,
    log_group_class: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

impl LogGroupProperties {
    fn read(properties: &Properties) -> Result<Self, ApiError> {
        let read: Self = serde_json::from_value(Value::Object(properties.clone()))
            .map_err(|error| ApiError::new("InvalidRequest", format!("Properties of the log group: {error}")))?;
        logs::check_class(read.log_group_class.as_deref())?;
        read.retention_in_days.map_or(Ok(()), logs::check_retention)?;
        Ok(read)
    }

    /// The stack's tags, under the resource's own.
    fn all_tags(&self, cx: &Context<'_>) -> BTreeMap<String, String> {
        let mut tags = cx.tags.clone();
        tags.extend(self.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())));
        tags
    }
}

impl ResourceType for LogGroupType {
    fn type_name(&self) -> &'static str {
        "AWS::Logs::LogGroup"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../schemas/aws-logs-loggroup.json")
    }

    fn times(&self) -> &'static [Times] {
        const { &[Times::new(10, 2, 1, LOG).configured(9)] }
    }

    fn refused(&self) -> &'static [&'static str] {
        &[
            "BearerTokenAuthenticationEnabled",
            "DataProtectionPolicy",
            "DeletionProtectionEnabled",
            "FieldIndexPolicies",
            "KmsKeyId",
            "ResourcePolicyDocument",
        ]
    }

    fn refused_values(&self) -> &'static [Refused] {
        &[Refused::Value("LogGroupClass", &["INFREQUENT_ACCESS", "DELIVERY"])]
    }

    fn taken_name(
        &self,
        _endpoint: &Endpoint,
        tx: &Tx<'_>,
        properties: &Properties,
    ) -> Result<Option<String>, ApiError> {
        taken::<LogGroup>(tx, properties, "LogGroupName")
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let wanted = LogGroupProperties::read(properties)?;
        let name = wanted.log_group_name.clone().unwrap_or_else(|| cx.generated_name(512));
        let group = LogGroup::create(cx.endpoint, cx.tx, &name, wanted.retention_in_days, wanted.all_tags(cx))?;
        Ok(Created { physical_id: group.id(), attributes: attributes(&group) })
    }

    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        _old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        let wanted = LogGroupProperties::read(new)?;
        let group = LogGroup::change(cx.tx, physical_id, wanted.retention_in_days, wanted.all_tags(cx))?;
        Ok(attributes(&group))
    }

    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        Ok(of.tx.get::<LogGroup>(of.physical_id)?.map(|group| {
            live([
                ("LogGroupName", json!(group.name)),
                ("LogGroupClass", json!("STANDARD")),
                ("RetentionInDays", json!(group.retention_in_days)),
                ("Tags", tag_list(&group.tags)),
            ])
        }))
    }

    fn delete(&self, cx: &Context<'_>, physical_id: &str, _properties: &Properties) -> Result<(), ApiError> {
        LogGroup::delete(cx.tx, physical_id).map(drop)
    }
}

fn attributes(group: &LogGroup) -> Properties {
    Properties::from_iter([("Arn".to_owned(), json!(group.arn_of_streams()))])
}
