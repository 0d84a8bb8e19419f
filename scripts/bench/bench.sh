#!/bin/bash
# Measures node-criu beside CRIU's other clients: sets them up, and runs peers.mjs where /run is a tmpfs
# (CRIU keeps what it knows of the kernel only on one) and pids are nobody else's. Arguments go to it.
set -euo pipefail
cd "$(dirname "$0")/../.."
bash scripts/bench/peers.sh
bash scripts/fixture.sh fill > /dev/null
reaper=$(bash scripts/fixture.sh reaper)
exec unshare --mount --pid --fork --kill-child --mount-proc "$reaper" sh -c \
  'mount -t tmpfs none /run && exec node scripts/bench/peers.mjs "$@"' sh "$@"
