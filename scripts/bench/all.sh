#!/bin/bash
# Runs all benchmarks one after the other, and updates their tables in the README and docs/.
set -euo pipefail
cd "$(dirname "$0")/../.."
for bench in bench bench:stall bench:images bench:memory bench:iterate bench:lazy bench:stream bench:manifest bench:pause bench:containers bench:containers:moves bench:copies bench:compare bench:migrate bench:migrate:rounds; do
  npm run --silent "$bench" -- --write-docs
done
