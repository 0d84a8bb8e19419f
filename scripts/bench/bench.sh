#!/bin/bash
# Compares node-criu with CRIU's other clients: sets them up, and runs peers.mjs in a pid namespace with a
# tmpfs on /run, without which CRIU does not cache the kernel's features. Arguments go to peers.mjs.
set -euo pipefail
cd "$(dirname "$0")/../.."
bash scripts/bench/peers.sh
bash scripts/fixture.sh fill > /dev/null
reaper=$(bash scripts/fixture.sh reaper)
exec unshare --mount --pid --fork --kill-child --mount-proc "$reaper" sh -c \
  'mount -t tmpfs none /run && exec node scripts/bench/peers.mjs "$@"' sh "$@"
