#!/bin/bash
# Runs CRIU's own tests, zdtm, with a preflight before each dump and each restore, and compares what preflight reports
# with what happens. Exits with 1 if preflight reports an error for a process that CRIU then dumps and restores: a false
# alarm. Downloads the source of Debian's CRIU and builds the tests in .cache/zdtm; skips what is done. Let nothing else
# on the host dump or restore meanwhile: some tests add hierarchies of control groups, which concern all its processes.
#
# usage: npm run test:zdtm -- [OPTION…] [PATTERN]
#   PATTERN          only the tests that this regular expression matches, such as zdtm/static/env (default: all)
#   --flavors LIST   h, ns or uns: on the host, in namespaces, and in a user namespace too (default: h,ns,uns)
#   --jobs N         tests at a time (default: 2)
#   --images         also keep the dumps (3 GiB), decode and encode each of their images, and compare the bytes
#   --report         run nothing, and report what the last run left
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C.UTF-8
root=$(cd "${0%/*}/../.." && pwd -P)
cache=$root/.cache/zdtm
results=$cache/results
CAP_SYS_RESOURCE=24
new=$cache.new   # incomplete: the next run removes it after an interruption

flavors=h,ns,uns jobs=2 images='' report='' pattern=.
while [ $# -gt 0 ]; do
  case $1 in
    --flavors) flavors=$2; shift ;;
    --jobs) jobs=$2; shift ;;
    --images) images=1 ;;
    --report) report=1 ;;
    -*) sed -n '/^# usage/,/^set/s/^# \?//p' "$0" >&2; exit 2 ;;
    *) pattern=$1 ;;
  esac
  shift
done

say() { echo "zdtm: $*" >&2; }

# shellcheck source=scripts/debian.sh
. "$root/scripts/debian.sh"

# What the tests, their makefiles and zdtm.py need.
packages() {
  local package missing=()
  for package in gcc make pkg-config iproute2 iptables nftables python3-protobuf python3-yaml protobuf-compiler \
    protobuf-c-compiler libprotobuf-dev libprotobuf-c-dev libaio-dev libbpf-dev libcap-dev libelf-dev libnl-3-dev \
    libnl-route-3-dev libselinux1-dev libtracefs-dev; do
    dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q ' installed$' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "Debian packages: ${missing[*]}"
  apt-get -qq update > /dev/null
  DEBIAN_FRONTEND=noninteractive apt-get -qq --yes --no-install-recommends install "${missing[@]}" > /dev/null
}

download() {
  local apt=$new.apt
  say "downloading CRIU's source from Debian"
  rm -rf "$new"
  mkdir "$new"
  apt_type=deb-src apt_begin sid
  (cd "$apt/archives" && apt get source --tar-only --download-only criu >&2)
  tar -xf "$apt"/archives/criu_*.orig.tar.* --strip-components=1 -C "$new"
  rm -rf "$apt"
}

# pycriu, which zdtm.py imports; CRIU's makefile builds all of CRIU first.
build_pycriu() {
  local out=lib/pycriu module
  protoc -I images -I /usr/include --python_out=$out images/rpc.proto
  protoc -I images -I /usr/include --python_out=$out/images images/*.proto
  rm $out/images/rpc_pb2.py   # which is a module of pycriu itself
  python3 scripts/magic-gen.py criu/include/magic.h $out/images/magic.py
  for module in "$out"/images/*_pb2.py; do
    module=${module##*/}
    [ "$module" = opts_pb2.py ] || echo "from .${module%.py} import *"
  done > $out/images/pb.py
  echo "__version__ = '0'" > $out/version.py
}

# Without CAP_SYS_RESOURCE criu dumps only processes of its own user, so the tests keep it. The hierarchies of control
# groups that zdtm.py makes are those of all processes of the host: only the tests that need them have them.
adapt() {
  sed -i "s/if not test_flag(self.__desc, 'suid'):/if not (os.getenv('ZDTM_SUID') or test_flag(self.__desc, 'suid')):/" \
    test/zdtm.py
  grep -q ZDTM_SUID test/zdtm.py
  sed -i '2i[ -n "${ZDTM_CGROUPS:-}" ] || exit 0' test/zdtm_mount_cgroups test/zdtm_umount_cgroups
}

build() {
  say 'building the tests'
  cd "$new"
  build_pycriu
  adapt
  # A test that does not compile here is left out.
  make -k -j "$(nproc)" -C test/zdtm > build.log 2>&1 || say 'not all tests could be built; see .cache/zdtm/build.log'
  cd "$root"
}

run() { # FLAVOR PATTERN
  local options=(--flavor "$1" --tests "$2" --parallel "$jobs" --keep-going --ignore-taint
    --criu-bin "$root/scripts/zdtm/criu" --pycriu-search-path ../lib)
  [ -z "$images" ] || options+=(--keep-img always)
  (cd "$cache/test" && ZDTM_RESULTS=$results/$1.jsonl ./zdtm.py run "${options[@]}" &>> "$results/$1.log") || true
}

# Removes the hierarchies that the tests have left: each ends with its last control group.
remove_hierarchies() {
  local name directory=$cache/hierarchy
  mkdir -p "$directory"
  for name in zdtmtst zdtmtst.defaultroot; do
    grep -q ":name=$name:" /proc/self/cgroup || continue
    mount -t cgroup -o none,name=$name zdtm "$directory"
    find "$directory" -mindepth 1 -depth -type d -exec rmdir {} + || true
    umount "$directory"
  done
}

[ $EUID = 0 ] || { say 'needs root'; exit 2; }
NODE=$(type -P node)   # for scripts/zdtm/criu
export NODE
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH   # Debian's Python, which has the modules
exec 9> "$cache.lock"
flock 9
if [ ! -d "$cache" ]; then
  packages
  download
  build
  mv "$new" "$cache"
fi
if [ -z "$report" ]; then
  rm -rf "$results" "$cache/test/dump"
  mkdir "$results"
  capabilities=0x$(sed -n 's/^CapEff:\s*//p' /proc/self/status)
  if [ $((capabilities >> CAP_SYS_RESOURCE & 1)) = 0 ]; then
    say 'criu lacks CAP_SYS_RESOURCE here: the tests run as root'
    export ZDTM_SUID=1
  fi
  for flavor in ${flavors//,/ }; do
    say "flavor $flavor; its output is in .cache/zdtm/results/$flavor.log"
    run "$flavor" "(?!.*cgroup)$pattern"
    ZDTM_CGROUPS=1 run "$flavor" "(?=.*cgroup)$pattern"
    remove_hierarchies
  done
fi
status=0
"$NODE" "$root/scripts/zdtm/report.mjs" "$results" || status=1
if [ -n "$images" ]; then
  "$NODE" "$root/scripts/zdtm/images.mjs" "$cache/test/dump" || status=1
fi
exit $status
