#!/bin/bash
# Sets up the checkout, checks it, runs all tests and merges their reports into .cache/test-report.json: the
# unit tests, those for this kernel, those of the package, and those for a kernel that tracks changed memory,
# in the virtual machine if this kernel does not. `npm run docs:faults` then writes the tables of
# docs/faults.md from their records.
set -euo pipefail
cd "$(dirname "$0")/.."
reports=.cache/reports report=.cache/test-report.json
rm -rf "$reports" "$report" .cache/reliability
mkdir -p "$reports"

vitest() { # PART COMMAND…
  "${@:2}" --reporter=default --reporter=blob --outputFile.blob="$reports/$1.json"
}

in_machine() {
  npm run --silent setup
  vitest vm bash scripts/test-vm.sh
}

npm run --silent setup -- checks

# The rest of the set-up mostly downloads, so that lint and the unit tests do not wait for it. The virtual
# machine then keeps one processor busy, while the other tests mostly wait. The tests yield to both.
set -m   # a process group of its own, which can be ended as a whole
in_machine &> .cache/vm-tests.log & vm=$!
set +m
trap 'kill -- -$vm 2> /dev/null || true' EXIT

npm run --silent lint
status=0
TEST_BUILT=1 vitest unit nice -n 5 node node_modules/vitest/vitest.mjs run --project unit || status=$?
npm run --silent setup   # waits for the other one, and has nothing to do then
TEST_BUILT=1 vitest criu nice -n 5 node node_modules/vitest/vitest.mjs run --project criu || status=$?
vitest package nice -n 5 bash scripts/test-package.sh || status=$?
wait $vm || status=$?
trap - EXIT
cat .cache/vm-tests.log

for part in unit criu package vm; do
  [ -s "$reports/$part.json" ] || { echo "test: the part '$part' left no report: it did not run to its end" >&2; status=1; }
done
node node_modules/vitest/vitest.mjs --merge-reports="$reports" --reporter=json --outputFile.json="$report" || status=1
exit $status
