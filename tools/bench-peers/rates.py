"""How many items a second an endpoint writes, and how often it says where to go on.

Requests are signed before the clock runs, and go over kept connections where the endpoint keeps them: what is measured is the
endpoint and a bare HTTP client, not an SDK.
"""

import concurrent.futures
import http.client
import json
import socket
import time

import botocore.auth
import botocore.awsrequest
import botocore.credentials

import template
from endpoints import PATIENCE, REGION, Failed

PUTS, QUERIES, TOGETHER = 1000, 200, 8


def put_requests(endpoint, count, batch):
    """Items as the lab's worker writes them."""
    texts = {"BatchId": batch, "Result": "1229", "TaskId": "bench", "WrittenAt": "2026-01-01T00:00:00.000Z"}
    fields = {name: {"S": text} for name, text in texts.items()}
    condition = {"TableName": template.TABLE, "ConditionExpression": "attribute_not_exists(BatchId)"}
    items = ({**fields, "ItemIndex": {"N": str(index)}} for index in range(count))
    return [signed(endpoint, "PutItem", {**condition, "Item": item}) for item in items]


def query_requests(endpoint, count, batch):
    """The improved worker's question: the highest index that is written."""
    question = {
        "TableName": template.TABLE,
        "KeyConditionExpression": "BatchId = :batch",
        "ExpressionAttributeValues": {":batch": {"S": batch}},
        "ScanIndexForward": False,
        "Limit": 1,
        "ConsistentRead": True,
    }
    return [signed(endpoint, "Query", question)] * count


def signed(endpoint, operation, value):
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"DynamoDB_20120810.{operation}"}
    request = botocore.awsrequest.AWSRequest("POST", f"{endpoint.url}/", headers, json.dumps(value).encode())
    keys = botocore.credentials.Credentials(*endpoint.keys)
    botocore.auth.SigV4Auth(keys, "dynamodb", REGION).add_auth(request)
    return request.body, dict(request.headers)


def send(endpoint, requests):
    """One after the other, on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=PATIENCE)
    try:
        for body, headers in requests:
            if connection.sock is None:
                connection.connect()
                connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.request("POST", "/", body, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise Failed(f"{answer.status}: {text[:200].decode(errors='replace')}")
    except (OSError, http.client.HTTPException) as error:
        raise Failed(f"a request of {len(requests)}: {error}") from error
    finally:
        connection.close()


def rate(endpoint, requests, together):
    """Requests a second; `together` connections share them."""
    shares = [requests[start::together] for start in range(together)]
    with concurrent.futures.ThreadPoolExecutor(together) as threads:
        begin = time.perf_counter()
        for done in [threads.submit(send, endpoint, share) for share in shares]:
            done.result()
        return len(requests) / (time.perf_counter() - begin)


def measures(endpoint):
    """What is measured, by name: puts, then queries in what was put."""
    put = lambda batch, together: lambda: rate(endpoint, put_requests(endpoint, PUTS, batch), together)
    query = lambda batch, together: lambda: rate(endpoint, query_requests(endpoint, QUERIES, batch), together)
    return {
        "put": put("alone", 1),
        "query": query("alone", 1),
        "put-8": put("together", TOGETHER),
        "query-8": query("together", TOGETHER),
    }
