"""The AWS CLI, read once: each call of `client.py` is a fork of this process, with that one's arguments, variables,
directory and streams. What runs in it is AWS's code alone.

    python server.py DIRECTORY CLIENT     makes DIRECTORY/aws of that text, serves until stdin is closed, and takes
                                          the directory with it
"""

import functools
import json
import os
import select
import shutil
import signal
import socket
import sys
import traceback

import awscli.clidriver
import awscli.handlers
import botocore.loaders
import botocore.session

DATA_PATH = os.environ["AWS_DATA_PATH"]
# Services have models of megabytes, which are the same in every call.
SERVICES = ["cloudformation", "dynamodb", "ec2", "ecr", "ecs", "events", "fis", "iam", "lambda", "logs", "sqs", "sts"]


def read_ahead():
    load = functools.lru_cache(maxsize=None)(botocore.loaders.JSONFileLoader().load_file)
    botocore.loaders.JSONFileLoader.load_file = lambda _, path: load(path)
    session = botocore.session.Session()
    for service in SERVICES:
        session.get_service_model(service)
    session.get_component("endpoint_resolver")


def answer(connection):
    """In the fork: becomes the process that has asked."""
    request, streams, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    while not request.endswith(b"\n"):
        request += connection.recv(1 << 20)
    arguments, variables, directory = json.loads(request)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.chdir(directory)
    os.environ.clear()
    # The first says where the AWS CLI has its own data, and it has set that itself.
    os.environ.update({"AWS_DATA_PATH": DATA_PATH} | variables)
    sys.argv = ["aws", *arguments]
    try:
        code = awscli.clidriver.main()
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 255
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(json.dumps(code or 0).encode())


def main():
    directory, client = sys.argv[1:]
    read_ahead()
    with open(os.path.join(directory, "aws"), "w", opener=lambda *it: os.open(*it, 0o700)) as command:
        command.write(f"#!{sys.executable} -IS\n{client}")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.join(directory, "socket"))
        listener.listen(64)
        print("ready", flush=True)
        while True:
            readable, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in readable:
                shutil.rmtree(directory)
                return
            connection, _ = listener.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                try:
                    answer(connection)
                finally:
                    os._exit(0)
            connection.close()


main()
