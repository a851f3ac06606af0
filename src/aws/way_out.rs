//! The way out of this machine: proxies, certificates and patience, as the AWS CLI has them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_config::profile::ProfileSet;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_ecs::config::SharedHttpClient;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::error::{Error, Result};

/// The AWS CLI's variable for a file of certificates.
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// To this machine: plain HTTP, and never through a proxy of the environment.
pub(super) fn to_loopback() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        let mut builder = Connector::builder().proxy_config(ProxyConfig::disabled());
        builder.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            builder.set_sleep_impl(components.sleep_impl());
        }
        builder.build_http()
    })
}

/// To AWS: through the proxy of the environment (`HTTPS_PROXY`, `NO_PROXY`), which a client of one's own has to ask
/// for.
///
/// # Errors
/// When no TLS can be set up.
pub(super) fn to_aws(trust: &Trust) -> Result<SharedHttpClient> {
    let context = TlsContext::builder().with_trust_store(trust.store()).build();
    let context = context.map_err(|error| Error::failed("No connection to AWS can be made.").cause(error))?;
    Ok(Builder::new().build_with_connector_fn(move |settings, components| {
        let mut builder = Connector::builder().proxy_config(ProxyConfig::from_env());
        builder.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            builder.set_sleep_impl(components.sleep_impl());
        }
        builder.tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(context.clone()).build()
    }))
}

/// How long AWS may take: a connection that has died without a word (a laptop that slept, a VPN that changed) is given
/// up and tried again, since every call that changes something has a token. AWS answers all of ours within seconds.
pub(super) fn patience() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(Duration::from_secs(20))
        .operation_timeout(Duration::from_secs(100))
        .build()
}

/// Whose certificates are trusted.
#[derive(Debug, Clone)]
pub(crate) enum Trust {
    /// Those of the machine.
    Machine,
    /// Those in a file of PEM, and no others.
    File(Vec<u8>),
}

impl Trust {
    /// The file of `AWS_CA_BUNDLE`, or `ca_bundle` of the profile, as for the AWS CLI; or the machine's.
    ///
    /// # Errors
    /// When the file cannot be read or has no certificate in it.
    pub(super) fn of(profile: &ProfileSet) -> Result<Self> {
        let variable = std::env::var_os(CA_BUNDLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        match variable.or_else(|| profile.get("ca_bundle").map(PathBuf::from)) {
            Some(path) => Self::file(&path),
            None => Ok(Self::Machine),
        }
    }

    fn file(path: &Path) -> Result<Self> {
        let unusable = || {
            Error::usage(format!("The certificates in {} cannot be used.", path.display())).hint(format!(
                "`{CA_BUNDLE}` and `ca_bundle` of the AWS profile name a file of certificates in PEM format; \
                 without them, those of the machine are trusted."
            ))
        };
        let pem = std::fs::read(path).map_err(|error| unusable().cause(error))?;
        // The SDK would panic over what is no certificate.
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| unusable().cause(error))?;
            store.add(certificate).map_err(|error| unusable().cause(error))?;
        }
        if store.is_empty() {
            return Err(unusable().cause("there is none in it"));
        }
        Ok(Self::File(pem))
    }

    fn store(&self) -> TrustStore {
        match self {
            Self::Machine => TrustStore::default(),
            Self::File(pem) => TrustStore::empty().with_pem_certificate(pem.clone()),
        }
    }
}
