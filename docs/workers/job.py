"""The lab's batch job in Python: goes on where it stopped, and does nothing twice."""

import datetime
import json
import os
import sys
import time
import urllib.request

import boto3
from boto3.dynamodb.conditions import Key

batch = os.environ.get("BATCH_ID", "batch")
size = int(os.environ.get("BATCH_SIZE", "10"))
seconds = float(os.environ.get("ITEM_SECONDS", "30"))
table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


def task_id():
    """Which task this is; ECS says it at an address of its own."""
    with urllib.request.urlopen(os.environ["ECS_CONTAINER_METADATA_URI_V4"] + "/task") as answer:
        return json.load(answer)["TaskARN"].split("/")[-1]


def continue_at():
    """The first index that is not written: one after the highest, by a read that sees every write."""
    highest = table.query(
        KeyConditionExpression=Key("BatchId").eq(batch), ScanIndexForward=False, Limit=1, ConsistentRead=True
    )["Items"]
    return int(highest[0]["ItemIndex"]) + 1 if highest else 0


def primes(index):
    """The work: how many primes there are in the stretch of ten thousand numbers that the item stands for."""
    stretch = range(index * 10_000, (index + 1) * 10_000)
    return sum(number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1)) for number in stretch)


def put_once(index, result):
    """Writes the item if nobody has written it: so two copies of this program cannot undo one another's work."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
    table.put_item(
        Item={"BatchId": batch, "ItemIndex": index, "Result": str(result), "TaskId": task, "WrittenAt": now},
        ConditionExpression="attribute_not_exists(BatchId)",
    )


task = task_id()
start = continue_at()
print(f"{'Continuing' if start else 'Starting'} at {start}", flush=True)
for index in range(start, size):
    result = primes(index)
    time.sleep(seconds)
    try:
        put_once(index, result)
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        sys.exit(f"Item {index} is there already: another task owns the batch")
    print(f"Successfully PUT item {index} out of {size} into DDB", flush=True)
