"""Takes part in its checkpoint as a Python program, by the protocol of docs/copies-guest.md."""

import json, os, platform, random, socket, ssl, sys, uuid

host = socket.socket(fileno=int(os.environ.pop("NODE_CRIU_GUEST_FD")))
messages = host.makefile("rw")


def send(**message):
    print(json.dumps(message), file=messages, flush=True)


def receive():
    line = messages.readline()
    return json.loads(line) if line else {"type": "resume", "reason": "the host is gone"}


send(type="hello", protocol=1, language="python", version=platform.python_version())
# Warm up here; then ask for the checkpoint. A server would wait for `checkpoint` instead.
send(type="checkpoint-me")
request = receive()
assert request["type"] == "checkpoint"
# Close connections here.
send(type="ready")
news = receive()  # the checkpoint is made while this waits
random.seed()
ssl.RAND_add(os.urandom(32), 32)
for name, value in news.get("env", {}).items():
    os.environ.pop(name, None) if value is None else os.environ.update({name: value})
sys.argv[1:] = news.get("args", sys.argv[1:])
# Open connections here, by the new environment.
send(type="running")
print(news.get("copy", {}).get("id"), *sys.argv[1:], random.random(), ssl.RAND_bytes(8).hex(), uuid.uuid4(), flush=True)
