//! The SDK's enums in JSON: as AWS writes them.

use serde::{Deserialize, Deserializer, Serializer};

pub(crate) fn plain<S: Serializer>(value: &impl AsRef<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.as_ref())
}

pub(crate) fn optional<S: Serializer>(value: &Option<impl AsRef<str>>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => plain(value, serializer),
        None => serializer.serialize_none(),
    }
}

pub(crate) fn read_optional<'de, D: Deserializer<'de>, T: for<'a> From<&'a str>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(|text| T::from(&text)))
}
