"""The local endpoint beside its peers: start, memory, stacks, rates, tasks, and what each really does; and the worker beside another.

Endpoints take turns within each round, each time from a fresh start, so that whatever else the machine does falls on all of them.
A full run writes results.json and docs/benchmarks.md; part of one is only printed.

usage: python tools/bench-peers PROGRAM [--rounds N] [--only answers|figures|workers] [--endpoint NAME] [--remark TEXT]
"""

import argparse
import datetime
import functools
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

import asks
import engine
import page
import rates
import stacks
import tasks
import workers
from endpoints import Endpoint, Failed, rows

AGAIN = 3


def stack_samples(endpoint, take):
    """The first stack of an endpoint, and those after it, with the experiment template and without."""
    endpoint.client("cloudformation"), endpoint.client("fis")
    for with_fis, suffix in ((True, ""), (False, "-without")):
        make = functools.partial(stacks.create, endpoint, engine.IMAGE, with_fis)
        delete = functools.partial(stacks.delete, endpoint)
        for number in range(AGAIN + 1):
            # The first stack of all is a measure of its own; the first one of the other kind is none.
            name = f"create{suffix}" if number else "create-first" if with_fis else None
            if not take(name, make):
                # What is left of it, if anything is.
                take(None, delete)
                break
            # Goes on all the same: some forget a stack that they could not delete.
            take(f"delete{suffix}" if number else None, delete)


def round_of(row, take):
    """One endpoint from its start to its end."""
    with Endpoint(row) as endpoint:
        take("start", lambda: endpoint.started)
        time.sleep(1)
        take("idle", endpoint.resident_mib)
        stack_samples(endpoint, take)
        if take(None, lambda: stacks.create(endpoint, engine.IMAGE, with_fis=False)):
            for name, measure in rates.measures(endpoint).items():
                take(name, measure)
        take("after", endpoint.resident_mib)


def task_of(row, container_engine, layout, take):
    """One task of an endpoint, with an engine where that needs one."""
    with Endpoint(row, container_engine) as endpoint:
        asks.Lab(endpoint, layout).make_stack()
        # The first one also unpacks the image, or fills caches.
        take(None, lambda: milliseconds_to_line(endpoint))
        take("task", lambda: milliseconds_to_line(endpoint))


def milliseconds_to_line(endpoint):
    task = tasks.Task(endpoint)
    try:
        return task.waits_for("started")
    finally:
        task.stop()


class Samples:
    """What was measured of one endpoint, and why not."""

    def __init__(self):
        self.samples, self.notes = {}, {}

    def take(self, name, measure):
        """Keeps a sample under its name, if it has one; whether there was any."""
        try:
            value = measure()
        except stacks.Incomplete as incomplete:
            value = incomplete.args[0]
            self.notes[name] = str(incomplete.args[1])
        except Failed as failure:
            self.notes.setdefault(name, " ".join(str(failure).split()))
            return False
        if name:
            self.samples.setdefault(name, []).append(value)
        return True


def all_figures(present, answers, container_engine, layout, rounds):
    """Samples and notes of each endpoint, after a round of all that is not counted."""
    for row in present:
        round_of(row, Samples().take)
    measured = {row.name: Samples() for row in present}
    for number in range(rounds):
        turn = present[number % len(present) :] + present[: number % len(present)]
        for row in turn:
            print(f"round {number + 1} of {rounds}: {row.name}", flush=True)
            round_of(row, measured[row.name].take)
            alone, helped = answers.get(row.name), answers.get(row.name + page.WITH)
            if alone and alone["task"]["does"]:
                task_of(row, None, layout, measured[row.name].take)
            elif helped and helped["task"]["does"]:
                measured[row.name].notes["task"] = "With podman."
                task_of(row, container_engine, layout, measured[row.name].take)
            elif alone:
                measured[row.name].notes["task"] = "It runs no task."
    return measured


def all_answers(present, container_engine, program, workers_layout, layout):
    """Answers of each endpoint; of the peers also with a container engine."""
    answers = {}
    for row in present:
        print(f"asking {row.name}", flush=True)
        answers[row.name] = asks.ask(row, None, program, workers_layout, layout)
        if row is not present[0]:
            print(f"asking {row.name}{page.WITH}", flush=True)
            answers[row.name + page.WITH] = asks.ask(row, container_engine, program, workers_layout, layout)
    return answers


def machine():
    """What the figures were measured on."""
    cpu = next(line.split(": ")[1] for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) / 2**20
    said = lambda *command: subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1]
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "node": said("node", "--version").removeprefix("v"),
        "podman": said("podman", "--version"),
        "load": os.getloadavg()[0],
    }


def arguments():
    parser = argparse.ArgumentParser(prog="bench-peers")
    parser.add_argument("program", type=lambda path: str(pathlib.Path(path).resolve(strict=True)))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", choices=("answers", "figures", "workers"), action="append")
    parser.add_argument("--endpoint", action="append", help="besides ours")
    parser.add_argument("--remark", default="", help="a sentence about this run for the page")
    return parser.parse_args()


def measure(given, present, results):
    wanted = given.only or ("answers", "figures", "workers")
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as directory, engine.Engine() as container_engine:
        directory = pathlib.Path(directory)
        layout, workers_layout = directory / "image", directory / "workers"
        engine.write_layout(layout)
        # Outside of the project's directory: then these are the images inside the program.
        command = [given.program, "image", "build", "--to", str(workers_layout)]
        state = {**os.environ, "FIS_WORKSHOP_STATE_DIR": str(directory / "state")}
        subprocess.run(command, cwd=directory, env=state, check=True, stdout=subprocess.DEVNULL)
        container_engine.take(layout, "bench", engine.IMAGE)
        container_engine.take(workers_layout, "watchdog", engine.FUNCTION)
        if "answers" in wanted:
            results["answers"] = all_answers(present, container_engine, given.program, workers_layout, layout)
        if "figures" in wanted:
            measured = all_figures(present, results.get("answers", {}), container_engine, layout, given.rounds)
            results["samples"] = {name: each.samples for name, each in measured.items()}
            results["notes"] = {name: {key: note for key, note in each.notes.items() if key} for name, each in measured.items()}
        if "workers" in wanted:
            print("the workers", flush=True)
            node = directory / "node"
            workers.prepare(node)
            results["workers"] = workers.measure(present[0], workers_layout, node, given.rounds)


def main():
    given = arguments()
    every = rows(given.program, pathlib.Path(sys.executable).parent)
    present = [row for row in every if not row.absent and (not given.endpoint or row.name in ("fis-workshop", *given.endpoint))]
    results = {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "rounds": given.rounds,
        "remark": given.remark,
        "endpoints": {row.name: {"version": row.version, "source": row.source, "absent": row.absent} for row in every},
    }
    measure(given, present, results)
    if given.only or given.endpoint:
        print(json.dumps(results, indent=1))
        return
    page.RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    page.main()
    print(f"{page.RESULTS} and {page.PAGE} are written.")


main()
