//! VPC endpoints: gateways for S3 and DynamoDB, interfaces for other services.

use std::net::Ipv4Addr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::describe::{Describe, Query, Tags, tag_set, time};
use super::new_id;
use super::route_table::RouteTable;
use super::security_group::SecurityGroup;
use super::subnet::Subnet;
use super::transition_state::TransitionState;
use super::vpc::Vpc;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::{Record, Tx};

/// Services with a gateway endpoint, and the ids of their prefix lists in us-east-1.
const GATEWAY_SERVICES: &[(&str, &str)] = &[("s3", "pl-63a5400a"), ("dynamodb", "pl-02cd2c6b")];

/// Services with an interface endpoint, as far as a workload of the lab may want them.
const INTERFACE_SERVICES: &[&str] = &[
    "cloudformation",
    "dynamodb",
    "ec2",
    "ec2messages",
    "ecr.api",
    "ecr.dkr",
    "ecs",
    "ecs-agent",
    "ecs-telemetry",
    "events",
    "fis",
    "kms",
    "lambda",
    "logs",
    "monitoring",
    "s3",
    "scheduler",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "ssmmessages",
    "sts",
    "tagging",
];

/// Hosted zone of the DNS names of interface endpoints in us-east-1.
const HOSTED_ZONE: &str = "Z7HUB22UULQXV";

/// The policy of an endpoint that names none: everything passes.
const FULL_ACCESS: &str =
    r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;

/// An endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct VpcEndpoint {
    pub(crate) id: String,
    pub(crate) vpc_id: String,
    pub(crate) service_name: String,
    pub(crate) kind: Kind,
    pub(crate) interfaces: Vec<EndpointInterface>,
    pub(crate) created_at: DateTime<Utc>,
    #[serde(flatten)]
    pub(crate) transit: TransitionState,
    pub(crate) settings: VpcEndpointSettings,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Gateway,
    Interface,
}

/// Where an interface endpoint is in one subnet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EndpointInterface {
    pub(crate) id: String,
    pub(crate) subnet_id: String,
    pub(crate) availability_zone: String,
    pub(crate) private_ip: Ipv4Addr,
}

/// What can be changed of an endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct VpcEndpointSettings {
    pub(crate) route_table_ids: Vec<String>,
    pub(crate) subnet_ids: Vec<String>,
    pub(crate) security_group_ids: Vec<String>,
    pub(crate) private_dns: bool,
    /// JSON text; `None` is full access.
    pub(crate) policy: Option<String>,
    pub(crate) tags: Tags,
}

impl Record for VpcEndpoint {
    const KIND: &'static str = "ec2.vpc-endpoint";
    fn id(&self) -> String {
        self.id.clone()
    }
}

impl VpcEndpoint {
    /// The endpoint with this id.
    pub(crate) fn get(tx: &Tx<'_>, id: &str) -> Result<Self, ApiError> {
        tx.get(id)?.ok_or_else(|| not_found(id))
    }

    /// The part of the service name after the region, e.g. `ecr.api`.
    fn service(&self) -> &str {
        self.service_name.splitn(4, '.').nth(3).unwrap_or_default()
    }

    /// The prefix list that a gateway endpoint routes.
    pub(super) fn prefix_list_id(&self, region: &str) -> String {
        prefix_list_id(self.service(), region)
    }

    /// Makes an endpoint.
    ///
    /// # Errors
    /// InvalidServiceName; as [`VpcEndpoint::apply`].
    pub(crate) fn create(
        endpoint: &Endpoint,
        tx: &Tx<'_>,
        vpc_id: &str,
        service_name: &str,
        kind: Kind,
        transit: TransitionState,
        settings: VpcEndpointSettings,
    ) -> Result<Self, ApiError> {
        let vpc = Vpc::get(tx, vpc_id)?;
        check_service(&endpoint.identity.region, service_name, kind)?;
        let created = Self {
            id: new_id("vpce"),
            vpc_id: vpc.id,
            service_name: service_name.to_owned(),
            kind,
            interfaces: Vec::new(),
            created_at: Utc::now(),
            transit,
            settings: settings.clone(),
        };
        created.apply(endpoint, tx, settings)
    }

    /// Takes over all settings and writes the endpoint.
    ///
    /// # Errors
    /// Tables, subnets or groups that are not there or of another VPC, a table that has such a route already, two
    /// subnets in one zone, private DNS where the VPC does not allow it or has it already.
    pub(crate) fn apply(
        mut self,
        endpoint: &Endpoint,
        tx: &Tx<'_>,
        mut settings: VpcEndpointSettings,
    ) -> Result<Self, ApiError> {
        let vpc = Vpc::get(tx, &self.vpc_id)?;
        let others: Vec<Self> = tx.list::<Self>()?.into_iter().filter(|other| other.id != self.id).collect();
        match self.kind {
            Kind::Gateway => self.check_gateway(&endpoint.identity.region, tx, &settings, &others)?,
            Kind::Interface => {
                if settings.security_group_ids.is_empty() {
                    settings.security_group_ids = vec![vpc.default_security_group_id.clone()];
                }
                self.check_interface(tx, &vpc, &settings, &others)?;
            }
        }
        if let Some(policy) = &settings.policy
            && !serde_json::from_str::<Value>(policy).is_ok_and(|policy| policy.is_object())
        {
            return Err(ApiError::new("InvalidPolicyDocument", "This policy contains invalid Json"));
        }
        self.interfaces.retain(|interface| settings.subnet_ids.contains(&interface.subnet_id));
        self.settings = settings;
        for subnet_id in self.settings.subnet_ids.clone() {
            if self.interfaces.iter().any(|interface| interface.subnet_id == subnet_id) {
                continue;
            }
            let subnet = Subnet::get(tx, &subnet_id)?;
            let private_ip = subnet.free_address(endpoint, tx, None)?;
            let availability_zone = subnet.availability_zone;
            self.interfaces.push(EndpointInterface { id: new_id("eni"), subnet_id, availability_zone, private_ip });
        }
        tx.put(&self)?;
        Ok(self)
    }

    fn check_gateway(
        &self,
        region: &str,
        tx: &Tx<'_>,
        settings: &VpcEndpointSettings,
        others: &[Self],
    ) -> Result<(), ApiError> {
        if !settings.subnet_ids.is_empty() || !settings.security_group_ids.is_empty() || settings.private_dns {
            return Err(ApiError::new(
                "InvalidParameter",
                "Subnets, security groups and private DNS are for interface endpoints; a gateway endpoint takes route tables.",
            ));
        }
        for table_id in &settings.route_table_ids {
            if RouteTable::get(tx, table_id)?.vpc_id != self.vpc_id {
                return Err(ApiError::new(
                    "InvalidParameter",
                    format!("Route table {table_id} does not belong to VPC {}", self.vpc_id),
                ));
            }
            let routes_it = |other: &Self| {
                other.service_name == self.service_name && other.settings.route_table_ids.contains(table_id)
            };
            if others.iter().any(routes_it) {
                return Err(ApiError::new(
                    "RouteAlreadyExists",
                    format!(
                        "route table {table_id} already has a route with destination-prefix-list-id {}",
                        self.prefix_list_id(region)
                    ),
                ));
            }
        }
        Ok(())
    }

    fn check_interface(
        &self,
        tx: &Tx<'_>,
        vpc: &Vpc,
        settings: &VpcEndpointSettings,
        others: &[Self],
    ) -> Result<(), ApiError> {
        let invalid = |message: String| Err(ApiError::new("InvalidParameter", message));
        if !settings.route_table_ids.is_empty() {
            return invalid("Route table IDs are only supported for Gateway type VPC endpoints.".to_owned());
        }
        let mut zones = Vec::new();
        for subnet_id in &settings.subnet_ids {
            let subnet = Subnet::get(tx, subnet_id)?;
            if subnet.vpc_id != self.vpc_id {
                return invalid(format!("Subnet {subnet_id} does not belong to VPC {}", self.vpc_id));
            }
            if zones.contains(&subnet.availability_zone) {
                return Err(ApiError::new(
                    "DuplicateSubnetsInSameZone",
                    format!("Found another VPC endpoint subnet in the availability zone of {subnet_id}"),
                ));
            }
            zones.push(subnet.availability_zone);
        }
        for group_id in &settings.security_group_ids {
            if SecurityGroup::get(tx, group_id)?.vpc_id != self.vpc_id {
                return invalid(format!("Security group {group_id} does not belong to VPC {}", self.vpc_id));
            }
        }
        if settings.private_dns {
            if !(vpc.settings.dns_support && vpc.settings.dns_hostnames) {
                return invalid(format!(
                    "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for {}",
                    vpc.id
                ));
            }
            let conflicts = |other: &Self| {
                other.vpc_id == self.vpc_id && other.service_name == self.service_name && other.settings.private_dns
            };
            if others.iter().any(conflicts) {
                return invalid(format!(
                    "private-dns-enabled cannot be set because there is already a conflicting DNS domain for {} in the VPC {}",
                    self.private_dns_name(),
                    vpc.id
                ));
            }
        }
        Ok(())
    }

    /// Deletes the endpoint, and with it its routes; does nothing if it is already gone.
    pub(crate) fn delete(tx: &Tx<'_>, id: &str) -> Result<(), ApiError> {
        tx.delete::<Self>(id)?;
        Ok(())
    }

    fn region(&self) -> &str {
        self.service_name.split('.').nth(2).unwrap_or_default()
    }

    // `ecr.api` is reached as api.ecr.REGION.amazonaws.com, `ecr.dkr` by the registries of all accounts.
    fn private_dns_name(&self) -> String {
        let region = self.region();
        match self.service() {
            "ecr.api" => format!("api.ecr.{region}.amazonaws.com"),
            "ecr.dkr" => format!("*.dkr.ecr.{region}.amazonaws.com"),
            service => format!("{service}.{region}.amazonaws.com"),
        }
    }

    /// Hosted zone and name of every DNS entry: one for the region, one for each zone, the private one.
    pub(crate) fn dns_entries(&self) -> Vec<(String, String)> {
        if self.kind == Kind::Gateway {
            return Vec::new();
        }
        let suffix = &hash(&self.id)[..8];
        let domain = format!("{}.{}.vpce.amazonaws.com", self.service(), self.region());
        let mut entries = vec![(HOSTED_ZONE.to_owned(), format!("{}-{suffix}.{domain}", self.id))];
        for interface in &self.interfaces {
            entries.push((
                HOSTED_ZONE.to_owned(),
                format!("{}-{suffix}-{}.{domain}", self.id, interface.availability_zone),
            ));
        }
        if self.settings.private_dns {
            // The private name is in a zone of the endpoint's own.
            let zone = format!("Z{}", hash(&format!("{} private", self.id))[..19].to_uppercase());
            entries.push((zone, self.private_dns_name()));
        }
        entries
    }
}

fn not_found(id: &str) -> ApiError {
    ApiError::new("InvalidVpcEndpointId.NotFound", format!("The Vpc Endpoint Id '{id}' does not exist"))
}

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The prefix list of a gateway service; AWS's own id where it is known.
fn prefix_list_id(service: &str, region: &str) -> String {
    match GATEWAY_SERVICES.iter().find(|(name, _)| *name == service) {
        Some((_, id)) if region == "us-east-1" => (*id).to_owned(),
        _ => format!("pl-{}", &hash(&format!("{service}.{region}"))[..8]),
    }
}

/// Whether AWS keeps a prefix list of this id.
pub(super) fn is_prefix_list(region: &str, id: &str) -> bool {
    GATEWAY_SERVICES.iter().any(|(service, _)| prefix_list_id(service, region) == id)
}

fn check_service(region: &str, service_name: &str, kind: Kind) -> Result<(), ApiError> {
    let unknown =
        || ApiError::new("InvalidServiceName", format!("The Vpc Endpoint Service '{service_name}' does not exist"));
    let service = service_name.strip_prefix(&format!("com.amazonaws.{region}.")).ok_or_else(unknown)?;
    let gateway = GATEWAY_SERVICES.iter().any(|(name, _)| *name == service);
    let interface = INTERFACE_SERVICES.contains(&service);
    match kind {
        Kind::Gateway if gateway => Ok(()),
        Kind::Interface if interface => Ok(()),
        _ if gateway || interface => Err(ApiError::new(
            "InvalidParameter",
            format!("Endpoint type ({kind:?}) does not match available service types of {service_name}."),
        )),
        _ => Err(unknown()),
    }
}

impl Describe for VpcEndpoint {
    const FILTERS: &'static [&'static str] =
        &["ip-address-type", "service-name", "vpc-endpoint-id", "vpc-endpoint-state", "vpc-endpoint-type", "vpc-id"];

    fn key(&self) -> &str {
        &self.id
    }

    fn not_found(id: &str) -> ApiError {
        not_found(id)
    }

    fn tags(&self) -> Option<&Tags> {
        Some(&self.settings.tags)
    }

    fn values(&self, filter: &str) -> Vec<String> {
        vec![match filter {
            "ip-address-type" => "ipv4".to_owned(),
            "service-name" => self.service_name.clone(),
            "vpc-endpoint-state" => self.transit.state().to_owned(),
            "vpc-endpoint-type" => format!("{:?}", self.kind),
            "vpc-id" => self.vpc_id.clone(),
            _ => self.id.clone(),
        }]
    }
}

pub(super) fn describe_vpc_endpoints(endpoint: &Endpoint, input: Value) -> Result<Value, ApiError> {
    let query = Query::read(&endpoint.identity, "DescribeVpcEndpoints", input, "VpcEndpointId")?;
    let (endpoints, groups) = endpoint.store.read(|tx| Ok((tx.list::<VpcEndpoint>()?, tx.list::<SecurityGroup>()?)))?;
    let page = query.select(endpoints)?;
    Ok(page.output("vpcEndpointSet", |shown| show(&endpoint.identity.account_id, shown, &groups)))
}

fn show(account_id: &str, endpoint: &VpcEndpoint, groups: &[SecurityGroup]) -> Value {
    let settings = &endpoint.settings;
    let member_of = groups.iter().filter(|group| settings.security_group_ids.contains(&group.id));
    let dns_entries = endpoint.dns_entries();
    let mut shown = json!({
        "vpcEndpointId": endpoint.id,
        "vpcEndpointType": format!("{:?}", endpoint.kind),
        "vpcId": endpoint.vpc_id,
        "ownerId": account_id,
        "serviceName": endpoint.service_name,
        "state": endpoint.transit.state(),
        "policyDocument": settings.policy.as_deref().unwrap_or(FULL_ACCESS),
        "routeTableIdSet": settings.route_table_ids,
        "subnetIdSet": settings.subnet_ids,
        "groupSet": member_of.map(|group| json!({"groupId": group.id, "groupName": group.name})).collect::<Vec<_>>(),
        "privateDnsEnabled": settings.private_dns,
        "requesterManaged": false,
        "networkInterfaceIdSet": endpoint.interfaces.iter().map(|interface| &interface.id).collect::<Vec<_>>(),
        "dnsEntrySet": dns_entries.iter().map(|(zone, name)| json!({"dnsName": name, "hostedZoneId": zone})).collect::<Vec<_>>(),
        "creationTimestamp": time(&endpoint.created_at),
        "tagSet": tag_set(&settings.tags),
    });
    if endpoint.kind == Kind::Interface {
        shown["ipAddressType"] = json!("ipv4");
        shown["dnsOptions"] = json!({"dnsRecordIpType": "ipv4"});
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_have_the_endpoint_types_that_aws_gives_them() {
        assert!(check_service("us-east-1", "com.amazonaws.us-east-1.s3", Kind::Gateway).is_ok());
        assert!(check_service("us-east-1", "com.amazonaws.us-east-1.ecr.api", Kind::Interface).is_ok());
        let code = |name, kind| check_service("us-east-1", name, kind).unwrap_err().code;
        assert_eq!(code("com.amazonaws.us-east-1.logs", Kind::Gateway), "InvalidParameter");
        assert_eq!(code("com.amazonaws.eu-west-1.s3", Kind::Gateway), "InvalidServiceName");
        assert_eq!(code("com.amazonaws.us-east-1.nothing", Kind::Interface), "InvalidServiceName");
    }
}
