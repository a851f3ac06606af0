//! AWS::DynamoDB::Table.

mod live;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use self::live::{arn, describe};
use super::resource_type::{Context, Created, Properties, Reading, Refused, ResourceType, tag_list};
use crate::cloudformation::latency::Times;
use crate::dynamodb::{run, tags};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;
use crate::tag::Tag;

pub(super) const TYPES: &[&dyn ResourceType] = &[&Table];

struct Table;

/// The properties that this type does; `refused` names the others.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TableProperties {
    table_name: Option<String>,
    key_schema: Value,
    attribute_definitions: Option<Value>,
    billing_mode: Option<String>,
    provisioned_throughput: Option<Value>,
    on_demand_throughput: Option<Value>,
    global_secondary_indexes: Option<Vec<Value>>,
    local_secondary_indexes: Option<Vec<Value>>,
    vector_indexes: Option<Vec<Value>>,
    stream_specification: Option<Value>,
    #[serde(rename = "SSESpecification")]
    sse_specification: Option<SseSpecification>,
    /// It may only say that there is none.
    #[serde(rename = "PointInTimeRecoverySpecification")]
    _point_in_time_recovery_specification: Option<Value>,
    time_to_live_specification: Option<TimeToLiveSpecification>,
    table_class: Option<String>,
    deletion_protection_enabled: Option<bool>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct SseSpecification {
    #[serde(rename = "SSEEnabled")]
    enabled: bool,
    #[serde(rename = "SSEType")]
    sse_type: Option<String>,
    #[serde(rename = "KMSMasterKeyId")]
    key: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TimeToLiveSpecification {
    attribute_name: Option<String>,
    enabled: bool,
}

impl TableProperties {
    fn read(properties: &Properties) -> Result<Self, ApiError> {
        serde_json::from_value(Value::Object(properties.clone()))
            .map_err(|error| ApiError::new("ValidationException", error.to_string()))
    }

    /// CreateTable's input.
    fn request(&self, name: &str, tags: &BTreeMap<String, String>) -> Value {
        let mut request = Map::new();
        request.insert("TableName".into(), json!(name));
        request.insert("KeySchema".into(), self.key_schema.clone());
        let mut set = |member: &str, value: Option<Value>| {
            if let Some(value) = value {
                request.insert(member.to_owned(), value);
            }
        };
        set("AttributeDefinitions", self.attribute_definitions.clone());
        set("BillingMode", self.billing_mode.clone().map(Value::from));
        set("ProvisionedThroughput", self.provisioned_throughput.clone());
        set("OnDemandThroughput", self.on_demand_throughput.clone());
        set("GlobalSecondaryIndexes", self.global_secondary_indexes.clone().map(Value::from));
        set("LocalSecondaryIndexes", self.local_secondary_indexes.clone().map(Value::from));
        set("VectorIndexes", self.vector_indexes.clone().map(Value::from));
        set("StreamSpecification", self.stream());
        set("SSESpecification", self.sse_specification.as_ref().map(SseSpecification::request));
        set("TableClass", self.table_class.clone().map(Value::from));
        set("DeletionProtectionEnabled", self.deletion_protection_enabled.map(Value::from));
        set("Tags", (!tags.is_empty()).then(|| tag_list(tags.iter())));
        Value::Object(request)
    }

    // A stream that the template names is on; the API says so explicitly.
    fn stream(&self) -> Option<Value> {
        let view = &self.stream_specification.as_ref()?["StreamViewType"];
        Some(json!({"StreamEnabled": true, "StreamViewType": view}))
    }
}

impl SseSpecification {
    fn request(&self) -> Value {
        let mut request = json!({"Enabled": self.enabled});
        if let Some(sse_type) = &self.sse_type {
            request["SSEType"] = json!(sse_type);
        }
        if let Some(key) = &self.key {
            request["KMSMasterKeyId"] = json!(key);
        }
        request
    }
}

impl ResourceType for Table {
    fn type_name(&self) -> &'static str {
        "AWS::DynamoDB::Table"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../schemas/aws-dynamodb-table.json")
    }

    fn times(&self) -> &'static [Times] {
        const { &[Times::new(30, 10, 10, "creation: five stack event logs, 30 to 43 s; the rest typical, not verified")] }
    }

    fn refused(&self) -> &'static [&'static str] {
        &[
            "ContributorInsightsSpecification",
            "ImportSourceSpecification",
            "KinesisStreamSpecification",
            "ResourcePolicy",
            "WarmThroughput",
            "PointInTimeRecoverySpecification/RecoveryPeriodInDays",
            "StreamSpecification/ResourcePolicy",
            "StreamSpecification/Tags",
            "GlobalSecondaryIndexes/*/ContributorInsightsSpecification",
            "GlobalSecondaryIndexes/*/OnDemandThroughput",
            "GlobalSecondaryIndexes/*/WarmThroughput",
        ]
    }

    fn refused_values(&self) -> &'static [Refused] {
        &[Refused::Value("PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled", &["true"])]
    }

    // The type of an attribute that is there is part of every key with it, and keys do not change. AWS's documentation
    // says so of the property; its schema does not.
    fn replaces(&self, property: &str, old: &Properties, new: &Properties) -> bool {
        let definitions = |properties: &Properties| -> Vec<Value> {
            properties.get(property).and_then(Value::as_array).cloned().unwrap_or_default()
        };
        let (old, new) = (definitions(old), definitions(new));
        let differs =
            |a: &Value, b: &Value| a["AttributeName"] == b["AttributeName"] && a["AttributeType"] != b["AttributeType"];
        property == "AttributeDefinitions" && old.iter().any(|a| new.iter().any(|b| differs(a, b)))
    }

    fn taken_name(
        &self,
        endpoint: &Endpoint,
        _tx: &Tx<'_>,
        properties: &Properties,
    ) -> Result<Option<String>, ApiError> {
        let Some(name) = properties.get("TableName").and_then(Value::as_str) else { return Ok(None) };
        Ok(exists(endpoint, name)?.then(|| name.to_owned()))
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let table = TableProperties::read(properties)?;
        let name = table.table_name.clone().unwrap_or_else(|| cx.generated_name(255));
        if !(cx.repeated && is_ours(cx, &name)?) {
            let request = table.request(&name, &cx.tags_over(&table.tags));
            run(cx.endpoint, "CreateTable", &request).map_err(|error| match error.code.as_str() {
                "ResourceInUseException" => already_exists(&name),
                _ => error,
            })?;
        }
        if let Err(error) = set_time_to_live(cx.endpoint, &name, &table) {
            run(cx.endpoint, "DeleteTable", &json!({"TableName": name}))?;
            return Err(error);
        }
        Ok(Created { attributes: attributes(cx.endpoint, &name)?, physical_id: name })
    }

    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        let table = TableProperties::read(new)?;
        let before = TableProperties::read(old)?;
        for (property, differs) in [
            ("LocalSecondaryIndexes", before.local_secondary_indexes != table.local_secondary_indexes),
            ("VectorIndexes", before.vector_indexes != table.vector_indexes),
            ("SSESpecification", before.sse_specification != table.sse_specification),
        ] {
            if differs {
                return Err(ApiError::unsupported(format!("Changing {property} of a DynamoDB table in place")));
            }
        }
        // Compared with the table itself: a change that is repeated after a kill finds what is done already.
        let now = describe(cx.endpoint, physical_id)?;
        check_indexes(&now, &table)?;
        check_time_to_live(cx.endpoint, physical_id, &table)?;
        for request in changes(&now, &table) {
            run(cx.endpoint, "UpdateTable", &request)?;
        }
        set_time_to_live(cx.endpoint, physical_id, &table)?;
        retag(cx, physical_id, &cx.tags_over(&table.tags))?;
        attributes(cx.endpoint, physical_id)
    }

    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        if exists(of.endpoint, of.physical_id)? { live::table(of).map(Some) } else { Ok(None) }
    }

    fn delete(&self, cx: &Context<'_>, physical_id: &str, _properties: &Properties) -> Result<(), ApiError> {
        match run(cx.endpoint, "DeleteTable", &json!({"TableName": physical_id})) {
            Err(error) if error.code != "ResourceNotFoundException" => Err(error),
            _ => Ok(()),
        }
    }
}

fn already_exists(name: &str) -> ApiError {
    ApiError::new(
        "AlreadyExists",
        format!("Resource of type 'AWS::DynamoDB::Table' with identifier '{name}' already exists."),
    )
}

/// Whether the attempt that was cut off made the table: its tags say whose it is.
fn is_ours(cx: &Context<'_>, name: &str) -> Result<bool, ApiError> {
    if !exists(cx.endpoint, name)? {
        return Ok(false);
    }
    let tags = tags(cx.endpoint, &arn(cx.endpoint, name))?;
    let same = ["aws:cloudformation:stack-id", "aws:cloudformation:logical-id"]
        .iter()
        .all(|key| cx.tags.contains_key(*key) && tags.get(*key) == cx.tags.get(*key));
    Ok(same)
}

fn exists(endpoint: &Endpoint, name: &str) -> Result<bool, ApiError> {
    match run(endpoint, "DescribeTable", &json!({"TableName": name})) {
        Err(error) if error.code == "ResourceNotFoundException" => Ok(false),
        answer => answer.map(|_| true),
    }
}

fn attributes(endpoint: &Endpoint, name: &str) -> Result<Properties, ApiError> {
    let table = describe(endpoint, name)?;
    let mut attributes = Properties::new();
    attributes.insert("Arn".into(), json!(arn(endpoint, name)));
    if let Some(stream) = table["LatestStreamArn"].as_str() {
        attributes.insert("StreamArn".into(), json!(stream));
    }
    Ok(attributes)
}

/// UpdateTable's inputs from the table as it is to the table as it should be. DynamoDB takes one index change a
/// request, and refuses a request that changes nothing.
fn changes(table: &Value, wanted: &TableProperties) -> Vec<Value> {
    let request = |member: &str, value: Value| json!({"TableName": table["TableName"], member: value});
    let mut requests = Vec::new();
    let mode = table["BillingModeSummary"]["BillingMode"].as_str().unwrap_or("PROVISIONED");
    let wanted_mode = wanted.billing_mode.as_deref().unwrap_or("PROVISIONED");
    let throughput = wanted.provisioned_throughput.clone().unwrap_or_default();
    let differs = |member: &str| table["ProvisionedThroughput"][member] != throughput[member];
    if mode != wanted_mode {
        let mut change = request("BillingMode", json!(wanted_mode));
        if wanted_mode == "PROVISIONED" {
            change["ProvisionedThroughput"] = throughput;
        }
        requests.push(change);
    } else if mode == "PROVISIONED" && (differs("ReadCapacityUnits") || differs("WriteCapacityUnits")) {
        requests.push(request("ProvisionedThroughput", throughput));
    }
    if wanted_mode == "PAY_PER_REQUEST" {
        on_demand_change(table, wanted).into_iter().for_each(|it| requests.push(request("OnDemandThroughput", it)));
    }
    let class = wanted.table_class.as_deref().unwrap_or("STANDARD");
    if table["TableClassSummary"]["TableClass"].as_str().unwrap_or("STANDARD") != class {
        requests.push(request("TableClass", json!(class)));
    }
    let protection = wanted.deletion_protection_enabled.unwrap_or(false);
    if table["DeletionProtectionEnabled"].as_bool().unwrap_or(false) != protection {
        requests.push(request("DeletionProtectionEnabled", json!(protection)));
    }
    stream_changes(table, wanted).into_iter().for_each(|it| requests.push(request("StreamSpecification", it)));
    for change in index_changes(table, wanted) {
        let mut change = request("GlobalSecondaryIndexUpdates", json!([change]));
        change["AttributeDefinitions"] = wanted.attribute_definitions.clone().unwrap_or_else(|| json!([]));
        requests.push(change);
    }
    requests
}

// -1 is the API's word for "no limit".
fn on_demand_change(table: &Value, wanted: &TableProperties) -> Option<Value> {
    let units = |value: Option<&Value>, member: &str| value.and_then(|it| it[member].as_i64()).unwrap_or(-1);
    let members = ["MaxReadRequestUnits", "MaxWriteRequestUnits"];
    let now = members.map(|member| units(table.get("OnDemandThroughput"), member));
    let then = members.map(|member| units(wanted.on_demand_throughput.as_ref(), member));
    (now != then).then(|| json!({members[0]: then[0], members[1]: then[1]}))
}

// Another view type is another stream: the old one is switched off first.
fn stream_changes(table: &Value, wanted: &TableProperties) -> Vec<Value> {
    let now = table["StreamSpecification"]["StreamViewType"].as_str();
    let then = wanted.stream();
    if now == then.as_ref().and_then(|it| it["StreamViewType"].as_str()) {
        return Vec::new();
    }
    now.map(|_| json!({"StreamEnabled": false})).into_iter().chain(then).collect()
}

fn index_changes(table: &Value, wanted: &TableProperties) -> Vec<Value> {
    let now: Vec<&Value> = table["GlobalSecondaryIndexes"].as_array().into_iter().flatten().collect();
    let then: Vec<&Value> = wanted.global_secondary_indexes.iter().flatten().collect();
    let find = |list: &[&Value], index: &Value| list.iter().find(|it| it["IndexName"] == index["IndexName"]).is_some();
    let gone = now.iter().filter(|it| !find(&then, it)).map(|it| json!({"Delete": {"IndexName": it["IndexName"]}}));
    let made = then.iter().filter(|it| !find(&now, it)).map(|it| json!({"Create": it}));
    let changed = then.iter().filter_map(|it| {
        let old = now.iter().find(|old| old["IndexName"] == it["IndexName"])?;
        let throughput = it.get("ProvisionedThroughput")?;
        let differs = |member: &str| old["ProvisionedThroughput"][member] != throughput[member];
        (differs("ReadCapacityUnits") || differs("WriteCapacityUnits"))
            .then(|| json!({"Update": {"IndexName": it["IndexName"], "ProvisionedThroughput": throughput}}))
    });
    gone.chain(made).chain(changed).collect()
}

/// What an update may not do with indexes.
///
/// # Errors
/// CloudFormation's words: keys and projections do not change, and one index comes or goes at a time.
fn check_indexes(table: &Value, wanted: &TableProperties) -> Result<(), ApiError> {
    let refused = |message: &str| Err(ApiError::new("InvalidRequest", message));
    let now: Vec<&Value> = table["GlobalSecondaryIndexes"].as_array().into_iter().flatten().collect();
    let then: Vec<&Value> = wanted.global_secondary_indexes.iter().flatten().collect();
    let same = |a: &Value, b: &Value| a["IndexName"] == b["IndexName"];
    let is_altered = |a: &Value, b: &Value| {
        same(a, b) && (a["KeySchema"] != b["KeySchema"] || projection(&a["Projection"]) != projection(&b["Projection"]))
    };
    if now.iter().any(|old| then.iter().any(|new| is_altered(old, new))) {
        return refused(
            "Cannot update GSI's properties other than Provisioned Throughput and Contributor Insights Specification. You can create a new GSI with a different name.",
        );
    }
    let gone = now.iter().filter(|old| !then.iter().any(|new| same(old, new))).count();
    let made = then.iter().filter(|new| !now.iter().any(|old| same(old, new))).count();
    if gone + made > 1 {
        return refused("Cannot perform more than one GSI creation or deletion in a single update");
    }
    Ok(())
}

/// Kind and attributes, which have no order.
fn projection(projection: &Value) -> (&Value, BTreeSet<&str>) {
    let attributes = projection["NonKeyAttributes"].as_array().into_iter().flatten().filter_map(Value::as_str);
    (&projection["ProjectionType"], attributes.collect())
}

/// Refuses another attribute while one is active, as UpdateTimeToLive does: it has to be switched off first.
fn check_time_to_live(endpoint: &Endpoint, name: &str, table: &TableProperties) -> Result<(), ApiError> {
    let now = run(endpoint, "DescribeTimeToLive", &json!({"TableName": name}))?["TimeToLiveDescription"].take();
    let active = now["AttributeName"].as_str().filter(|_| now["TimeToLiveStatus"] == "ENABLED");
    let wanted = table.time_to_live_specification.as_ref().and_then(|it| it.attribute_name.as_deref());
    match (active, wanted) {
        (Some(active), Some(wanted)) if active != wanted => Err(ApiError::new(
            "ValidationException",
            format!("TimeToLive is active on a different AttributeName: current AttributeName is {active}"),
        )),
        _ => Ok(()),
    }
}

fn set_time_to_live(endpoint: &Endpoint, name: &str, table: &TableProperties) -> Result<(), ApiError> {
    let now = run(endpoint, "DescribeTimeToLive", &json!({"TableName": name}))?["TimeToLiveDescription"].take();
    let attribute = now["AttributeName"].as_str();
    let wanted = table.time_to_live_specification.as_ref().filter(|it| it.enabled);
    let wanted = wanted.and_then(|it| it.attribute_name.as_deref());
    if now["TimeToLiveStatus"] == "ENABLED" && attribute == wanted {
        return Ok(());
    }
    let set = |attribute: &str, enabled: bool| {
        let specification = json!({"AttributeName": attribute, "Enabled": enabled});
        run(endpoint, "UpdateTimeToLive", &json!({"TableName": name, "TimeToLiveSpecification": specification}))
    };
    if let Some(attribute) = attribute.filter(|_| now["TimeToLiveStatus"] == "ENABLED") {
        set(attribute, false)?;
    }
    wanted.map(|attribute| set(attribute, true)).transpose()?;
    Ok(())
}

fn retag(cx: &Context<'_>, name: &str, wanted: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let arn = arn(cx.endpoint, name);
    let now = tags(cx.endpoint, &arn)?;
    let gone: Vec<&String> = now.keys().filter(|key| !wanted.contains_key(*key)).collect();
    if !gone.is_empty() {
        run(cx.endpoint, "UntagResource", &json!({"ResourceArn": arn, "TagKeys": gone}))?;
    }
    let set: Vec<_> = wanted.iter().filter(|(key, value)| now.get(*key) != Some(value)).collect();
    if !set.is_empty() {
        run(cx.endpoint, "TagResource", &json!({"ResourceArn": arn, "Tags": tag_list(set)}))?;
    }
    Ok(())
}
