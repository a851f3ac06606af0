"""The stack that every endpoint is asked to make: the lab in 24 resources, of types that a local cloud can be expected to have.

The lab's own templates are asked for, too (`asks.py`). They need images in a registry and functions such as `Fn::Cidr`, which
would leave most peers with nothing to measure.
"""

import json

STACK = "BenchPeers"
CLUSTER, FAMILY, CONTAINER, LOG_GROUP = "bench-cluster", "bench-task", "BatchJob", "/bench/tasks"
TABLE, QUEUE, REPOSITORY = "bench-table", "bench-queue", "bench/worker"
TASK_TAGS = {"fisTarget": "true"}


def body(image, with_fis=True):
    """The template as JSON; without FIS it has 23 resources."""
    resources = {**network(), **storage(), **roles(), **tasks(image), **events()}
    if with_fis:
        resources["ExperimentTemplate"] = experiment_template()
    return json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources})


def resource(kind, depends_on=None, **properties):
    made = {"Type": f"AWS::{kind}", "Properties": properties}
    return {**made, "DependsOn": depends_on} if depends_on else made


def ref(name):
    return {"Ref": name}


def arn(name):
    return {"Fn::GetAtt": [name, "Arn"]}


def network():
    vpc = ref("Vpc")
    parts = {
        "Vpc": resource("EC2::VPC", CidrBlock="10.0.0.0/16", EnableDnsSupport=True, EnableDnsHostnames=True),
        "Gateway": resource("EC2::InternetGateway"),
        "Attachment": resource("EC2::VPCGatewayAttachment", VpcId=vpc, InternetGatewayId=ref("Gateway")),
        "PublicSubnet": resource("EC2::Subnet", VpcId=vpc, CidrBlock="10.0.0.0/24"),
        "PrivateSubnet": resource("EC2::Subnet", VpcId=vpc, CidrBlock="10.0.1.0/24"),
        "PublicRoute": resource(
            "EC2::Route",
            depends_on="Attachment",
            RouteTableId=ref("PublicRoutes"),
            DestinationCidrBlock="0.0.0.0/0",
            GatewayId=ref("Gateway"),
        ),
        "SecurityGroup": resource("EC2::SecurityGroup", GroupDescription="Tasks of the lab", VpcId=vpc),
    }
    for side in ("Public", "Private"):
        parts[f"{side}Routes"] = resource("EC2::RouteTable", VpcId=vpc)
        parts[f"{side}Association"] = resource(
            "EC2::SubnetRouteTableAssociation", SubnetId=ref(f"{side}Subnet"), RouteTableId=ref(f"{side}Routes")
        )
    return parts


def storage():
    return {
        "Repository": resource("ECR::Repository", RepositoryName=REPOSITORY, ImageTagMutability="IMMUTABLE"),
        "LogGroup": resource("Logs::LogGroup", LogGroupName=LOG_GROUP, RetentionInDays=7),
        "Table": resource(
            "DynamoDB::Table",
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "BatchId", "AttributeType": "S"},
                {"AttributeName": "ItemIndex", "AttributeType": "N"},
            ],
            KeySchema=[{"AttributeName": "BatchId", "KeyType": "HASH"}, {"AttributeName": "ItemIndex", "KeyType": "RANGE"}],
        ),
    }


def role(services, *actions):
    principals = [f"{service}.amazonaws.com" for service in services]
    trust = {"Effect": "Allow", "Principal": {"Service": principals}, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    version = "2012-10-17"
    policy = {"PolicyName": "Work", "PolicyDocument": {"Version": version, "Statement": [allowed]}}
    return resource("IAM::Role", AssumeRolePolicyDocument={"Version": version, "Statement": [trust]}, Policies=[policy])


PULL = ("ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


def roles():
    return {
        "ExecutionRole": role(["ecs-tasks"], *PULL, "logs:CreateLogStream", "logs:PutLogEvents"),
        "TaskRole": role(["ecs-tasks", "lambda"], "dynamodb:*", "logs:*"),
        "ExperimentRole": role(["fis"], "ecs:StopTask", "ecs:DescribeTasks", "ecs:ListTasks", "tag:GetResources"),
    }


def tasks(image):
    return {
        "Cluster": resource("ECS::Cluster", ClusterName=CLUSTER),
        "Definition": task_definition(image),
    }


def task_definition(image):
    variables = {"TABLE_NAME": ref("Table"), "BATCH_ID": "batch"}
    log = {"awslogs-group": ref("LogGroup"), "awslogs-region": ref("AWS::Region"), "awslogs-stream-prefix": "bench"}
    container = {
        "Name": CONTAINER,
        "Image": image,
        "Essential": True,
        # Fargate does not ask for it; moto's RunTask adds it up.
        "Memory": 512,
        "Environment": [{"Name": name, "Value": value} for name, value in variables.items()],
        "LogConfiguration": {"LogDriver": "awslogs", "Options": log},
    }
    return resource(
        "ECS::TaskDefinition",
        Family=FAMILY,
        RequiresCompatibilities=["FARGATE"],
        NetworkMode="awsvpc",
        Cpu="256",
        Memory="512",
        ExecutionRoleArn=arn("ExecutionRole"),
        TaskRoleArn=arn("TaskRole"),
        ContainerDefinitions=[container],
        Tags=[{"Key": key, "Value": value} for key, value in TASK_TAGS.items()],
    )


def events():
    """A queue that hears of every task that has stopped."""
    pattern = {"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"], "detail": {"lastStatus": ["STOPPED"]}}
    send = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn("Queue"),
    }
    redrive = {"deadLetterTargetArn": arn("DeadLetters"), "maxReceiveCount": 5}
    return {
        "DeadLetters": resource("SQS::Queue", QueueName=f"{QUEUE}-dead"),
        "Queue": resource("SQS::Queue", QueueName=QUEUE, RedrivePolicy=redrive),
        "QueuePolicy": resource(
            "SQS::QueuePolicy", Queues=[ref("Queue")], PolicyDocument={"Version": "2012-10-17", "Statement": [send]}
        ),
        "Rule": resource("Events::Rule", EventPattern=pattern, Targets=[{"Id": "Queue", "Arn": arn("Queue")}]),
    }


def experiment_template():
    """As the lab's own: stops all running tasks of the cluster that bear the tag."""
    target = {
        "ResourceType": "aws:ecs:task",
        "ResourceTags": TASK_TAGS,
        "Parameters": {"cluster": ref("Cluster")},
        "Filters": [{"Path": "LastStatus", "Values": ["RUNNING"]}],
        "SelectionMode": "ALL",
    }
    return resource(
        "FIS::ExperimentTemplate",
        Description="Stop ECS Task during processing",
        RoleArn=arn("ExperimentRole"),
        Targets={"Tasks": target},
        Actions={"StopTask": {"ActionId": "aws:ecs:stop-task", "Targets": {"Tasks": "Tasks"}}},
        StopConditions=[{"Source": "none"}],
        Tags={"Name": "BenchStopTask"},
    )
