#!/bin/bash
# Sets up what the demo and the tests need, from a clean clone: Debian packages, npm packages, the
# addon, the build, the Node versions that tests dump and a CRIU that works on this kernel. Does only
# what is not done yet.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "setup: $*"; }
die() { say "$*" >&2; exit 1; }

mkdir -p .cache
exec 9> .cache/lock
flock 9   # two set-ups at once take turns

missing=()
for need in iptables-restore=iptables nft=nftables ip=iproute2 openssl=openssl patchelf=patchelf \
  qemu-system-x86_64=qemu-system-x86; do
  type -P "${need%=*}" > /dev/null || missing+=("${need#*=}")
done
if [ ${#missing[@]} -gt 0 ]; then
  install="apt-get install --no-install-recommends ${missing[*]}"
  [ $EUID = 0 ] && type -P apt-get > /dev/null || die "needs, as root: $install"
  say "$install"
  apt-get -qq update || say 'going on with the package lists there are'
  DEBIAN_FRONTEND=noninteractive $install -qq --yes -o DPkg::Lock::Timeout=120 > /dev/null
fi

if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
  say 'npm ci'
  npm ci --include=dev --no-audit --no-fund --loglevel=error > /dev/null
fi

npm run --silent build:addon
npm run --silent build:ts

bash scripts/node-versions.sh

before=$(cat .cache/criu/path 2> /dev/null || true)
criu=$(bash scripts/criu.sh)
[ "$criu" = "$before" ] || say "CRIU is $criu"
