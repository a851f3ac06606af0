//! The function's settings: environment variables only.

use std::{env, ffi::OsString, time::Duration};

use super::Limits;
use crate::{
    Failure,
    settings::{Variable, seconds},
};

/// What the environment says, checked. The README's table describes each variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `TABLE_NAME`
    pub table_name: String,
    /// `BATCH_ID` and `BATCH_SIZE`, unless the job's own task says otherwise
    pub(super) batch: Batch,
    /// `CLUSTER`
    pub cluster: String,
    /// `TASK_DEFINITION`
    pub task_definition: String,
    /// `CONTAINER_NAME`
    pub container: String,
    /// `SUBNETS`
    pub subnets: Vec<String>,
    /// `SECURITY_GROUPS`
    pub security_groups: Vec<String>,
    /// `MAX_RESTARTS` and `BACKOFF_SECONDS`
    pub limits: Limits,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) id: String,
    pub(super) size: u64,
}

impl Settings {
    /// Reads the environment of the process.
    pub fn from_env() -> Result<Self, Failure> {
        Self::from_variables(env::var_os::<&str>)
    }

    fn from_variables(value: impl Fn(&'static str) -> Option<OsString>) -> Result<Self, Failure> {
        let variable = |name| Variable { name, value: value(name) };
        Ok(Self {
            table_name: variable("TABLE_NAME").table_name()?,
            batch: Batch { id: variable("BATCH_ID").batch_id()?, size: variable("BATCH_SIZE").batch_size()? },
            cluster: variable("CLUSTER").required("the name or ARN of an ECS cluster", cluster)?,
            task_definition: variable("TASK_DEFINITION")
                .required("the ARN of a task definition, or its family", name)?,
            container: variable("CONTAINER_NAME")
                .optional("the name of the job's container", name)?
                .unwrap_or_else(|| "BatchJob".to_owned()),
            subnets: variable("SUBNETS").required("ids of subnets, such as subnet-1a,subnet-2b", ids)?,
            security_groups: variable("SECURITY_GROUPS").required("ids of security groups, such as sg-1a", ids)?,
            limits: Limits {
                restarts: variable("MAX_RESTARTS").optional("a whole number from 0 to 100", restarts)?.unwrap_or(3),
                backoff: variable("BACKOFF_SECONDS")
                    .optional("a number of seconds from 0 up", seconds)?
                    .unwrap_or(Duration::from_secs(60)),
            },
        })
    }

    /// The task definition's name without region, account and revision.
    pub(super) fn family(&self) -> &str {
        let name = self.task_definition.rsplit('/').next().unwrap_or_default();
        name.split(':').next().unwrap_or_default()
    }
}

fn name(text: &str) -> Option<String> {
    let is_name = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_name.then(|| text.to_owned())
}

fn cluster(text: &str) -> Option<String> {
    name(text.rsplit('/').next()?)
}

fn ids(text: &str) -> Option<Vec<String>> {
    text.split(',').map(name).collect()
}

fn restarts(text: &str) -> Option<u32> {
    text.parse().ok().filter(|n| *n <= 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUIRED: [(&str, &str); 5] = [
        ("TABLE_NAME", "lab-table"),
        ("CLUSTER", "arn:aws:ecs:eu-west-1:123456789012:cluster/lab"),
        ("TASK_DEFINITION", "arn:aws:ecs:eu-west-1:123456789012:task-definition/job:7"),
        ("SUBNETS", "subnet-1a,subnet-2b"),
        ("SECURITY_GROUPS", "sg-1a"),
    ];

    fn settings(variables: &[(&str, &str)]) -> Result<Settings, Failure> {
        Settings::from_variables(|name| {
            let set = variables.iter().chain(&REQUIRED).find(|(n, _)| *n == name);
            set.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_rest_has_defaults() {
        let settings = settings(&[]).unwrap();
        assert_eq!(settings.cluster, "lab");
        assert_eq!(settings.family(), "job");
        assert_eq!(settings.subnets, ["subnet-1a", "subnet-2b"]);
        assert_eq!(settings.container, "BatchJob");
        assert_eq!(settings.batch, Batch { id: "batch".to_owned(), size: 10 });
        assert_eq!(settings.limits, Limits { restarts: 3, backoff: Duration::from_secs(60) });
    }

    #[test]
    fn a_family_is_a_task_definition_too() {
        for text in ["job", "job:7"] {
            assert_eq!(settings(&[("TASK_DEFINITION", text)]).unwrap().family(), "job");
        }
    }

    #[test]
    fn bad_values_are_refused_by_name_in_one_line() {
        for (name, value) in [
            ("TABLE_NAME", "ab"),
            ("CLUSTER", ""),
            ("CLUSTER", "arn:aws:ecs:eu-west-1:123456789012:cluster/"),
            ("TASK_DEFINITION", ""),
            ("TASK_DEFINITION", "a job"),
            ("CONTAINER_NAME", ""),
            ("SUBNETS", ""),
            ("SUBNETS", "subnet-1a,"),
            ("SUBNETS", "subnet-1a, subnet-2b"),
            ("SECURITY_GROUPS", ""),
            ("BATCH_ID", ""),
            ("BATCH_SIZE", "0"),
            ("MAX_RESTARTS", "-1"),
            ("MAX_RESTARTS", "101"),
            ("BACKOFF_SECONDS", "-1"),
        ] {
            let line = settings(&[(name, value)]).unwrap_err().to_string();
            assert!(line.starts_with(&format!("{name} is {value:?}: expected ")), "{line}");
            assert!(!line.contains('\n'), "{line}");
        }
        let nothing = Settings::from_variables(|_| None).unwrap_err().to_string();
        assert!(nothing.starts_with("TABLE_NAME is not set: expected "), "{nothing}");
    }
}
