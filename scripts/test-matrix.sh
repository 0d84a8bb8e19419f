#!/bin/bash
# Runs the tests for this kernel on each supported Node, and prints a summary.
# Arguments go to Vitest, such as `--project unit` or names of test files.
set -euo pipefail
cd "$(dirname "$0")/.."
[[ " $* " == *" --project "* ]] || set -- --project unit --project criu "$@"

failed=() passed=()
for major in 20 22 24 26; do
  bin=$PWD/.cache/node/$major/bin
  version=$("$bin/node" --version)
  echo "test-matrix: Node $version"
  # PATH, so that programs that the tests start by name use the same Node.
  if PATH=$bin:$PATH node node_modules/vitest/vitest.mjs run --reporter=default "$@"; then
    passed+=("$version")
  else
    failed+=("$version")
  fi
done
[ ${#passed[@]} = 0 ] || echo "test-matrix: passed with Node ${passed[*]}"
[ ${#failed[@]} = 0 ] || { echo "test-matrix: failed with Node ${failed[*]}"; exit 1; }
