#!/bin/bash
# Installs the Node versions that the tests dump as .cache/node/MAJOR/bin/node: the running Node if its
# major matches, else the newest of that major from npm. Skips what is up to date.
set -euo pipefail
cache=$(cd "$(dirname "$0")/.." && pwd -P)/.cache/node
new=$cache/new   # under construction; what an interrupted run leaves there is of no use

say() { echo "node-versions: $*" >&2; }
major_of() { "$1" -p 'process.versions.node.split(".")[0]' 2> /dev/null || true; }

mkdir -p "$cache"
exec 8> "$cache/lock"
flock 8

running=$(type -P node)
arch=$("$running" -p process.arch)
for major in 20 22 24 26; do
  binary=$cache/$major/bin/node
  [ "$(major_of "$binary")" != $major ] || continue
  rm -rf "$new"
  mkdir -p "$new/bin"
  if [ "$(major_of "$running")" = $major ]; then
    ln -s "$(realpath "$running")" "$new/bin/node"
  else
    say "getting Node $major"
    # The package with the binary. The package `node` only installs one of these by a script.
    npm pack "node-linux-$arch@$major" --pack-destination "$new" --loglevel=error > /dev/null
    tar -xzf "$new"/*.tgz -C "$new" --strip-components=1 package/bin/node
    rm "$new"/*.tgz
  fi
  [ "$(major_of "$new/bin/node")" = $major ] || { say "what came as Node $major does not run here"; exit 1; }
  rm -rf "${cache:?}/$major"
  mv "$new" "$cache/$major"
done
