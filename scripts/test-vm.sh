#!/bin/bash
# Runs the tests that need a kernel which tracks changed memory: here if this one does, else in the
# virtual machine. Arguments go to Vitest. SOAK=1 repeats in full, which takes more than the default
# limit of VM_SECONDS=2700. One worker, since the machine has one processor.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."
criu=${CRIU_PATH:-$(< .cache/criu/path)}
# Without --configLoader Vitest writes its bundled configuration to node_modules, read-only there.
vitest=(node node_modules/vitest/vitest.mjs run --configLoader=runner --project vm --maxWorkers=1 "$@")

! "$criu" check --feature mem_dirty_track &> /dev/null || exec "${vitest[@]}"

for source in test/fixtures/*.c; do   # the machine has no compiler
  bash scripts/fixture.sh "$(basename "$source" .c)" > /dev/null
done
# Loads all modules here once, which puts them into Vitest's cache, where the machine finds them.
node node_modules/vitest/vitest.mjs list --configLoader=runner --project vm --maxWorkers=1 > /dev/null

exec bash scripts/vm.sh -t "${VM_SECONDS:-2700}" \
  env TEST_BUILT=1 "SOAK=${SOAK:-}" "SOAK_NOTES=${SOAK_NOTES:-}" "TEST_SEED=${TEST_SEED:-}" "${vitest[@]}"
