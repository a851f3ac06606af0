"""The improved worker beside the chapter's, in plain Node.js with the AWS SDK, on our endpoint.

Both run as processes of this machine with the same variables, so that no peer's way to run a task counts.
"""

import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import time

import engine
import stacks
import template
from endpoints import HERE, PATIENCE, REGION, Endpoint, Failed

ITEMS = 100_000
MANY = "many"


def measure(row, layout, node_directory, rounds):
    """Samples by measure and worker."""
    samples = {name: {"ours": [], "node": []} for name in ("image", "first-item", "memory", "requests", "resume")}
    image, command = unpacked(layout, node_directory / "ours")
    samples["image"] = {"ours": [image], "node": [image_of_node(node_directory)]}
    commands = {"ours": command, "node": ["node", str(node_directory / "job.mjs")]}
    with Endpoint(row, FIS_WORKSHOP_LOG="local_aws=debug") as endpoint:
        stacks.create(endpoint, engine.own_image("000000000000"))
        for number in range(rounds + 1):
            for name, command in commands.items():
                taken, memory = first_item(endpoint, command, f"{name}-{number}")
                # The first of each only fills the caches of this machine.
                if number:
                    samples["first-item"][name].append(taken)
                    samples["memory"][name].append(memory)
        fill(endpoint)
        for name, command in commands.items():
            taken, asked = resume(endpoint, command)
            samples["resume"][name].append(taken)
            samples["requests"][name].append(asked)
    return samples


def run(endpoint, command, batch, size):
    """A worker without pauses, as a process."""
    access, secret = endpoint.keys
    variables = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_ACCESS_KEY_ID": access,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_REGION": REGION,
        "TABLE_NAME": template.TABLE,
        "BATCH_ID": batch,
        "BATCH_SIZE": str(size),
        "ITEM_SECONDS": "0",
        "NODE_NO_WARNINGS": "1",
    }
    return subprocess.Popen(
        command, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )


def first_item(endpoint, command, batch):
    """Milliseconds until it says that its first item is written, and the most MiB that it has had until then."""
    begin = time.perf_counter()
    # It would go on for long, so its memory can be read while it lives.
    with run(endpoint, command, batch, ITEMS) as process:
        line = next((line for line in process.stdout if line.startswith("Successfully PUT item 0")), None)
        taken = (time.perf_counter() - begin) * 1000
        if line is None:
            raise Failed(f"{command} has not written its item; exit code {process.wait()}")
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        process.kill()
        process.stdout.close()
    return taken, int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def resume(endpoint, command):
    """Seconds to find where to go on behind all those items and to write the next one, and requests to find it."""
    before, begin = reads(endpoint), time.perf_counter()
    with run(endpoint, command, MANY, ITEMS + 1) as process:
        lines = process.stdout.read().splitlines()
    taken = time.perf_counter() - begin
    if f"Continuing at {ITEMS}" not in lines:
        raise Failed(f"{command} does not go on at {ITEMS}: {lines[-3:]}")
    # For the next one.
    endpoint.client("dynamodb").delete_item(TableName=template.TABLE, Key={"BatchId": {"S": MANY}, "ItemIndex": {"N": str(ITEMS)}})
    return taken, reads(endpoint) - before


def fill(endpoint):
    """Items 0 to 99,999 of one batch."""
    dynamodb = endpoint.client("dynamodb")
    for first in range(0, ITEMS, 25):
        keys = ({"BatchId": {"S": MANY}, "ItemIndex": {"N": str(index)}, "Result": {"S": "0"}} for index in range(first, first + 25))
        left = {template.TABLE: [{"PutRequest": {"Item": item}} for item in keys]}
        while left:
            left = dynamodb.batch_write_item(RequestItems=left)["UnprocessedItems"]


def reads(endpoint):
    """Requests that read items so far, as the endpoint's own log counts them."""
    call = re.compile(r"operation=(Query|GetItem)\b")
    with endpoint.log.open() as lines:
        return sum(1 for line in lines if 'service="dynamodb"' in line and call.search(line))


def unpacked(layout, directory):
    """The improved worker's image: its size in MB, compressed as a registry has it, and its command, unpacked."""
    blob = lambda part: layout / "blobs" / part["digest"].replace(":", "/")
    manifests = json.loads((layout / "index.json").read_text())["manifests"]
    named = next(each for each in manifests if each["annotations"]["org.opencontainers.image.ref.name"] == "improved")
    manifest = json.loads(blob(named).read_text())
    config = json.loads(blob(manifest["config"]).read_text())["config"]
    shutil.rmtree(directory, ignore_errors=True)
    for layer in manifest["layers"]:
        with tarfile.open(blob(layer)) as tar:
            tar.extractall(directory, filter="data")
    size = sum(part["size"] for part in (manifest["config"], *manifest["layers"]))
    program, *rest = [*config["Entrypoint"], *(config.get("Cmd") or [])]
    return size / 1e6, [str(directory / program.lstrip("/")), *rest]


def image_of_node(directory):
    """MB of the smallest image of the other one: node, its libraries and the modules; no distribution, compressed."""
    node = os.path.realpath(shutil.which("node"))
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w:gz", compresslevel=6, dereference=True) as tar:
        for path in (node, *engine.libraries(node)):
            tar.add(path, path)
        for part in ("job.mjs", "package.json", "node_modules"):
            tar.add(directory / part, part)
    return len(layer.getvalue()) / 1e6


def prepare(directory):
    """Installs the other worker's modules beside a copy of it."""
    shutil.copytree(HERE / "node-worker", directory, dirs_exist_ok=True)
    command = ["npm", "ci", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=directory, check=True, stdout=subprocess.DEVNULL, timeout=10 * PATIENCE)
