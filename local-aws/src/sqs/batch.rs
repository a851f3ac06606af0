//! Calls with up to ten entries, each of which is done or refused on its own.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::refusal::query_code;
use crate::error::ApiError;

/// How many entries a call may have.
const MOST: usize = 10;

/// The input of a call for one message of a queue.
pub(super) struct Addressed<T> {
    pub(super) queue_url: String,
    pub(super) what: T,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Addressed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        split(deserializer, "QueueUrl").map(|(queue_url, what)| Self { queue_url, what })
    }
}

/// The same for several.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase", bound = "T: DeserializeOwned")]
pub(super) struct Batch<T> {
    pub(super) queue_url: String,
    #[serde(default)]
    pub(super) entries: Vec<Entry<T>>,
}

/// What is to be done, and what the answer calls it by.
pub(super) struct Entry<T> {
    pub(super) id: String,
    pub(super) what: T,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Entry<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        split(deserializer, "Id").map(|(id, what)| Self { id, what })
    }
}

/// One member, and the others.
fn split<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
    member: &'static str,
) -> Result<(String, T), D::Error> {
    let mut members = Map::deserialize(deserializer)?;
    let Some(one) = members.remove(member) else { return Err(D::Error::missing_field(member)) };
    let one = String::deserialize(one).map_err(D::Error::custom)?;
    Ok((one, T::deserialize(Value::Object(members)).map_err(D::Error::custom)?))
}

impl<T> Batch<T> {
    /// Refuses a call whose answer could not tell its entries apart. `entry` is what AWS's model calls one.
    pub(super) fn check(&self, entry: &str) -> Result<(), ApiError> {
        if self.entries.is_empty() {
            let message = format!("There should be at least one {entry} in the request.");
            return Err(ApiError::new("EmptyBatchRequest", message));
        }
        let number = self.entries.len();
        if number > MOST {
            let message = format!("Maximum number of entries per request are {MOST}. You have sent {number}.");
            return Err(ApiError::new("TooManyEntriesInBatchRequest", message));
        }
        let is_letter = |it: u8| it.is_ascii_alphanumeric() || b"-_".contains(&it);
        let is_id = |id: &str| (1..=80).contains(&id.len()) && id.bytes().all(is_letter);
        if !self.entries.iter().all(|entry| is_id(&entry.id)) {
            return Err(ApiError::new(
                "InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most \
                 80 letters long.",
            ));
        }
        for (place, entry) in self.entries.iter().enumerate() {
            if self.entries[..place].iter().any(|other| other.id == entry.id) {
                return Err(ApiError::new("BatchEntryIdsNotDistinct", format!("Id {} repeated.", entry.id)));
            }
        }
        Ok(())
    }

    /// Does each entry. What is refused has changed nothing, and is in the answer; a failure of ours ends them all.
    pub(super) fn each(&self, mut one: impl FnMut(&T) -> Result<Value, ApiError>) -> Result<Value, ApiError> {
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for Entry { id, what } in &self.entries {
            match one(what) {
                Ok(mut output) => {
                    output["Id"] = json!(id);
                    successful.push(output);
                }
                Err(error) if error.status >= 500 => return Err(error),
                Err(error) => failed.push(json!({
                    "Id": id,
                    "Code": query_code(&error.code),
                    "Message": error.message,
                    "SenderFault": true,
                })),
            }
        }
        let mut output = json!({});
        for (member, entries) in [("Successful", successful), ("Failed", failed)] {
            if !entries.is_empty() {
                output[member] = entries.into();
            }
        }
        Ok(output)
    }
}
