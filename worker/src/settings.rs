//! The job's settings: environment variables only, as a container definition sets them.

use std::{collections::BTreeSet, env, ffi::OsString, time::Duration};

use crate::Failure;

/// What the environment says, checked. The README's table describes each variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `TABLE_NAME`
    pub table_name: String,
    /// `BATCH_ID`
    pub batch_id: String,
    /// `BATCH_SIZE`
    pub batch_size: u64,
    /// `ITEM_SECONDS`
    pub item_time: Duration,
    /// `POISON_ITEMS`
    pub poison_items: BTreeSet<u64>,
    /// `QUEUE_URL`, which only `queue` needs
    pub queue_url: Option<String>,
    /// `ECS_CONTAINER_METADATA_URI_V4`
    pub metadata_uri: Option<String>,
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
            batch_id: variable("BATCH_ID").batch_id()?,
            batch_size: variable("BATCH_SIZE").batch_size()?,
            item_time: variable("ITEM_SECONDS")
                .optional("a number of seconds from 0 up, such as 0.5", seconds)?
                .unwrap_or(Duration::from_secs(30)),
            poison_items: variable("POISON_ITEMS")
                .optional("indexes of items, such as 3,7", indexes)?
                .unwrap_or_default(),
            queue_url: variable("QUEUE_URL").optional(QUEUE, queue_url)?,
            metadata_uri: variable("ECS_CONTAINER_METADATA_URI_V4")
                .optional("an http:// address, which ECS sets", http_address)?,
        })
    }
}

/// What `QUEUE_URL` has to be.
const QUEUE: &str = "the URL of an SQS queue, such as https://sqs.eu-west-1.amazonaws.com/123456789012/items";

impl Settings {
    pub(crate) fn queue_url(&self) -> Result<&str, Failure> {
        let not_set = || Failure::variable("QUEUE_URL", "not set".to_owned(), QUEUE);
        self.queue_url.as_deref().ok_or_else(not_set)
    }
}

/// A variable of the environment, still to be checked.
pub(crate) struct Variable {
    pub(crate) name: &'static str,
    pub(crate) value: Option<OsString>,
}

impl Variable {
    pub(crate) fn table_name(self) -> Result<String, Failure> {
        self.required("the name of a DynamoDB table, 3 to 255 characters of a-z A-Z 0-9 _ . -", table_name)
    }

    pub(crate) fn batch_id(self) -> Result<String, Failure> {
        let given = self.optional("1 to 2048 bytes of text", partition_key)?;
        Ok(given.unwrap_or_else(|| "batch".to_owned()))
    }

    pub(crate) fn batch_size(self) -> Result<u64, Failure> {
        Ok(self.optional("a whole number from 1 to 1000000", batch_size)?.unwrap_or(10))
    }

    pub(crate) fn required<T>(self, expected: &str, parse: fn(&str) -> Option<T>) -> Result<T, Failure> {
        let name = self.name;
        let not_set = || Failure::variable(name, "not set".to_owned(), expected);
        self.optional(expected, parse)?.ok_or_else(not_set)
    }

    pub(crate) fn optional<T>(self, expected: &str, parse: fn(&str) -> Option<T>) -> Result<Option<T>, Failure> {
        let Some(value) = self.value else {
            return Ok(None);
        };
        match value.to_str().and_then(parse) {
            Some(parsed) => Ok(Some(parsed)),
            // Debug quotes the value and escapes line ends, so the message stays one line.
            None => Err(Failure::variable(self.name, format!("{value:?}"), expected)),
        }
    }
}

fn table_name(text: &str) -> Option<String> {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || b"_.-".contains(&c);
    let valid = (3..=255).contains(&text.len()) && text.bytes().all(allowed);
    valid.then(|| text.to_owned())
}

fn partition_key(text: &str) -> Option<String> {
    (1..=2048).contains(&text.len()).then(|| text.to_owned())
}

/// Up to a million, so that the numbers an item looks at stay small, see [`work`](crate::work()).
pub(crate) fn batch_size(text: &str) -> Option<u64> {
    text.parse().ok().filter(|n| (1..=1_000_000).contains(n))
}

pub(crate) fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

fn indexes(text: &str) -> Option<BTreeSet<u64>> {
    text.split(',').map(|index| index.parse().ok()).collect()
}

fn queue_url(text: &str) -> Option<String> {
    let is_url = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
    (is_url && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| text.to_owned())
}

fn http_address(text: &str) -> Option<String> {
    text.starts_with("http://").then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Result<Settings, Failure> {
        Settings::from_variables(|name| {
            let set = variables.iter().find(|(n, _)| *n == name);
            set.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn only_the_table_is_required() {
        let expected = Settings {
            table_name: "lab-table".to_owned(),
            batch_id: "batch".to_owned(),
            batch_size: 10,
            item_time: Duration::from_secs(30),
            poison_items: BTreeSet::new(),
            queue_url: None,
            metadata_uri: None,
        };
        assert_eq!(settings(&[("TABLE_NAME", "lab-table")]).unwrap(), expected);
        assert_eq!(
            settings(&[]).unwrap_err().to_string(),
            "TABLE_NAME is not set: expected the name of a DynamoDB table, 3 to 255 characters of a-z A-Z 0-9 _ . -"
        );
    }

    #[test]
    fn values_at_the_limits() {
        for (name, value) in [
            ("BATCH_SIZE", "1"),
            ("BATCH_SIZE", "1000000"),
            ("ITEM_SECONDS", "0"),
            ("ITEM_SECONDS", "0.05"),
            ("ITEM_SECONDS", "1e3"),
            ("BATCH_ID", "a batch, \u{e9}"),
            ("POISON_ITEMS", "3"),
            ("POISON_ITEMS", "3,7"),
            ("QUEUE_URL", "http://127.0.0.1:4566/000000000000/items"),
            ("QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/123456789012/items"),
            ("ECS_CONTAINER_METADATA_URI_V4", "http://169.254.170.2/v4/x"),
        ] {
            let accepted = settings(&[("TABLE_NAME", "lab"), (name, value)]);
            assert!(accepted.is_ok(), "{name}={value}: {accepted:?}");
        }
    }

    #[test]
    fn bad_values_are_refused_by_name_in_one_line() {
        let long_id = "x".repeat(2049);
        let long_name = "t".repeat(256);
        for (name, value) in [
            ("TABLE_NAME", ""),
            ("TABLE_NAME", "ab"),
            ("TABLE_NAME", "lab table"),
            ("TABLE_NAME", &long_name),
            ("BATCH_ID", ""),
            ("BATCH_ID", &long_id),
            ("BATCH_SIZE", ""),
            ("BATCH_SIZE", "0"),
            ("BATCH_SIZE", "-1"),
            ("BATCH_SIZE", "1.5"),
            ("BATCH_SIZE", "ten"),
            ("BATCH_SIZE", " 10"),
            ("BATCH_SIZE", "10\n"),
            ("BATCH_SIZE", "1000001"),
            ("BATCH_SIZE", "18446744073709551616"),
            ("ITEM_SECONDS", ""),
            ("ITEM_SECONDS", "-0.1"),
            ("ITEM_SECONDS", "NaN"),
            ("ITEM_SECONDS", "inf"),
            ("ITEM_SECONDS", "1e400"),
            ("ITEM_SECONDS", "1e30"),
            ("ITEM_SECONDS", "0,5"),
            ("ITEM_SECONDS", "30s"),
            ("POISON_ITEMS", ""),
            ("POISON_ITEMS", "3,"),
            ("POISON_ITEMS", "3, 7"),
            ("POISON_ITEMS", "three"),
            ("POISON_ITEMS", "-1"),
            ("QUEUE_URL", ""),
            ("QUEUE_URL", "items"),
            ("QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/1/a queue"),
            ("QUEUE_URL", "arn:aws:sqs:eu-west-1:123456789012:items"),
            ("ECS_CONTAINER_METADATA_URI_V4", ""),
            ("ECS_CONTAINER_METADATA_URI_V4", "169.254.170.2/v4"),
        ] {
            let line = settings(&[(name, value), ("TABLE_NAME", "lab")]).unwrap_err().to_string();
            let start = format!("{name} is {value:?}: expected ");
            assert!(line.starts_with(&start), "{line}");
            assert!(!line.contains('\n'), "{line}");
        }
    }

    #[test]
    fn a_value_that_is_no_text_is_refused() {
        let refused = Settings::from_variables(|_| Some(OsString::from_vec(vec![b'a', 0xff])));
        let line = refused.unwrap_err().to_string();
        assert!(line.starts_with(r#"TABLE_NAME is "a\xFF": "#), "{line}");
    }
}
