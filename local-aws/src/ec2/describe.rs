//! What all Describe calls share: ids, filters, pages.

use serde::Deserialize;
use serde_json::{Value, json};

use super::refusal::{INVALID, dry_run};
use super::tag::Tags;
use crate::error::ApiError;
use crate::iam::wildcard;
use crate::identity::Identity;
use crate::paging::page;
use crate::service::Call;
use crate::wire::{decode, flag, number};

/// Something that a Describe call lists.
pub(super) trait Describe {
    /// Its filters, besides `tag:KEY` and `tag-key`. Any other is refused. `owner-id` needs no value of its own.
    const FILTERS: &'static [&'static str];

    /// Its id in the call's list of ids.
    fn key(&self) -> &str;

    /// Its place in the list, which no other item has.
    fn order(&self) -> String {
        self.key().to_owned()
    }

    /// The error for an id that is not there.
    fn not_found(id: &str) -> ApiError;

    /// Its tags; `None` for what has none and knows no tag filters.
    fn tags(&self) -> Option<&Tags>;

    /// What the filter compares: the resource passes when one of these is one of the filter's.
    fn values(&self, filter: &str) -> Vec<String>;
}

/// The members that all Describe calls share.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Shared {
    #[serde(default)]
    filter: Vec<Filter>,
    #[serde(default, deserialize_with = "number")]
    max_results: Option<i64>,
    next_token: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    dry_run: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Filter {
    name: String,
    #[serde(default)]
    value: Vec<String>,
}

/// A Describe call's input.
pub(super) struct Query {
    account_id: String,
    ids: Vec<String>,
    shared: Shared,
}

/// One page of a list.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    next_token: Option<String>,
}

impl Query {
    /// Takes the call's input; `ids` names the member with the list of ids.
    pub(super) fn read(call: &mut Call, ids: &str) -> Result<Self, ApiError> {
        let input = call.input.take();
        Self::parse(&call.endpoint.identity, call.operation.name, input, ids)
    }

    fn parse(identity: &Identity, operation: &str, mut input: Value, ids: &str) -> Result<Self, ApiError> {
        let ids = input.as_object_mut().and_then(|members| members.remove(ids)).unwrap_or_else(|| json!([]));
        let ids = decode(INVALID, operation, ids)?;
        let shared: Shared = decode(INVALID, operation, input)?;
        if shared.dry_run == Some(true) {
            return Err(dry_run());
        }
        Ok(Self { account_id: identity.account_id.clone(), ids, shared })
    }

    /// The items that the ids and filters ask for, one page of them.
    ///
    /// # Errors
    /// An id that is not there, an unknown filter, a page size or token that is none.
    pub(super) fn select<T: Describe>(&self, mut items: Vec<T>) -> Result<Page<T>, ApiError> {
        for filter in &self.shared.filter {
            let tag_filter = filter.name.starts_with("tag:") || filter.name == "tag-key";
            if !T::FILTERS.contains(&filter.name.as_str()) && !tag_filter {
                return Err(ApiError::new(INVALID, format!("The filter '{}' is invalid", filter.name)));
            }
        }
        if !self.ids.is_empty() {
            if let Some(missing) = self.ids.iter().find(|id| !items.iter().any(|item| item.key() == *id)) {
                return Err(T::not_found(missing));
            }
            items.retain(|item| self.ids.iter().any(|id| id == item.key()));
        }
        items.retain(|item| self.shared.filter.iter().all(|filter| filter.passes(item, &self.account_id)));
        self.page(items)
    }

    fn page<T: Describe>(&self, mut items: Vec<T>) -> Result<Page<T>, ApiError> {
        let limit = match self.shared.max_results {
            None => usize::MAX,
            Some(size) => usize::try_from(size).ok().filter(|size| (5..=1000).contains(size)).ok_or_else(|| {
                ApiError::new(
                    INVALID,
                    format!(
                        "Value ( {size} ) for parameter maxResults is invalid. Expecting a value between 5 and 1000."
                    ),
                )
            })?,
        };
        let token = self.shared.next_token.as_deref();
        let bad_token = || {
            let token = token.unwrap_or_default();
            ApiError::new("InvalidNextToken", format!("The token '{token}' is invalid"))
        };
        items.sort_by_cached_key(T::order);
        let (items, next_token) = page(items, T::order, false, token, limit, bad_token)?;
        Ok(Page { items, next_token })
    }
}

impl Filter {
    fn passes<T: Describe>(&self, item: &T, account_id: &str) -> bool {
        let found = if let Some(key) = self.name.strip_prefix("tag:") {
            item.tags().and_then(|tags| tags.get(key)).cloned().into_iter().collect()
        } else if self.name == "tag-key" {
            item.tags().map(|tags| tags.keys().cloned().collect()).unwrap_or_default()
        } else if self.name == "owner-id" {
            vec![account_id.to_owned()]
        } else {
            item.values(&self.name)
        };
        found.iter().any(|found| self.value.iter().any(|wanted| wildcard::matches(wanted, found)))
    }
}

impl<T> Page<T> {
    /// The output: the list under `name`, and the token of the next page.
    pub(super) fn output(self, name: &str, show: impl Fn(&T) -> Value) -> Value {
        let mut output = json!({name: self.items.iter().map(show).collect::<Vec<_>>()});
        if let Some(token) = self.next_token {
            output["nextToken"] = json!(token);
        }
        output
    }
}

/// EC2's timestamps.
pub(super) fn time(time: &chrono::DateTime<chrono::Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing(String, Tags);

    impl Describe for Thing {
        const FILTERS: &'static [&'static str] = &["name"];
        fn key(&self) -> &str {
            &self.0
        }
        fn not_found(id: &str) -> ApiError {
            ApiError::new("InvalidThing.NotFound", id)
        }
        fn tags(&self) -> Option<&Tags> {
            Some(&self.1)
        }
        fn values(&self, _filter: &str) -> Vec<String> {
            vec![self.0.clone()]
        }
    }

    fn things() -> Vec<Thing> {
        (0..12).map(|n| Thing(format!("t-{n:02}"), Tags::from([("Even".into(), (n % 2 == 0).to_string())]))).collect()
    }

    fn select(input: Value) -> Result<Page<Thing>, ApiError> {
        let identity = Identity {
            account_id: "000000000000".into(),
            region: "us-east-1".into(),
            access_key_id: String::new(),
            secret_access_key: String::new(),
        };
        Query::parse(&identity, "DescribeThings", input, "ThingId")?.select(things())
    }

    #[test]
    fn ids_filters_and_pages_narrow_the_list() {
        assert_eq!(select(json!({"ThingId": ["t-03"]})).unwrap().items.len(), 1);
        let even = json!([{"Name": "tag:Even", "Value": ["true"]}, {"Name": "name", "Value": ["t-0?", "t-10"]}]);
        assert_eq!(select(json!({"Filter": even})).unwrap().items.len(), 6);
        let first = select(json!({"MaxResults": "5"})).unwrap();
        let second = select(json!({"MaxResults": "5", "NextToken": first.next_token})).unwrap();
        let last = select(json!({"MaxResults": "5", "NextToken": second.next_token})).unwrap();
        assert_eq!((first.items.len(), second.items.len(), last.items.len()), (5, 5, 2));
        assert_eq!((second.items[0].key(), last.next_token), ("t-05", None));
    }

    #[test]
    fn what_it_does_not_know_is_refused() {
        for (input, code) in [
            (json!({"ThingId": ["t-99"]}), "InvalidThing.NotFound"),
            (json!({"Filter": [{"Name": "colour", "Value": ["red"]}]}), INVALID),
            (json!({"MaxResults": "3"}), INVALID),
            (json!({"NextToken": "x"}), "InvalidNextToken"),
            (json!({"DryRun": "true"}), "DryRunOperation"),
            (json!({"Colour": "red"}), "UnsupportedOperation"),
        ] {
            assert_eq!(select(input).err().unwrap().code, code);
        }
    }
}
