"""docs/benchmarks.md out of results.json: what is between its markers is written here, and nowhere else.

usage: python3 tools/bench-peers/page.py [--check]     With --check nothing is written; it ends with 1 when the page is stale.

It needs nothing but Python, so that the tests can ask whether page, results and program still belong together.
"""

import json
import pathlib
import re
import statistics
import sys

from endpoints import pinned

HERE = pathlib.Path(__file__).parent
PAGE, RESULTS = HERE.parents[1] / "docs/benchmarks.md", HERE / "results.json"
BEGIN, END = "<!-- written by `make bench-peers`: begin -->", "<!-- written by `make bench-peers`: end -->"

# Rows of the first table: what is measured, its unit.
MEASURES = {
    "start": ("start to the first answer", "ms"),
    "idle": ("resident memory, idle", "MiB"),
    "create-first": ("create-stack, 24 resources, the first one", "ms"),
    "create": ("create-stack, 24 resources", "ms"),
    "delete": ("delete-stack, 24 resources", "ms"),
    "create-without": ("create-stack without the FIS template, 23", "ms"),
    "delete-without": ("delete-stack without the FIS template, 23", "ms"),
    "put": ("PutItem, one after the other", "/s"),
    "query": ("Query for the highest index, one after the other", "/s"),
    "put-8": ("PutItem, eight at once", "/s"),
    "query-8": ("Query, eight at once", "/s"),
    "after": ("resident memory after these calls", "MiB"),
    "task": ("RunTask to the line of its program", "ms"),
}
# Rows of the second table.
ASKED = {
    "resources": "makes the resources, each found by asking its service",
    "own-templates": "makes the lab's own two templates, unchanged",
    "task": "runs the task: its program's line is in the log group",
    "stop-by-tag": "FIS stops it by its tag: its program hears SIGTERM",
    "event": "delivers the event that it has stopped: rule to queue",
    "image-function": "runs the function of an image, the lab's watchdog",
    "zip-function": "runs a function of a Zip archive",
    "kill": "has an item that was written after `kill -9`",
}
# Rows of the third table.
WORKERS = {
    "image": ("image, compressed", "MB"),
    "first-item": ("start to the first item", "ms"),
    "memory": ("resident memory, at most", "MiB"),
    "requests": ("requests to go on at 100,000 items", ""),
    "resume": ("the same, on this endpoint with its log on", "s"),
}
WITH = " with podman"


def figure(value):
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def median(samples):
    return statistics.median(samples)


class Notes:
    """What does not fit into a cell, numbered as it comes."""

    def __init__(self):
        self.texts = []

    def mark(self, text):
        if text not in self.texts:
            self.texts.append(text)
        return f"<sup>{self.texts.index(text) + 1}</sup>"

    def list(self):
        return "".join(f"{number}. {text}\n" for number, text in enumerate(self.texts, 1))


def table(heading, rows):
    lines = ["| " + " | ".join(cells) + " |" for cells in (heading, *rows)]
    lines.insert(1, "|" + "---|" * len(heading))
    return "\n".join(lines) + "\n"


def quoted(text):
    """An endpoint's own words, which may be long, may be markup, and name another resource each time."""
    text = re.sub(r"\b(vpc|subnet)-[0-9a-f]+", r"\1-...", re.sub(r"<[^>]*>", " ", text))
    text = " ".join(text.replace("|", "\\|").replace("`", "'").replace("<", "&lt;").split())
    return text if len(text) <= 200 else text[:200] + "..."


def figures(results, notes):
    present = [name for name, each in results["endpoints"].items() if not each["absent"]]

    def cell(measure, name):
        samples = results["samples"].get(name, {}).get(measure)
        note = results["notes"].get(name, {}).get(measure)
        mark = notes.mark(quoted(note)) if note else ""
        if not samples:
            # Without a reason, what it would have followed was not there.
            return f"no{mark}" if mark else "-"
        value, ours = median(samples), median(results["samples"][present[0]][measure])
        ratio = "" if name == present[0] else f" ({figure(value / ours)} x)"
        return f"{figure(value)}{ratio}{mark}"

    rows = [[", ".join(filter(None, label)), *(cell(measure, name) for name in present)] for measure, label in MEASURES.items()]
    return table(["median", *present], rows)


def answers(results, notes):
    present = [name for name, each in results["endpoints"].items() if not each["absent"]]

    def cell(question, name):
        alone = results["answers"][name][question]
        helped = results["answers"].get(name + WITH, {}).get(question)
        if question == "resources":
            count, _, rest = alone["seen"].partition("; ")
            return f"{count} of 24{notes.mark(quoted(rest)) if rest else ''}"
        if alone["does"]:
            return "yes"
        if helped and helped["does"]:
            return f"with podman{notes.mark('Without: ' + quoted(alone['seen']))}"
        return f"no{notes.mark(quoted((helped or alone)['seen']))}"

    rows = [[label, *(cell(question, name) for name in present)] for question, label in ASKED.items()]
    return table(["it ...", *present], rows)


def workers(results):
    def cells(measure, unit):
        ours, node = (median(results["workers"][measure][name]) for name in ("ours", "node"))
        return [f"{figure(ours)} {unit}".strip(), f"{figure(node)} {unit}".strip(), f"{figure(node / ours)} x"]

    rows = [[label, *cells(measure, unit)] for measure, (label, unit) in WORKERS.items()]
    return table(["", "`improved`", f"Node.js {results['machine']['node']}", ""], rows)


def section(results):
    """All that is between the markers."""
    machine, endpoints = results["machine"], results["endpoints"]
    known = [[name, each["version"] or "-", each["source"] or "-", each["absent"] or "here"] for name, each in endpoints.items()]
    notes, more = Notes(), Notes()
    parts = [
        f"{results['date']}, {machine['cpu']}, {machine['cores']} cores, {machine['memory']}, {machine['system']}, "
        f"Python {machine['python']}, Node.js {machine['node']}, podman {machine['podman']}; load before the run {machine['load']:.1f}."
        f"{' ' + results['remark'] if results['remark'] else ''}\n",
        table(["endpoint", "version", "from", ""], known),
        f"### Figures\n\nMedians; rounds: {results['rounds']}. In brackets how many times ours.\n",
        figures(results, notes),
        notes.list(),
        "### What each really does\n",
        answers(results, more),
        more.list(),
        "### The worker\n",
        workers(results),
    ]
    return "\n".join(filter(None, parts))


def written(page, results):
    """The page with another section."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{section(results)}\n{END}{rest.split(END)[1]}"


def main():
    page, results = PAGE.read_text(), json.loads(RESULTS.read_text())
    new = written(page, results)
    if "--check" not in sys.argv:
        PAGE.write_text(new)
        return
    if new != page:
        sys.exit("docs/benchmarks.md is stale: `python3 tools/bench-peers/page.py` writes it again.")
    for name, each in results["endpoints"].items():
        if each["source"] in ("PyPI", "crates.io") and each["version"] != pinned(name):
            sys.exit(f"docs/benchmarks.md is about {name} {each['version']}, pinned is {pinned(name)}: `make bench-peers` measures that.")


if __name__ == "__main__":
    main()
