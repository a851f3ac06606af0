"""One stack made and deleted, timed from the call to the first DescribeStacks that says so."""

import re
import time

import botocore.exceptions
import botocore.parsers

import template
from endpoints import PATIENCE, Failed

# What the SDK says of an answer that is an error, of none, and of one that is none of AWS's.
ERRORS = (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError, botocore.parsers.ResponseParserError)


def create(endpoint, image, with_fis=True):
    """Makes the stack; milliseconds. Fails in the endpoint's own words."""
    cloudformation = endpoint.client("cloudformation")
    body = template.body(image, with_fis)
    begin = time.perf_counter()
    try:
        cloudformation.create_stack(StackName=template.STACK, TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
        stack = settled(cloudformation, template.STACK)
    except ERRORS as error:
        raise Failed(words(error)) from error
    taken = (time.perf_counter() - begin) * 1000
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise Failed(f"{stack['StackStatus']}: {stack.get('StackStatusReason', '')}")
    if with_fis and not experiment_template(endpoint):
        raise Incomplete(taken, "CREATE_COMPLETE, and FIS has no such template.")
    return taken


class Incomplete(Exception):
    """CREATE_COMPLETE, and FIS knows of no template; with the milliseconds and these words."""


def delete(endpoint):
    """Deletes the stack; milliseconds."""
    cloudformation = endpoint.client("cloudformation")
    begin = time.perf_counter()
    try:
        identity = cloudformation.describe_stacks(StackName=template.STACK)["Stacks"][0]["StackId"]
        begin = time.perf_counter()
        cloudformation.delete_stack(StackName=template.STACK)
        stack = settled(cloudformation, identity)
    except ERRORS as error:
        # Some forget a stack with its last resource; others only when it has not all gone.
        if "does not exist" not in str(error):
            raise Failed(words(error)) from error
        stack = {"StackStatus": "DELETE_COMPLETE"}
    if stack["StackStatus"] != "DELETE_COMPLETE":
        raise Failed(f"{stack['StackStatus']}: {stack.get('StackStatusReason', '')}")
    return (time.perf_counter() - begin) * 1000


def settled(cloudformation, name):
    """The stack when nothing goes on in it any more."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        time.sleep(0.001)
    raise Failed(f"still {stack['StackStatus']} after {PATIENCE} s")


def resources(endpoint):
    """Physical id of each logical one."""
    answer = endpoint.client("cloudformation").list_stack_resources(StackName=template.STACK)
    listed = answer["StackResourceSummaries"]
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in listed if each.get("PhysicalResourceId")}


def role_arn(endpoint, name):
    """Of a role of the stack."""
    return endpoint.client("iam").get_role(RoleName=resources(endpoint)[name])["Role"]["Arn"]


def experiment_template(endpoint):
    """The stack's experiment template, if FIS has it."""
    try:
        found = endpoint.client("fis").list_experiment_templates()["experimentTemplates"]
    except ERRORS:
        return None
    return next((each["id"] for each in found if each.get("tags", {}).get("Name") == "BenchStopTask"), None)


def words(error):
    """What an endpoint says, on one line."""
    if not isinstance(error, botocore.exceptions.ClientError):
        # Of a page of HTML, what it shows.
        return " ".join(re.sub(r"<[^>]*>|\\n", " ", str(error)).split())
    said = error.response.get("Error", {})
    return " ".join(f"{error.operation_name}: {said.get('Code', '')}: {said.get('Message') or 'no message'}".split())
