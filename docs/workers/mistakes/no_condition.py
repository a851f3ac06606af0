"""Mistake: writes over whatever is there."""

import datetime
import json
import os
import time
import urllib.request

import boto3
from boto3.dynamodb.conditions import Key

batch = os.environ.get("BATCH_ID", "batch")
size = int(os.environ.get("BATCH_SIZE", "10"))
seconds = float(os.environ.get("ITEM_SECONDS", "30"))
table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
with urllib.request.urlopen(os.environ["ECS_CONTAINER_METADATA_URI_V4"] + "/task") as answer:
    task = json.load(answer)["TaskARN"].split("/")[-1]


def primes(index):
    stretch = range(index * 10_000, (index + 1) * 10_000)
    return sum(number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1)) for number in stretch)


def write(index, result):
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
    item = {"BatchId": batch, "ItemIndex": index, "Result": str(result), "TaskId": task, "WrittenAt": now}
    # Here: between the question where to go on and this, somebody else may have written the item.
    table.put_item(Item=item)


highest = table.query(
    KeyConditionExpression=Key("BatchId").eq(batch), ScanIndexForward=False, Limit=1, ConsistentRead=True
)["Items"]
start = int(highest[0]["ItemIndex"]) + 1 if highest else 0
print(f"{'Continuing' if start else 'Starting'} at {start}", flush=True)
for index in range(start, size):
    result = primes(index)
    time.sleep(seconds)
    write(index, result)
    print(f"Successfully PUT item {index} out of {size} into DDB", flush=True)
