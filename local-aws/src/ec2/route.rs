//! The routes of a table.

use ipnet::Ipv6Net;
use serde_json::{Value, json};

use super::cidr::parse_cidr;
use super::record::{InternetGateway, NatGateway, Route, RouteTable, Target, Vpc, VpcEndpoint};
use super::refusal::INVALID;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::store::Tx;

/// Adds a route; gives the destination as EC2 keeps it.
///
/// # Errors
/// RouteAlreadyExists; a target that is not there or not attached to the table's VPC.
pub(crate) fn create(tx: &Tx<'_>, table_id: &str, destination: &str, target: Target) -> Result<String, ApiError> {
    let mut table = RouteTable::get(tx, table_id)?;
    let vpc = Vpc::get(tx, &table.vpc_id)?;
    let destination = normal(destination)?;
    let exists =
        || ApiError::new("RouteAlreadyExists", format!("The route identified by {destination} already exists."));
    if destination == vpc.cidr_block || table.routes.iter().any(|route| route.destination == destination) {
        return Err(exists());
    }
    if !destination.contains(':') && vpc.network()?.contains(&parse_cidr(&destination)?) {
        return Err(ApiError::new(
            INVALID,
            format!(
                "The destination CIDR block {destination} is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance."
            ),
        ));
    }
    check_target(tx, &table, &target)?;
    table.routes.push(Route { destination: destination.clone(), target });
    tx.put(&table)?;
    Ok(destination)
}

/// Gives a route another target.
///
/// # Errors
/// InvalidParameterValue when there is no such route; as [`create`] for the target.
pub(crate) fn replace(tx: &Tx<'_>, table_id: &str, destination: &str, target: Target) -> Result<(), ApiError> {
    let mut table = RouteTable::get(tx, table_id)?;
    check_target(tx, &table, &target)?;
    let destination = normal(destination)?;
    let route = table.routes.iter_mut().find(|route| route.destination == destination).ok_or_else(|| {
        ApiError::new(
            INVALID,
            format!("There is no route defined for '{destination}' in the route table. Use CreateRoute instead."),
        )
    })?;
    route.target = target;
    tx.put(&table)
}

/// Deletes a route; does nothing if it is already gone.
pub(crate) fn delete(tx: &Tx<'_>, table_id: &str, destination: &str) -> Result<(), ApiError> {
    let Some(mut table) = tx.get::<RouteTable>(table_id)? else { return Ok(()) };
    let destination = normal(destination)?;
    table.routes.retain(|route| route.destination != destination);
    tx.put(&table)
}

/// The block without host bits.
fn normal(destination: &str) -> Result<String, ApiError> {
    if !destination.contains(':') {
        return Ok(parse_cidr(destination)?.to_string());
    }
    destination.parse::<Ipv6Net>().map(|network| network.trunc().to_string()).map_err(|_| {
        ApiError::new(
            INVALID,
            format!("Value ({destination}) for parameter destinationIpv6CidrBlock is invalid. This is not a valid CIDR block."),
        )
    })
}

fn check_target(tx: &Tx<'_>, table: &RouteTable, target: &Target) -> Result<(), ApiError> {
    let (kind, id, vpc_id) = match target {
        Target::InternetGateway(id) => ("network gateway", id, InternetGateway::get(tx, id)?.vpc_id),
        Target::NatGateway(id) => {
            let nat = tx.get::<NatGateway>(id)?.ok_or_else(|| {
                ApiError::new("InvalidNatGatewayID.NotFound", format!("The natGateway ID '{id}' does not exist"))
            })?;
            ("NAT gateway", id, Some(nat.vpc_id))
        }
    };
    if vpc_id.as_deref() == Some(&table.vpc_id) {
        return Ok(());
    }
    Err(ApiError::new(INVALID, format!("route table {} and {kind} {id} belong to different networks", table.id)))
}

/// A route as it is shown.
pub(super) struct View {
    members: Vec<(&'static str, String)>,
}

impl View {
    /// All routes of a table: the local one first, then a person's, then those of gateway endpoints.
    pub(super) fn all_of(endpoint: &Endpoint, tx: &Tx<'_>, table: &RouteTable) -> Result<Vec<Self>, ApiError> {
        let local = vec![
            ("destinationCidrBlock", Vpc::get(tx, &table.vpc_id)?.cidr_block),
            ("gatewayId", "local".to_owned()),
            ("origin", "CreateRouteTable".to_owned()),
            ("state", "active".to_owned()),
        ];
        let mut views = vec![Self { members: local }];
        for route in &table.routes {
            // The target may have gone since: EC2 keeps the route and calls it a black hole.
            let there = match check_target(tx, table, &route.target) {
                Ok(()) => true,
                Err(error) if error.status < 500 => false,
                Err(error) => return Err(error),
            };
            let (member, id) = match &route.target {
                Target::InternetGateway(id) => ("gatewayId", id),
                Target::NatGateway(id) => ("natGatewayId", id),
            };
            let destination = if route.is_ipv6() { "destinationIpv6CidrBlock" } else { "destinationCidrBlock" };
            let members = vec![
                (destination, route.destination.clone()),
                (member, id.clone()),
                ("origin", "CreateRoute".to_owned()),
                ("state", if there { "active" } else { "blackhole" }.to_owned()),
            ];
            views.push(Self { members });
        }
        for gateway in tx.list::<VpcEndpoint>()? {
            if gateway.settings.route_table_ids.contains(&table.id) {
                let members = vec![
                    ("destinationPrefixListId", gateway.prefix_list_id(&endpoint.identity.region)),
                    ("gatewayId", gateway.id),
                    ("origin", "CreateRoute".to_owned()),
                    ("state", "active".to_owned()),
                ];
                views.push(Self { members });
            }
        }
        Ok(views)
    }

    /// The value of a filter such as `destination-cidr-block`.
    pub(super) fn value(&self, filter: &str) -> Option<String> {
        let member = match filter {
            "destination-cidr-block" => "destinationCidrBlock",
            "destination-ipv6-cidr-block" => "destinationIpv6CidrBlock",
            "destination-prefix-list-id" => "destinationPrefixListId",
            "gateway-id" => "gatewayId",
            "nat-gateway-id" => "natGatewayId",
            other => other,
        };
        self.members.iter().find(|(name, _)| *name == member).map(|(_, value)| value.clone())
    }

    pub(super) fn show(&self) -> Value {
        self.members.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
    }
}
