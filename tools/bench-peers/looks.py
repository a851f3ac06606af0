"""Every resource of the stack, asked for at its own service: a stack may be called complete and have made nothing."""

import stacks
from endpoints import Failed


def made_resources(lab):
    """Counts those that their own services know."""
    made = stacks.resources(lab.endpoint)
    missing = [name for name, look in LOOKS.items() if not (name in made and there(look, lab.endpoint.client, made))]
    if missing:
        raise Failed(f"{len(LOOKS) - len(missing)}; not {', '.join(missing)}")
    return f"{len(LOOKS)}"


def there(look, client, made):
    try:
        return bool(look(client, made))
    except (*stacks.ERRORS, KeyError, IndexError):
        return False


def routes(client, made, side):
    return client("ec2").describe_route_tables(RouteTableIds=[made[f"{side}Routes"]])["RouteTables"][0]


def is_associated(client, made, side):
    return any(each.get("SubnetId") == made[f"{side}Subnet"] for each in routes(client, made, side)["Associations"])


def queue_attribute(client, made, queue, name):
    return client("sqs").get_queue_attributes(QueueUrl=made[queue], AttributeNames=[name])["Attributes"][name]


def is_role(name):
    return lambda client, made: client("iam").get_role_policy(RoleName=made[name], PolicyName="Work")


# How each resource is asked for, by its logical id.
LOOKS = {
    "Vpc": lambda client, made: client("ec2").describe_vpcs(VpcIds=[made["Vpc"]])["Vpcs"],
    "Gateway": lambda client, made: client("ec2").describe_internet_gateways(InternetGatewayIds=[made["Gateway"]])["InternetGateways"],
    "Attachment": lambda client, made: (
        client("ec2").describe_internet_gateways(InternetGatewayIds=[made["Gateway"]])["InternetGateways"][0]["Attachments"]
    ),
    "PublicSubnet": lambda client, made: client("ec2").describe_subnets(SubnetIds=[made["PublicSubnet"]])["Subnets"],
    "PrivateSubnet": lambda client, made: client("ec2").describe_subnets(SubnetIds=[made["PrivateSubnet"]])["Subnets"],
    "PublicRoutes": lambda client, made: routes(client, made, "Public"),
    "PrivateRoutes": lambda client, made: routes(client, made, "Private"),
    "PublicRoute": lambda client, made: [
        each for each in routes(client, made, "Public")["Routes"] if each.get("GatewayId") == made["Gateway"]
    ],
    "PublicAssociation": lambda client, made: is_associated(client, made, "Public"),
    "PrivateAssociation": lambda client, made: is_associated(client, made, "Private"),
    "SecurityGroup": lambda client, made: client("ec2").describe_security_groups(GroupIds=[made["SecurityGroup"]])["SecurityGroups"],
    "Repository": lambda client, made: client("ecr").describe_repositories(repositoryNames=[made["Repository"]])["repositories"],
    "LogGroup": lambda client, made: client("logs").describe_log_groups(logGroupNamePrefix=made["LogGroup"])["logGroups"],
    "Table": lambda client, made: client("dynamodb").describe_table(TableName=made["Table"]),
    "ExecutionRole": is_role("ExecutionRole"),
    "TaskRole": is_role("TaskRole"),
    "ExperimentRole": is_role("ExperimentRole"),
    "Cluster": lambda client, made: client("ecs").describe_clusters(clusters=[made["Cluster"]])["clusters"],
    "Definition": lambda client, made: client("ecs").describe_task_definition(taskDefinition=made["Definition"]),
    "DeadLetters": lambda client, made: queue_attribute(client, made, "DeadLetters", "QueueArn"),
    "Queue": lambda client, made: queue_attribute(client, made, "Queue", "RedrivePolicy"),
    "QueuePolicy": lambda client, made: queue_attribute(client, made, "Queue", "Policy"),
    "Rule": lambda client, made: client("events").list_targets_by_rule(Rule=made["Rule"].split("|")[-1])["Targets"],
    "ExperimentTemplate": lambda client, made: client("fis").get_experiment_template(id=made["ExperimentTemplate"]),
}
