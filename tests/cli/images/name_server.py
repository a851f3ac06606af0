"""Starts a program in a root directory of its own, where a name server knows every name as 127.0.0.1.

Usage, in a network namespace of its own: name_server.py ROOT PROGRAM. Prints `asked for NAME` for every question; the rest of
the output, and the exit code, are the program's.
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys

from dnslib import QTYPE, RR, A
from dnslib.server import BaseResolver, DNSLogger, DNSServer

SIOCSIFFLAGS = 0x8914
IFF_UP = 1


class Loopback(BaseResolver):
    def resolve(self, request, handler):
        name = request.q.qname
        print(f"asked for {name}", flush=True)
        reply = request.reply()
        if request.q.qtype == QTYPE.A:
            reply.add_answer(RR(name, QTYPE.A, ttl=60, rdata=A("127.0.0.1")))
        return reply


root, *program = sys.argv[1:]
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    # A new network namespace has its loopback interface switched off.
    fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
DNSServer(Loopback(), address="127.0.0.1", logger=DNSLogger("-request,-reply")).start_thread()
sys.exit(subprocess.run(program, preexec_fn=lambda: (os.chroot(root), os.chdir("/"))).returncode)
