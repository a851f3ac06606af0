use std::sync::Arc;

use axum::body::Bytes;
use serde_json::{Value, json};

use super::record::{
    Kind, RouteTable, SecurityGroup, Subnet, SubnetSettings, Target, Vpc, VpcEndpointSettings, VpcSettings,
};
use super::tag::Tags;
use super::transition_state::TransitionState;
use super::*;
use crate::auth::Caller;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::service::{Call, Run};
use crate::store::Tx;

fn endpoint() -> (tempfile::TempDir, Arc<Endpoint>) {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::open(dir.path(), "http://127.0.0.1:1".into(), crate::Options::default()).unwrap();
    (dir, Arc::new(endpoint))
}

fn vpc(tx: &Tx<'_>) -> Result<Vpc, ApiError> {
    let settings =
        VpcSettings { instance_tenancy: "default".into(), dns_support: true, dns_hostnames: false, tags: Tags::new() };
    vpc::create(tx, "10.0.0.5/16", settings)
}

fn subnet(endpoint: &Endpoint, tx: &Tx<'_>, vpc: &Vpc, cidr_block: &str) -> Result<Subnet, ApiError> {
    let settings = SubnetSettings {
        map_public_ip_on_launch: false,
        hostname_type: "ip-name".into(),
        resource_name_a_record: false,
        tags: Tags::new(),
    };
    subnet::create(endpoint, tx, &vpc.id, cidr_block, None, settings)
}

/// The user's call of an operation.
fn answer(endpoint: &Arc<Endpoint>, operation: &str, input: Value) -> Value {
    let call = Call {
        endpoint: endpoint.clone(),
        caller: Caller::User,
        service: &SERVICE,
        operation: SERVICE.operation(operation).unwrap(),
        input,
        body: Bytes::new(),
    };
    match call.operation.run {
        Run::Now(run) => run(call).unwrap(),
        Run::AtLength(_) | Run::Later(_) | Run::WhileAsked(_) => unreachable!("EC2 answers at once"),
    }
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
        let gateway = internet_gateway::create(tx, Tags::new())?;
        internet_gateway::attach(tx, &gateway.id, &vpc.id)?;
        let table = route_table::create(tx, &vpc.id, Tags::new())?;
        let association = route_table::associate(tx, &table.id, &subnet.id)?;
        let address = address::allocate(tx, Tags::new())?;
        let request = || nat_gateway::NatGatewayRequest {
            subnet_id: &subnet.id,
            allocation_id: Some(&address.allocation_id),
            private_ip: None,
            ready_at: None,
            tags: Tags::new(),
        };
        let nat = nat_gateway::create(tx, request())?;
        assert_eq!(nat.private_ip.to_string(), "10.0.1.4");
        assert_eq!(code(nat_gateway::create(tx, request())), "Resource.AlreadyAssociated");
        assert_eq!(code(route_table::associate(tx, &table.id, &subnet.id)), "Resource.AlreadyAssociated");
        route::create(tx, &table.id, "0.0.0.0/0", Target::NatGateway(nat.id.clone()))?;
        let again = route::create(tx, &table.id, "0.0.0.0/0", Target::InternetGateway(gateway.id.clone()));
        assert_eq!(code(again), "RouteAlreadyExists");
        let public_ip = address.public_ip.to_string();
        for refused in [
            vpc::delete(tx, &vpc.id),
            subnet::delete(tx, &subnet.id),
            internet_gateway::delete(tx, &gateway.id),
            internet_gateway::detach(tx, &vpc.id),
            route_table::delete(tx, &table.id),
        ] {
            assert_eq!(code(refused), "DependencyViolation");
        }
        assert_eq!(code(address::release(tx, &public_ip)), "InvalidIPAddress.InUse");
        nat_gateway::delete(tx, &nat.id)?;
        address::release(tx, &public_ip)?;
        internet_gateway::detach(tx, &vpc.id)?;
        internet_gateway::delete(tx, &gateway.id)?;
        subnet::delete(tx, &subnet.id)?;
        // The subnet took its association with it; to end it once more does nothing.
        route_table::disassociate(tx, &association)?;
        route_table::delete(tx, &table.id)?;
        vpc::delete(tx, &vpc.id)?;
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
            let gateway = internet_gateway::create(tx, Tags::new())?;
            internet_gateway::attach(tx, &gateway.id, &vpc.id)?;
            let table = route_table::create(tx, &vpc.id, Tags::new())?;
            route::create(tx, &table.id, "0.0.0.0/0", Target::InternetGateway(gateway.id))?;
            let settings = || VpcEndpointSettings {
                route_table_ids: vec![table.id.clone()],
                subnet_ids: Vec::new(),
                security_group_ids: Vec::new(),
                private_dns: false,
                policy: None,
                tags: Tags::new(),
            };
            let s3 = || {
                vpc_endpoint::create(
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
            internet_gateway::detach(tx, &vpc.id)
        })
        .unwrap();
    let filter = json!({"Filter": [{"Name": "route.state", "Value": ["blackhole"]}]});
    let tables = answer(&endpoint, "DescribeRouteTables", filter);
    assert_eq!(tables["routeTableSet"].as_array().unwrap().len(), 1);
    let routes = tables["routeTableSet"][0]["routeSet"].as_array().unwrap();
    let states: Vec<_> = routes.iter().map(|route| route["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["active", "blackhole", "active"]);
    assert_eq!(routes[2]["destinationPrefixListId"], "pl-63a5400a");
}
