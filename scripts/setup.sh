#!/bin/bash
# Sets up a checkout, in parts by purpose. Idempotent: skips what is done, and prints a line for each
# other step.
#
# usage: npm run setup [-- PART…]
#   demo      the npm packages of the build, the build, and a CRIU that works on this kernel
#   containers  demo, and runc
#   fleet     demo, all npm packages, Redis and Chromium
#   checks    demo, all npm packages, shellcheck and the Node versions: what lint and the unit tests need
#   tests     checks, the virtual machine, gdb, PostgreSQL, Redis, podman, containerd, skopeo, a registry of images,
#             crit, checkpointctl, a newer runc, a CRIU that streams images, and Chromium
#   package   demo, the cross compilers and what loads the package's addons of other platforms
#   benches   demo, all npm packages, the Node versions, the virtual machine, podman, crit, a CRIU that streams images,
#             and the apps that bench:copies measures
# Without a part: tests and package.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."

say() { echo "setup: $*"; }
die() { say "$*" >&2; exit 1; }

[ $# -gt 0 ] || set -- tests package
declare -A packages=(
  [demo]='iptables-restore=iptables nft=nftables ip=iproute2 openssl=openssl patchelf=patchelf'
  [containers]='runc=runc busybox=busybox-static'
  [fleet]='redis-server=redis-server'
  [checks]='shellcheck=shellcheck zstd=zstd'
  [tests]='qemu-system-x86_64=qemu-system-x86 gdb=gdb psql=postgresql redis-server=redis-server podman=podman
    conmon=conmon runc=runc nginx=nginx-light busybox=busybox-static containerd=containerd skopeo=skopeo docker-registry=docker-registry
    systemd-analyze=systemd'
  [package]=''
  [benches]='runc=runc podman=podman conmon=conmon qemu-system-x86_64=qemu-system-x86 sshd=openssh-server ssh=openssh-client bindfs=bindfs'
)
for part in "$@"; do
  [ -n "${packages[$part]+known}" ] || die "there is no part '$part'; the parts are: demo containers fleet checks tests package benches"
done
wants() { [[ " $parts " == *" $1 "* ]]; }
parts="demo $*"
! wants tests || parts+=' checks'

mkdir -p .cache
exec 9> .cache/lock
flock 9   # one set-up of a checkout at a time

# Installs the Debian packages of the programs that are missing.
debian_packages() {
  local part need missing=() install log
  for part in $parts; do
    for need in ${packages[$part]}; do
      type -P "${need%=*}" > /dev/null || missing+=("${need#*=}")
    done
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  install="apt-get install --no-install-recommends ${missing[*]}"
  if [ $EUID != 0 ] || ! type -P apt-get > /dev/null; then die "programs are missing; run as root: $install"; fi
  say "Debian packages: ${missing[*]}"
  log=$(mktemp)
  # Tries the existing package lists first, and downloads new ones only if that fails.
  if ! apt_get install "${missing[@]}" &> "$log"; then
    apt-get -qq update &> "$log" || say "apt-get update failed: $(tail -n 1 "$log")"
    apt_get install "${missing[@]}" &> "$log" ||
      die "'$install' failed; is the mirror in /etc/apt/sources.list reachable? $(tail -n 3 "$log")"
  fi
  rm "$log"
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -qq --yes --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"
}

# The build and the loop while coding need only the packages of package.json. test/package.json, a workspace,
# has the others, which are most of the download.
npm_packages() {
  local only=(--workspaces=false)
  if wants checks || wants benches || wants fleet || [ -d node_modules/fast-check ]; then only=(); fi
  if [ node_modules/.package-lock.json -nt package-lock.json ] &&
    { [ ${#only[@]} -gt 0 ] || [ -d node_modules/fast-check ]; }; then return; fi
  say 'npm packages'
  npm ci "${only[@]}" --include=dev --no-audit --no-fund --loglevel=error > /dev/null ||
    die "'npm ci' failed; is the registry that 'npm config get registry' names reachable?"
}

build() {
  npm_packages
  npm run --silent build:addon
  if [ ! -e dist/index.js ] || [ -n "$(find src scripts/bundle.mjs tsconfig*.json -newer dist/index.js -print -quit)" ]; then
    say 'dist/'
    bash scripts/build-ts.sh
  fi
}

criu() {
  local before after
  before=$(cat .cache/criu/path 2> /dev/null || true)
  after=$(bash scripts/criu.sh)
  [ "$after" = "$before" ] || say "CRIU: $after"
}

# Runs commands in parallel, since most of the time of each is a download, and waits for all of them.
declare -A running=()
start() { # WHAT COMMAND…
  "${@:2}" & running[$!]=$1
}
finish() {
  local pid failed=
  for pid in "${!running[@]}"; do
    wait "$pid" || failed+="${failed:+, }${running[$pid]}"
  done
  running=()
  [ -z "$failed" ] || die "this failed: $failed"
}
trap '[ ${#running[@]} = 0 ] || kill "${!running[@]}" 2> /dev/null || true' EXIT

newer_tools() {
  bash scripts/crit.sh > /dev/null
  bash scripts/criu.sh --streaming > /dev/null
  if wants tests; then bash scripts/checkpointctl.sh > /dev/null; bash scripts/runc.sh > /dev/null; fi
}

foreign() {
  bash scripts/prebuild.sh
  bash scripts/foreign.sh
}

start 'the build' build
if wants checks || wants benches; then start 'getting the Node versions' bash scripts/node-versions.sh; fi
debian_packages
criu
finish

if wants tests || wants benches; then
  start 'getting the virtual machine' bash scripts/vm.sh -p
  start 'getting crit, checkpointctl, a newer runc and a CRIU that streams images' newer_tools
fi
if wants tests || wants fleet; then start 'getting Chromium' bash scripts/chromium.sh > /dev/null; fi
! wants package || start 'building for other platforms' foreign
! wants benches || start 'getting the apps that are measured' bash scripts/bench/apps.sh
finish
rm -rf .cache/apt   # the package lists, which age
