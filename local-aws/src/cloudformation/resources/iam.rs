//! `AWS::IAM::Role` and `AWS::IAM::Policy`.

use std::collections::BTreeSet;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::resource_type::{Context, Created, Properties, Reading, ResourceType, live, tag_list};
use crate::cloudformation::latency::Times;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::iam::role::{Role, Settings};
use crate::store::Tx;
use crate::tag::{self, Tag};

pub(super) const TYPES: &[&dyn ResourceType] = &[&RoleType, &PolicyType];

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RoleProperties {
    role_name: Option<String>,
    assume_role_policy_document: Value,
    #[serde(default)]
    policies: Vec<InlinePolicy>,
    #[serde(default)]
    managed_policy_arns: Vec<String>,
    description: Option<String>,
    path: Option<String>,
    max_session_duration: Option<i64>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct InlinePolicy {
    policy_name: String,
    policy_document: Value,
}

fn read<T: DeserializeOwned>(properties: &Properties) -> Result<T, ApiError> {
    crate::wire::decode("ValidationError", "properties", Value::Object(properties.clone()))
}

impl RoleProperties {
    fn settings(&self, cx: &Context<'_>) -> Settings {
        // IAM takes the stack's own tags, not the `aws:cloudformation:` ones (cloudFormationSystemTags is false).
        let mut tags = cx.tags.clone();
        tags.retain(|key, _| !key.starts_with("aws:"));
        Settings {
            trust_policy: self.assume_role_policy_document.clone(),
            description: self.description.clone(),
            max_session_duration: self.max_session_duration.unwrap_or(3600),
            attached: self.managed_policy_arns.clone(),
            tags: tag::over(tags, &self.tags),
        }
    }
}

struct RoleType;

impl ResourceType for RoleType {
    fn type_name(&self) -> &'static str {
        "AWS::IAM::Role"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../schemas/aws-iam-role.json")
    }

    fn times(&self) -> &'static [Times] {
        const {
            &[Times::new(
                17,
                16,
                11,
                "creation and deletion: events of eight stacks, 13 to 19 s, 10 to 13 s; the rest typical, not verified",
            )]
        }
    }

    fn refused(&self) -> &'static [&'static str] {
        &["PermissionsBoundary"]
    }

    fn taken_name(
        &self,
        _endpoint: &Endpoint,
        tx: &Tx<'_>,
        properties: &Properties,
    ) -> Result<Option<String>, ApiError> {
        let Some(name) = properties.get("RoleName").and_then(Value::as_str) else { return Ok(None) };
        // Role names are unique without regard to case.
        Ok(tx.get::<Role>(&name.to_lowercase())?.map(|role| role.name))
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let wanted: RoleProperties = read(properties)?;
        let name = wanted.role_name.clone().unwrap_or_else(|| cx.generated_name(64));
        let path = wanted.path.as_deref().unwrap_or("/");
        let mut role = Role::create(cx.endpoint, cx.tx, &name, path, wanted.settings(cx))?;
        for policy in &wanted.policies {
            role.put_policy(&policy.policy_name, &policy.policy_document)?;
        }
        cx.tx.put(&role)?;
        Ok(Created { physical_id: name, attributes: attributes(&role) })
    }

    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        let (before, wanted): (RoleProperties, RoleProperties) = (read(old)?, read(new)?);
        let mut role = Role::named(cx.tx, physical_id)?;
        role.apply(wanted.settings(cx))?;
        // Policies that an AWS::IAM::Policy put on the role are not this resource's to remove.
        for policy in &before.policies {
            role.policies.remove(&policy.policy_name);
        }
        for policy in &wanted.policies {
            role.put_policy(&policy.policy_name, &policy.policy_document)?;
        }
        cx.tx.put(&role)?;
        Ok(attributes(&role))
    }

    /// Without the policies that an AWS::IAM::Policy of the same stack has put there.
    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        let Some(role) = gone_is_none(Role::named(of.tx, of.physical_id))? else { return Ok(None) };
        let of_siblings: BTreeSet<&str> = of
            .siblings
            .iter()
            .filter(|sibling| sibling.resource_type == PolicyType.type_name())
            .filter_map(|sibling| sibling.properties.get("PolicyName")?.as_str())
            .collect();
        let own = role.policies.iter().filter(|(name, _)| !of_siblings.contains(name.as_str()));
        let own = own.map(|(name, text)| Ok(json!({"PolicyName": name, "PolicyDocument": document(text)?})));
        Ok(Some(live([
            ("RoleName", json!(role.name)),
            ("Path", json!(role.path)),
            ("AssumeRolePolicyDocument", document(&role.trust_policy)?),
            ("Policies", own.collect::<Result<Vec<Value>, ApiError>>()?.into()),
            ("ManagedPolicyArns", json!(role.attached)),
            ("Description", json!(role.description)),
            ("MaxSessionDuration", json!(role.max_session_duration)),
            ("Tags", tag_list(&role.tags)),
        ])))
    }

    fn delete(&self, cx: &Context<'_>, physical_id: &str, properties: &Properties) -> Result<(), ApiError> {
        let known: RoleProperties = read(properties)?;
        let Some(mut role) = gone_is_none(Role::named(cx.tx, physical_id))? else { return Ok(()) };
        role.attached.clear();
        for policy in &known.policies {
            role.policies.remove(&policy.policy_name);
        }
        role.delete(cx.tx)
    }
}

fn attributes(role: &Role) -> Properties {
    Properties::from_iter([("Arn".to_owned(), json!(role.arn)), ("RoleId".to_owned(), json!(role.role_id))])
}

fn document(text: &str) -> Result<Value, ApiError> {
    serde_json::from_str(text).map_err(|error| ApiError::internal(format!("A policy that is no JSON: {error}")))
}

fn gone_is_none(role: Result<Role, ApiError>) -> Result<Option<Role>, ApiError> {
    match role {
        Ok(role) => Ok(Some(role)),
        Err(error) if error.code == "NoSuchEntity" => Ok(None),
        Err(error) => Err(error),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct PolicyProperties {
    policy_name: String,
    policy_document: Value,
    #[serde(default)]
    roles: BTreeSet<String>,
}

/// A document that is written into several roles under one name.
struct PolicyType;

impl PolicyType {
    fn put(cx: &Context<'_>, wanted: &PolicyProperties) -> Result<(), ApiError> {
        for name in &wanted.roles {
            let mut role = Role::named(cx.tx, name)?;
            role.put_policy(&wanted.policy_name, &wanted.policy_document)?;
            cx.tx.put(&role)?;
        }
        Ok(())
    }

    fn remove(cx: &Context<'_>, policy: &PolicyProperties) -> Result<(), ApiError> {
        for name in &policy.roles {
            if let Some(mut role) = gone_is_none(Role::named(cx.tx, name))? {
                role.policies.remove(&policy.policy_name);
                cx.tx.put(&role)?;
            }
        }
        Ok(())
    }
}

impl ResourceType for PolicyType {
    fn type_name(&self) -> &'static str {
        "AWS::IAM::Policy"
    }

    fn schema(&self) -> &'static str {
        include_str!("../../../schemas/aws-iam-policy.json")
    }

    fn times(&self) -> &'static [Times] {
        const { &[Times::new(16, 16, 1, "creation and deletion: events of two stacks; the rest typical, not verified")] }
    }

    // There are neither users nor groups here.
    fn refused(&self) -> &'static [&'static str] {
        &["Users", "Groups"]
    }

    fn create(&self, cx: &Context<'_>, properties: &Properties) -> Result<Created, ApiError> {
        let wanted: PolicyProperties = read(properties)?;
        Self::put(cx, &wanted)?;
        let physical_id = cx.generated_name(128);
        let attributes = Properties::from_iter([("Id".to_owned(), json!(physical_id))]);
        Ok(Created { physical_id, attributes })
    }

    fn update(
        &self,
        cx: &Context<'_>,
        physical_id: &str,
        old: &Properties,
        new: &Properties,
    ) -> Result<Properties, ApiError> {
        Self::remove(cx, &read(old)?)?;
        Self::put(cx, &read(new)?)?;
        Ok(Properties::from_iter([("Id".to_owned(), json!(physical_id))]))
    }

    /// It is where the first role has it; a role that has lost it is one less.
    fn live(&self, of: &Reading<'_>) -> Result<Option<Properties>, ApiError> {
        let known: PolicyProperties = read(of.declared)?;
        let (mut text, mut roles) = (None, BTreeSet::new());
        for name in known.roles {
            let role = gone_is_none(Role::named(of.tx, &name))?;
            if let Some(found) = role.and_then(|role| role.policies.get(&known.policy_name).cloned()) {
                roles.insert(name);
                text.get_or_insert(found);
            }
        }
        let Some(text) = text else { return Ok(None) };
        Ok(Some(live([
            ("PolicyName", json!(known.policy_name)),
            ("PolicyDocument", document(&text)?),
            ("Roles", json!(roles)),
        ])))
    }

    fn delete(&self, cx: &Context<'_>, _physical_id: &str, properties: &Properties) -> Result<(), ApiError> {
        Self::remove(cx, &read(properties)?)
    }
}
