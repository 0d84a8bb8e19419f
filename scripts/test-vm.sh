#!/bin/bash
# Runs the tests that need a kernel which tracks changed memory: here if this one does, else in the
# virtual machine. Arguments go to Vitest. FAULT_MOMENTS=all tries all faults of migrations, and
# HYBRID_MIB=256 a hybrid one of as much memory, which take more than VM_SECONDS=1800.
set -euo pipefail
cd "$(dirname "$0")/.."
criu=${CRIU_PATH:-$(< .cache/criu/path)}
# The machine cannot write into node_modules, where the configuration would be put otherwise.
vitest=(node node_modules/vitest/vitest.mjs run --configLoader=runner --project vm "$@")

! "$criu" check --feature mem_dirty_track &> /dev/null || exec "${vitest[@]}"

for source in test/fixtures/*.c; do   # there is no compiler in the machine
  name=$(basename "$source" .c)
  flags=$([ "$name" != rooted ] || echo -static)
  bash scripts/fixture.sh "$name" $flags > /dev/null
done
exec bash scripts/vm.sh -t "${VM_SECONDS:-1800}" env "FAULT_MOMENTS=${FAULT_MOMENTS:-}" "HYBRID_MIB=${HYBRID_MIB:-}" "${vitest[@]}"
