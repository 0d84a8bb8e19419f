#!/bin/bash
# Builds the addons of all platforms, prepares what loads them, and runs the tests of the package.
# Arguments go to Vitest.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/prebuild.sh
bash scripts/foreign.sh
exec node node_modules/vitest/vitest.mjs run --project package "$@"
