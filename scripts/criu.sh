#!/bin/bash
# Prints the path of a CRIU that works on this kernel, and writes it to .cache/criu/path for
# scripts/criu-path.mjs. Tries in this order: CRIU_PATH, the system's own, one unpacked earlier, and
# Debian's newest from sid or stable, which goes into .cache/criu/VERSION with its libraries.
#
# With --streaming, prints the path of a CRIU that streams images (4.3 or newer) instead, and writes it to
# .cache/criu-streaming/path: Debian's of experimental, until sid has one.
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C.UTF-8
cache=$(cd "$(dirname "$0")/.." && pwd -P)/.cache/criu
suites=(sid stable)
oldest=0
if [ "${1:-}" = --streaming ]; then
  cache+=-streaming suites=(experimental sid) oldest=4.3
  unset CRIU_PATH
fi
new=$cache/new   # incomplete: the next run removes it after an interruption
apt=$new   # for scripts/debian.sh

say() { echo "criu: $*" >&2; }
die() { say "$*"; exit 1; }
works() { is_new "$1" && "$1" check &> /dev/null && dumps_sockets "$1"; }
is_new() { [ $oldest = 0 ] || in_order "$oldest" "$(version_of "$1")"; }
# Since Linux 6.16, CRIU before 4.2 fails to dump TCP sockets, which its check does not notice.
dumps_sockets() { ! in_order 6.16 "$(uname -r)" || in_order 4.2 "$(version_of "$1")"; }
version_of() { "$1" --version | sed -n 's/^Version: //p'; }
in_order() { printf '%s\n' "$@" | sort -VC; }

use() {
  echo "$1" > "$cache/path.new"
  mv "$cache/path.new" "$cache/path"
  echo "$1"
  exit
}

# shellcheck source=scripts/debian.sh
. "${0%/*}/debian.sh"

download() { # SUITE
  local suites=("$1")
  [ "$1" != experimental ] || suites+=(sid)   # which has the libraries
  apt_begin "${suites[@]}" &&
    apt get install --yes --download-only --no-install-recommends --target-release "$1" criu >&2
}

# Makes the criu in a directory use the loader and the libraries there, at the checkout's current path.
settle() { # DIRECTORY
  local loader=$1/lib/ld.so
  [ "$(patchelf --print-interpreter "$1/criu")" != "$loader" ] || return 0
  patchelf --set-interpreter "$loader" --force-rpath --set-rpath "$1/lib" --output "$1/criu.new" "$1/criu" &&
    chmod +x "$1/criu.new" && mv "$1/criu.new" "$1/criu"
}

# Keeps only criu and the libraries that it loads from the download.
unpack() {
  local root=$new/root keep=$new/keep loader version
  mkdir -p "$keep/lib"
  apt_unpack "$root"
  loader=$(realpath "$root$(patchelf --print-interpreter "$root/usr/sbin/criu")")
  "$loader" --library-path "${loader%/*}" --list "$root/usr/sbin/criu" |
    sed -n 's/.* => \(.*\) (0x.*/\1/p' | grep -v /ld-linux | xargs -d '\n' cp -Lt "$keep/lib"
  cp "$loader" "$keep/lib/ld.so"
  cp "$root/usr/sbin/criu" "$keep"
  settle "$keep"
  version=$(dpkg-deb -f "$new"/archives/criu_*.deb Version)
  dir=$cache/${version#*:}
  rm -rf "$dir"
  mv "$keep" "$dir"
  rm -rf "$new"
  settle "$dir"
}

[ $EUID = 0 ] || die 'CRIU needs root'
mkdir -p "$cache"
exec 9> "$cache/lock"
flock 9

if [ -n "${CRIU_PATH:-}" ]; then
  works "$CRIU_PATH" || die "'$CRIU_PATH' does not work on this kernel; unset CRIU_PATH to search for a CRIU that works"
  use "$(realpath -s "$CRIU_PATH")"
fi

system=$(type -P criu || true)
[ -z "$system" ] || ! works "$system" || use "$system"

mapfile -t unpacked < <(ls -rvd "$cache"/[0-9]*/criu 2> /dev/null)
for criu in "${unpacked[@]}"; do
  ! { settle "${criu%/*}" && works "$criu"; } || use "$criu"
done

type -P apt-get > /dev/null || die 'install a criu that passes `criu check`, or name one in CRIU_PATH'
[ -n "$(mirror)" ] || die 'apt knows no Debian mirror: install a criu that works, or name one in CRIU_PATH'
for suite in "${suites[@]}"; do
  say "downloading CRIU from Debian $suite"
  download "$suite" || { say "the download from $suite failed"; continue; }
  unpack
  ! works "$dir/criu" || use "$dir/criu"
  say "${dir##*/} does not work here"
done
die 'no CRIU of Debian works on this kernel'
