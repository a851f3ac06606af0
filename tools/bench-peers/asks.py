"""What each endpoint really does for the lab: every answer is an effect that was looked for, not what a call returned.

`ASKED` says the questions in order. All answers of an endpoint come from one run of it, but for the lab's own templates and the
kill, which have runs of their own.
"""

import functools
import signal
import time

import engine
import functions
import looks
import own_templates
import rates
import stacks
import tasks
import template
from endpoints import Endpoint, Failed


class Lab:
    """An endpoint with the stack, and what its answers have in common."""

    def __init__(self, endpoint, layout, workers=None):
        self.endpoint, self.layout, self.workers = endpoint, layout, workers
        self.task = None

    @functools.cached_property
    def image(self):
        """Of the tasks: in our registry, or where the peers' engine has it."""
        return engine.own_image("000000000000") if self.endpoint.is_ours else engine.IMAGE

    def make_stack(self):
        """With FIS if that is taken; without it otherwise."""
        try:
            stacks.create(self.endpoint, self.image)
        except stacks.Incomplete:
            pass
        except Failed:
            stacks.delete(self.endpoint)
            stacks.create(self.endpoint, self.image, with_fis=False)
        if self.endpoint.is_ours:
            engine.push(self.endpoint, self.layout, "bench")
        if self.endpoint.is_ours and self.workers:
            engine.push(self.endpoint, self.workers, "watchdog")


def ask(row, container_engine, program, workers, layout):
    """Answers by question: whether it does it, and what was seen."""
    answers = {}

    def note(name, question, *given):
        try:
            answers[name] = {"does": True, "seen": question(*given)}
        except Failed as failure:
            answers[name] = {"does": False, "seen": " ".join(str(failure).split())}
        except stacks.ERRORS as error:
            answers[name] = {"does": False, "seen": stacks.words(error)}

    with Endpoint(row, container_engine) as endpoint:
        lab = Lab(endpoint, layout, workers)
        try:
            lab.make_stack()
            for name, question in QUESTIONS.items():
                note(name, question, lab)
        except Failed as failure:
            answers |= {name: {"does": False, "seen": f"no stack: {failure}"} for name in QUESTIONS}
        finally:
            # Processes of tasks outlive our endpoint; containers go with their engine.
            if endpoint.is_ours and lab.task:
                lab.task.stop()
    note("own-templates", own_templates.are_made, row, program, workers)
    note("kill", item_outlives_a_kill, row)
    return answers


def runs_the_task(lab):
    lab.task = tasks.Task(lab.endpoint)
    lab.task.waits_for("started")
    return "its line is in the log group"


def stops_by_tag(lab):
    """By the stack's own experiment template, or by one that is made for it."""
    if not (lab.task and lab.task.has_logged("started")):
        raise Failed("there is no program to stop")
    fis = lab.endpoint.client("fis")
    experiment = fis.start_experiment(experimentTemplateId=stacks.experiment_template(lab.endpoint) or make_template(lab))
    identity = experiment["experiment"]["id"]
    until = time.monotonic() + tasks.PATIENCE
    while time.monotonic() < until:
        state = fis.get_experiment(id=identity)["experiment"]["state"]
        if lab.task.has_logged("stopping"):
            return "the program's last line says so"
        if state["status"] in ("failed", "stopped", "cancelled"):
            break
        time.sleep(0.05)
    raise Failed(f"the experiment is called {state['status']} ({state.get('reason', 'no reason')}); the program runs on")


def make_template(lab):
    """The same template by FIS's own API."""
    properties = template.experiment_template()["Properties"]
    target = properties["Targets"]["Tasks"]
    return lab.endpoint.client("fis").create_experiment_template(
        clientToken=lab.task.token,
        description=properties["Description"],
        roleArn=stacks.role_arn(lab.endpoint, "ExperimentRole"),
        stopConditions=[{"source": "none"}],
        targets={
            "Tasks": {
                "resourceType": target["ResourceType"],
                "resourceTags": target["ResourceTags"],
                "parameters": {"cluster": template.CLUSTER},
                "filters": [{"path": "LastStatus", "values": ["RUNNING"]}],
                "selectionMode": "ALL",
            }
        },
        actions={"StopTask": {"actionId": "aws:ecs:stop-task", "targets": {"Tasks": "Tasks"}}},
    )["experimentTemplate"]["id"]


def delivers_the_event(lab):
    """Of the task that the experiment has stopped, or that is stopped now."""
    if not lab.task:
        raise Failed("RunTask has given no task")
    if lab.task.described()["lastStatus"] != "STOPPED":
        lab.task.stop()
    queue = stacks.resources(lab.endpoint)["Queue"]
    until = time.monotonic() + tasks.PATIENCE
    while time.monotonic() < until:
        answer = lab.endpoint.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=1, MaxNumberOfMessages=10)
        if any(lab.task.arn in message["Body"] for message in answer.get("Messages", [])):
            return "the message names the task"
    raise Failed(f"no message in {tasks.PATIENCE} s after the task was STOPPED")


def item_outlives_a_kill(row):
    """With the row's way to keep state on the disk, if it has one."""
    with Endpoint(row, keeps=True) as endpoint:
        stacks.create(endpoint, engine.IMAGE, with_fis=False)
        rates.send(endpoint, rates.put_requests(endpoint, 1, "kept"))
        endpoint.stop(signal.SIGKILL)
        endpoint.start()
        found = endpoint.client("dynamodb").scan(TableName=template.TABLE)["Items"]
        if not found:
            raise Failed("the table is empty")
    return "the item is there"


# Of one run, in this order: each goes on with what the one before has left.
QUESTIONS = {
    "resources": looks.made_resources,
    "task": runs_the_task,
    "stop-by-tag": stops_by_tag,
    "event": delivers_the_event,
    "image-function": functions.runs_an_image,
    "zip-function": functions.runs_an_archive,
}
