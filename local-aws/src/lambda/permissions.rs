//! The policy of a function: which services may invoke it, and for whom.

use serde::Deserialize;
use serde_json::{Value, json};

use super::function::Function;
use super::name::find;
use super::refusal::{conflict, constraint, invalid, not_found, refused};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

/// Most bytes of a policy.
const MAX_POLICY: usize = 20 * 1024;

/// A statement that is to be added.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct Permission {
    pub(crate) function_name: String,
    pub(crate) statement_id: String,
    action: String,
    principal: String,
    source_arn: Option<String>,
    source_account: Option<String>,
    qualifier: Option<String>,
    revision_id: Option<String>,
}

impl Permission {
    fn check(&self) -> Result<(), ApiError> {
        let is_id = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if self.statement_id.is_empty() || self.statement_id.len() > 100 || !self.statement_id.bytes().all(is_id) {
            let rule = "satisfy regular expression pattern: ([a-zA-Z0-9-_]+)";
            return Err(constraint("statementId", &self.statement_id, rule));
        }
        let is_action = self
            .action
            .strip_prefix("lambda:")
            .is_some_and(|name| name == "*" || !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic()));
        if !is_action && self.action != "*" {
            let rule = "satisfy regular expression pattern: (lambda:[*]|lambda:[a-zA-Z]+|[*])";
            return Err(constraint("action", &self.action, rule));
        }
        let is_account = self.principal.len() == 12 && self.principal.bytes().all(|byte| byte.is_ascii_digit());
        let is_of_iam = self.principal == "*" || self.principal.starts_with("arn:aws:iam::");
        if !self.principal.ends_with(".amazonaws.com") && !is_account && !is_of_iam {
            return Err(invalid(format!(
                "The provided principal was invalid. Please check the principal and try again: {}",
                self.principal
            )));
        }
        if self.source_arn.as_ref().is_some_and(|arn| !arn.starts_with("arn:") && arn != "*") {
            let arn = self.source_arn.as_deref().unwrap_or_default();
            return Err(constraint(
                "sourceArn",
                arn,
                "satisfy regular expression pattern: arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:.*",
            ));
        }
        Ok(())
    }

    fn principal(&self) -> Value {
        match self.principal.as_str() {
            "*" => json!("*"),
            service if service.ends_with(".amazonaws.com") => json!({"Service": service}),
            arn if arn.starts_with("arn:") => json!({"AWS": arn}),
            account => json!({"AWS": format!("arn:aws:iam::{account}:root")}),
        }
    }

    fn statement(&self, function: &Function) -> Value {
        let mut statement = json!({
            "Sid": self.statement_id,
            "Effect": "Allow",
            "Principal": self.principal(),
            "Action": self.action,
            "Resource": function.arn,
        });
        if let Some(account) = &self.source_account {
            statement["Condition"]["StringEquals"]["AWS:SourceAccount"] = json!(account);
        }
        if let Some(arn) = &self.source_arn {
            statement["Condition"]["ArnLike"]["AWS:SourceArn"] = json!(arn);
        }
        statement
    }

    /// Adds the statement, which it gives back.
    pub(crate) fn add(&self, endpoint: &Endpoint, tx: &Tx<'_>) -> Result<Value, ApiError> {
        self.check()?;
        let mut function = find(endpoint, tx, &self.function_name, self.qualifier.as_deref())?;
        check_revision(&function, self.revision_id.as_deref())?;
        if position(&function, &self.statement_id).is_some() {
            return Err(conflict(format!(
                "The statement id ({}) provided already exists. Please provide a new statement id, or remove the existing statement.",
                self.statement_id
            )));
        }
        let statement = self.statement(&function);
        function.statements.push(statement.clone());
        let length = function.policy().map_or(0, |policy| policy.to_string().len());
        if length > MAX_POLICY {
            let message = format!("The final policy size ({length}) is bigger than the limit ({MAX_POLICY}).");
            return Err(refused("PolicyLengthExceededException", 400, message));
        }
        function.touch();
        tx.put(&function)?;
        Ok(statement)
    }
}

fn check_revision(function: &Function, asked: Option<&str>) -> Result<(), ApiError> {
    if asked.is_none_or(|asked| asked == function.revision_id) {
        return Ok(());
    }
    let message = "The RevisionId provided does not match the latest RevisionId. Call the GetPolicy API to retrieve the latest RevisionId";
    Err(refused("PreconditionFailedException", 412, message))
}

fn position(function: &Function, statement_id: &str) -> Option<usize> {
    function.statements.iter().position(|statement| statement["Sid"] == statement_id)
}

/// Takes the statement away; whether it was there.
pub(crate) fn take_away(tx: &Tx<'_>, function: &mut Function, statement_id: &str) -> Result<bool, ApiError> {
    let Some(position) = position(function, statement_id) else { return Ok(false) };
    function.statements.remove(position);
    function.touch();
    tx.put(function)?;
    Ok(true)
}

pub(super) fn add(endpoint: &Endpoint, input: &Permission) -> Result<Value, ApiError> {
    let statement = endpoint.store.write(|tx| input.add(endpoint, tx))?;
    Ok(json!({"Statement": statement.to_string()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct RemovePermission {
    function_name: String,
    statement_id: String,
    qualifier: Option<String>,
    revision_id: Option<String>,
}

pub(super) fn remove(endpoint: &Endpoint, input: &RemovePermission) -> Result<Value, ApiError> {
    endpoint.store.write(|tx| {
        let mut function = find(endpoint, tx, &input.function_name, input.qualifier.as_deref())?;
        check_revision(&function, input.revision_id.as_deref())?;
        if function.statements.is_empty() {
            return Err(not_found("No policy is associated with the given resource."));
        }
        if take_away(tx, &mut function, &input.statement_id)? {
            return Ok(json!({}));
        }
        Err(not_found(format!("Statement {} is not found in resource policy.", input.statement_id)))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct GetPolicy {
    function_name: String,
    qualifier: Option<String>,
}

pub(super) fn get_policy(endpoint: &Endpoint, input: &GetPolicy) -> Result<Value, ApiError> {
    let function = endpoint.store.read(|tx| find(endpoint, tx, &input.function_name, input.qualifier.as_deref()))?;
    let policy = function.policy().ok_or_else(|| not_found("The resource you requested does not exist."))?;
    Ok(json!({"Policy": policy.to_string(), "RevisionId": function.revision_id}))
}
