//! Names of repositories and images: `HOST[:PORT]/NAME`, with `:TAG` or `@DIGEST`.

use std::fmt;
use std::str::FromStr;

use oci_spec::distribution::Reference;

use crate::error::{Error, Result};

/// A repository of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RepositoryUri {
    /// Host, and port where there is one.
    pub(crate) host: String,
    pub(crate) name: String,
}

/// An image in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImageUri {
    pub(crate) repository: RepositoryUri,
    pub(crate) tag: Option<String>,
    /// Its digest, which wins over the tag.
    pub(crate) digest: Option<String>,
}

/// Account and region of a repository in ECR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EcrPlace<'a> {
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
}

impl RepositoryUri {
    /// The repository that ECR or CloudFormation answered with: `HOST/NAME`. What people write is parsed instead, by a
    /// grammar whose compilation alone takes longer than a whole `up` that changes nothing.
    ///
    /// # Errors
    /// When there is no name behind a host.
    pub(crate) fn answered(uri: &str) -> Result<Self> {
        match uri.split_once('/') {
            Some((host, name)) if !host.is_empty() && !name.is_empty() => {
                Ok(Self { host: host.to_owned(), name: name.to_owned() })
            }
            _ => Err(Error::failed(format!("AWS answered {uri:?} as the URI of a repository."))),
        }
    }

    /// Account and region, if the host is a registry of ECR.
    pub(crate) fn ecr(&self) -> Option<EcrPlace<'_>> {
        // ACCOUNT.dkr.ecr.REGION.amazonaws.com, or of both IP versions: ACCOUNT.dkr-ecr.REGION.on.aws
        let (account, rest) = self.host.split_once(".dkr.ecr.").or_else(|| self.host.split_once(".dkr-ecr."))?;
        let region = rest.split('.').next()?;
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        is_account.then_some(EcrPlace { account, region })
    }

    /// ARN of the repository, if it is in ECR.
    pub(crate) fn arn(&self) -> Option<String> {
        let EcrPlace { account, region } = self.ecr()?;
        let partition = match region {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        Some(format!("arn:{partition}:ecr:{region}:{account}:repository/{}", self.name))
    }
}

impl ImageUri {
    /// What names it within its repository.
    pub(crate) fn reference(&self) -> &str {
        self.digest.as_deref().or(self.tag.as_deref()).unwrap_or("latest")
    }
}

/// Whether the first part of `text` is a host, and not the start of a name on Docker Hub.
fn has_host(text: &str) -> bool {
    text.split_once('/').is_some_and(|(host, _)| host.contains(['.', ':']) || host == "localhost")
}

impl FromStr for RepositoryUri {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let invalid = || {
            Error::usage(format!("{text:?} names no repository."))
                .hint("It has the form HOST[:PORT]/NAME, with a name in lower case and without tag or digest.")
        };
        let last = text.rsplit('/').next().unwrap_or_default();
        if !has_host(text) || last.contains([':', '@']) {
            return Err(invalid());
        }
        let reference: Reference = text.parse().map_err(|error| invalid().cause(error))?;
        Ok(Self { host: reference.registry().to_owned(), name: reference.repository().to_owned() })
    }
}

impl FromStr for ImageUri {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let invalid = || {
            Error::usage(format!("{text:?} names no image."))
                .hint("It has the form HOST[:PORT]/NAME:TAG or HOST[:PORT]/NAME@sha256:DIGEST.")
        };
        let last = text.rsplit('/').next().unwrap_or_default();
        if !has_host(text) || !last.contains([':', '@']) {
            return Err(invalid().cause("host, or tag and digest, are missing"));
        }
        let reference: Reference = text.parse().map_err(|error| invalid().cause(error))?;
        let digest = reference.digest().map(str::to_owned);
        Ok(Self {
            repository: RepositoryUri {
                host: reference.registry().to_owned(),
                name: reference.repository().to_owned(),
            },
            tag: reference.tag().map(str::to_owned),
            digest,
        })
    }
}

impl fmt::Display for RepositoryUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.name)
    }
}

impl fmt::Display for ImageUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.repository)?;
        self.tag.iter().try_for_each(|tag| write!(f, ":{tag}"))?;
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn a_repository_in_ecr_has_an_account_a_region_and_an_arn() {
        let arn = |text: &str| text.parse::<RepositoryUri>().unwrap().arn();
        let expected = "arn:aws:ecr:eu-west-1:123456789012:repository/a/b";
        assert_eq!(arn("123456789012.dkr.ecr.eu-west-1.amazonaws.com/a/b").as_deref(), Some(expected));
        assert_eq!(arn("123456789012.dkr-ecr.eu-west-1.on.aws/a/b").as_deref(), Some(expected));
        let expected = "arn:aws-cn:ecr:cn-north-1:123456789012:repository/a";
        assert_eq!(arn("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/a").as_deref(), Some(expected));
        assert_eq!(arn("127.0.0.1:5000/a"), None);
        assert_eq!(arn("me.dkr.ecr.eu-west-1.amazonaws.com/a"), None);
    }

    #[test]
    fn an_image_needs_host_and_tag_or_digest_and_is_written_as_it_was_read() {
        for text in
            ["127.0.0.1:5000/a/b:1", "localhost/a:1", &format!("ghcr.io/a@{DIGEST}"), &format!("r.io/a:1@{DIGEST}")]
        {
            assert_eq!(text.parse::<ImageUri>().unwrap().to_string(), *text);
        }
        for text in ["a:1", "user/a:1", "r.io/a", "r.io/A:1", "r.io/a@sha256:12", ""] {
            assert_eq!(text.parse::<ImageUri>().unwrap_err().exit_code(), 2, "{text}");
        }
        for text in ["r.io/a:1", "a", "r.io/"] {
            assert!(text.parse::<RepositoryUri>().is_err(), "{text}");
        }
    }
}
