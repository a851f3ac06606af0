//! What of a function can be configured: by CreateFunction, UpdateFunctionConfiguration and CloudFormation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::dead_letter::DeadLetterConfig;
use super::refusal::{INVALID, constraint, invalid};
use crate::error::ApiError;
use crate::wire;

/// AWS's, in seconds: more only for functions on instances of one's own.
const MAX_TIMEOUT: i64 = 1800;

/// Of all variables together, in bytes.
const MAX_VARIABLES: usize = 4096;

/// Names that the service sets, or whose values it does not take.
const RESERVED: &[&str] = &[
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

/// The settings of a function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) role: String,
    pub(crate) description: String,
    /// In seconds.
    pub(crate) timeout: u32,
    /// In MB. It is told; nothing holds a process to it.
    pub(crate) memory_size: u32,
    pub(crate) variables: BTreeMap<String, String>,
    /// The queue for events that could not be handled.
    pub(crate) dead_letter: Option<String>,
    pub(crate) image_config: ImageConfig,
    /// Of `/tmp`, in MB; told only.
    pub(crate) ephemeral_storage: u32,
    /// Without it, the function's own.
    pub(crate) log_group: Option<String>,
}

/// What replaces what the image says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct ImageConfig {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) entry_point: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) command: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) working_directory: Option<String>,
}

/// Settings as requests write them; what is not there stays.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct Changes {
    role: Option<String>,
    description: Option<String>,
    timeout: Option<i64>,
    memory_size: Option<i64>,
    environment: Option<Environment>,
    dead_letter_config: Option<DeadLetterConfig>,
    image_config: Option<ImageConfig>,
    ephemeral_storage: Option<EphemeralStorage>,
    logging_config: Option<LoggingConfig>,
    tracing_config: Option<TracingConfig>,
    snap_start: Option<SnapStart>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Environment {
    #[serde(default)]
    variables: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct EphemeralStorage {
    size: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct LoggingConfig {
    log_format: Option<String>,
    log_group: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct TracingConfig {
    mode: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct SnapStart {
    apply_on: Option<String>,
}

impl Changes {
    const MEMBERS: &[&str] = &[
        "DeadLetterConfig",
        "Description",
        "Environment",
        "EphemeralStorage",
        "ImageConfig",
        "LoggingConfig",
        "MemorySize",
        "Role",
        "SnapStart",
        "Timeout",
        "TracingConfig",
    ];

    /// Takes the settings out of an input, which keeps the rest.
    pub(crate) fn take(operation: &str, input: &mut Map<String, Value>) -> Result<Self, ApiError> {
        let taken = Self::MEMBERS.iter().filter_map(|name| input.remove_entry(*name)).collect();
        wire::decode(INVALID, operation, Value::Object(taken))
    }

    /// The settings of a new function.
    pub(crate) fn into_settings(self) -> Result<Settings, ApiError> {
        if self.role.is_none() {
            return Err(constraint("role", "null", "not be null"));
        }
        let mut settings = Settings {
            role: String::new(),
            description: String::new(),
            timeout: 3,
            memory_size: 128,
            variables: BTreeMap::new(),
            dead_letter: None,
            image_config: ImageConfig::default(),
            ephemeral_storage: 512,
            log_group: None,
        };
        settings.change(self)?;
        Ok(settings)
    }
}

impl Settings {
    /// Takes the changes over; nothing is written.
    pub(crate) fn change(&mut self, changes: Changes) -> Result<(), ApiError> {
        refuse_modes(&changes)?;
        if let Some(role) = changes.role {
            check_role(&role)?;
            self.role = role;
        }
        if let Some(description) = changes.description {
            if description.chars().count() > 256 {
                return Err(constraint("description", description, "have length less than or equal to 256"));
            }
            self.description = description;
        }
        if let Some(timeout) = changes.timeout {
            self.timeout = within("timeout", timeout, 1, MAX_TIMEOUT)?;
        }
        if let Some(memory) = changes.memory_size {
            self.memory_size = within("memorySize", memory, 128, 32768)?;
        }
        if let Some(environment) = changes.environment {
            check_variables(&environment.variables)?;
            self.variables = environment.variables;
        }
        if let Some(config) = changes.dead_letter_config {
            self.dead_letter = config.queue()?;
        }
        if let Some(config) = changes.image_config {
            self.image_config = config;
        }
        if let Some(storage) = changes.ephemeral_storage {
            self.ephemeral_storage = within("ephemeralStorage.size", storage.size, 512, 10240)?;
        }
        if let Some(logging) = changes.logging_config {
            self.log_group = logging.log_group;
        }
        Ok(())
    }

    /// The group that its log goes to.
    pub(crate) fn log_group(&self, function: &str) -> String {
        self.log_group.clone().unwrap_or_else(|| format!("/aws/lambda/{function}"))
    }
}

/// Refuses what the local endpoint does not do, by its name.
fn refuse_modes(changes: &Changes) -> Result<(), ApiError> {
    let refuse = |what: &str, value: Option<&String>, only: &str| match value {
        Some(value) if value != only => Err(ApiError::unsupported(format!("{what} {value}"))),
        _ => Ok(()),
    };
    let format = changes.logging_config.as_ref().and_then(|config| config.log_format.as_ref());
    refuse("The log format", format, "Text")?;
    refuse("The tracing mode", changes.tracing_config.as_ref().and_then(|it| it.mode.as_ref()), "PassThrough")?;
    refuse("SnapStart applied on", changes.snap_start.as_ref().and_then(|it| it.apply_on.as_ref()), "None")
}

fn check_role(role: &str) -> Result<(), ApiError> {
    let is_role = role.starts_with("arn:") && role.split(':').nth(2) == Some("iam") && role.contains(":role/");
    let rule = r"satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+";
    if is_role { Ok(()) } else { Err(constraint("role", role, rule)) }
}

fn within(member: &str, value: i64, least: i64, most: i64) -> Result<u32, ApiError> {
    let rule = match value {
        value if value < least => format!("have value greater than or equal to {least}"),
        value if value > most => format!("have value less than or equal to {most}"),
        value => return u32::try_from(value).map_err(|_| constraint(member, value, "be a number")),
    };
    Err(constraint(member, value, &rule))
}

fn check_variables(variables: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let is_name = |name: &str| {
        name.len() > 1
            && name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if let Some(name) = variables.keys().find(|name| RESERVED.contains(&name.as_str())) {
        return Err(invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: {name}"
        )));
    }
    if let Some(name) = variables.keys().find(|name| !is_name(name)) {
        return Err(constraint(
            "environment.variables",
            name,
            "satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]",
        ));
    }
    let bytes: usize = variables.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > MAX_VARIABLES {
        return Err(invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: {bytes} bytes"
        )));
    }
    Ok(())
}
