//! Who may speak to the endpoint: processes of this machine, and no browser page.

use std::net::SocketAddr;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

/// Only processes on this machine, and no browser page: a page of any site can send requests to loopback, with its
/// own `Origin`, or with a foreign `Host` when its DNS name was made to point at 127.0.0.1.
pub(crate) fn refuse_foreigners(peer: SocketAddr, headers: &HeaderMap) -> Option<Response> {
    let refuse = |why: &'static str| Some((StatusCode::FORBIDDEN, why).into_response());
    if !peer.ip().is_loopback() {
        return refuse("This endpoint serves loopback peers only.\n");
    }
    // A page's simple requests carry no Origin in some browsers, but say that they come from another site.
    let is_of_page = headers.get("sec-fetch-site").is_some_and(|site| site != "none" && site != "same-origin");
    if headers.contains_key("origin") || is_of_page {
        return refuse("This endpoint does not serve browser pages.\n");
    }
    if headers.get("host").is_some_and(|host| names_loopback(host.as_bytes())) {
        None
    } else {
        refuse("The Host header must name loopback.\n")
    }
}

/// Whether a `Host` header names this machine and nothing else: a DNS name of anybody may point here.
#[must_use]
pub fn names_loopback(host: &[u8]) -> bool {
    let Ok(authority) = Authority::try_from(host) else { return false };
    let (host, rest) = (authority.host(), authority.as_str());
    let is_loopback = ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| host.eq_ignore_ascii_case(name));
    // Nothing but a port behind it, and nobody's name before it.
    is_loopback && (rest.len() == host.len() || authority.port_u16().is_some_and(|_| !rest.contains('@')))
}
