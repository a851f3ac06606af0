//! The VPC family through CloudFormation.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{Capability, Parameter, Tag};

use crate::harness::{Endpoint, until};

pub(crate) const NETWORK: &str = include_str!("../../../templates/network.yaml");

/// Members that requests for a stack share.
macro_rules! wanted {
    ($request:expr, $name:expr, $template:expr, $parameters:expr) => {{
        let parameter =
            |(key, value): &(&str, &str)| Parameter::builder().parameter_key(*key).parameter_value(*value).build();
        $request
            .stack_name($name)
            .template_body($template)
            .set_parameters(Some($parameters.iter().map(parameter).collect()))
            .tags(Tag::builder().key("workshop").value("fis").build())
            .capabilities(Capability::CapabilityNamedIam)
            .send()
            .await
            .unwrap()
    }};
}

/// Asks for a stack and waits for its end; gives the status.
pub(crate) async fn create(client: &Client, name: &str, template: &str, parameters: &[(&str, &str)]) -> String {
    wanted!(client.create_stack(), name, template, parameters);
    settled(client, name).await
}

/// Asks for an update of a stack and waits for its end; gives the status.
pub(crate) async fn update(client: &Client, name: &str, template: &str, parameters: &[(&str, &str)]) -> String {
    wanted!(client.update_stack(), name, template, parameters);
    settled(client, name).await
}

async fn settled(client: &Client, name: &str) -> String {
    until("the stack's operation ends", async || {
        let stacks = client.describe_stacks().stack_name(name).send().await.unwrap();
        let status = stacks.stacks()[0].stack_status().unwrap().as_str().to_owned();
        Some(status).filter(|status| !status.ends_with("_IN_PROGRESS"))
    })
    .await
}

/// Deletes a stack and waits for its end; gives the status.
pub(crate) async fn delete(client: &Client, name: &str) -> String {
    let stacks = client.describe_stacks().stack_name(name).send().await.unwrap();
    let id = stacks.stacks()[0].stack_id().unwrap().to_owned();
    client.delete_stack().stack_name(&id).send().await.unwrap();
    settled(client, &id).await
}

pub(crate) async fn outputs(client: &Client, name: &str) -> BTreeMap<String, String> {
    let stacks = client.describe_stacks().stack_name(name).send().await.unwrap();
    let outputs = stacks.stacks()[0].outputs().iter();
    outputs.map(|output| (output.output_key().unwrap().to_owned(), output.output_value().unwrap().to_owned())).collect()
}

/// Why resources of the stack failed, by logical id.
pub(crate) async fn failures(client: &Client, name: &str) -> BTreeMap<String, String> {
    let events = client.describe_stack_events().stack_name(name).send().await.unwrap();
    let failed = events.stack_events().iter().filter(|event| {
        event.resource_status().is_some_and(|status| status.as_str().ends_with("_FAILED"))
            && !event.resource_status_reason().unwrap_or_default().contains("cancelled")
    });
    failed
        .map(|event| {
            let reason = event.resource_status_reason().unwrap_or_default().to_owned();
            (event.logical_resource_id().unwrap().to_owned(), reason)
        })
        .collect()
}

#[tokio::test]
async fn the_network_of_the_workshop_comes_changes_and_goes() {
    let endpoint = Endpoint::start().await;
    let client = Client::new(&endpoint.sdk_config());
    assert_eq!(create(&client, "Network", NETWORK, &[]).await, "CREATE_COMPLETE");
    let with_nat = outputs(&client, "Network").await;
    assert!(with_nat["VpcId"].starts_with("vpc-0"), "{with_nat:?}");
    assert!(with_nat["NatGatewayId"].starts_with("nat-0"));
    assert_eq!(with_nat["PrivateSubnetIds"].split(',').count(), 2);
    assert!(with_nat["RepositoryUri"].starts_with("000000000000.dkr.ecr.us-east-1.amazonaws.com/network-repository-"));
    let endpoints = [("Egress", "VpcEndpoints")];
    assert_eq!(update(&client, "Network", NETWORK, &endpoints).await, "UPDATE_COMPLETE");
    let with_endpoints = outputs(&client, "Network").await;
    assert_eq!(with_endpoints.get("NatGatewayId"), None);
    assert_eq!(with_endpoints["VpcId"], with_nat["VpcId"]);
    assert_eq!(delete(&client, "Network").await, "DELETE_COMPLETE");
    endpoint.stop().await;
}

const VPC: &str = "
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
";

/// The reason for which `resource`, added to a VPC, fails.
async fn refusal(resource: &str) -> String {
    let endpoint = Endpoint::start().await;
    let client = Client::new(&endpoint.sdk_config());
    assert_eq!(create(&client, "S", &format!("{VPC}{resource}"), &[]).await, "ROLLBACK_COMPLETE");
    let failures = failures(&client, "S").await;
    endpoint.stop().await;
    failures.get("It").cloned().unwrap_or_else(|| format!("{failures:?}"))
}

#[tokio::test]
async fn what_aws_refuses_is_refused_in_its_words() {
    for (resource, words) in [
        ("  It: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.1.0.0/24}}", "The CIDR '10.1.0.0/24' is invalid."),
        (
            "  A: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24}}
  It: {Type: AWS::EC2::Subnet, DependsOn: A, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/25}}",
            "The CIDR '10.0.0.0/25' conflicts with another subnet",
        ),
        ("  It: {Type: AWS::EC2::Subnet, Properties: {VpcId: vpc-0123456789abcdef0, CidrBlock: 10.0.0.0/24}}", "The vpc ID 'vpc-0123456789abcdef0' does not exist"),
        (
            "  Igw: {Type: AWS::EC2::InternetGateway}
  Table: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  It: {Type: AWS::EC2::Route, Properties: {RouteTableId: !Ref Table, DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref Igw}}",
            "belong to different networks",
        ),
        (
            "  Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24}}
  Ip: {Type: AWS::EC2::EIP}
  It: {Type: AWS::EC2::NatGateway, Properties: {SubnetId: !Ref Subnet, AllocationId: !GetAtt Ip.AllocationId}}",
            "has no Internet gateway attached",
        ),
        ("  It: {Type: AWS::EC2::VPCEndpoint, Properties: {VpcId: !Ref Vpc, ServiceName: com.amazonaws.us-east-1.nothing}}", "does not exist"),
    ] {
        let reason = refusal(resource).await;
        assert!(reason.contains(words), "{reason}\nfor {resource}");
    }
}

/// Everything else of the family, with rules and routes of their own.
const REST: &str = "
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.9.0.0/16, InstanceTenancy: default}}
  Igw: {Type: AWS::EC2::InternetGateway}
  Attachment: {Type: AWS::EC2::VPCGatewayAttachment, Properties: {VpcId: !Ref Vpc, InternetGatewayId: !Ref Igw}}
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: 10.9.1.0/24, AvailabilityZoneId: use1-az2, MapPublicIpOnLaunch: true}
  Table: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  Ipv6: {Type: AWS::EC2::Route, DependsOn: Attachment, Properties: {RouteTableId: !Ref Table, DestinationIpv6CidrBlock: '::/0', GatewayId: !Ref Igw}}
  Private: {Type: AWS::EC2::NatGateway, Properties: {SubnetId: !Ref Subnet, ConnectivityType: private, PrivateIpAddress: 10.9.1.77}}
  A: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: a, VpcId: !Ref Vpc}}
  B: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: b, GroupName: b, VpcId: !Ref Vpc}}
  In:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !Ref A, IpProtocol: tcp, FromPort: 443, ToPort: 443, SourceSecurityGroupId: !Ref B}
  Out:
    Type: AWS::EC2::SecurityGroupEgress
    Properties: {GroupId: !Ref B, IpProtocol: '-1', DestinationSecurityGroupId: !Ref A}
Outputs:
  Zone: {Value: !GetAtt Subnet.AvailabilityZone}
  DefaultGroup: {Value: !GetAtt Vpc.DefaultSecurityGroup}
  Route: {Value: !Ref Ipv6}
  Rule: {Value: !GetAtt In.Id}
";

#[tokio::test]
async fn rules_routes_and_attachments_are_resources_of_their_own() {
    let endpoint = Endpoint::start().await;
    let client = Client::new(&endpoint.sdk_config());
    assert_eq!(create(&client, "Rest", REST, &[]).await, "CREATE_COMPLETE", "{:?}", failures(&client, "Rest").await);
    let outputs = outputs(&client, "Rest").await;
    assert_eq!(outputs["Zone"], "us-east-1b");
    assert!(outputs["DefaultGroup"].starts_with("sg-0"));
    assert!(outputs["Route"].ends_with("|::/0"));
    assert!(outputs["Rule"].starts_with("sgr-0"));
    assert_eq!(delete(&client, "Rest").await, "DELETE_COMPLETE", "{:?}", failures(&client, "Rest").await);
    endpoint.stop().await;
}

#[tokio::test]
async fn a_vpc_stays_while_another_stack_has_something_in_it() {
    let endpoint = Endpoint::start().await;
    let client = Client::new(&endpoint.sdk_config());
    let template = format!("{VPC}Outputs: {{VpcId: {{Value: !Ref Vpc}}}}\n");
    assert_eq!(create(&client, "Base", &template, &[]).await, "CREATE_COMPLETE");
    let vpc_id = outputs(&client, "Base").await["VpcId"].clone();
    let group = format!(
        "Resources: {{G: {{Type: AWS::EC2::SecurityGroup, Properties: {{GroupDescription: g, VpcId: {vpc_id}}}}}}}\n"
    );
    assert_eq!(create(&client, "Guest", &group, &[]).await, "CREATE_COMPLETE");
    assert_eq!(delete(&client, "Base").await, "DELETE_FAILED");
    let reason = failures(&client, "Base").await.remove("Vpc").unwrap();
    assert!(reason.contains(&format!("The vpc '{vpc_id}' has dependencies and cannot be deleted.")), "{reason}");
    assert_eq!(delete(&client, "Guest").await, "DELETE_COMPLETE");
    assert_eq!(delete(&client, "Base").await, "DELETE_COMPLETE");
    endpoint.stop().await;
}
