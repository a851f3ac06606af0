//! The network of the workshop: each kind of resource is changed and deleted by EC2's and ECR's own calls, and comes back.

use serde_json::{Value, json};

use super::Lab;

const TEMPLATE: &str = include_str!("../../../../../templates/network.yaml");

impl Lab {
    fn ec2(&mut self, operation: &str, input: Value) {
        self.by_hand("ec2", operation, &input);
    }

    /// The allocation of the network's address.
    fn allocation(&mut self) -> Value {
        self.boto.call("ec2", "DescribeAddresses", &json!({})).unwrap()["Addresses"][0]["AllocationId"].take()
    }

    fn id(&mut self, logical_id: &str) -> String {
        let input = json!({"StackName": "Lab", "LogicalResourceId": logical_id});
        let shown = self.call("DescribeStackResource", &input);
        shown["StackResourceDetail"]["PhysicalResourceId"].as_str().unwrap().to_owned()
    }

    /// Puts everything back and finds it in sync.
    async fn repaired(&mut self, template: &str, expected: &[&str]) {
        let set = self.set(template);
        let mut changed: Vec<String> = Vec::new();
        for change in set["Changes"].as_array().unwrap() {
            let change = &change["ResourceChange"];
            if change["ResourceDriftStatus"] != "IN_SYNC" {
                changed.push(change["LogicalResourceId"].as_str().unwrap().to_owned());
            }
        }
        assert_eq!(changed, expected, "{set:#}");
        let end = self.execute(&set).await;
        assert_eq!(
            end["StackStatus"],
            "UPDATE_COMPLETE",
            "{:#}",
            self.call("DescribeStackEvents", &json!({"StackName": "Lab"}))
        );
        self.is_in_sync(template);
    }
}

#[tokio::test]
async fn what_was_changed_in_a_network_is_put_back() {
    let mut lab = Lab::with(TEMPLATE).await;
    lab.is_in_sync(TEMPLATE);
    let vpc = lab.id("FisVpc");
    lab.ec2("ModifyVpcAttribute", json!({"VpcId": vpc, "EnableDnsHostnames": {"Value": false}}));
    let tags = json!([{"Key": "Name", "Value": "mine"}, {"Key": "owner", "Value": "me"}]);
    for id in ["FisVpc", "PublicRouteTable", "InternetGateway"].map(|it| lab.id(it)) {
        lab.ec2("CreateTags", json!({"Resources": [id], "Tags": tags}));
    }
    let gateway = lab.id("InternetGateway");
    lab.ec2("DeleteTags", json!({"Resources": [gateway], "Tags": [{"Key": "Name"}]}));
    let subnet = lab.id("PrivateSubnet1");
    lab.ec2("ModifySubnetAttribute", json!({"SubnetId": subnet, "MapPublicIpOnLaunch": {"Value": true}}));
    let group = lab.id("TaskSecurityGroup");
    let open = json!([{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]);
    let https = json!([{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]);
    lab.ec2("AuthorizeSecurityGroupEgress", json!({"GroupId": group, "IpPermissions": open}));
    lab.ec2("RevokeSecurityGroupEgress", json!({"GroupId": group, "IpPermissions": https}));
    let repository = lab.id("Repository");
    lab.by_hand(
        "ecr",
        "PutImageTagMutability",
        &json!({"repositoryName": repository, "imageTagMutability": "MUTABLE"}),
    );
    let scan = json!({"repositoryName": repository, "imageScanningConfiguration": {"scanOnPush": false}});
    lab.by_hand("ecr", "PutImageScanningConfiguration", &scan);
    let policy = json!({"repositoryName": repository, "lifecyclePolicyText": "{\"rules\": []}"});
    lab.by_hand("ecr", "PutLifecyclePolicy", &policy);
    let table = lab.id("PrivateRouteTable");
    let to_internet = json!({"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway});
    lab.ec2("ReplaceRoute", to_internet);
    // `MapPublicIpOnLaunch` of a private subnet is not in the template: what it does not declare is nobody's to judge.
    let changed =
        ["FisVpc", "InternetGateway", "PrivateDefaultRoute", "PublicRouteTable", "Repository", "TaskSecurityGroup"];
    lab.repaired(TEMPLATE, &changed).await;
    let tags =
        lab.boto.call("ec2", "DescribeTags", &json!({"Filters": [{"Name": "resource-id", "Values": [vpc]}]})).unwrap();
    let values: Vec<_> = tags["Tags"].as_array().unwrap().iter().map(|tag| (&tag["Key"], &tag["Value"])).collect();
    assert!(values.contains(&(&json!("owner"), &json!("me"))), "{values:?}");
}

#[tokio::test]
async fn what_was_deleted_of_a_network_comes_back() {
    let mut lab = Lab::with(TEMPLATE).await;
    let (vpc, gateway) = (lab.id("FisVpc"), lab.id("InternetGateway"));
    let (group, repository) = (lab.id("TaskSecurityGroup"), lab.id("Repository"));
    // One after the other; the address is in use by the gateway, which goes first.
    let nat = lab.id("NatGateway");
    lab.ec2("DeleteNatGateway", json!({"NatGatewayId": nat}));
    let allocation = lab.allocation();
    lab.ec2("ReleaseAddress", json!({"AllocationId": allocation}));
    for name in ["PrivateRouteTable", "PublicRouteTable"] {
        let table = lab.id(name);
        lab.ec2("DeleteRoute", json!({"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}));
    }
    for name in ["S3Endpoint", "DynamoDbEndpoint"] {
        let endpoint = lab.id(name);
        lab.ec2("DeleteVpcEndpoints", json!({"VpcEndpointIds": [endpoint]}));
    }
    let association = lab.id("PublicSubnet2RouteTableAssociation");
    lab.ec2("DisassociateRouteTable", json!({"AssociationId": association}));
    lab.ec2("DetachInternetGateway", json!({"InternetGatewayId": gateway, "VpcId": vpc}));
    lab.ec2("DeleteSecurityGroup", json!({"GroupId": group}));
    lab.by_hand("ecr", "DeleteRepository", &json!({"repositoryName": repository, "force": true}));
    let deleted = [
        "DynamoDbEndpoint",
        "InternetGatewayAttachment",
        "NatGateway",
        "NatGatewayAddress",
        "PrivateDefaultRoute",
        "PublicDefaultRoute",
        "PublicSubnet2RouteTableAssociation",
        "Repository",
        "S3Endpoint",
        "TaskSecurityGroup",
    ];
    lab.repaired(TEMPLATE, &deleted).await;
}

#[tokio::test]
async fn a_network_of_which_nothing_is_left_comes_back() {
    let mut lab = Lab::with(TEMPLATE).await;
    let (vpc, gateway) = (lab.id("FisVpc"), lab.id("InternetGateway"));
    // What other resources stand on: with it they go, too.
    let associations = ["PublicSubnet1", "PublicSubnet2", "PrivateSubnet1", "PrivateSubnet2"];
    let nat = lab.id("NatGateway");
    lab.ec2("DeleteNatGateway", json!({"NatGatewayId": nat}));
    for name in ["S3Endpoint", "DynamoDbEndpoint"] {
        let endpoint = lab.id(name);
        lab.ec2("DeleteVpcEndpoints", json!({"VpcEndpointIds": [endpoint]}));
    }
    for name in associations {
        let association = lab.id(&format!("{name}RouteTableAssociation"));
        lab.ec2("DisassociateRouteTable", json!({"AssociationId": association}));
        let subnet = lab.id(name);
        lab.ec2("DeleteSubnet", json!({"SubnetId": subnet}));
    }
    for name in ["PrivateRouteTable", "PublicRouteTable"] {
        let table = lab.id(name);
        lab.ec2("DeleteRouteTable", json!({"RouteTableId": table}));
    }
    let allocation = lab.allocation();
    lab.ec2("ReleaseAddress", json!({"AllocationId": allocation}));
    lab.ec2("DetachInternetGateway", json!({"InternetGatewayId": gateway, "VpcId": vpc}));
    lab.ec2("DeleteInternetGateway", json!({"InternetGatewayId": gateway}));
    let group = lab.id("TaskSecurityGroup");
    lab.ec2("DeleteSecurityGroup", json!({"GroupId": group}));
    lab.ec2("DeleteVpc", json!({"VpcId": vpc}));
    let set = lab.set(TEMPLATE);
    let gone =
        set["Changes"].as_array().unwrap().iter().filter(|it| it["ResourceChange"]["ResourceDriftStatus"] == "DELETED");
    let all = lab.call("ListStackResources", &json!({"StackName": "Lab"}));
    let others =
        all["StackResourceSummaries"].as_array().unwrap().iter().filter(|it| it["LogicalResourceId"] != "Repository");
    assert_eq!(gone.count(), others.count(), "{set:#}");
    assert_eq!(lab.execute(&set).await["StackStatus"], "UPDATE_COMPLETE");
    lab.is_in_sync(TEMPLATE);
    assert_ne!(lab.id("FisVpc"), vpc);
}
