use std::sync::Arc;

use serde_json::json;

use super::address::Address;
use super::describe::Tags;
use super::internet_gateway::InternetGateway;
use super::nat_gateway::{NatGateway, NatGatewayRequest};
use super::route::{Route, Target};
use super::route_table::RouteTable;
use super::security_group::SecurityGroup;
use super::subnet::{Subnet, SubnetSettings};
use super::transition_state::TransitionState;
use super::vpc::{Vpc, VpcSettings};
use super::vpc_endpoint::{Kind, VpcEndpoint, VpcEndpointSettings};
use super::*;

fn endpoint() -> (tempfile::TempDir, Arc<Endpoint>) {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::open(dir.path(), "http://127.0.0.1:1".into(), crate::Options::default()).unwrap();
    (dir, Arc::new(endpoint))
}

fn vpc(tx: &Tx<'_>) -> Result<Vpc, ApiError> {
    let settings =
        VpcSettings { instance_tenancy: "default".into(), dns_support: true, dns_hostnames: false, tags: Tags::new() };
    Vpc::create(tx, "10.0.0.5/16", settings)
}

fn subnet(endpoint: &Endpoint, tx: &Tx<'_>, vpc: &Vpc, cidr_block: &str) -> Result<Subnet, ApiError> {
    let settings = SubnetSettings {
        map_public_ip_on_launch: false,
        hostname_type: "ip-name".into(),
        resource_name_a_record: false,
        tags: Tags::new(),
    };
    Subnet::create(endpoint, tx, &vpc.id, cidr_block, None, settings)
}

fn code<T>(result: Result<T, ApiError>) -> String {
    result.err().map_or_else(|| "none".to_owned(), |error| error.code)
}

#[test]
fn what_is_in_use_cannot_go() {
    let (_dir, endpoint) = endpoint();
    let check = endpoint.store.write(|tx| {
        let vpc = vpc(tx)?;
        assert_eq!(vpc.cidr_block, "10.0.0.0/16");
        let subnet = subnet(&endpoint, tx, &vpc, "10.0.1.0/24")?;
        let gateway = InternetGateway::create(tx, Tags::new())?;
        InternetGateway::attach(tx, &gateway.id, &vpc.id)?;
        let table = RouteTable::create(tx, &vpc.id, Tags::new())?;
        let association = RouteTable::associate(tx, &table.id, &subnet.id)?;
        let address = Address::allocate(tx, Tags::new())?;
        let request = || NatGatewayRequest {
            subnet_id: &subnet.id,
            allocation_id: Some(&address.allocation_id),
            private_ip: None,
            ready_at: None,
            tags: Tags::new(),
        };
        let nat = NatGateway::create(&endpoint, tx, request())?;
        assert_eq!(nat.private_ip.to_string(), "10.0.1.254");
        assert_eq!(code(NatGateway::create(&endpoint, tx, request())), "Resource.AlreadyAssociated");
        assert_eq!(code(RouteTable::associate(tx, &table.id, &subnet.id)), "Resource.AlreadyAssociated");
        Route::create(tx, &table.id, "0.0.0.0/0", Target::NatGateway(nat.id.clone()))?;
        let again = Route::create(tx, &table.id, "0.0.0.0/0", Target::InternetGateway(gateway.id.clone()));
        assert_eq!(code(again), "RouteAlreadyExists");
        let public_ip = address.public_ip.to_string();
        for refused in [
            Vpc::delete(tx, &vpc.id),
            Subnet::delete(&endpoint, tx, &subnet.id),
            InternetGateway::delete(tx, &gateway.id),
            InternetGateway::detach(tx, &vpc.id),
            RouteTable::delete(tx, &table.id),
        ] {
            assert_eq!(code(refused), "DependencyViolation");
        }
        assert_eq!(code(Address::release(tx, &public_ip)), "InvalidIPAddress.InUse");
        NatGateway::delete(tx, &nat.id)?;
        Address::release(tx, &public_ip)?;
        InternetGateway::detach(tx, &vpc.id)?;
        InternetGateway::delete(tx, &gateway.id)?;
        Subnet::delete(&endpoint, tx, &subnet.id)?;
        // The subnet took its association with it; to end it once more does nothing.
        RouteTable::disassociate(tx, &association)?;
        RouteTable::delete(tx, &table.id)?;
        Vpc::delete(tx, &vpc.id)?;
        assert!(tx.list::<RouteTable>()?.is_empty() && tx.list::<SecurityGroup>()?.is_empty());
        Ok(())
    });
    check.unwrap();
}

#[test]
fn a_route_whose_target_is_gone_is_a_black_hole_and_a_gateway_endpoint_adds_one() {
    let (_dir, endpoint) = endpoint();
    endpoint
        .store
        .write(|tx| {
            let vpc = vpc(tx)?;
            let gateway = InternetGateway::create(tx, Tags::new())?;
            InternetGateway::attach(tx, &gateway.id, &vpc.id)?;
            let table = RouteTable::create(tx, &vpc.id, Tags::new())?;
            Route::create(tx, &table.id, "0.0.0.0/0", Target::InternetGateway(gateway.id))?;
            let settings = || VpcEndpointSettings {
                route_table_ids: vec![table.id.clone()],
                subnet_ids: Vec::new(),
                security_group_ids: Vec::new(),
                private_dns: false,
                policy: None,
                tags: Tags::new(),
            };
            let s3 = || {
                VpcEndpoint::create(
                    &endpoint,
                    tx,
                    &vpc.id,
                    "com.amazonaws.us-east-1.s3",
                    Kind::Gateway,
                    TransitionState::default(),
                    settings(),
                )
            };
            s3()?;
            assert_eq!(code(s3()), "RouteAlreadyExists");
            InternetGateway::detach(tx, &vpc.id)
        })
        .unwrap();
    let filter = json!({"Filter": [{"Name": "route.state", "Value": ["blackhole"]}]});
    let tables = route_table::describe_route_tables(&endpoint, filter).unwrap();
    assert_eq!(tables["routeTableSet"].as_array().unwrap().len(), 1);
    let routes = tables["routeTableSet"][0]["routeSet"].as_array().unwrap();
    let states: Vec<_> = routes.iter().map(|route| route["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["active", "blackhole", "active"]);
    assert_eq!(routes[2]["destinationPrefixListId"], "pl-63a5400a");
}
