"""Mistake: notes that an item is done before it is done."""

import datetime
import json
import os
import time
import urllib.request

import boto3

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
    table.put_item(Item=item, ConditionExpression="attribute_not_exists(BatchId)")


checkpoint = {"BatchId": f"checkpoint#{batch}", "ItemIndex": 0}
noted = table.get_item(Key=checkpoint, ConsistentRead=True).get("Item")
start = int(noted["Next"]) if noted else 0
print(f"{'Continuing' if start else 'Starting'} at {start}", flush=True)
for index in range(start, size):
    # Here: whoever is killed between this and the item has lost the item, and the next one goes on behind it.
    table.put_item(Item={**checkpoint, "Next": index + 1})
    print(f"Noted that item {index} is done", flush=True)
    result = primes(index)
    time.sleep(seconds)
    write(index, result)
    print(f"Successfully PUT item {index} out of {size} into DDB", flush=True)
