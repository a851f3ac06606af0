//! Route tables: their routes and the subnets that use them.

use serde_json::{Value, json};

use super::describe::{Describe, Query};
use super::id::new_id;
use super::record::{Association, RouteTable, Subnet, Vpc, VpcEndpoint};
use super::refusal;
use super::route::View as RouteView;
use super::tag::{Tags, tag_set};
use crate::error::ApiError;
use crate::service::Call;
use crate::store::Tx;

fn new(vpc_id: &str, tags: Tags) -> RouteTable {
    RouteTable {
        id: new_id("rtb"),
        vpc_id: vpc_id.to_owned(),
        main_association_id: None,
        associations: Vec::new(),
        routes: Vec::new(),
        tags,
    }
}

/// The table that a new VPC has.
pub(super) fn create_main(tx: &Tx<'_>, vpc_id: &str) -> Result<(), ApiError> {
    let main = RouteTable { main_association_id: Some(new_id("rtbassoc")), ..new(vpc_id, Tags::new()) };
    tx.put(&main)
}

/// Makes a table with the local route only.
pub(crate) fn create(tx: &Tx<'_>, vpc_id: &str, tags: Tags) -> Result<RouteTable, ApiError> {
    let table = new(&Vpc::get(tx, vpc_id)?.id, tags);
    tx.put(&table)?;
    Ok(table)
}

/// Deletes the table; does nothing if it is already gone.
///
/// # Errors
/// DependencyViolation while a subnet uses it.
pub(crate) fn delete(tx: &Tx<'_>, id: &str) -> Result<(), ApiError> {
    let Some(table) = tx.get::<RouteTable>(id)? else { return Ok(()) };
    if table.is_main() || !table.associations.is_empty() {
        return Err(refusal::has_dependencies("routeTable", id));
    }
    for mut endpoint in tx.list::<VpcEndpoint>()? {
        if endpoint.settings.route_table_ids.iter().any(|table_id| table_id == id) {
            endpoint.settings.route_table_ids.retain(|table_id| table_id != id);
            tx.put(&endpoint)?;
        }
    }
    tx.delete::<RouteTable>(id)?;
    Ok(())
}

/// Makes a subnet use the table.
///
/// # Errors
/// Resource.AlreadyAssociated when the subnet uses a table already; one of another VPC.
pub(crate) fn associate(tx: &Tx<'_>, id: &str, subnet_id: &str) -> Result<String, ApiError> {
    let mut table = RouteTable::get(tx, id)?;
    let subnet = Subnet::get(tx, subnet_id)?;
    if subnet.vpc_id != table.vpc_id {
        return Err(ApiError::new(
            refusal::INVALID,
            format!("route table {id} and subnet {subnet_id} belong to different networks"),
        ));
    }
    let uses = |table: &RouteTable| table.associations.iter().any(|association| association.subnet_id == subnet_id);
    if RouteTable::of_vpc(tx, &table.vpc_id)?.iter().any(uses) {
        return Err(ApiError::new(
            "Resource.AlreadyAssociated",
            format!("the specified association for route table {id} conflicts with an existing association"),
        ));
    }
    let association = Association { id: new_id("rtbassoc"), subnet_id: subnet.id };
    let association_id = association.id.clone();
    table.associations.push(association);
    tx.put(&table)?;
    Ok(association_id)
}

/// Ends an association; does nothing if it is already gone.
pub(crate) fn disassociate(tx: &Tx<'_>, association_id: &str) -> Result<(), ApiError> {
    for mut table in tx.list::<RouteTable>()? {
        let before = table.associations.len();
        table.associations.retain(|association| association.id != association_id);
        if table.associations.len() < before {
            tx.put(&table)?;
        }
    }
    Ok(())
}

/// A table as it is shown: with its local route, routes to gateway endpoints, and whether targets are there.
struct View {
    table: RouteTable,
    routes: Vec<RouteView>,
}

impl Describe for View {
    const FILTERS: &'static [&'static str] = &[
        "association.gateway-id",
        "association.main",
        "association.route-table-association-id",
        "association.route-table-id",
        "association.subnet-id",
        "owner-id",
        "route-table-id",
        "route.destination-cidr-block",
        "route.destination-ipv6-cidr-block",
        "route.destination-prefix-list-id",
        "route.gateway-id",
        "route.nat-gateway-id",
        "route.origin",
        "route.state",
        "vpc-id",
    ];

    fn key(&self) -> &str {
        &self.table.id
    }

    fn not_found(id: &str) -> ApiError {
        refusal::route_table_not_found(id)
    }

    fn tags(&self) -> Option<&Tags> {
        Some(&self.table.tags)
    }

    fn values(&self, filter: &str) -> Vec<String> {
        let table = &self.table;
        if let Some(member) = filter.strip_prefix("route.") {
            return self.routes.iter().filter_map(|route| route.value(member)).collect();
        }
        match filter {
            "association.gateway-id" => Vec::new(),
            "association.main" => {
                let subnets = table.associations.iter().map(|_| "false".to_owned());
                table.main_association_id.iter().map(|_| "true".to_owned()).chain(subnets).collect()
            }
            "association.route-table-association-id" => {
                let subnets = table.associations.iter().map(|association| association.id.clone());
                table.main_association_id.iter().cloned().chain(subnets).collect()
            }
            "association.route-table-id" if !table.is_main() && table.associations.is_empty() => Vec::new(),
            "association.subnet-id" => table.associations.iter().map(|a| a.subnet_id.clone()).collect(),
            "vpc-id" => vec![table.vpc_id.clone()],
            _ => vec![table.id.clone()],
        }
    }
}

pub(super) fn describe_route_tables(mut call: Call) -> Result<Value, ApiError> {
    let query = Query::read(&mut call, "RouteTableId")?;
    let endpoint = &call.endpoint;
    let views = endpoint.store.read(|tx| {
        let view = |table: RouteTable| Ok(View { routes: RouteView::all_of(endpoint, tx, &table)?, table });
        tx.list::<RouteTable>()?.into_iter().map(view).collect::<Result<Vec<_>, ApiError>>()
    })?;
    Ok(query.select(views)?.output("routeTableSet", |View { table, routes }| {
        json!({
            "routeTableId": table.id,
            "vpcId": table.vpc_id,
            "ownerId": endpoint.identity.account_id,
            "associationSet": associations(table),
            "propagatingVgwSet": [],
            "routeSet": routes.iter().map(RouteView::show).collect::<Vec<_>>(),
            "tagSet": tag_set(&table.tags),
        })
    }))
}

fn associations(table: &RouteTable) -> Vec<Value> {
    let associated = json!({"state": "associated"});
    let main = table.main_association_id.iter().map(|id| {
        json!({"routeTableAssociationId": id, "routeTableId": table.id, "main": true, "associationState": associated})
    });
    let subnets = table.associations.iter().map(|association| {
        json!({
            "routeTableAssociationId": association.id,
            "routeTableId": table.id,
            "subnetId": association.subnet_id,
            "main": false,
            "associationState": associated,
        })
    });
    main.chain(subnets).collect()
}
