"""py-criu.py CRIU: a client that uses pycriu. See client.h."""

import os
import sys
import time

import pycriu
from pycriu import rpc

kept = []


def client():
    criu = pycriu.criu()
    criu.use_binary(sys.argv[1])
    return criu


def ask(**fields):
    # pycriu has methods for neither the version nor the features, but a way to send any request.
    reply = client()._send_req_and_recv_resp(rpc.criu_req(**fields))
    if not reply.success:
        raise RuntimeError("criu says no")


def version():
    ask(type=rpc.VERSION)


def features():
    wanted = rpc.criu_features(mem_track=True, lazy_pages=True, pidfd_store=True)
    ask(type=rpc.FEATURE_CHECK, features=wanted)


def dump(pid, directory, end):
    criu = client()
    criu.opts.pid = int(pid)
    criu.opts.leave_running = end == "0"
    criu.opts.log_file = "dump.log"
    criu.opts.images_dir_fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        criu.dump()
    finally:
        os.close(criu.opts.images_dir_fd)


def restore(directory):
    criu = client()
    criu.opts.log_file = "restore.log"
    criu.opts.images_dir_fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        criu.restore()
    finally:
        os.close(criu.opts.images_dir_fd)


def grow(mib):
    kept.append(bytearray(b"\1") * (int(mib) << 20))


requests = {f.__name__: f for f in (version, features, dump, restore, grow)}
for line in sys.stdin:
    number, what, *rest = line.split()
    start = time.monotonic_ns()
    try:
        requests[what](*rest)
        answer = time.monotonic_ns() - start
    except Exception as error:
        print(error, file=sys.stderr)
        answer = "error"
    print(number, answer, flush=True)
