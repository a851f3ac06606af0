"""A function that does what its event says, over the Runtime API alone."""

import http.client
import json
import os
import subprocess
import sys
import time

connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
count = 0


def call(method, path, body=None, headers={}):
    connection.request(method, "/2018-06-01/runtime/" + path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def fail(path, kind, message):
    body = json.dumps({"errorType": kind, "errorMessage": message})
    return call("POST", path, body, {"Lambda-Runtime-Function-Error-Type": kind})


def refusals(request):
    """What the Runtime API says to calls that come at the wrong time."""
    early = call("GET", "invocation/next")
    wrong = call("POST", "invocation/other/response", "{}")
    first = call("POST", f"invocation/{request}/response", json.dumps({"early": early[0], "wrong": wrong[0]}))
    again = call("POST", f"invocation/{request}/response", "{}")
    print("first", first[0], first[2].decode(), "again", again[0], again[2].decode(), flush=True)


def identity():
    import botocore.session

    client = botocore.session.get_session().create_client("sts")
    return client.get_caller_identity()["Arn"]


def handle(event, request, headers):
    if "note" in event:
        with open(event["note"], "a") as file:
            file.write(request + "\n")
    if "print" in event:
        print(event["print"], flush=True)
    if "child" in event:
        subprocess.Popen(["sleep", event["child"]])
    time.sleep(event.get("sleep", 0))
    response = f"invocation/{request}/response"
    match event.get("do"):
        case "error":
            fail(f"invocation/{request}/error", "Sad", "boom")
        case "exit":
            sys.exit(event["code"])
        case "kill":
            os.kill(os.getpid(), 9)
        case "large":
            connection.request("POST", "/2018-06-01/runtime/" + response, "x" * (6 * 1024 * 1024 + 101))
            print("large", connection.getresponse().status, flush=True)
            connection.close()
        case "flood":
            while True:
                print("y" * 1000)
        case "refusals":
            refusals(request)
        case "identity":
            call("POST", response, json.dumps(identity()))
        case "environment":
            call("POST", response, json.dumps(dict(os.environ)))
        case _:
            seen = {name.lower(): value for name, value in headers.items()}
            answer = {"event": event, "count": count, "pid": os.getpid(), "headers": seen}
            call("POST", response, json.dumps(answer))


match os.environ.get("START"):
    case "hang":
        time.sleep(3600)
    case "exit":
        print("a bad start", flush=True)
        sys.exit(3)
    case "error":
        fail("init/error", "Init.Sad", "no start")
        time.sleep(3600)
while True:
    status, headers, body = call("GET", "invocation/next")
    count += 1
    handle(json.loads(body), headers["Lambda-Runtime-Aws-Request-Id"], headers)
