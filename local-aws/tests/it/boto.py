"""AWS's own client library for Python, one call a line: [service, operation, input] in, its answer out.

An answer is {"output": {...}}, or {"code": ..., "message": ...} for an error of the service. What the library itself
cannot send or read is an error of the test and ends this program.
"""

import base64
import json
import os
import sys

import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.exceptions
import botocore.httpsession
import botocore.session
from botocore import xform_name

session = botocore.session.get_session()
# Wrong input is for the endpoint to refuse. (And the names of shards that DynamoDB's stand-in gives are too short for AWS.)
once = botocore.config.Config(retries={"total_max_attempts": 1}, parameter_validation=False)
clients = {}


def plain(value):
    """What JSON has no form for: times, bytes, and the text of a stream."""
    if hasattr(value, "read"):
        return value.read().decode(errors="replace")
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def unmodelled(service, target, parameters):
    """A call of a service that is not AWS's: AWS's signature and protocol all the same."""
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
    body = json.dumps(parameters)
    request = botocore.awsrequest.AWSRequest("POST", os.environ["AWS_ENDPOINT_URL"] + "/", headers, body)
    region = os.environ["AWS_REGION"]
    botocore.auth.SigV4Auth(session.get_credentials(), service, region).add_auth(request)
    response = botocore.httpsession.URLLib3Session().send(request.prepare())
    answer = json.loads(response.content)
    if response.status_code == 200:
        return {"output": answer}
    return {"code": answer["__type"], "message": answer["message"]}


for line in sys.stdin:
    service, operation, parameters = json.loads(line)
    if "." in operation:
        print(json.dumps(unmodelled(service, operation, parameters)), flush=True)
        continue
    if service not in clients:
        clients[service] = session.create_client(service, config=once)
    try:
        output = getattr(clients[service], xform_name(operation))(**parameters)
        output.pop("ResponseMetadata")
        answer = {"output": output}
    except botocore.exceptions.ClientError as error:
        answer = {"code": error.response["Error"]["Code"], "message": error.response["Error"]["Message"]}
    print(json.dumps(answer, default=plain), flush=True)
