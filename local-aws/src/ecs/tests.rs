//! Addresses: every interface of a subnet has one of its own, whoever it is of.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::network;
use super::resume::take_up;
use super::task::Task;
use crate::ec2::nat_gateway::{self, NatGatewayRequest};
use crate::ec2::record::{
    Kind, NetworkInterface, Owner, Subnet, SubnetSettings, Vpc, VpcEndpointSettings, VpcSettings,
};
use crate::ec2::transition_state::TransitionState;
use crate::ec2::{subnet, vpc, vpc_endpoint};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::quotas::NAT_GATEWAYS;
use crate::store::Tx;

fn endpoint() -> (tempfile::TempDir, Arc<Endpoint>) {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::open(dir.path(), "http://127.0.0.1:1".into(), crate::Options::default()).unwrap();
    (dir, Arc::new(endpoint))
}

/// A VPC with a subnet of 16 addresses, of which AWS keeps 5.
fn small_subnet(endpoint: &Endpoint, tx: &Tx<'_>) -> Result<(Vpc, Subnet), ApiError> {
    let settings = VpcSettings {
        instance_tenancy: "default".into(),
        dns_support: true,
        dns_hostnames: true,
        tags: Default::default(),
    };
    let vpc = vpc::create(tx, "10.0.0.0/16", settings)?;
    let settings = SubnetSettings {
        map_public_ip_on_launch: false,
        hostname_type: "ip-name".into(),
        resource_name_a_record: false,
        tags: Default::default(),
    };
    let subnet = subnet::create(endpoint, tx, &vpc.id, "10.0.1.0/28", None, settings)?;
    Ok((vpc, subnet))
}

/// A task as the version before wrote it: its interface is in no other record.
fn old_task(subnet: &Subnet, status: &str, address: &str) -> Value {
    let id = uuid::Uuid::new_v4().simple().to_string();
    json!({
        "id": id, "cluster": "c", "arn": format!("arn:aws:ecs:us-east-1:000000000000:task/c/{id}"),
        "cluster_arn": "arn:aws:ecs:us-east-1:000000000000:cluster/c",
        "definition_arn": "arn:aws:ecs:us-east-1:000000000000:task-definition/job:1", "family": "job", "revision": 1,
        "last_status": status, "desired_status": "RUNNING", "version": 1, "cpu": 256, "memory": 512,
        "cpu_architecture": "X86_64", "group": "family:job", "started_by": null, "capacity_provider": null,
        "overrides": {"containerOverrides": []}, "tags": {}, "role_arn": null, "execution_role_arn": null,
        "container": {"name": "job", "image": "job:1"}, "container_id": "1", "image_digest": null, "runtime_id": null,
        "exit_code": null, "container_reason": null,
        "interface": {
            "attachment_id": "a1", "id": format!("eni-{}", &id[..17]), "mac_address": "0a:00:00:00:00:01",
            "private_address": address, "cidr_block": subnet.cidr_block, "subnet_id": subnet.id,
            "availability_zone": subnet.availability_zone, "security_groups": []
        },
        "access_id": "x", "stop_signal": null, "kill_at": null, "stop_code": null, "stopped_reason": null,
        "created_at": "2026-01-01T00:00:00Z", "connectivity_at": null, "pull_started_at": null,
        "pull_stopped_at": null, "started_at": null, "stopping_at": null, "execution_stopped_at": null,
        "stopped_at": null
    })
}

/// A task that RunTask has just made.
fn new_task(subnet: &Subnet) -> Task {
    let mut task = old_task(subnet, "PROVISIONING", "");
    task["interface"]["id"] = json!("");
    task["interface"]["mac_address"] = json!("");
    serde_json::from_value(task).unwrap()
}

#[derive(Debug, Clone)]
enum Step {
    RunTask,
    CreateGateway,
    CreateEndpoint,
    /// Ends the one of all that are there.
    End(Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::RunTask),
        1 => Just(Step::CreateGateway),
        1 => Just(Step::CreateEndpoint),
        3 => any::<Index>().prop_map(Step::End),
    ];
    prop::collection::vec(step, 0..60)
}

enum Living {
    Task(Box<Task>),
    Gateway(String),
    Endpoint(String),
}

impl Living {
    fn begin(endpoint: &Endpoint, tx: &Tx<'_>, vpc: &Vpc, subnet: &Subnet, step: &Step) -> Result<Self, String> {
        match step {
            Step::RunTask => {
                let mut task = new_task(subnet);
                network::attach(endpoint, tx, &mut task).unwrap().map(|()| Self::Task(Box::new(task)))
            }
            Step::CreateGateway => {
                let request = NatGatewayRequest {
                    subnet_id: &subnet.id,
                    allocation_id: None,
                    private_ip: None,
                    ready_at: None,
                    tags: Default::default(),
                };
                nat_gateway::create(tx, request).map(|nat| Self::Gateway(nat.id)).map_err(|error| error.code)
            }
            Step::CreateEndpoint | Step::End(_) => {
                let settings = VpcEndpointSettings {
                    route_table_ids: Vec::new(),
                    subnet_ids: vec![subnet.id.clone()],
                    security_group_ids: Vec::new(),
                    private_dns: false,
                    policy: None,
                    tags: Default::default(),
                };
                let (name, transit) = ("com.amazonaws.us-east-1.logs", TransitionState::default());
                vpc_endpoint::create(endpoint, tx, &vpc.id, name, Kind::Interface, transit, settings)
                    .map(|made| Self::Endpoint(made.id))
                    .map_err(|error| error.code)
            }
        }
    }

    fn end(self, tx: &Tx<'_>) -> Result<(), ApiError> {
        match self {
            Self::Task(task) => network::detach(tx, &task),
            Self::Gateway(id) => nat_gateway::delete(tx, &id),
            Self::Endpoint(id) => vpc_endpoint::delete(tx, &id),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_address_is_given_twice_and_all_come_back(steps in steps()) {
        let (_dir, endpoint) = endpoint();
        let usable: BTreeSet<Ipv4Addr> = (4..15).map(|last| Ipv4Addr::new(10, 0, 1, last)).collect();
        let checked = endpoint.store.write(|tx| {
            let (vpc, subnet) = small_subnet(&endpoint, tx)?;
            let mut living: Vec<Living> = Vec::new();
            for step in &steps {
                match step {
                    Step::End(_) if living.is_empty() => {}
                    Step::End(index) => living.swap_remove(index.index(living.len())).end(tx)?,
                    step => {
                        let gateways = living.iter().filter(|one| matches!(one, Living::Gateway(_))).count();
                        let is_over = matches!(step, Step::CreateGateway) && NAT_GATEWAYS.is_reached(gateways);
                        let is_full = living.len() == usable.len();
                        match Living::begin(&endpoint, tx, &vpc, &subnet, step) {
                            Ok(one) => {
                                assert!(!is_full && !is_over, "made without an address or over the quota");
                                living.push(one);
                            }
                            Err(reason) if is_over => assert_eq!(reason, "NatGatewayLimitExceeded"),
                            Err(reason) => {
                                assert!(is_full, "{reason}");
                                assert!(reason.ends_with("InsufficientFreeAddressesInSubnet"), "{reason}");
                            }
                        }
                    }
                }
                let given: Vec<Ipv4Addr> =
                    NetworkInterface::of_subnet(tx, &subnet.id)?.iter().map(|one| one.private_ip).collect();
                let different: BTreeSet<Ipv4Addr> = given.iter().copied().collect();
                assert_eq!((given.len(), different.len()), (living.len(), living.len()));
                assert!(different.is_subset(&usable), "{different:?}");
            }
            living.into_iter().try_for_each(|one| one.end(tx))?;
            assert_eq!(NetworkInterface::of_subnet(tx, &subnet.id)?, []);
            subnet::delete(tx, &subnet.id)
        });
        checked.unwrap();
    }
}

/// A document as an earlier version left it.
fn insert(tx: &Tx<'_>, kind: &str, id: &str, body: &Value) {
    let sql = "INSERT INTO document (kind, id, body) VALUES (?, ?, ?)";
    tx.sql().execute(sql, (kind, id, body.to_string())).unwrap();
}

#[test]
fn a_state_of_the_version_before_gets_its_interfaces() {
    let (_dir, endpoint) = endpoint();
    let subnet = endpoint
        .store
        .write(|tx| {
            let (vpc, subnet) = small_subnet(&endpoint, tx)?;
            let nat = json!({
                "id": "nat-1", "vpc_id": vpc.id, "subnet_id": subnet.id, "network_interface_id": "eni-nat",
                "private_ip": "10.0.1.14", "allocation_id": null, "public_ip": null, "association_id": null,
                "created_at": "2026-01-01T00:00:00Z", "ready_at": null, "is_going": false, "tags": {}
            });
            insert(tx, "ec2.nat-gateway", "nat-1", &nat);
            let vpce = json!({
                "id": "vpce-1", "vpc_id": vpc.id, "service_name": "com.amazonaws.us-east-1.logs", "kind": "Interface",
                "interfaces": [{
                    "id": "eni-vpce", "subnet_id": subnet.id, "availability_zone": subnet.availability_zone,
                    "private_ip": "10.0.1.13"
                }],
                "created_at": "2026-01-01T00:00:00Z", "ready_at": null, "is_going": false,
                "settings": {
                    "route_table_ids": [], "subnet_ids": [subnet.id],
                    "security_group_ids": [vpc.default_security_group_id], "private_dns": false, "policy": null,
                    "tags": {}
                }
            });
            insert(tx, "ec2.vpc-endpoint", "vpce-1", &vpce);
            for (status, address) in [("RUNNING", "10.0.1.4"), ("PROVISIONING", "10.0.1.5"), ("STOPPED", "10.0.1.6")] {
                let task = old_task(&subnet, status, address);
                insert(tx, "ecs.task", &format!("c/{}", task["id"].as_str().unwrap()), &task);
            }
            Ok(subnet)
        })
        .unwrap();
    // Twice: nothing is derived again.
    for _ in 0..2 {
        (crate::ec2::SERVICE.resume)(&endpoint).unwrap();
        endpoint.store.write(|tx| take_up(&endpoint, tx)).unwrap();
        let check = endpoint.store.read(|tx| {
            let interfaces = NetworkInterface::of_subnet(tx, &subnet.id)?;
            let addresses: BTreeSet<String> = interfaces.iter().map(|one| one.private_ip.to_string()).collect();
            assert_eq!(Vec::from_iter(addresses), ["10.0.1.13", "10.0.1.14", "10.0.1.4", "10.0.1.5"]);
            assert_eq!(interfaces.len(), 4);
            let of = |id: &str| interfaces.iter().find(|one| one.id == id).unwrap();
            assert_eq!(of("eni-nat").owner, Owner::NatGateway("nat-1".into()));
            assert_eq!(of("eni-vpce").group_ids.len(), 1);
            let of_task = interfaces.iter().find(|one| one.private_ip.octets()[3] == 4).unwrap();
            let attachment = "arn:aws:ecs:us-east-1:000000000000:attachment/a1";
            assert_eq!(of_task.owner, Owner::Service(attachment.into()));
            assert_eq!(of_task.mac_address, "0a:00:00:00:00:01");
            Ok(())
        });
        check.unwrap();
    }
    // What the task had is its own: it gets no second one, and gives back the one it has.
    let check = endpoint.store.write(|tx| {
        for mut task in tx.list::<Task>()? {
            network::attach(&endpoint, tx, &mut task)?.unwrap();
            network::detach(tx, &task)?;
        }
        assert_eq!(NetworkInterface::of_subnet(tx, &subnet.id)?.len(), 2);
        nat_gateway::delete(tx, "nat-1")?;
        vpc_endpoint::delete(tx, "vpce-1")?;
        subnet::delete(tx, &subnet.id)
    });
    check.unwrap();
}
