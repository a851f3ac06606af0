//! `AWS::ECR::Repository`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::resource_type::{Context, Created, Properties, Reading, Refused, ResourceType, live, tag_list, taken};
use crate::cloudformation::latency::Times;
use crate::ecr::collection::collect;
use crate::ecr::repository::{Repository, RepositorySettings};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

pub(super) const TYPES: &[&dyn ResourceType] = &[&RepositoryType];

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Wanted {
    repository_name: Option<String>,
    empty_on_delete: Option<bool>,
    image_tag_mutability: Option<String>,
    #[serde(default)]
    image_tag_mutability_exclusion_filters: Vec<ExclusionFilter>,
    image_scanning_configuration: Option<ImageScanningConfiguration>,
    encryption_configuration: Option<EncryptionConfiguration>,
    lifecycle_policy: Option<LifecyclePolicy>,
    repository_policy_text: Option<Value>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExclusionFilter {
    #[serde(rename = "ImageTagMutabilityExclusionFilterType")]
    filter_type: String,
    #[serde(rename = "ImageTagMutabilityExclusionFilterValue")]
    filter: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct ImageScanningConfiguration {
    scan_on_push: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct EncryptionConfiguration {
    encryption_type: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct LifecyclePolicy {
    lifecycle_policy_text: Option<String>,
    registry_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

fn read(properties: &Properties) -> Result<Wanted, ApiError> {
    crate::wire::decode("InvalidParameterException", "properties", Value::Object(properties.clone()))
}

impl Wanted {
    fn settings(&self, cx: &Context<'_>) -> Result<RepositorySettings, ApiError> {
        let encryption = self.encryption_configuration.as_ref().map(|one| one.encryption_type.as_str());
        if let Some(other) = encryption.filter(|kind| *kind != "AES256") {
            return Err(ApiError::unsupported(format!("The value {other} of the property EncryptionType")));
        }
        let lifecycle = self.lifecycle_policy.as_ref();
        let registry = lifecycle.and_then(|policy| policy.registry_id.as_ref());
        if let Some(other) = registry.filter(|id| **id != cx.endpoint.identity.account_id) {
            return Err(ApiError::unsupported(format!("The registry {other}")));
        }
        let exclusions = self.image_tag_mutability_exclusion_filters.iter();
        let settings = RepositorySettings {
            tag_mutability: self.image_tag_mutability.clone().unwrap_or_else(|| "MUTABLE".to_owned()),
            mutability_exclusions: exclusions
                .map(|one| json!({"filterType": one.filter_type, "filter": one.filter}))
                .collect(),
            scan_on_push: self.image_scanning_configuration.as_ref().and_then(|one| one.scan_on_push).unwrap_or(false),
            lifecycle_policy: lifecycle.and_then(|policy| policy.lifecycle_policy_text.clone()),
            repository_policy: self.repository_policy_text.as_ref().map(|policy| match policy {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            }),
            tags: cx
                .tags
                .clone()
                .into_iter()
                .chain(self.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())))
                .collect(),
        };
        settings.check()?;
        Ok(settings)
    }
}

struct RepositoryType;

impl ResourceType for RepositoryType {
    fn type_name(&self) -> &'static str {
        "AWS::ECR::Repository"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../schemas/aws-ecr-repository.json")
    }

    fn times(&self) -> &'static [Times] {
        const {
            &[Times::new(
                2,
                1,
                1,
                "creation and deletion: events of two CDK bootstrap stacks; the rest typical, not verified",
            )]
        }
    }

    fn refused(&self) -> &'static [&'static str] {
        &["EncryptionConfiguration/KmsKey"]
    }

    fn refused_values(&self) -> &'static [Refused] {
        &[Refused::Value("EncryptionConfiguration/EncryptionType", &["KMS", "KMS_DSSE"])]
    }

    fn taken_name(
        &self,
        _endpoint: &Endpoint,
        tx: &Tx<'_>,
        properties: &Properties,
    ) -> Result<Option<String>, ApiError> {
        taken::<Repository>(tx, properties, "RepositoryName")
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let wanted = read(properties)?;
        // Names of repositories are in lower case.
        let name = wanted.repository_name.clone().unwrap_or_else(|| cx.generated_name(256).to_lowercase());
        let repository = Repository::create(cx.endpoint, cx.tx, &name, wanted.settings(cx)?)?;
        Ok(Created { physical_id: name, attributes: attributes(cx, &repository) })
    }

    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        _old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        let mut repository = Repository::get(cx.endpoint, cx.tx, physical_id)?;
        repository.settings = read(new)?.settings(cx)?;
        cx.tx.put(&repository)?;
        Ok(attributes(cx, &repository))
    }

    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        let Some(Repository { name, settings, .. }) = of.tx.get(of.physical_id)? else { return Ok(None) };
        let exclusion = |it: &Value| {
            json!({"ImageTagMutabilityExclusionFilterType": it["filterType"],
                "ImageTagMutabilityExclusionFilterValue": it["filter"]})
        };
        let account = &of.endpoint.identity.account_id;
        let lifecycle =
            settings.lifecycle_policy.map(|text| json!({"LifecyclePolicyText": text, "RegistryId": account}));
        Ok(Some(live([
            ("RepositoryName", json!(name)),
            ("ImageTagMutability", json!(settings.tag_mutability)),
            ("ImageTagMutabilityExclusionFilters", settings.mutability_exclusions.iter().map(exclusion).collect()),
            ("ImageScanningConfiguration", json!({"ScanOnPush": settings.scan_on_push})),
            ("EncryptionConfiguration", json!({"EncryptionType": "AES256"})),
            ("LifecyclePolicy", json!(lifecycle)),
            ("RepositoryPolicyText", json!(settings.repository_policy)),
            ("Tags", tag_list(&settings.tags)),
        ])))
    }

    fn delete(&self, cx: &Context<'_>, physical_id: &str, properties: &Properties) -> Result<(), ApiError> {
        let known = read(properties)?;
        Repository::delete(cx.endpoint, cx.tx, physical_id, known.empty_on_delete.unwrap_or(false))
    }

    fn clean_up(&self, endpoint: &Endpoint) {
        collect(endpoint);
    }
}

fn attributes(cx: &Context<'_>, repository: &Repository) -> Properties {
    Properties::from_iter([
        ("Arn".to_owned(), json!(repository.arn(cx.endpoint))),
        ("RepositoryUri".to_owned(), json!(repository.uri(cx.endpoint))),
    ])
}
