//! EC2: the network, as far as `doctor` and `down` ask for it.

use aws_config::SdkConfig;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::direct::{Answer, Client, Members, Service};

/// EC2's client, of the operations that the deployer needs.
#[derive(Debug, Clone)]
pub(crate) struct Ec2(Client);

/// A list, as EC2 writes one.
#[derive(Debug, Clone, Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Set<T> {
    #[serde(rename = "item", default = "Vec::new")]
    items: Vec<T>,
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

/// One page of a Describe call, whose list has the name of what is in it.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Page<T> {
    #[serde(
        rename = "vpcSet",
        alias = "availabilityZoneInfo",
        alias = "addressesSet",
        alias = "natGatewaySet",
        alias = "networkInterfaceSet",
        alias = "vpcEndpointSet",
        alias = "internetGatewaySet",
        alias = "securityGroupInfo",
        alias = "routeTableSet",
        default
    )]
    set: Set<T>,
    #[serde(rename = "nextToken")]
    next_token: Option<String>,
}

/// A tag of a resource.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Tag {
    pub(crate) key: String,
    #[serde(default)]
    pub(crate) value: String,
}

/// An Availability Zone.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Zone {
    /// `us-west-1a`: which zone that is differs from account to account.
    pub(crate) zone_name: String,
    /// `usw1-az1`: the same zone in every account.
    pub(crate) zone_id: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Vpc {
    pub(crate) vpc_id: String,
    #[serde(default)]
    tag_set: Set<Tag>,
}

/// An elastic IP.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Address {
    pub(crate) allocation_id: Option<String>,
    pub(crate) public_ip: Option<String>,
    #[serde(default)]
    tag_set: Set<Tag>,
}

/// `pending`, `available`, `failed`, `deleting`, `deleted`: EC2 lists a deleted one for about an hour.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NatGateway {
    pub(crate) nat_gateway_id: String,
    pub(crate) state: String,
    #[serde(default)]
    tag_set: Set<Tag>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NetworkInterface {
    pub(crate) network_interface_id: String,
    #[serde(default)]
    pub(crate) description: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VpcEndpoint {
    pub(crate) vpc_endpoint_id: String,
    pub(crate) service_name: String,
    /// `Interface`, `Gateway`, ...
    pub(crate) vpc_endpoint_type: String,
    /// `available`, `deleting`, `deleted`, ...
    pub(crate) state: Option<String>,
    #[serde(default)]
    subnet_id_set: Set<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecurityGroup {
    pub(crate) group_id: String,
    pub(crate) group_name: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RouteTable {
    #[serde(default)]
    route_set: Set<Route>,
    #[serde(default)]
    association_set: Set<Association>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Route {
    destination_cidr_block: Option<String>,
    /// `active`, or `blackhole` when its target is gone.
    state: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Association {
    subnet_id: Option<String>,
}

impl RouteTable {
    pub(crate) fn serves(&self, subnet_id: &str) -> bool {
        self.association_set.items.iter().any(|association| association.subnet_id.as_deref() == Some(subnet_id))
    }

    /// Whether packets for the internet get anywhere.
    pub(crate) fn leads_out(&self) -> bool {
        let is_default = |route: &Route| route.destination_cidr_block.as_deref() == Some("0.0.0.0/0");
        self.route_set.items.iter().any(|route| is_default(route) && route.state == "active")
    }
}

/// What came of a deletion of several.
#[derive(Debug, Deserialize)]
struct Deletion {
    #[serde(default)]
    unsuccessful: Set<Unsuccessful>,
}

#[derive(Debug, Clone, Deserialize)]
struct Unsuccessful {
    error: Reason,
}

#[derive(Debug, Clone, Deserialize)]
struct Reason {
    code: String,
    #[serde(default)]
    message: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InternetGateway {
    pub(crate) internet_gateway_id: String,
}

impl Vpc {
    pub(crate) fn tags(&self) -> &[Tag] {
        &self.tag_set.items
    }
}

impl Address {
    pub(crate) fn tags(&self) -> &[Tag] {
        &self.tag_set.items
    }
}

impl NatGateway {
    pub(crate) fn tags(&self) -> &[Tag] {
        &self.tag_set.items
    }
}

impl VpcEndpoint {
    /// It has a network interface in each of them.
    pub(crate) fn subnets(&self) -> usize {
        self.subnet_id_set.items.len()
    }
}

impl Ec2 {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self(Client::new(Service::Ec2, config))
    }

    /// Those of the region that are there for this account; no local zones.
    pub(crate) async fn describe_availability_zones(&self) -> Answer<Vec<Zone>> {
        let filters = [
            ("Filter.1.Name", "zone-type"),
            ("Filter.1.Value.1", "availability-zone"),
            ("Filter.2.Name", "state"),
            ("Filter.2.Value.1", "available"),
        ];
        self.all("DescribeAvailabilityZones", &filters).await
    }

    pub(crate) async fn describe_vpcs(&self) -> Answer<Vec<Vpc>> {
        self.all("DescribeVpcs", &[]).await
    }

    pub(crate) async fn describe_internet_gateways(&self) -> Answer<Vec<InternetGateway>> {
        self.all("DescribeInternetGateways", &[]).await
    }

    pub(crate) async fn describe_addresses(&self) -> Answer<Vec<Address>> {
        self.all("DescribeAddresses", &[]).await
    }

    pub(crate) async fn describe_nat_gateways(&self) -> Answer<Vec<NatGateway>> {
        self.all("DescribeNatGateways", &[]).await
    }

    pub(crate) async fn describe_network_interfaces(&self, vpc_id: &str) -> Answer<Vec<NetworkInterface>> {
        self.all("DescribeNetworkInterfaces", &inside(vpc_id)).await
    }

    pub(crate) async fn describe_vpc_endpoints(&self, vpc_id: &str) -> Answer<Vec<VpcEndpoint>> {
        self.all("DescribeVpcEndpoints", &inside(vpc_id)).await
    }

    pub(crate) async fn describe_security_groups(&self, vpc_id: &str) -> Answer<Vec<SecurityGroup>> {
        self.all("DescribeSecurityGroups", &inside(vpc_id)).await
    }

    /// Those of these subnets.
    pub(crate) async fn describe_route_tables(&self, subnets: &[&str]) -> Answer<Vec<RouteTable>> {
        let names: Vec<String> = (1..=subnets.len()).map(|number| format!("Filter.1.Value.{number}")).collect();
        let mut filter = vec![("Filter.1.Name", "association.subnet-id")];
        filter.extend(names.iter().map(String::as_str).zip(subnets.iter().copied()));
        self.all("DescribeRouteTables", &filter).await
    }

    /// Why one of them was not deleted, if one was not.
    pub(crate) async fn delete_vpc_endpoints(&self, ids: &[&str]) -> Answer<Option<String>> {
        let ids = ids.iter().enumerate();
        let members: Members =
            ids.map(|(index, id)| (format!("VpcEndpointId.{}", index + 1), (*id).to_owned())).collect();
        let deletion: Deletion = self.0.call("DeleteVpcEndpoints", &members).await?;
        let refused = deletion.unsuccessful.items.into_iter().next();
        Ok(refused.map(|refused| format!("{}: {}", refused.error.code, refused.error.message)))
    }

    pub(crate) async fn delete_security_group(&self, id: &str) -> Answer<()> {
        let members = vec![("GroupId".to_owned(), id.to_owned())];
        self.0.call::<IgnoredAny>("DeleteSecurityGroup", &members).await.map(drop)
    }

    /// All pages of a Describe call.
    async fn all<T>(&self, action: &'static str, filter: &[(&str, &str)]) -> Answer<Vec<T>>
    where
        T: DeserializeOwned + std::fmt::Debug + Send + Sync + 'static,
    {
        let mut members: Members = filter.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let mut all = Vec::new();
        loop {
            let page: Page<T> = self.0.call(action, &members).await?;
            all.extend(page.set.items);
            let Some(token) = page.next_token.filter(|token| !token.is_empty()) else { return Ok(all) };
            members.retain(|(key, _)| key != "NextToken");
            members.push(("NextToken".to_owned(), token));
        }
    }
}

fn inside(vpc_id: &str) -> [(&str, &str); 2] {
    [("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", vpc_id)]
}

#[cfg(test)]
mod tests {
    use crate::aws::scripted::Script;

    #[tokio::test]
    async fn pages_are_followed_and_lists_read() {
        let page = |id: &str, token: &str| {
            format!(
                "<DescribeNatGatewaysResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId>\
                 <natGatewaySet><item><natGatewayId>{id}</natGatewayId><subnetId>subnet-1</subnetId>\
                 <state>available</state><tagSet><item><key>Name</key><value>a</value></item>\
                 <item><key>empty</key><value/></item></tagSet></item></natGatewaySet>{token}\
                 </DescribeNatGatewaysResponse>"
            )
        };
        let script = Script::default()
            .answers("DescribeNatGateways", 200, page("nat-1", "<nextToken>more</nextToken>"))
            .answers("DescribeNatGateways", 200, page("nat-2", ""));
        let gateways = script.clients().ec2.describe_nat_gateways().await.unwrap();
        let ids: Vec<_> = gateways.iter().map(|gateway| gateway.nat_gateway_id.as_str()).collect();
        assert_eq!(ids, ["nat-1", "nat-2"]);
        let tags: Vec<_> = gateways[0].tags().iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
        assert_eq!(tags, [("Name", "a"), ("empty", "")]);
    }

    #[tokio::test]
    async fn an_empty_list_is_none_and_a_throttle_is_repeated() {
        let throttle = "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Slow down.</Message></Error>\
                        </Errors><RequestID>r</RequestID></Response>";
        let empty = "<DescribeVpcsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId>\
                     <vpcSet/></DescribeVpcsResponse>";
        let script = Script::default().answers("DescribeVpcs", 503, throttle.to_owned());
        let script = script.answers("DescribeVpcs", 200, empty.to_owned());
        assert!(script.clients().ec2.describe_vpcs().await.unwrap().is_empty());
        assert_eq!(script.requests("DescribeVpcs").len(), 2);
    }
}
