"""AWS's own client library for Python, one call a line: [service, operation, input] in, its answer out.

An answer is {"output": {...}}, or {"code": ..., "message": ...} for an error of the service. What the library itself
cannot send or read is an error of the test and ends this program.
"""

import base64
import json
import sys

import botocore.config
import botocore.exceptions
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


for line in sys.stdin:
    service, operation, parameters = json.loads(line)
    if service not in clients:
        clients[service] = session.create_client(service, config=once)
    try:
        output = getattr(clients[service], xform_name(operation))(**parameters)
        output.pop("ResponseMetadata")
        answer = {"output": output}
    except botocore.exceptions.ClientError as error:
        answer = {"code": error.response["Error"]["Code"], "message": error.response["Error"]["Message"]}
    print(json.dumps(answer, default=plain), flush=True)
