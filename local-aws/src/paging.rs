//! Pages of a list, for the services whose calls answer in pages.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// A page of a list that is sorted by `key`. The token is the key of the page's last item, so what comes or goes
/// between two pages makes no other item appear twice or never.
pub(crate) fn page<T, K: Ord + Serialize + DeserializeOwned>(
    items: Vec<T>,
    key: impl Fn(&T) -> K,
    descending: bool,
    token: Option<&str>,
    limit: usize,
    bad_token: impl Fn() -> ApiError,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    cut(after(items, &key, descending, token, bad_token)?, key, limit)
}

/// What comes after the page that the token is from.
pub(crate) fn after<T, K: Ord + DeserializeOwned>(
    items: Vec<T>,
    key: impl Fn(&T) -> K,
    descending: bool,
    token: Option<&str>,
    bad_token: impl Fn() -> ApiError,
) -> Result<Vec<T>, ApiError> {
    let Some(token) = token else { return Ok(items) };
    let last: K = unseal(token).ok_or_else(bad_token)?;
    let seen = |item: &T| if descending { key(item) >= last } else { key(item) <= last };
    Ok(items.into_iter().skip_while(seen).collect())
}

/// The first items, and a token if there are more.
pub(crate) fn cut<T, K: Serialize>(
    mut items: Vec<T>,
    key: impl Fn(&T) -> K,
    limit: usize,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let more = items.len() > limit;
    items.truncate(limit);
    let token = items.last().filter(|_| more).map(|item| seal(&key(item))).transpose()?;
    Ok((items, token))
}

fn seal(key: &impl Serialize) -> Result<String, ApiError> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(key)?))
}

fn unseal<K: DeserializeOwned>(token: &str) -> Option<K> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_hold_every_item_once_even_when_the_last_one_seen_is_gone() {
        let bad = || ApiError::new("Bad", "token");
        let items: Vec<u32> = (10..20).collect();
        let (first, token) = page(items.clone(), |item| *item, false, None, 4, bad).unwrap();
        assert_eq!(first, [10, 11, 12, 13]);
        let without: Vec<u32> = items.into_iter().filter(|item| *item != 13).collect();
        let (second, token) = page(without.clone(), |item| *item, false, token.as_deref(), 4, bad).unwrap();
        assert_eq!(second, [14, 15, 16, 17]);
        let (third, token) = page(without, |item| *item, false, token.as_deref(), 4, bad).unwrap();
        assert_eq!((third, token), (vec![18, 19], None));
        let (first, token) = page(vec![3, 2, 1], |item| *item, true, None, 2, bad).unwrap();
        let (second, end) = page(vec![3, 1], |item| *item, true, token.as_deref(), 2, bad).unwrap();
        assert_eq!((first, second, end), (vec![3, 2], vec![1], None));
        assert!(page(vec![1], |item| *item, false, Some("?"), 1, bad).is_err());
    }
}
