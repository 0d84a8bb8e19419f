#!/bin/bash
# Runs all tests and puts them into one report, .cache/test-report.json: those for this kernel here,
# those of the package, and those for a kernel that tracks changed memory where there is one. Then
# writes the table of faults that they have noted.
set -euo pipefail
cd "$(dirname "$0")/.."
reports=.cache/reports report=.cache/test-report.json
rm -rf "$reports" "$report" .cache/reliability
mkdir -p "$reports"

reporters() { echo "--reporter=default --reporter=blob --outputFile.blob=$reports/$1.json"; }

# These take one processor all the time, the others wait most of it: side by side, those here first.
nice bash scripts/test-vm.sh $(reporters vm) &> .cache/vm-tests.log & vm=$!
trap 'kill $vm 2> /dev/null || true' EXIT

status=0
npx vitest run --project unit --project criu $(reporters here) || status=$?
bash scripts/test-package.sh $(reporters package) || status=$?
wait $vm || status=$?
trap - EXIT
cat .cache/vm-tests.log

# Without a report of its own a part has not run to its end.
for part in here package vm; do
  [ -s "$reports/$part.json" ] || { echo "test: the tests of '$part' left no report" >&2; status=1; }
done
npx vitest --merge-reports="$reports" --reporter=json || status=1
exit $status
