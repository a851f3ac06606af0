//! AWS's prefix lists: the addresses of the services that have a gateway endpoint.

use super::id::hash;

/// Services with a gateway endpoint, and the ids of their prefix lists in us-east-1.
pub(super) const GATEWAY_SERVICES: &[(&str, &str)] = &[("s3", "pl-63a5400a"), ("dynamodb", "pl-02cd2c6b")];

/// The prefix list of a gateway service; AWS's own id where it is known.
pub(crate) fn id_of(service: &str, region: &str) -> String {
    match GATEWAY_SERVICES.iter().find(|(name, _)| *name == service) {
        Some((_, id)) if region == "us-east-1" => (*id).to_owned(),
        _ => format!("pl-{}", &hash(&format!("{service}.{region}"))[..8]),
    }
}

/// Whether AWS keeps a prefix list of this id.
pub(super) fn exists(region: &str, id: &str) -> bool {
    GATEWAY_SERVICES.iter().any(|(service, _)| id_of(service, region) == id)
}
