#!/bin/bash
# Sets up the checkout, checks it, runs all tests and merges their reports into .cache/test-report.json: the
# unit tests, those for this kernel, those of the package, and those for a kernel that tracks changed memory,
# in the virtual machine if this kernel does not. `npm run docs:faults` then writes the tables of
# docs/faults.md from their records.
#
# Two halves run side by side, each one part after the other: the virtual machine keeps one processor busy, and the
# other tests mostly wait. The other half yields to it, and so do the parts that come after it.
set -euo pipefail
cd "$(dirname "$0")/.."
reports=.cache/reports report=.cache/test-report.json
rm -rf "$reports" "$report" .cache/reliability
mkdir -p "$reports"

vitest() { # PART COMMAND…
  "${@:2}" --reporter=default --reporter=blob --outputFile.blob="$reports/$1.json"
}

tests() { # PART ARGUMENT…
  TEST_BUILT=1 vitest "$1" nice -n 5 node node_modules/vitest/vitest.mjs run "${@:2}"
}

# Those of the tests for this kernel that the half with the virtual machine has time for.
beside=(examples fleet images)

# One worker, in place of the machine.
machine_half() {
  local status=0
  npm run --silent setup
  vitest vm bash scripts/test-vm.sh || status=$?
  vitest package nice -n 5 bash scripts/test-package.sh --maxWorkers=1 || status=$?
  tests beside --project criu --maxWorkers=1 "${beside[@]/#/test/criu/}" || status=$?
  return $status
}

npm run --silent setup -- checks

# The rest of the set-up mostly downloads, so that lint and the unit tests do not wait for it.
set -m   # a process group of its own, which can be ended as a whole
machine_half &> .cache/machine-half.log & half=$!
set +m
trap 'kill -- -$half 2> /dev/null || true' EXIT

npm run --silent lint
status=0
tests unit --project unit || status=$?
npm run --silent setup   # waits for the other one, and has nothing to do then
others=("${beside[@]/#/--exclude=test/criu/}")
tests criu --project criu "${others[@]/%//**}" || status=$?
wait $half || status=$?
trap - EXIT
cat .cache/machine-half.log

for part in unit criu vm package beside; do
  [ -s "$reports/$part.json" ] || { echo "test: the part '$part' left no report: it did not run to its end" >&2; status=1; }
done
node node_modules/vitest/vitest.mjs --merge-reports="$reports" --reporter=json --outputFile.json="$report" || status=1
exit $status
