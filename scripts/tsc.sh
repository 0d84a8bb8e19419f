#!/bin/bash
# Runs the TypeScript compiler with as little of the processors as it can: one checker, because each one checks again
# what the files of all have in common, and no garbage collection, which a run of less than a gigabyte does not need.
exec env GOGC=off "$(dirname "$0")/../node_modules/.bin/tsc" --checkers 1 "$@"
