//! ECR: the way into a private repository.

use aws_sdk_ecr::config::Region;
use aws_sdk_ecr::types::ImageIdentifier;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;

use super::reference::{ImageUri, RepositoryUri};
use super::registry::{Credentials, Registry};
use crate::aws::clients::Clients;
use crate::error::{Doing, Error, Result};
use crate::target::Target;

/// The registry of `repository`, with a token of ECR. Reached where ECR says, which locally is the endpoint.
///
/// # Errors
/// When the repository is not in ECR, or ECR gives no token.
pub(crate) async fn registry(clients: &Clients, repository: &RepositoryUri) -> Result<Registry> {
    let client = client(clients, repository)?;
    let output = client.get_authorization_token().send().await.doing("Getting a token for the registry of ECR")?;
    let unusable = || Error::failed("The token for the registry of ECR cannot be used.");
    let data = output.authorization_data().first().ok_or_else(unusable)?;
    let token = STANDARD.decode(data.authorization_token().unwrap_or_default());
    let token = token.map_err(|error| unusable().cause(error))?;
    let token = String::from_utf8(token).map_err(|error| unusable().cause(error))?;
    let (username, password) = token.split_once(':').ok_or_else(unusable)?;
    let credentials = Credentials::Basic { username: username.to_owned(), password: password.to_owned() };
    let endpoint = Url::parse(data.proxy_endpoint().unwrap_or_default()).map_err(|error| unusable().cause(error))?;
    // The endpoint is that of the caller's own account; the token is good for the registries of others, too.
    let host = match (endpoint.scheme(), endpoint.host_str(), endpoint.port()) {
        ("http", Some(host), Some(port)) => format!("{host}:{port}"),
        _ => repository.host.clone(),
    };
    Registry::open(repository, &host, credentials, &clients.trust)
}

/// Makes sure that ECR has the repository, in the account that its name says.
///
/// # Errors
/// When there is none, or ECR refuses.
pub(crate) async fn look_up(clients: &Clients, repository: &RepositoryUri) -> Result<()> {
    let account = repository.ecr().map(|place| place.account.to_owned());
    let call = client(clients, repository)?
        .describe_repositories()
        .set_registry_id(account)
        .repository_names(&repository.name)
        .send()
        .await;
    match call.doing(format_args!("Looking for the repository {repository}")) {
        Err(error) if error.has_code(&["RepositoryNotFoundException"]) => Err(no_repository(repository, &error)),
        other => other.map(drop),
    }
}

fn no_repository(repository: &RepositoryUri, error: &Error) -> Error {
    Error::failed(format!("There is no repository {} in {}.", repository.name, repository.host))
        .cause(error.aws_message())
        .hint(
            "Check account, region and name; `fis-workshop up` makes the lab's, `aws ecr create-repository` any other.",
        )
}

/// Digest of the image, if ECR has it.
///
/// # Errors
/// When there is no such repository or image, or ECR refuses.
pub(crate) async fn digest_of(clients: &Clients, uri: &ImageUri) -> Result<String> {
    let RepositoryUri { host, name } = &uri.repository;
    let identifier = ImageIdentifier::builder().set_image_digest(uri.digest.clone()).set_image_tag(match uri.digest {
        Some(_) => None,
        None => uri.tag.clone(),
    });
    let account = uri.repository.ecr().map(|place| place.account.to_owned());
    let call = client(clients, &uri.repository)?
        .describe_images()
        .repository_name(name)
        .set_registry_id(account)
        .image_ids(identifier.build())
        .send()
        .await;
    let output = match call.doing(format_args!("Looking for the image {uri}")) {
        Err(error) if error.has_code(&["RepositoryNotFoundException"]) => {
            return Err(no_repository(&uri.repository, &error));
        }
        Err(error) if error.has_code(&["ImageNotFoundException"]) => {
            return Err(Error::failed(format!("There is no image {uri}.")).cause(error.aws_message()).hint(format!(
                "`aws ecr list-images --repository-name {name}` shows what there is; \
                     `fis-workshop image push {host}/{name}` pushes ours."
            )));
        }
        other => other?,
    };
    let digest = output.image_details().first().and_then(|details| details.image_digest());
    digest.map(str::to_owned).ok_or_else(|| Error::failed(format!("ECR does not say which digest {uri} has.")))
}

/// For the repository's own region, which tasks may pull from wherever they run.
fn client(clients: &Clients, repository: &RepositoryUri) -> Result<aws_sdk_ecr::Client> {
    let place = repository.ecr().ok_or_else(|| Error::usage(format!("{repository} is not in ECR.")))?;
    if place.region == clients.region {
        return Ok(clients.ecr.clone());
    }
    if clients.target == Target::Local {
        return Err(Error::failed(format!(
            "{repository} is not in the registry of the local endpoint, which is in {}.",
            clients.region
        ))
        .hint("For a repository on AWS, add `--target aws`."));
    }
    let config = clients.ecr.config().to_builder().region(Region::new(place.region.to_owned())).build();
    Ok(aws_sdk_ecr::Client::from_conf(config))
}
