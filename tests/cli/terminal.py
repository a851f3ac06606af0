"""Runs a command on a terminal of its own and prints all that appears there; its exit code is the command's.

The first argument is what somebody types there: a JSON list of pairs, of what they wait for and what they type then.
"""

import json
import os
import pty
import select
import signal
import sys

PATIENCE = 60

pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
typed = [(wait.encode(), text.encode()) for wait, text in json.loads(sys.argv[1])]
seen = b""
while True:
    while typed and typed[0][0] in seen:
        wait, text = typed.pop(0)
        # The same question may come again.
        seen = seen[seen.index(wait) + len(wait) :]
        os.write(terminal, text)
    if not select.select([terminal], [], [], PATIENCE)[0]:
        os.killpg(pid, signal.SIGKILL)
        sys.exit(f"nothing has appeared for {PATIENCE} s; waiting for {typed}")
    try:
        new = os.read(terminal, 4096)
    except OSError:  # Linux: the other end is closed.
        break
    if not new:
        break
    sys.stdout.buffer.write(new)
    seen += new
sys.stdout.flush()
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(code if code >= 0 else 128 - code)
