#!/bin/bash
# Checks all shell scripts with shellcheck, which `npm run setup -- tests` installs.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! type -P shellcheck > /dev/null; then
  echo 'shellcheck is not installed: the shell scripts are not checked; run: npm run setup -- tests' >&2
  exit 0
fi
exec shellcheck --external-sources --source-path=. .ci/run scripts/*.sh scripts/bench/*.sh scripts/zdtm/*.sh scripts/zdtm/criu
