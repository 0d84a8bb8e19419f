#!/bin/bash
# Runs all tests and merges their reports into .cache/test-report.json: those for this kernel, those
# of the package, and those for a kernel that tracks changed memory, in the virtual machine if this
# kernel does not. `npm run docs:faults` then writes the tables of docs/faults.md from their records.
set -euo pipefail
cd "$(dirname "$0")/.."
reports=.cache/reports report=.cache/test-report.json
rm -rf "$reports" "$report" .cache/reliability
mkdir -p "$reports"

vitest() { # PART COMMAND…
  "${@:2}" --reporter=default --reporter=blob --outputFile.blob="$reports/$1.json"
}

# The virtual machine keeps one processor busy, while the other tests mostly wait. Run in parallel, both
# take only as long as the longer one. The others yield to it, since it gains nothing from a wait.
vitest vm bash scripts/test-vm.sh &> .cache/vm-tests.log & vm=$!
trap 'kill $vm 2> /dev/null || true' EXIT

status=0
TEST_BUILT=1 vitest here nice -n 5 node node_modules/vitest/vitest.mjs run --project unit --project criu || status=$?
vitest package nice -n 5 bash scripts/test-package.sh || status=$?
wait $vm || status=$?
trap - EXIT
cat .cache/vm-tests.log

for part in here package vm; do
  [ -s "$reports/$part.json" ] || { echo "test: the part '$part' left no report: it did not run to its end" >&2; status=1; }
done
node node_modules/vitest/vitest.mjs --merge-reports="$reports" --reporter=json --outputFile.json="$report" || status=1
exit $status
