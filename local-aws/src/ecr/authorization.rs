//! The passwords of the registry: made out of the account's secret, so that none has to be remembered.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, Mac};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;

use super::refusal::check_registry;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::identity::Identity;
use crate::wire::epoch;

/// As on AWS.
const LIFETIME: TimeDelta = TimeDelta::hours(12);

/// The user name that goes with every password.
const USER: &str = "AWS";

/// What is wrong with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Unknown,
    Expired,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct GetAuthorizationToken {
    #[serde(default)]
    registry_ids: Vec<String>,
}

pub(super) fn get_authorization_token(endpoint: &Endpoint, input: GetAuthorizationToken) -> Result<Value, ApiError> {
    for id in &input.registry_ids {
        check_registry(endpoint, Some(id))?;
    }
    let expires_at = Utc::now() + LIFETIME;
    let token = format!("{USER}:{}", password(&endpoint.identity, expires_at.timestamp()));
    // AWS names `https://ACCOUNT.dkr.ecr.REGION.amazonaws.com`: who pushes goes where this says.
    let data = json!({
        "authorizationToken": STANDARD.encode(token),
        "expiresAt": epoch(expires_at),
        "proxyEndpoint": endpoint.url,
    });
    Ok(json!({"authorizationData": [data]}))
}

fn mac(identity: &Identity, expires_at: i64) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(identity.secret_access_key.as_bytes()).ok()?;
    mac.update(format!("ecr\n{}\n{}\n{expires_at}", identity.account_id, identity.region).as_bytes());
    Some(mac)
}

fn password(identity: &Identity, expires_at: i64) -> String {
    let code = mac(identity, expires_at).map(|mac| mac.finalize().into_bytes()).unwrap_or_default();
    format!("{expires_at}.{}", STANDARD.encode(code))
}

/// Checks what stands after `Basic ` in a request's `Authorization`.
///
/// # Errors
/// When it is not of our making, or too old.
pub(crate) fn check(identity: &Identity, credentials: &str, now: DateTime<Utc>) -> Result<(), Refusal> {
    let known = || {
        let text = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
        let (user, password) = text.split_once(':')?;
        let (expires_at, code) = password.split_once('.')?;
        let expires_at: i64 = expires_at.parse().ok()?;
        mac(identity, expires_at)?.verify_slice(&STANDARD.decode(code).ok()?).ok()?;
        (user == USER).then_some(expires_at)
    };
    match known() {
        None => Err(Refusal::Unknown),
        Some(expires_at) if expires_at <= now.timestamp() => Err(Refusal::Expired),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_passwords_are_taken_and_only_for_their_time() {
        let identity = Identity {
            account_id: "000000000000".into(),
            region: "us-east-1".into(),
            access_key_id: "AKIA".into(),
            secret_access_key: "secret".into(),
        };
        let now = Utc::now();
        let end = now.timestamp() + 60;
        let basic = |text: &str| STANDARD.encode(text);
        let good = password(&identity, end);
        assert_eq!(check(&identity, &basic(&format!("AWS:{good}")), now), Ok(()));
        let later = now + TimeDelta::seconds(60);
        assert_eq!(check(&identity, &basic(&format!("AWS:{good}")), later), Err(Refusal::Expired));
        let longer = good.replace(&end.to_string(), &(end + 1).to_string());
        let other = Identity { secret_access_key: "other".into(), ..identity.clone() };
        let foreign = password(&other, end);
        for wrong in [
            basic(&format!("AWS:{longer}")),
            basic(&format!("AWS:{foreign}")),
            basic(&format!("me:{good}")),
            basic(&format!("AWS:{end}.")),
            basic("AWS:"),
            basic(""),
            "?".into(),
            String::new(),
        ] {
            assert_eq!(check(&identity, &wrong, now), Err(Refusal::Unknown), "{wrong}");
        }
    }
}
