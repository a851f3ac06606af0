"""The endpoints side by side: how each is started, with which variables, and where its state goes. A row for each.

All listen on loopback only, in the foreground, on a free port, with a directory of their own as home and for temporary files.
"""

import contextlib
import dataclasses
import functools
import http.client
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).parent
REGION = "us-east-1"
PATIENCE = 60
# What nobody listens to: an engine that this machine happens to have is not to be found by a peer that is to have none.
NO_ENGINE = {"DOCKER_HOST": "unix:///dev/null/docker.sock", "FAKECLOUD_CONTAINER_CLI": "/dev/null"}


def pinned(package):
    """The version of a package in the files that `make bench-peers` installs from."""
    text = (HERE / "requirements.txt").read_text() + (HERE / "crates.txt").read_text()
    return re.search(rf"^{package}(?:\[\w+\])?(?:==|@)(\S+)$", text, re.MULTILINE)[1]


@dataclasses.dataclass(frozen=True)
class Row:
    """An endpoint. `command` and `variables` take a port and a directory; `keep` is what makes it keep its state on the disk."""

    name: str
    version: str = ""
    source: str = ""
    command: object = None
    variables: object = lambda port, directory: {}
    keep: object = lambda directory: ([], {})
    absent: str = ""


def rows(program, tools):
    """Ours first; `tools` is where the peers' programs are installed."""
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    absent = lambda name: "" if (tools / name).exists() else "its program is not installed"
    return [
        Row(
            "fis-workshop",
            version,
            "this project",
            lambda port, directory: [program, "local", "serve", "--port", str(port)],
            lambda port, directory: {"FIS_WORKSHOP_STATE_DIR": str(directory), "FIS_WORKSHOP_TARGET": "local"},
        ),
        Row(
            "moto",
            pinned("moto"),
            "PyPI",
            lambda port, directory: [f"{tools}/moto_server", "-H", "127.0.0.1", "-p", str(port)],
            absent=absent("moto_server"),
        ),
        Row(
            "ministack",
            pinned("ministack"),
            "PyPI",
            lambda port, directory: [f"{tools}/ministack"],
            # Its MQTT listens on all interfaces, whatever BIND_HOST says.
            lambda port, directory: {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "IOT_MTLS_ENABLED": "0"},
            keep=lambda directory: ([], {"PERSIST_STATE": "1", "STATE_DIR": f"{directory}/state"}),
            absent=absent("ministack"),
        ),
        Row(
            "fakecloud",
            pinned("fakecloud"),
            "crates.io",
            lambda port, directory: [f"{tools}/fakecloud", "--addr", f"127.0.0.1:{port}"],
            keep=lambda directory: (["--storage-mode", "persistent", "--data-path", f"{directory}/state"], {}),
            absent=absent("fakecloud"),
        ),
        Row("floci", absent="none of crates.io, PyPI, npm and Debian has it; it is a container image"),
    ]


class Failed(Exception):
    """What an endpoint does not do, in its own words."""


class Endpoint:
    """A row that runs; its directory is gone when it is left."""

    def __init__(self, row, engine=None, keeps=False, **variables):
        self.row, self.engine = row, engine
        self.stack = contextlib.ExitStack()
        self.directory = pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-peers-")))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        more, kept = row.keep(self.directory) if keeps else ([], {})
        self.command = row.command(self.port, self.directory) + more
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "TMPDIR": str(self.directory),
            **(engine.variables if engine else NO_ENGINE),
            **row.variables(self.port, self.directory),
            **kept,
            **variables,
        }
        self.log = self.directory / "bench.log"

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_ours(self):
        return self.row.name == "fis-workshop"

    def __enter__(self):
        self.started = self.start()
        return self

    def __exit__(self, *_):
        self.stop(signal.SIGTERM)
        self.stack.close()

    def start(self):
        """Starts it; milliseconds until it answers."""
        with self.log.open("ab") as log:
            begin = time.perf_counter()
            self.process = subprocess.Popen(
                self.command, env=self.environment, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            while not self.answers():
                if self.process.poll() is not None or time.perf_counter() - begin > PATIENCE:
                    raise Failed(f"{self.row.name} does not start: {self.log.read_text()[-500:]}")
                time.sleep(0.001)
        except BaseException:
            self.stop(signal.SIGKILL)
            raise
        return (time.perf_counter() - begin) * 1000

    def answers(self):
        """Whether it says anything to GetCallerIdentity: of ours, which wants a signature, the refusal is an answer, too."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        scope = f"Credential=AKIAIOSFODNN7EXAMPLE/20260101/{REGION}/sts/aws4_request"
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature={'0' * 64}",
        }
        try:
            connection.request("POST", "/", b"Action=GetCallerIdentity&Version=2011-06-15", headers)
            return connection.getresponse().read() != b""
        except (ConnectionError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self, how):
        """Ends it, and waits until it is gone."""
        self.process.send_signal(how)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def resident_mib(self):
        """Of the process and all that it has started."""
        table = subprocess.run(["ps", "-e", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=True).stdout
        processes = [tuple(map(int, line.split())) for line in table.splitlines()]
        family = {self.process.pid}
        # A child is listed after its parent unless numbers have wrapped round; twice is enough for that.
        for pid, parent, _ in processes * 2:
            if parent in family:
                family.add(pid)
        return sum(resident for pid, _, resident in processes if pid in family) / 1024

    @functools.cached_property
    def keys(self):
        """The key pair that it takes: ours has one of its own, the others take any."""
        if not self.is_ours:
            return ("AKIAIOSFODNN7EXAMPLE", "secret")
        text = self.ours("local", "env")
        variables = dict(part.split("=", 1) for part in shlex.split(text) if "=" in part)
        return (variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])

    def ours(self, *arguments):
        """What a command of ours prints."""
        done = subprocess.run([self.command[0], *arguments], env=self.environment, cwd=self.directory, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"{arguments}: {done.stderr}")
        return done.stdout

    @functools.cache
    def client(self, service):
        import boto3
        import botocore.config

        session = boto3.Session(*self.keys, region_name=REGION)
        config = botocore.config.Config(retries={"total_max_attempts": 1}, read_timeout=PATIENCE)
        return session.client(service, endpoint_url=self.url, config=config)
