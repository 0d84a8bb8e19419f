#!/bin/bash
# Builds the addon with AddressSanitizer and UndefinedBehaviorSanitizer and runs its tests, in a copy of
# the checkout in .cache/sanitize. Fails if a test fails or if a sanitizer reports an error, in any
# process that loads the addon. Node itself is not instrumented, so leaks are not checked: Node frees
# little of its memory at exit. Arguments go to Vitest instead of the names of the test files.
set -euo pipefail
cd "$(dirname "$0")/.."
copy=.cache/sanitize reports=$PWD/.cache/sanitize/reports
asan=$("${CC:-gcc}" -print-file-name=libasan.so)
tests=(test/unit/{native,private-directory,session,page-tunnel,page-pump,pump}.test.ts)

rm -rf "$copy"
mkdir -p "$reports" "$copy/.cache"
cp -r src test scripts proto package.json tsconfig*.json vitest.config.ts "$copy"
ln -s ../../node_modules "$copy/node_modules"
cd "$copy"

CFLAGS='-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O1 -g' \
  node scripts/build-addon.mjs
for name in send-fds sandbox lease; do   # the compiler must not run with the sanitizer preloaded
  bash scripts/fixture.sh "$name" > /dev/null
done

status=0
ASAN_OPTIONS=detect_leaks=0:halt_on_error=1:abort_on_error=1:log_path=$reports/report \
  UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:abort_on_error=1:log_path=$reports/report \
  LD_PRELOAD=$asan node node_modules/vitest/vitest.mjs run --project unit "${@:-${tests[@]}}" || status=$?

# A test that expects a process to fail can hide the report of that process.
for report in "$reports"/*; do
  [ -e "$report" ] || continue
  echo "test-sanitize: $report" >&2
  cat "$report" >&2
  status=1
done
exit $status
