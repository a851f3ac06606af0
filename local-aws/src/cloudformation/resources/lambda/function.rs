//! `AWS::Lambda::Function`.

use serde_json::{Value, json};

use crate::cloudformation::latency::Times;
use crate::cloudformation::resources::resource_type::{
    Context, Created, Properties, Reading, Refused, ResourceType, live, tag_list, taken,
};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::lambda::{self, Creation, Function};
use crate::store::Tx;
use crate::tag;

pub(super) struct FunctionType;

/// Properties that are no members of CreateFunction.
struct Beside {
    tags: std::collections::BTreeMap<String, String>,
    reserved: Option<i64>,
}

/// What CreateFunction would be asked, and the rest.
fn read(cx: &Context<'_>, properties: &Properties, name: &str) -> Result<(Creation, Beside), ApiError> {
    let mut input = properties.clone();
    let mut tags = cx.tags.clone();
    tags.extend(tag::of_property(input.remove("Tags").as_ref()));
    let reserved = input.remove("ReservedConcurrentExecutions").and_then(|value| value.as_i64());
    input.insert("FunctionName".to_owned(), json!(name));
    let variables = input.get_mut("Environment").and_then(|it| it.get_mut("Variables"));
    for value in variables.and_then(Value::as_object_mut).into_iter().flat_map(|variables| variables.values_mut()) {
        // Numbers and the like are texts to a process.
        if !value.is_string() {
            *value = json!(value.to_string());
        }
    }
    Ok((Creation::read("AWS::Lambda::Function", Value::Object(input))?, Beside { tags, reserved }))
}

impl Beside {
    fn complete(self, cx: &Context<'_>, function: &mut Function) -> Result<(), ApiError> {
        function.tags = self.tags;
        let reserved = self.reserved.map(|reserved| lambda::reserve(cx.tx, function, reserved)).transpose()?;
        function.reserved_concurrency = reserved;
        cx.tx.put(function)
    }
}

impl ResourceType for FunctionType {
    fn type_name(&self) -> &'static str {
        "AWS::Lambda::Function"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../../schemas/aws-lambda-function.json")
    }

    fn times(&self) -> &'static [Times] {
        const {
            &[Times::new(
                14,
                9,
                4,
                "configuration: events of two stacks, 2 to 3 s; deletion: events of a stack, September 2025; the rest typical, \
                 not verified",
            )
            .configured(3)]
        }
    }

    fn refused(&self) -> &'static [&'static str] {
        &[
            "CapacityProviderConfig",
            "Code/S3Bucket",
            "Code/S3Key",
            "Code/S3ObjectStorageMode",
            "Code/S3ObjectVersion",
            "Code/SourceKMSKeyArn",
            "Code/ZipFile",
            "CodeSigningConfigArn",
            "DurableConfig",
            "FileSystemConfigs",
            "FunctionScalingConfig",
            "Handler",
            "KmsKeyArn",
            "Layers",
            "LoggingConfig/ApplicationLogLevel",
            "LoggingConfig/SystemLogLevel",
            "PublishToLatestPublished",
            "RecursiveLoop",
            "Runtime",
            "RuntimeManagementConfig",
            "TenancyConfig",
            "VpcConfig",
        ]
    }

    fn refused_values(&self) -> &'static [Refused] {
        &[
            Refused::Value("LoggingConfig/LogFormat", &["JSON"]),
            Refused::Value("PackageType", &["Zip"]),
            Refused::Value("SnapStart/ApplyOn", &["PublishedVersions"]),
            Refused::Value("TracingConfig/Mode", &["Active"]),
        ]
    }

    fn taken_name(
        &self,
        _endpoint: &Endpoint,
        tx: &Tx<'_>,
        properties: &Properties,
    ) -> Result<Option<String>, ApiError> {
        taken::<Function>(tx, properties, "FunctionName")
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let declared = properties.get("FunctionName").and_then(Value::as_str).map(str::to_owned);
        let name = declared.unwrap_or_else(|| cx.generated_name(64));
        let (creation, beside) = read(cx, properties, &name)?;
        let mut function = creation.create(cx.endpoint, cx.tx, cx.ready_at)?;
        beside.complete(cx, &mut function)?;
        Ok(Created { physical_id: function.name.clone(), attributes: attributes(&function) })
    }

    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        let (creation, beside) = read(cx, new, physical_id)?;
        let mut function = lambda::find(cx.endpoint, cx.tx, physical_id, None)?;
        creation.apply(cx.endpoint, cx.tx, &mut function, old.get("Code") != new.get("Code"))?;
        beside.complete(cx, &mut function)?;
        Ok(attributes(&function))
    }

    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        let Some(function) = of.tx.get::<Function>(of.physical_id)? else { return Ok(None) };
        let settings = &function.settings;
        let dead_letter = settings.dead_letter.as_ref().map(|queue| json!({"TargetArn": queue}));
        let variables = (!settings.variables.is_empty()).then(|| json!({"Variables": settings.variables}));
        Ok(Some(live([
            ("FunctionName", json!(function.name)),
            // All of it is write-only.
            ("Code", json!(of.declared.get("Code"))),
            ("Role", json!(settings.role)),
            ("Description", json!(settings.description)),
            ("Timeout", json!(settings.timeout)),
            ("MemorySize", json!(settings.memory_size)),
            ("Environment", json!(variables)),
            ("DeadLetterConfig", json!(dead_letter)),
            ("ImageConfig", json!(settings.image_config)),
            ("EphemeralStorage", json!({"Size": settings.ephemeral_storage})),
            ("LoggingConfig", json!({"LogFormat": "Text", "LogGroup": settings.log_group(&function.name)})),
            ("TracingConfig", json!({"Mode": "PassThrough"})),
            ("PackageType", json!("Image")),
            ("Architectures", json!([function.architecture])),
            ("ReservedConcurrentExecutions", json!(function.reserved_concurrency)),
            ("Tags", tag_list(&function.tags)),
        ])))
    }

    fn delete(&self, cx: &Context<'_>, physical_id: &str, _properties: &Properties) -> Result<(), ApiError> {
        let function = cx.tx.get::<Function>(physical_id)?;
        function.map_or(Ok(()), |function| lambda::remove(cx.tx, &function))
    }

    fn clean_up(&self, endpoint: &Endpoint) {
        lambda::retire(endpoint);
    }
}

fn attributes(function: &Function) -> Properties {
    Properties::from_iter([
        ("Arn".to_owned(), json!(function.arn)),
        ("SnapStartResponse".to_owned(), json!({"ApplyOn": "None", "OptimizationStatus": "Off"})),
        ("SnapStartResponse.ApplyOn".to_owned(), json!("None")),
        ("SnapStartResponse.OptimizationStatus".to_owned(), json!("Off")),
    ])
}
