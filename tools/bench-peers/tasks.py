"""A task of the stack: started, seen by the line that its program writes, stopped."""

import secrets
import time

import stacks
import template
from endpoints import Failed

# For what a peer may do later, or never.
PATIENCE = 20


class Task:
    """A running task, known by the token that its program repeats."""

    def __init__(self, endpoint):
        self.endpoint, self.token = endpoint, secrets.token_hex(8)
        made = stacks.resources(endpoint)
        network = {"subnets": [made["PrivateSubnet"]], "securityGroups": [made["SecurityGroup"]]}
        variables = [{"name": "TOKEN", "value": self.token}]
        self.begin = time.perf_counter()
        try:
            answer = endpoint.client("ecs").run_task(
                cluster=template.CLUSTER,
                taskDefinition=template.FAMILY,
                launchType="FARGATE",
                propagateTags="TASK_DEFINITION",
                networkConfiguration={"awsvpcConfiguration": network},
                overrides={"containerOverrides": [{"name": template.CONTAINER, "environment": variables}]},
            )
        except stacks.ERRORS as error:
            raise Failed(stacks.words(error)) from error
        if not answer["tasks"]:
            raise Failed(f"RunTask: {answer['failures']}")
        self.arn = answer["tasks"][0]["taskArn"]

    def described(self):
        return self.endpoint.client("ecs").describe_tasks(cluster=template.CLUSTER, tasks=[self.arn])["tasks"][0]

    def has_logged(self, word):
        """Whether the program's line is in its log."""
        try:
            events = self.endpoint.client("logs").filter_log_events(logGroupName=template.LOG_GROUP)["events"]
        except stacks.ERRORS:
            return False
        return any(event["message"].strip() == f"{word} {self.token}" for event in events)

    def waits_for(self, word, patience=PATIENCE):
        """Milliseconds since the start until the line is there; fails with what the endpoint says of the task instead."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if self.has_logged(word):
                return (time.perf_counter() - self.begin) * 1000
            time.sleep(0.001)
        task = self.described()
        reason = task.get("stoppedReason") or next((each["reason"] for each in task["containers"] if each.get("reason")), "")
        raise Failed(f"no line of the program in {patience} s; the task is called {task['lastStatus']}{reason and ': '}{reason}")

    def stop(self):
        """Stops it, and waits for STOPPED."""
        try:
            self.endpoint.client("ecs").stop_task(cluster=template.CLUSTER, task=self.arn)
        except stacks.ERRORS as error:
            raise Failed(stacks.words(error)) from error
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if self.described()["lastStatus"] == "STOPPED":
                return
            time.sleep(0.01)
        raise Failed(f"still {self.described()['lastStatus']} {PATIENCE} s after StopTask")
