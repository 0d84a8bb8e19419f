#!/bin/bash
# Builds the checkout's own addon, for this machine's Node, into build/, if its sources are newer than it.
# What the package brings is built by scripts/prebuild.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

name=$(node -p '
  const maps = fs.readFileSync("/proc/self/maps", "utf8");
  `linux-${process.arch}-${maps.includes("/ld-musl-") ? "musl" : "glibc"}.node`')
out=build/$name

if [[ -e $out && -z $(find src/native/*.[ch] scripts/build-addon.sh -newer "$out") ]]; then
  exit 0
fi

headers=
real=$(dirname "$(node -p 'fs.realpathSync(process.execPath)')")
nodedir=${npm_config_nodedir:-$(npm config get nodedir 2>/dev/null || true)}
for dir in "$nodedir/include/node" "$real/../include/node" /usr/include/node; do
  if [[ -e $dir/node_api.h && -e $dir/uv.h ]]; then headers=$dir && break; fi
done
if [[ -z $headers ]]; then
  echo "build-addon: found no node_api.h and uv.h for $(node -v); install Node's headers" \
    "(libnode-dev on Debian, nodejs-dev on Alpine, or unpack Node's own release)" >&2
  exit 1
fi

mkdir -p build
temporary=$(mktemp -d build/.build.XXXXXX)
trap 'rm -rf "$temporary"' EXIT

# -z nodelete: a thread of the addon may outlive the worker that loaded it (see process.c).
# -z now: the spawned child must not run the dynamic linker in our memory.
"${CC:-cc}" -std=c11 -O2 -fPIC -fvisibility=hidden -Wall -Wextra -Werror ${CFLAGS:-} \
  -isystem "$headers" src/native/*.c -shared -s -pthread -Wl,-z,nodelete,-z,now,-z,relro \
  -o "$temporary/$name"
chmod 755 "$temporary/$name"
mv "$temporary/$name" "$out"
echo "built $out"
