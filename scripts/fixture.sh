#!/bin/bash
# Compiles test/fixtures/NAME.c unless its binary is newer, and prints the path of the binary.
# usage: fixture.sh NAME
set -euo pipefail
case $1 in
  rooted) flags=(-static) ;;              # runs where there are no libraries
  fsync-spy) flags=(-shared -fPIC) ;;     # is preloaded into other programs
  *) flags=() ;;
esac
root=$(cd "$(dirname "$0")/.." && pwd -P)
source=$root/test/fixtures/$1.c binary=$root/.cache/fixtures/$1

if [ ! "$binary" -nt "$source" ]; then
  mkdir -p "${binary%/*}"
  # Tests run in parallel, in pid namespaces: each compiles to a file of its own, and the last one wins.
  new=$(mktemp "$binary.XXXXXX")
  "${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -pthread "${flags[@]}" "$source" -o "$new"
  chmod 755 "$new"
  mv "$new" "$binary"
fi
echo "$binary"
