"""A container engine for those peers that run tasks and functions in containers, and the image that all endpoints run.

The engine is podman with a storage of its own, which answers to Docker's API on a socket, and to its command line.
"""

import base64
import contextlib
import hashlib
import io
import json
import pathlib
import platform
import re
import shutil
import subprocess
import tarfile
import tempfile
import time

import template
from endpoints import PATIENCE, REGION, Failed

# Of the tasks and of the function, in the peers' engine.
IMAGE, FUNCTION = "localhost/bench-worker:1", "localhost/bench-watchdog:1"
# Says that it runs and that it was told to end. Whoever has made up a task's log does not know the token.
PROGRAM = """#!/bin/sh
trap 'echo "stopping $TOKEN"; exit 143' TERM
echo "started $TOKEN"
while :; do sleep 0.05; done
"""
# Some machines let no container have podman's own limits.
SETTINGS = """[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
runtime = "runc"
"""


class Engine:
    """podman's service, while it is needed."""

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        self.directory = pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-podman-")))
        (self.directory / "containers.conf").write_text(SETTINGS)
        self.wrapper = self.directory / "podman"
        places = f"--root {self.directory}/root --runroot {self.directory}/run --tmpdir {self.directory}/tmp"
        settings = f"CONTAINERS_CONF={self.directory}/containers.conf"
        self.wrapper.write_text(f'#!/bin/sh\n{settings} exec {shutil.which("podman")} {places} --storage-driver=vfs "$@"\n')
        self.wrapper.chmod(0o755)
        address = f"unix://{self.directory}/engine.sock"
        self.variables = {"DOCKER_HOST": address, "FAKECLOUD_CONTAINER_CLI": str(self.wrapper)}
        self.service = subprocess.Popen(
            [self.wrapper, "system", "service", "--time=0", address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + PATIENCE
        while not (self.directory / "engine.sock").exists():
            if self.service.poll() is not None or time.monotonic() > until:
                self.service.kill()
                self.stack.close()
                raise Failed("podman's service does not start")
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self.podman("rm", "--all", "--force", "--time=0")
        self.service.terminate()
        self.service.wait()
        self.podman("rmi", "--all", "--force")
        self.stack.close()

    def podman(self, *arguments):
        done = subprocess.run([self.wrapper, *arguments], capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"podman {arguments}: {done.stderr}")
        return done.stdout

    def take(self, layout, tag, name):
        """Takes an image out of a layout, under the name by which peers will ask for it."""
        identity = self.podman("pull", "--quiet", f"oci:{layout}:{tag}").strip().splitlines()[-1]
        self.podman("tag", identity, name)


def write_layout(directory):
    """Writes the image as an OCI layout: the program, this machine's shell and sleep, and their libraries."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w", dereference=True) as tar:
        entry = tarfile.TarInfo("program")
        entry.size, entry.mode = len(PROGRAM), 0o755
        tar.addfile(entry, io.BytesIO(PROGRAM.encode()))
        for path in sorted({file for tool in ("/bin/sh", "/bin/sleep") for file in (tool, *libraries(tool))}):
            tar.add(path, path)
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer.getvalue()).hexdigest()}"]}
    config = {"os": "linux", "architecture": architecture, "rootfs": rootfs, "config": {"Entrypoint": ["/program"]}}

    def blob(kind, content):
        digest = hashlib.sha256(content).hexdigest()
        (directory / "blobs/sha256" / digest).write_bytes(content)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(content)}

    (directory / "blobs/sha256").mkdir(parents=True)
    parts = {"config": blob("config.v1+json", json.dumps(config).encode()), "layers": [blob("layer.v1.tar", layer.getvalue())]}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", **parts}
    named = {**blob("manifest.v1+json", json.dumps(manifest).encode()), "annotations": {"org.opencontainers.image.ref.name": "bench"}}
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
    (directory / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))


def libraries(program):
    """What the dynamic linker loads for a program, itself included; nothing for a static one."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    return re.findall(r"(/\S+) \(0x", listed)


def own_image(account):
    """The name of the image in an endpoint's own registry."""
    return f"{account}.dkr.ecr.{REGION}.amazonaws.com/{template.REPOSITORY}:bench"


def push(endpoint, layout, tag, repository=template.REPOSITORY):
    """Puts an image into the endpoint's own registry, as `docker push` does."""
    data = endpoint.client("ecr").get_authorization_token()["authorizationData"][0]
    login = base64.b64decode(data["authorizationToken"]).decode()
    target = f"docker://127.0.0.1:{endpoint.port}/{repository}:{tag}"
    command = ["skopeo", "copy", "--quiet", "--dest-tls-verify=false", "--dest-creds", login, f"oci:{layout}:{tag}", target]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode != 0:
        raise Failed(done.stderr.strip().splitlines()[-1])
