#!/bin/bash
# Builds dist/: tsc writes JavaScript and declarations to build/js, which scripts/bundle.mjs bundles, and
# scripts/code-cache.mjs caches compiled code, also for the Nodes that are given as arguments. A lock serializes
# concurrent builds.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .cache
exec 7> .cache/dist.lock
flock 7
bash scripts/tsc.sh -p tsconfig.build.json
node scripts/bundle.mjs
exec node scripts/code-cache.mjs "$@"
