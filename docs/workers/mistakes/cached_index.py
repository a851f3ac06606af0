"""Mistake: keeps where to go on in a file of its own, instead of asking the table."""

import datetime
import json
import os
import pathlib
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


# Here: the file and the table are two truths. A task on AWS has a disk of its own, which is new; and on this machine the
# file is still there when the table is empty.
cache = pathlib.Path("next-index")
start = int(cache.read_text()) if cache.exists() else 0
print(f"{'Continuing' if start else 'Starting'} at {start}", flush=True)
for index in range(start, size):
    result = primes(index)
    time.sleep(seconds)
    write(index, result)
    # And whoever is killed between the item and this finds the item there, and never gets past it.
    cache.write_text(str(index + 1))
    print(f"Successfully PUT item {index} out of {size} into DDB", flush=True)
