"""Runs a command on a terminal of its own, types the first argument, and prints all that appears there."""

import os
import pty
import sys

pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
os.write(terminal, sys.argv[1].encode())
while True:
    try:
        seen = os.read(terminal, 4096)
    except OSError:  # Linux: the other end is closed.
        break
    if not seen:
        break
    sys.stdout.buffer.write(seen)
os.waitpid(pid, 0)
