//! Who gets the page: who has its link, in a browser of this machine, and no other site's page.
//!
//! Any site can have a browser send requests to loopback, and a name of its own can be made to point there. What it cannot
//! have is our `Host`, our `Origin` and our cookie.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HOST, LOCATION, ORIGIN, REFERRER_POLICY, SET_COOKIE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

/// Nothing but our own files, and nothing in line. `same-origin` and not `no-referrer`: with that one, a browser says of our
/// own forms that they come from nowhere.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "same-origin"),
    (CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The secrets of one page: gone with the command.
#[derive(Debug)]
pub(super) struct Guard {
    /// In the link.
    token: String,
    /// In the cookie: who sees the link over somebody's shoulder later sees no cookie.
    session: String,
    /// Browsers send the cookies of a host to all of its ports, so each page has one of its own name.
    cookie: String,
}

impl Guard {
    pub(super) fn new(port: u16) -> Self {
        Self { token: secret(), session: secret(), cookie: format!("fis-workshop-{port}") }
    }

    /// What the link has behind its path.
    pub(super) fn query(&self) -> String {
        format!("token={}", self.token)
    }

    /// Takes the token from who has it, and gives the cookie for it.
    fn let_in(&self, uri: &Uri) -> Option<Response> {
        let query = uri.query().filter(|_| uri.path() == "/")?;
        let token = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "token")?.1;
        if !is_same(&token, &self.token) {
            return Some(refuse("This link is not that of the page: its `fis-workshop watch` has ended.\n"));
        }
        let cookie = format!("{}={}; Path=/; HttpOnly; SameSite=Strict", self.cookie, self.session);
        Some((StatusCode::SEE_OTHER, [(LOCATION, "/".to_owned()), (SET_COOKIE, cookie)]).into_response())
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut cookies = lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
        cookies.any(|(name, value)| name == self.cookie && is_same(value, &self.session))
    }
}

/// The way of every request.
pub(super) async fn guard(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let (headers, uri) = (request.headers(), request.uri());
    let mut response = if let Some(why) = is_foreign(request.method(), headers) {
        refuse(why)
    } else if let Some(answer) = guard.let_in(uri) {
        answer
    } else if guard.has_cookie(headers) {
        next.run(request).await
    } else {
        refuse("This page is for who has its link: `fis-workshop watch` has printed it.\n")
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Why the request is none of our page, or of somebody who opens it.
fn is_foreign(method: &Method, headers: &HeaderMap) -> Option<&'static str> {
    let Some(host) = headers.get(HOST).filter(|host| local_aws::names_loopback(host.as_bytes())) else {
        return Some("The Host header must name loopback.\n");
    };
    // A link that was typed, pasted or opened from a terminal comes from no site.
    if headers.get("sec-fetch-site").is_some_and(|site| site != "none" && site != "same-origin") {
        return Some("This page does not serve other sites.\n");
    }
    let is_ours = |origin: &HeaderValue| origin.as_bytes().strip_prefix(b"http://") == Some(host.as_bytes());
    match headers.get(ORIGIN) {
        Some(origin) if !is_ours(origin) => Some("This page does not serve other sites.\n"),
        // Every browser says where a form comes from.
        None if method != Method::GET && method != Method::HEAD => {
            Some("A request that does something needs an Origin.\n")
        }
        _ => None,
    }
}

fn refuse(why: &'static str) -> Response {
    (StatusCode::FORBIDDEN, why).into_response()
}

fn is_same(given: &str, secret: &str) -> bool {
    given.as_bytes().ct_eq(secret.as_bytes()).into()
}

/// 256 bits of the operating system's randomness.
fn secret() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        pairs.collect()
    }

    #[test]
    fn only_our_own_page_and_who_opens_it_are_served() {
        let host = ("host", "127.0.0.1:4000");
        let get = |pairs: &[_]| is_foreign(&Method::GET, &headers(pairs)).is_none();
        assert!(get(&[host]));
        assert!(get(&[("host", "localhost:4001")]), "a port that was forwarded");
        assert!(get(&[host, ("sec-fetch-site", "none")]));
        assert!(get(&[host, ("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:4000")]));
        assert!(!get(&[]));
        assert!(!get(&[("host", "evil.example:4000")]));
        assert!(!get(&[host, ("sec-fetch-site", "cross-site")]));
        assert!(!get(&[host, ("sec-fetch-site", "same-site")]), "another port of this machine");
        assert!(!get(&[host, ("origin", "http://127.0.0.1:4001")]));
        assert!(!get(&[host, ("origin", "null")]));
    }

    #[test]
    fn what_does_something_has_to_say_where_it_comes_from() {
        let post = |pairs: &[_]| is_foreign(&Method::POST, &headers(pairs)).is_none();
        assert!(post(&[("host", "127.0.0.1:4000"), ("origin", "http://127.0.0.1:4000")]));
        assert!(!post(&[("host", "127.0.0.1:4000")]));
        assert!(!post(&[("host", "127.0.0.1:4000"), ("origin", "https://127.0.0.1:4000")]));
    }

    #[test]
    fn the_cookie_is_none_of_the_link_and_none_of_another_page() {
        let (guard, other) = (Guard::new(1), Guard::new(1));
        let link = format!("/?{}", guard.query()).parse().unwrap();
        let answer = guard.let_in(&link).unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let cookie = answer.headers()[SET_COOKIE].to_str().unwrap().to_owned();
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict") && !cookie.contains(&guard.token), "{cookie}");
        let pair = cookie.split(';').next().unwrap();
        let sent = |cookie: String| HeaderMap::from_iter([(COOKIE, cookie.parse().unwrap())]);
        assert!(guard.has_cookie(&sent(format!("a=b; {pair}"))));
        assert!(!guard.has_cookie(&sent("fis-workshop-1=".to_owned())));
        assert!(!guard.has_cookie(&sent(format!("fis-workshop-1={}", guard.token))));
        assert!(!other.has_cookie(&sent(pair.to_owned())));
        assert_eq!(other.let_in(&link).unwrap().status(), StatusCode::FORBIDDEN);
        assert!(guard.let_in(&format!("/events?{}", guard.query()).parse().unwrap()).is_none());
    }
}
