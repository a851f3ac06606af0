//! One repository of a registry, over OCI's distribution API.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use fis_workshop_images::Blob;
use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use reqwest::{Certificate, Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;

use super::failure::Failure;
use super::reference::RepositoryUri;
use crate::aws::pace::Place;
use crate::aws::way_out::Trust;
use crate::error::{Error, Result};

/// How often one thing is tried.
const ATTEMPTS: u32 = 5;
/// Pieces in which a blob is given to the connection, and progress is counted.
const PIECE: usize = 64 * 1024;
/// Manifests of one image, and lists of one for each platform, of OCI and of Docker.
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json";

/// How a registry knows us.
#[derive(Clone)]
pub(crate) enum Credentials {
    /// Not at all.
    Anonymous,
    /// By name and password; ECR takes its authorization tokens like this.
    Basic {
        /// The name; `AWS` for ECR.
        username: String,
        /// The password.
        password: String,
    },
}

/// A manifest in a registry.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    pub(crate) digest: String,
    pub(crate) bytes: Bytes,
}

/// A repository, and the way to it.
pub(crate) struct Registry {
    http: Client,
    /// `https://HOST/v2/NAME/`
    base: Url,
    repository: RepositoryUri,
    credentials: Credentials,
    /// What the registry's token service gave us, where it has one.
    token: Mutex<Option<String>>,
    first_wait: Duration,
}

impl Registry {
    /// The repository, reached at `host`. Only over TLS, unless it is on this machine.
    ///
    /// # Errors
    /// When the host is no host, or there are no certificates to trust.
    pub(crate) fn open(
        repository: &RepositoryUri,
        host: &str,
        credentials: Credentials,
        trust: &Trust,
    ) -> Result<Self> {
        // Docker Hub's registry has another name than its images.
        let host = if host == "docker.io" { "registry-1.docker.io" } else { host };
        let is_here = is_loopback(host);
        let scheme = if is_here { "http" } else { "https" };
        let base = Url::parse(&format!("{scheme}://{host}/v2/{}/", repository.name))
            .map_err(|error| Error::usage(format!("{host:?} is no host of a registry.")).cause(error))?;
        // Ring for every TLS connection that does not choose for itself; that it is chosen already is just as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder()
            .user_agent(concat!("fis-workshop/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(60));
        // Plain HTTP on this machine: no certificates to look for, which there may be none of, and no proxy.
        let builder = match trust {
            _ if is_here => builder.no_proxy().tls_certs_only([]),
            Trust::Machine => builder,
            Trust::File(pem) => builder.tls_certs_only(Certificate::from_pem_bundle(pem).map_err(no_connection)?),
        };
        let http = builder.build().map_err(no_connection)?;
        let first_wait = if is_here { Duration::from_millis(20) } else { Duration::from_millis(400) };
        Ok(Self { http, base, repository: repository.clone(), credentials, token: Mutex::new(None), first_wait })
    }

    /// Which repository it is.
    pub(crate) fn repository(&self) -> &RepositoryUri {
        &self.repository
    }

    /// The manifest that has this tag or digest, if there is one.
    pub(crate) async fn manifest(&self, reference: &str) -> Result<Option<Remote>> {
        let attempt = async || {
            let path = format!("manifests/{reference}");
            let get = || Ok(self.request(Method::GET, &path)?.header(ACCEPT, MANIFESTS));
            let bytes = expect(self.send(get).await?, StatusCode::OK).await?.bytes().await?;
            Ok(Remote { digest: Blob::new(bytes.clone()).digest, bytes })
        };
        match self.retrying(attempt).await {
            Ok(remote) => Ok(Some(remote)),
            Err(failure) if failure.is_not_found() && !failure.is_name_unknown() => Ok(None),
            Err(failure) => Err(failure.error(format_args!("Reading the image {reference}"), &self.repository)),
        }
    }

    /// The content of a small blob, such as an image's configuration.
    ///
    /// # Errors
    /// When the registry cannot be reached, refuses, or sends something else.
    pub(crate) async fn blob(&self, digest: &str) -> Result<Bytes> {
        let attempt = async || {
            let path = format!("blobs/{digest}");
            let response = self.send(|| self.request(Method::GET, &path)).await?;
            let bytes = expect(response, StatusCode::OK).await?.bytes().await?;
            if Blob::new(bytes.clone()).digest == digest {
                Ok(bytes)
            } else {
                Err(Failure::Unreachable(format!("what arrived is not {digest}")))
            }
        };
        let result = self.retrying(attempt).await;
        result.map_err(|failure| failure.error(format_args!("Reading the blob {digest}"), &self.repository))
    }

    pub(super) async fn has_manifest(&self, digest: &str) -> std::result::Result<bool, Failure> {
        self.retrying(async || self.has(&format!("manifests/{digest}")).await).await
    }

    async fn has(&self, path: &str) -> std::result::Result<bool, Failure> {
        let response = self.send(|| Ok(self.request(Method::HEAD, path)?.header(ACCEPT, MANIFESTS))).await?;
        match response.status() {
            StatusCode::OK => Ok(true),
            // Also when there is no such repository: the first POST says so in words.
            StatusCode::NOT_FOUND => Ok(false),
            _ => Err(Failure::of(response).await),
        }
    }

    /// Uploads the blob unless it is there; whether it had to travel. `sent` counts its bytes.
    pub(super) async fn put_blob(&self, blob: &Blob, sent: &Arc<AtomicU64>) -> std::result::Result<bool, Failure> {
        self.retrying(async || {
            if self.has(&format!("blobs/{}", blob.digest)).await? {
                return Ok(false);
            }
            let counted = Arc::new(AtomicU64::new(0));
            let uploaded = self.upload(blob, sent, &counted).await;
            match uploaded {
                Ok(()) => Ok(true),
                Err(failure) => {
                    sent.fetch_sub(counted.load(Ordering::Relaxed), Ordering::Relaxed);
                    // Somebody else was faster.
                    if failure.is_already_there() && self.has(&format!("blobs/{}", blob.digest)).await? {
                        return Ok(false);
                    }
                    Err(failure)
                }
            }
        })
        .await
    }

    /// One upload from its beginning, in one piece: ECR loses what comes after a first PATCH.
    async fn upload(
        &self,
        blob: &Blob,
        sent: &Arc<AtomicU64>,
        counted: &Arc<AtomicU64>,
    ) -> std::result::Result<(), Failure> {
        let begin = || Ok(self.request(Method::POST, "blobs/uploads/")?.header(CONTENT_LENGTH, 0));
        let begun = expect(self.send(begin).await?, StatusCode::ACCEPTED).await?;
        let location = begun.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let location = location.ok_or_else(|| Failure::Unreachable("the upload got no location".to_owned()))?;
        // Absolute or relative, as the registry likes.
        let mut url = begun.url().join(location).map_err(|error| Failure::Unreachable(error.to_string()))?;
        url.query_pairs_mut().append_pair("digest", &blob.digest);
        let put = || {
            let pieces = pieces(blob.bytes.clone(), Arc::clone(sent), Arc::clone(counted));
            Ok(self
                .http
                .put(url.clone())
                .header(CONTENT_TYPE, "application/octet-stream")
                .header(CONTENT_LENGTH, blob.bytes.len())
                .body(reqwest::Body::wrap_stream(pieces)))
        };
        expect(self.send(put).await?, StatusCode::CREATED).await.map(drop)
    }

    /// Puts the manifest under `tag`; whether it had to travel.
    pub(super) async fn put_manifest(
        &self,
        tag: &str,
        media_type: &str,
        manifest: &Blob,
    ) -> std::result::Result<bool, Failure> {
        self.retrying(async || {
            let path = format!("manifests/{tag}");
            let put = || {
                let request = self.request(Method::PUT, &path)?;
                Ok(request.header(CONTENT_TYPE, media_type).body(manifest.bytes.clone()))
            };
            match expect(self.send(put).await?, StatusCode::CREATED).await {
                Ok(_) => Ok(true),
                // Only if it is ours that is there.
                Err(failure)
                    if failure.is_already_there() && self.has(&format!("manifests/{}", manifest.digest)).await? =>
                {
                    Ok(false)
                }
                Err(failure) => Err(failure),
            }
        })
        .await
    }

    fn request(&self, method: Method, path: &str) -> std::result::Result<RequestBuilder, Failure> {
        let url = self.base.join(path).map_err(|error| Failure::Unreachable(error.to_string()))?;
        Ok(self.http.request(method, url))
    }

    /// Sends the request, and once more when the registry wants a token of its token service first.
    async fn send(
        &self,
        request: impl Fn() -> std::result::Result<RequestBuilder, Failure>,
    ) -> std::result::Result<Response, Failure> {
        let response = self.send_as_known(request()?).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let header = response.headers().get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let Some(challenge) = header.and_then(Challenge::parse) else { return Ok(response) };
        let token = self.fetch_token(&challenge).await?;
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
        self.send_as_known(request()?).await
    }

    async fn send_as_known(&self, request: RequestBuilder) -> std::result::Result<Response, Failure> {
        let (http, request) = request.build_split();
        let request = request?;
        // An upload's location may be on another host, signed by itself; our credentials are none of its business.
        let is_ours = request.url().origin() == self.base.origin();
        let request = RequestBuilder::from_parts(http, request);
        let token = self.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let request = match (&self.credentials, token) {
            _ if !is_ours => request,
            (_, Some(token)) => request.bearer_auth(token),
            (Credentials::Basic { username, password }, None) => request.basic_auth(username, Some(password)),
            (Credentials::Anonymous, None) => request,
        };
        Ok(request.send().await?)
    }

    async fn fetch_token(&self, challenge: &Challenge) -> std::result::Result<String, Failure> {
        let realm = Url::parse(&challenge.realm).map_err(|error| Failure::Unreachable(error.to_string()))?;
        if realm.scheme() != "https" && !realm.host_str().is_some_and(is_loopback) {
            return Err(Failure::Unreachable(format!("the token service {realm} does not use TLS")));
        }
        let scope = format!("repository:{}:pull,push", self.repository.name);
        let scope = challenge.scope.clone().unwrap_or(scope);
        let mut request = self.http.get(realm).query(&[("scope", scope)]);
        if let Some(service) = &challenge.service {
            request = request.query(&[("service", service)]);
        }
        if let Credentials::Basic { username, password } = &self.credentials {
            request = request.basic_auth(username, Some(password));
        }
        let text = expect(request.send().await?, StatusCode::OK).await?.text().await?;
        let answer: TokenAnswer = serde_json::from_str(&text)
            .map_err(|error| Failure::Unreachable(format!("the token service's answer: {error}")))?;
        let token = answer.token.or(answer.access_token);
        token.ok_or_else(|| Failure::Unreachable("the token service's answer has no token".to_owned()))
    }

    /// Tries again what may succeed a moment later, each time from its beginning.
    async fn retrying<T>(
        &self,
        attempt: impl AsyncFn() -> std::result::Result<T, Failure>,
    ) -> std::result::Result<T, Failure> {
        let mut wait = self.first_wait;
        let mut number = 1;
        loop {
            match attempt().await {
                Err(failure) if failure.is_transient() && number < ATTEMPTS => {
                    // A whole class was refused at the same moment and should not come back at the same moment.
                    let jittered = wait.mul_f64(rand::random_range(0.5..1.0));
                    tokio::time::sleep(failure.retry_after().unwrap_or_default().max(jittered)).await;
                    wait *= 2;
                    number += 1;
                }
                result => return result,
            }
        }
    }
}

fn no_connection(error: reqwest::Error) -> Error {
    Error::failed("No connection to a registry can be made.").cause(Failure::from(error).text()).hint(
        "Certificates to trust are needed: install the package ca-certificates, or name a file of them in SSL_CERT_FILE.",
    )
}

/// What a registry with a token service answers to a request without a token.
#[derive(Debug, PartialEq, Eq)]
struct Challenge {
    realm: String,
    service: Option<String>,
    scope: Option<String>,
}

impl Challenge {
    fn parse(header: &str) -> Option<Self> {
        let challenges = http_auth::parse_challenges(header).ok()?;
        let bearer = challenges.iter().find(|challenge| challenge.scheme.eq_ignore_ascii_case("bearer"))?;
        let value = |name: &str| {
            let parameter = bearer.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            parameter.map(|(_, value)| value.to_unescaped())
        };
        Some(Self { realm: value("realm")?, service: value("service"), scope: value("scope") })
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
}

async fn expect(response: Response, wanted: StatusCode) -> std::result::Result<Response, Failure> {
    // ECR answers 201 where the specification says 202.
    let is_wanted = response.status() == wanted || (response.status().is_success() && wanted != StatusCode::OK);
    if is_wanted { Ok(response) } else { Err(Failure::of(response).await) }
}

fn pieces(
    bytes: Bytes,
    sent: Arc<AtomicU64>,
    counted: Arc<AtomicU64>,
) -> impl futures_util::Stream<Item = std::result::Result<Bytes, std::convert::Infallible>> + Send + 'static {
    let mut rest = bytes;
    futures_util::stream::iter(std::iter::from_fn(move || {
        let piece = rest.split_to(rest.len().min(PIECE));
        let length = piece.len() as u64;
        sent.fetch_add(length, Ordering::Relaxed);
        counted.fetch_add(length, Ordering::Relaxed);
        (length > 0).then_some(Ok(piece))
    }))
}

/// Whether `host`, with or without a port, is this machine.
fn is_loopback(host: &str) -> bool {
    Place::of(Some(&format!("http://{host}/"))) == Place::Loopback
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_spoken_to_without_tls() {
        for host in ["127.0.0.1:5000", "localhost", "[::1]:5000"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["127.0.0.1.example.com", "10.0.0.1:5000", "registry", "localhost.example.com:80"] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_token_service_is_named_by_the_challenge() {
        let header = r#"Bearer realm="https://auth.example.com/token",service="registry",scope="repository:a:pull""#;
        let challenge = Challenge::parse(header).unwrap();
        assert_eq!(challenge.realm, "https://auth.example.com/token");
        assert_eq!(challenge.scope.as_deref(), Some("repository:a:pull"));
        assert_eq!(Challenge::parse("Basic realm=\"https://ecr\",service=\"ecr.amazonaws.com\""), None);
    }
}
