#!/bin/bash
# Prints the path of a newer runc than that of Debian 12: Debian's from sid, which goes into .cache/runc with its
# libraries. It executes itself, so that its own file names the loader there. Skips what is done.
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C.UTF-8
cache=$(cd "$(dirname "$0")/.." && pwd -P)/.cache/runc
new=$cache.new   # incomplete: the next run removes it after an interruption

# shellcheck source=scripts/debian.sh
. "${0%/*}/debian.sh"

mkdir -p "${cache%/*}"
exec 8> "$cache.lock"
flock 8
if [ ! -x "$cache/runc" ]; then
  echo 'runc: downloading it from Debian' >&2
  rm -rf "$new"
  mkdir -p "$new/lib"
  apt=$new/apt
  apt_begin sid
  (cd "$apt/archives" && apt get download runc libseccomp2 libc6 >&2)
  apt_unpack "$new/root"
  cp -L "$new"/root/usr/lib/*-linux-gnu/lib{seccomp,c,m,resolv,pthread}.so.[0-9]* "$new/lib"
  cp -L "$new"/root/lib64/ld-linux-*.so.* "$new/lib/ld.so"
  cp "$new/root/usr/sbin/runc" "$new/runc"
  rm -rf "$apt" "$new/root"
  rm -rf "$cache"
  mv "$new" "$cache"
fi
# The loader is named by its path, which changes if the checkout moves.
if [ "$(patchelf --print-interpreter "$cache/runc")" != "$cache/lib/ld.so" ]; then
  patchelf --set-interpreter "$cache/lib/ld.so" --force-rpath --set-rpath "$cache/lib" --output "$cache/runc.new" "$cache/runc"
  chmod +x "$cache/runc.new"
  mv "$cache/runc.new" "$cache/runc"
fi
"$cache/runc" --version > /dev/null
echo "$cache/runc"
