"""The lab's own templates, with CreateStack as `render` and the AWS CLI do it."""

import subprocess

import engine
import stacks
from endpoints import Endpoint, Failed

IMAGES = ("original", "improved", "watchdog", "queue")
# Parameters of the second template, and the outputs of the first one that they are.
PARAMETERS = {"SubnetIds": "PrivateSubnetIds", "SecurityGroupId": "TaskSecurityGroupId", "RepositoryArn": "RepositoryArn"}


def are_made(row, program, workers):
    """Network first, then the environment in it."""
    with Endpoint(row) as endpoint:
        network = create(endpoint, program, "network", "FisStackVpc", {})
        absent = {*PARAMETERS.values(), "RepositoryUri"} - network.keys()
        if absent:
            raise Failed(f"network.yaml: CREATE_COMPLETE, without the outputs {', '.join(sorted(absent))}")
        if endpoint.is_ours:
            for image in IMAGES:
                engine.push(endpoint, workers, image, network["RepositoryName"])
        parameters = {name: network[output] for name, output in PARAMETERS.items()}
        parameters |= {f"{image.capitalize()}ImageUri": f"{network['RepositoryUri']}:{image}" for image in IMAGES}
        workshop = create(endpoint, program, "workshop", "FisStopTaskStack", parameters)
        if "ExperimentTemplateId" not in workshop:
            raise Failed("workshop.yaml: CREATE_COMPLETE, without the output ExperimentTemplateId")
    return "both are CREATE_COMPLETE, with their outputs"


def create(endpoint, program, name, stack, parameters):
    """Makes the stack of one template; its outputs."""
    body = subprocess.run([program, "render", name], capture_output=True, text=True, check=True).stdout
    cloudformation = endpoint.client("cloudformation")
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    cloudformation.create_stack(StackName=stack, TemplateBody=body, Parameters=given, Capabilities=["CAPABILITY_IAM"])
    made = stacks.settled(cloudformation, stack)
    if made["StackStatus"] != "CREATE_COMPLETE":
        raise Failed(f"{name}.yaml: {made['StackStatus']}: {made.get('StackStatusReason', '')}")
    return {output["OutputKey"]: output["OutputValue"] for output in made.get("Outputs", [])}
