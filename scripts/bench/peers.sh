#!/bin/bash
# Installs CRIU's other clients in .cache/bench/peers: libcriu, pycriu, go-criu and checkpointctl of Debian sid, from the
# machine's own mirror, and a compiled client of each. Skips what is up to date.
#
#   cli, libcriu   C programs, with this machine's compiler; libcriu with the loader and libraries of sid
#   go-criu        static Go programs, by sid's compiler, in a root of its own: a client, phaul, which
#                  migrates, and go-crit, which shows images
#   python         the Python of that root, which runs peers/py-criu.py
#   checkpointctl  Debian's, which searches memory
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.."
peers=$PWD/.cache/bench/peers
root=$peers/root
sources=$PWD/scripts/bench/peers

say() { echo "peers: $*" >&2; }
die() { say "$*"; exit 1; }

. scripts/debian.sh

# phaul needs the last but one, which its package does not declare.
packages='libcriu-dev python3-pycriu golang-github-checkpoint-restore-go-criu-dev golang-golang-x-sys-dev
  golang-go checkpointctl'

get_packages() {
  local apt=$peers/apt
  say 'getting libcriu, pycriu, go-criu and checkpointctl of Debian sid, 80 MB'
  rm -rf "$root" "$peers/ready"
  apt_begin sid
  # shellcheck disable=SC2086   # a list
  apt get install --yes --download-only --no-install-recommends $packages >&2
  apt_unpack "$root"
  for package in libcriu2 python3-pycriu golang-github-checkpoint-restore-go-criu-dev checkpointctl; do
    dpkg-deb -f "$apt/archives/${package}"_*.deb Package Version
  done | paste -sd ' \n' | sed 's/Package: //; s/ Version://' > "$peers/versions"
  rm -rf "$apt"
  echo "$packages" > "$peers/ready"
}

# Makes dynamically linked programs use the loader and the libraries of the root.
settle() { # PROGRAM
  patchelf --set-interpreter "$root/lib64/ld-linux-x86-64.so.2" --force-rpath \
    --set-rpath "$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu" "$1"
}

newer() { # PROGRAM SOURCE…
  local source
  for source in "$peers/ready" "${@:2}"; do
    [ "$peers/$1" -nt "$source" ] || return 1
  done
}

flags=(-std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror)

build_cli() {
  "${CC:-cc}" "${flags[@]}" "$sources/cli.c" -o "$peers/cli"
}

build_libcriu() {
  "${CC:-cc}" "${flags[@]}" "$sources/libcriu.c" -idirafter "$root/usr/include" -L"$root/usr/lib/x86_64-linux-gnu" \
    -lcriu -Wl,--allow-shlib-undefined -o "$peers/libcriu.new"
  settle "$peers/libcriu.new"
  mv "$peers/libcriu.new" "$peers/libcriu"
}

# A program of the root.
take() { # NAME PATH
  cp "$(realpath "$root/usr/bin/$2")" "$peers/$1.new"
  settle "$peers/$1.new"
  mv "$peers/$1.new" "$peers/$1"
}

# The compiler finds Debian's source packages through GOPATH.
build_go() { # PROGRAM
  mkdir -p "$root"/{client,dev,proc,tmp}
  cp "$sources/$1.go" "$root/client"
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp GOPATH=/usr/share/gocode GO111MODULE=off CGO_ENABLED=0 \
    GOTOOLCHAIN=local unshare --mount sh -c 'mount --bind /dev "$1/dev" && mount --bind /proc "$1/proc" &&
      chroot "$1" /usr/bin/go build -o "/client/$2" "/client/$2.go"' sh "$root" "$1"
  mv "$root/client/$1" "$peers/$1"
}

[ $EUID = 0 ] || die 'needs root'
[ "$(dpkg --print-architecture)" = amd64 ] || die 'needs a Debian on x86_64'
mkdir -p "$peers"
exec 9> "$peers/lock"
flock 9
[ "$(cat "$peers/ready" 2> /dev/null)" = "$packages" ] || get_packages
newer cli "$sources/cli.c" "$sources/client.h" || build_cli
newer libcriu "$sources/libcriu.c" "$sources/client.h" || build_libcriu
newer python || take python python3
newer checkpointctl || take checkpointctl checkpointctl
newer go-criu "$sources/go-criu.go" || build_go go-criu
newer phaul "$sources/phaul.go" || build_go phaul
newer go-crit "$sources/go-crit.go" || build_go go-crit
