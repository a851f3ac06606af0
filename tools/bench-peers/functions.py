"""Functions, of an image and of a Zip archive, made and called."""

import io
import json
import time
import zipfile

import engine
import stacks
import tasks
import template
from endpoints import Failed


def runs_an_image(lab):
    """The watchdog, which says what it misses: it is given no variables."""
    image = engine.own_image("000000000000").replace(":bench", ":watchdog") if lab.endpoint.is_ours else engine.FUNCTION
    said = invoke(lab, "bench-image", PackageType="Image", Code={"ImageUri": image})
    logged = lab.endpoint.client("logs").filter_log_events(logGroupName=template.LOG_GROUP)["events"]
    lines = [said, *(event["message"] for event in logged)]
    if not any("TABLE_NAME" in line for line in lines):
        raise Failed(f"nothing of the program: {said[:200]}")
    return "the program's own words"


HANDLER = "def handler(event, context):\n    return {'seen': event['token'][::-1]}\n"


def runs_an_archive(lab):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("index.py", HANDLER)
    said = invoke(lab, "bench-zip", Runtime="python3.12", Handler="index.handler", Code={"ZipFile": archive.getvalue()})
    if "nekot-a" not in said:
        raise Failed(f"it answers {said[:200]}")
    return "its answer"


def invoke(lab, name, **function):
    """Makes a function and calls it; its answer."""
    client = lab.endpoint.client("lambda")
    logging = {"LogGroup": template.LOG_GROUP}
    client.create_function(FunctionName=name, Role=stacks.role_arn(lab.endpoint, "TaskRole"), Timeout=15, LoggingConfig=logging, **function)
    until = time.monotonic() + tasks.PATIENCE
    while client.get_function(FunctionName=name)["Configuration"].get("State", "Active") == "Pending":
        if time.monotonic() > until:
            raise Failed(f"the function is Pending for {tasks.PATIENCE} s")
        time.sleep(0.05)
    try:
        return client.invoke(FunctionName=name, Payload=json.dumps({"token": "a-token"}))["Payload"].read().decode()
    finally:
        client.delete_function(FunctionName=name)
