#!/bin/bash
# Runs the tests of the package: builds what it brings, and gets what other platforms load it with.
# Arguments go to Vitest.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/prebuild.sh
bash scripts/foreign.sh
exec node node_modules/vitest/vitest.mjs run --project package "$@"
