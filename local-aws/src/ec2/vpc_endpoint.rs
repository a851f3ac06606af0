//! VPC endpoints: gateways for S3 and DynamoDB, interfaces for other services.

use chrono::Utc;
use serde_json::{Value, json};

use super::describe::{Describe, Query, time};
use super::id::new_id;
use super::network_interface;
use super::prefix_list::GATEWAY_SERVICES;
use super::record::{
    EndpointInterface, Kind, Owner, RouteTable, SecurityGroup, Subnet, Vpc, VpcEndpoint, VpcEndpointSettings,
};
use super::refusal;
use super::tag::{Tags, tag_set};
use super::transition_state::TransitionState;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::Call;
use crate::store::Tx;

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

/// The policy of an endpoint that names none: everything passes.
const FULL_ACCESS: &str =
    r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;

/// Makes an endpoint.
///
/// # Errors
/// InvalidServiceName; as [`apply`].
pub(crate) fn create(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    vpc_id: &str,
    service_name: &str,
    kind: Kind,
    transit: TransitionState,
    settings: VpcEndpointSettings,
) -> Result<VpcEndpoint, ApiError> {
    let vpc = Vpc::get(tx, vpc_id)?;
    check_service(&endpoint.identity.region, service_name, kind)?;
    let created = VpcEndpoint {
        id: new_id("vpce"),
        vpc_id: vpc.id,
        service_name: service_name.to_owned(),
        kind,
        interfaces: Vec::new(),
        created_at: Utc::now(),
        transit,
        settings: settings.clone(),
    };
    apply(endpoint, tx, created, settings)
}

/// Takes over all settings and writes the endpoint.
///
/// # Errors
/// Tables, subnets or groups that are not there or of another VPC, a table that has such a route already, two
/// subnets in one zone or one without a free address, private DNS where the VPC does not allow it or has it already.
pub(crate) fn apply(
    endpoint: &Endpoint,
    tx: &Tx<'_>,
    mut own: VpcEndpoint,
    mut settings: VpcEndpointSettings,
) -> Result<VpcEndpoint, ApiError> {
    let vpc = Vpc::get(tx, &own.vpc_id)?;
    let others: Vec<VpcEndpoint> = tx.list::<VpcEndpoint>()?.into_iter().filter(|other| other.id != own.id).collect();
    match own.kind {
        Kind::Gateway => check_gateway(&own, &endpoint.identity.region, tx, &settings, &others)?,
        Kind::Interface => {
            if settings.security_group_ids.is_empty() {
                settings.security_group_ids = vec![vpc.default_security_group_id.clone()];
            }
            check_interface(&own, tx, &vpc, &settings, &others)?;
        }
    }
    if let Some(policy) = &settings.policy
        && !serde_json::from_str::<Value>(policy).is_ok_and(|policy| policy.is_object())
    {
        return Err(ApiError::new("InvalidPolicyDocument", "This policy contains invalid Json"));
    }
    own.settings = settings;
    place(tx, &mut own)?;
    tx.put(&own)?;
    Ok(own)
}

/// Gives the endpoint an interface in each of its subnets, and in no other.
fn place(tx: &Tx<'_>, own: &mut VpcEndpoint) -> Result<(), ApiError> {
    let settings = &own.settings;
    let (kept, left): (Vec<_>, Vec<_>) =
        own.interfaces.drain(..).partition(|interface| settings.subnet_ids.contains(&interface.subnet_id));
    for interface in left {
        network_interface::delete(tx, &interface.id)?;
    }
    for interface in &kept {
        network_interface::set_groups(tx, &interface.id, &settings.security_group_ids)?;
    }
    own.interfaces = kept;
    for subnet_id in &settings.subnet_ids {
        if own.interfaces.iter().any(|interface| interface.subnet_id == *subnet_id) {
            continue;
        }
        let subnet = Subnet::get(tx, subnet_id)?;
        let owner = Owner::VpcEndpoint(own.id.clone());
        let made = network_interface::create(tx, &subnet, &settings.security_group_ids, owner)?;
        own.interfaces.push(EndpointInterface {
            id: made.id,
            subnet_id: subnet.id,
            availability_zone: subnet.availability_zone,
            private_ip: made.private_ip,
        });
    }
    Ok(())
}

fn check_gateway(
    own: &VpcEndpoint,
    region: &str,
    tx: &Tx<'_>,
    settings: &VpcEndpointSettings,
    others: &[VpcEndpoint],
) -> Result<(), ApiError> {
    if !settings.subnet_ids.is_empty() || !settings.security_group_ids.is_empty() || settings.private_dns {
        return Err(ApiError::new(
            "InvalidParameter",
            "Subnets, security groups and private DNS are for interface endpoints; a gateway endpoint takes route tables.",
        ));
    }
    for table_id in &settings.route_table_ids {
        if RouteTable::get(tx, table_id)?.vpc_id != own.vpc_id {
            return Err(ApiError::new(
                "InvalidParameter",
                format!("Route table {table_id} does not belong to VPC {}", own.vpc_id),
            ));
        }
        let routes_it = |other: &VpcEndpoint| {
            other.service_name == own.service_name && other.settings.route_table_ids.contains(table_id)
        };
        if others.iter().any(routes_it) {
            return Err(ApiError::new(
                "RouteAlreadyExists",
                format!(
                    "route table {table_id} already has a route with destination-prefix-list-id {}",
                    own.prefix_list_id(region)
                ),
            ));
        }
    }
    Ok(())
}

fn check_interface(
    own: &VpcEndpoint,
    tx: &Tx<'_>,
    vpc: &Vpc,
    settings: &VpcEndpointSettings,
    others: &[VpcEndpoint],
) -> Result<(), ApiError> {
    let invalid = |message: String| Err(ApiError::new("InvalidParameter", message));
    if !settings.route_table_ids.is_empty() {
        return invalid("Route table IDs are only supported for Gateway type VPC endpoints.".to_owned());
    }
    let mut zones = Vec::new();
    for subnet_id in &settings.subnet_ids {
        let subnet = Subnet::get(tx, subnet_id)?;
        if subnet.vpc_id != own.vpc_id {
            return invalid(format!("Subnet {subnet_id} does not belong to VPC {}", own.vpc_id));
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
        if SecurityGroup::get(tx, group_id)?.vpc_id != own.vpc_id {
            return invalid(format!("Security group {group_id} does not belong to VPC {}", own.vpc_id));
        }
    }
    if settings.private_dns {
        if !(vpc.settings.dns_support && vpc.settings.dns_hostnames) {
            return invalid(format!(
                "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for {}",
                vpc.id
            ));
        }
        let conflicts = |other: &VpcEndpoint| {
            other.vpc_id == own.vpc_id && other.service_name == own.service_name && other.settings.private_dns
        };
        if others.iter().any(conflicts) {
            return invalid(format!(
                "private-dns-enabled cannot be set because there is already a conflicting DNS domain for {} in the VPC {}",
                own.private_dns_name(),
                vpc.id
            ));
        }
    }
    Ok(())
}

/// Deletes the endpoint, and with it its routes and interfaces; does nothing if it is already gone.
pub(crate) fn delete(tx: &Tx<'_>, id: &str) -> Result<(), ApiError> {
    let Some(own) = tx.get::<VpcEndpoint>(id)? else { return Ok(()) };
    for interface in &own.interfaces {
        network_interface::delete(tx, &interface.id)?;
    }
    tx.delete::<VpcEndpoint>(id)?;
    Ok(())
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
        refusal::vpc_endpoint_not_found(id)
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

pub(super) fn describe_vpc_endpoints(mut call: Call) -> Result<Value, ApiError> {
    let query = Query::read(&mut call, "VpcEndpointId")?;
    let endpoint = &call.endpoint;
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
