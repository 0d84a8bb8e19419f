# Sourced in the checkout. Provides Debian 12's compilers for x86_64 and aarch64, with glibc and musl,
# and the headers of Node-API and libuv, independent of what this machine has installed. They live in
# a root directory of their own, $root, which the first run downloads from the machine's Debian mirror.
# shellcheck shell=bash
cache=$PWD/.cache/compilers
root=$cache/root

. scripts/debian.sh

need_compilers() {
  exec 9> "$cache.lock"
  flock 9
  [ -e "$cache/ready" ] || get_compilers
  exec 9>&-
}

get_compilers() {
  local apt=$cache/apt debian
  [ $EUID = 0 ] || die 'needs root to run chroot'
  [ "$(dpkg --print-architecture)" = amd64 ] || die 'needs Debian on x86_64'
  say 'downloading the compilers'
  rm -rf "$cache"
  debian=arm64
  apt_begin bookworm
  (cd "$apt/archives" && apt get download musl musl-dev >&2)
  apt_unpack "$root"
  debian=amd64
  apt_begin bookworm
  apt get install --yes --download-only --no-install-recommends gcc libc6-dev gcc-aarch64-linux-gnu \
    libc6-dev-arm64-cross musl-dev >&2
  (cd "$apt/archives" && apt get download libnode-dev libuv1-dev >&2)   # only for the headers
  apt_unpack "$root"
  # Debian's musl-dev does not include the kernel's headers.
  ln -s /usr/include/{linux,asm-generic} /usr/include/x86_64-linux-gnu/asm "$root/usr/include/x86_64-linux-musl"
  ln -s /usr/aarch64-linux-gnu/include/{linux,asm-generic,asm} "$root/usr/include/aarch64-linux-musl"
  mkdir -p "$root/addon/headers"
  cp -r "$root"/usr/include/node/{node_api,js_native_api}*.h "$root"/usr/include/uv{,.h} "$root/addon/headers"
  rm -rf "$apt"
  touch "$cache/ready"
}

# Paths are relative to the root directory. It has no shell, and so cannot run musl-gcc, a script that
# calls gcc with a specs file.
compile() { # TRIPLET FLAG…
  local options=()
  [[ $1 != *-musl ]] || options=(-specs "/usr/lib/$1/musl-gcc.specs")
  # The atomics of Debian's libgcc for arm64 call a function of glibc.
  [[ $1 != aarch64-*-musl ]] || options+=(-mno-outline-atomics)
  chroot "$root" "/usr/bin/${1%-*}-gnu-gcc" "${options[@]}" -Werror "${@:2}"
}
