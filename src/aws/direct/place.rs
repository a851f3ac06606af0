//! Where a service is, and for which region its requests are signed.

use aws_config::{Region, SdkConfig};
use aws_sdk_sts::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use aws_sdk_sts::error::BoxError;
use aws_types::service_config::ServiceConfigKey;

use super::Service;

/// The address of a service in a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) endpoint: String,
    pub(super) signing_region: Region,
}

impl Place {
    pub(super) async fn of(service: Service, config: &SdkConfig) -> Result<Self, BoxError> {
        let region = config.region().cloned().ok_or("no region is set")?;
        if let Some(endpoint) = chosen(service, config) {
            return Ok(Self { endpoint, signing_region: region });
        }
        let params = Params::builder()
            .region(region.as_ref())
            .use_fips(config.use_fips().unwrap_or_default())
            .use_dual_stack(config.use_dual_stack().unwrap_or_default())
            .use_global_endpoint(false)
            .build()?;
        // The SDK knows the partitions; a sibling's address differs in its first word only.
        let sibling = DefaultResolver::new().resolve_endpoint(&params).await?;
        let rest = sibling.url().strip_prefix("https://sts").ok_or("the endpoint of the region is not known")?;
        Ok(match service {
            Service::Ec2 => Self { endpoint: format!("https://ec2{rest}"), signing_region: region },
            Service::Iam => iam(region, rest),
            Service::Events => Self { endpoint: format!("https://events{rest}"), signing_region: region },
            Service::Lambda => Self { endpoint: format!("https://lambda{rest}"), signing_region: region },
            Service::Gate => return Err("the gate is the local endpoint's own: AWS has none".into()),
        })
    }
}

/// What the user has set: for this service (`AWS_ENDPOINT_URL_EC2`, `services` in the profile), or for all.
fn chosen(service: Service, config: &SdkConfig) -> Option<String> {
    let id = match service {
        Service::Ec2 => "EC2",
        Service::Iam => "IAM",
        Service::Events => "EventBridge",
        Service::Lambda => "Lambda",
        Service::Gate => "Gate",
    };
    let key =
        ServiceConfigKey::builder().service_id(id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build().ok()?;
    let own = config.service_config().and_then(|services| services.load_config(key));
    own.or_else(|| config.endpoint_url().map(str::to_owned))
}

/// IAM is global: one endpoint and one signing region for each partition.
fn iam(region: Region, rest: &str) -> Place {
    let name = region.as_ref();
    let (host, signing_region) = if name.starts_with("us-gov-") {
        ("iam.us-gov.amazonaws.com", "us-gov-west-1")
    } else if name.starts_with("cn-") {
        ("iam.cn-north-1.amazonaws.com.cn", "cn-north-1")
    } else if rest.ends_with(".amazonaws.com") || rest.ends_with(".api.aws") {
        let host = if rest.starts_with("-fips") { "iam-fips.amazonaws.com" } else { "iam.amazonaws.com" };
        (host, "us-east-1")
    } else {
        // The partitions that are apart have so far one home region each.
        return Place { endpoint: format!("https://iam{rest}"), signing_region: region };
    };
    Place { endpoint: format!("https://{host}"), signing_region: Region::new(signing_region) }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn place(service: Service, region: &'static str) -> (String, String) {
        let config = SdkConfig::builder().region(Region::new(region)).build();
        let place = Place::of(service, &config).await.unwrap();
        (place.endpoint, place.signing_region.to_string())
    }

    /// As the rules of the SDK's generated clients have it.
    #[tokio::test]
    async fn every_partition_has_its_address() {
        let cases = [
            ("eu-west-1", "https://ec2.eu-west-1.amazonaws.com", "https://iam.amazonaws.com", "us-east-1"),
            (
                "cn-northwest-1",
                "https://ec2.cn-northwest-1.amazonaws.com.cn",
                "https://iam.cn-north-1.amazonaws.com.cn",
                "cn-north-1",
            ),
            (
                "us-gov-east-1",
                "https://ec2.us-gov-east-1.amazonaws.com",
                "https://iam.us-gov.amazonaws.com",
                "us-gov-west-1",
            ),
            (
                "eusc-de-east-1",
                "https://ec2.eusc-de-east-1.amazonaws.eu",
                "https://iam.eusc-de-east-1.amazonaws.eu",
                "eusc-de-east-1",
            ),
        ];
        for (region, ec2, iam, signed) in cases {
            assert_eq!(place(Service::Ec2, region).await, (ec2.to_owned(), region.to_owned()));
            assert_eq!(place(Service::Iam, region).await, (iam.to_owned(), signed.to_owned()));
        }
    }

    #[tokio::test]
    async fn an_endpoint_that_was_set_is_taken() {
        let config = SdkConfig::builder().region(Region::new("eu-west-1")).endpoint_url("http://127.0.0.1:1").build();
        let place = Place::of(Service::Iam, &config).await.unwrap();
        assert_eq!((place.endpoint.as_str(), place.signing_region.as_ref()), ("http://127.0.0.1:1", "eu-west-1"));
    }
}
