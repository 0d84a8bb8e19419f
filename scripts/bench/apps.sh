#!/bin/bash
# Makes .cache/bench-apps, with the apps of npm run bench:copies, their packages, and what is built of them once.
set -euo pipefail
cd "$(dirname "$0")/../.."
node=$PWD/.cache/node/24/bin/node
apps=.cache/bench-apps
mkdir -p $apps
if ! cmp -s scripts/bench/apps/package.json $apps/package.json || [ ! -d $apps/node_modules/next ]; then
  echo 'setup: packages of the apps that are measured'
  cp scripts/bench/apps/package.json $apps/
  (cd $apps && npm install --no-audit --no-fund --loglevel=error > /dev/null)
fi
cp -Ru scripts/bench/apps/*.cjs scripts/bench/apps/pages $apps/
cd $apps
if [ ! -e .next/BUILD_ID ] || [ pages/index.js -nt .next/BUILD_ID ]; then
  NEXT_TELEMETRY_DISABLED=1 "$node" node_modules/next/dist/bin/next build &> build.log
fi
if [ ! -e snapshot.blob ] || [ snapshot.cjs -nt snapshot.blob ] || [ "$node" -nt snapshot.blob ]; then
  "$node" --snapshot-blob snapshot.blob --build-snapshot snapshot.cjs
fi
