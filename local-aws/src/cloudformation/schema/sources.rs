//! The text of each schema, by type name.

/// The schema of this type.
pub(super) fn find(type_name: &str) -> Option<&'static str> {
    SOURCES.iter().find(|(name, _)| *name == type_name).map(|(_, source)| *source)
}

/// One for each file in `schemas/`.
pub(super) const SOURCES: &[(&str, &str)] = &[
    ("AWS::DynamoDB::Table", include_str!("../../../schemas/aws-dynamodb-table.json")),
    ("AWS::EC2::EIP", include_str!("../../../schemas/aws-ec2-eip.json")),
    ("AWS::EC2::InternetGateway", include_str!("../../../schemas/aws-ec2-internetgateway.json")),
    ("AWS::EC2::NatGateway", include_str!("../../../schemas/aws-ec2-natgateway.json")),
    ("AWS::EC2::Route", include_str!("../../../schemas/aws-ec2-route.json")),
    ("AWS::EC2::RouteTable", include_str!("../../../schemas/aws-ec2-routetable.json")),
    ("AWS::EC2::SecurityGroup", include_str!("../../../schemas/aws-ec2-securitygroup.json")),
    ("AWS::EC2::SecurityGroupEgress", include_str!("../../../schemas/aws-ec2-securitygroupegress.json")),
    ("AWS::EC2::SecurityGroupIngress", include_str!("../../../schemas/aws-ec2-securitygroupingress.json")),
    ("AWS::EC2::Subnet", include_str!("../../../schemas/aws-ec2-subnet.json")),
    (
        "AWS::EC2::SubnetRouteTableAssociation",
        include_str!("../../../schemas/aws-ec2-subnetroutetableassociation.json"),
    ),
    ("AWS::EC2::VPC", include_str!("../../../schemas/aws-ec2-vpc.json")),
    ("AWS::EC2::VPCEndpoint", include_str!("../../../schemas/aws-ec2-vpcendpoint.json")),
    ("AWS::EC2::VPCGatewayAttachment", include_str!("../../../schemas/aws-ec2-vpcgatewayattachment.json")),
    ("AWS::ECR::Repository", include_str!("../../../schemas/aws-ecr-repository.json")),
    ("AWS::ECS::Cluster", include_str!("../../../schemas/aws-ecs-cluster.json")),
    ("AWS::ECS::TaskDefinition", include_str!("../../../schemas/aws-ecs-taskdefinition.json")),
    ("AWS::FIS::ExperimentTemplate", include_str!("../../../schemas/aws-fis-experimenttemplate.json")),
    ("AWS::IAM::Policy", include_str!("../../../schemas/aws-iam-policy.json")),
    ("AWS::IAM::Role", include_str!("../../../schemas/aws-iam-role.json")),
    ("AWS::Logs::LogGroup", include_str!("../../../schemas/aws-logs-loggroup.json")),
];
