#!/bin/bash
# Builds the addons that the package ships into prebuilds/, for Linux on x64 and arm64 with glibc and
# musl, and the lazy-pages daemon and the launcher for any libc. Checks the architecture of each, the libraries that it
# needs, and the versions of glibc's symbols. Skips what is up to date.
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.."
newest_glibc=2.28   # that of Debian 10 and RHEL 8, for which Node's own releases are built too

say() { echo "prebuild: $*" >&2; }
die() { say "$*"; exit 1; }

. scripts/compilers.sh

check() { # FILE TRIPLET
  local elf libraries versions wrong
  elf=$(chroot "$root" /usr/bin/readelf --wide --file-header --dynamic --version-info "$1")
  grep -qE "Machine: .*$(case $2 in x86_64-*) echo X86-64 ;; *) echo AArch64 ;; esac)$" <<< "$elf" ||
    die "$1 is not for $2"
  libraries=$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' <<< "$elf" | sort | paste -sd ' ')
  versions=$(grep -oE 'GLIBC_[0-9.]+' <<< "$elf" | sort -Vu || true)
  if [[ $1 != *.node ]]; then
    [ -z "$libraries" ] || die "$1 needs $libraries"
    return
  fi
  grep -q 'Flags: NOW NODELETE' <<< "$elf" || die "$1 can be unloaded, or binds symbols lazily"
  case $2 in
    *-musl)
      [ "$libraries" = libc.so ] || die "$1 needs $libraries"
      [ -z "$versions" ] || die "$1 uses symbols of glibc: ${versions//$'\n'/ }"
      ;;
    *)
      [ "$libraries" = libc.so.6 ] || die "$1 needs $libraries"
      [ -n "$versions" ] || die "$1 uses symbols of glibc without a version"
      wrong=$(printf '%s\n' "$versions" "GLIBC_$newest_glibc" | sort -Vu | sed "1,/GLIBC_$newest_glibc$/d")
      [ -z "$wrong" ] || die "$1 does not load on glibc $newest_glibc: ${wrong//$'\n'/ }"
      ;;
  esac
}

build() { # NAME TRIPLET
  local what=(-isystem /addon/headers "${flags[@]}") sources=("$root"/addon/*.c)
  if [[ $1 != *.node ]]; then
    what=(-static "${program_flags[@]}")
    sources=("$root/addon/${1#linux-*-}"/*.c)
  fi
  rm -f "$root/addon/$1"
  compile "$2" -s "${what[@]}" "${sources[@]#"$root"}" -o "/addon/$1"
  check "/addon/$1" "$2"
  chmod 755 "$root/addon/$1"
  cp -p "$root/addon/$1" "prebuilds/.$1"
  mv "prebuilds/.$1" "prebuilds/$1"
  say "built prebuilds/$1"
}

mkdir -p prebuilds .cache
exec 8> .cache/prebuild.lock
flock 8
declare -A triplets=(
  [linux-x64-glibc.node]=x86_64-linux-gnu [linux-x64-musl.node]=x86_64-linux-musl
  [linux-arm64-glibc.node]=aarch64-linux-gnu [linux-arm64-musl.node]=aarch64-linux-musl
  [linux-x64-lazy-pages]=x86_64-linux-musl [linux-arm64-lazy-pages]=aarch64-linux-musl
  [linux-x64-launcher]=x86_64-linux-musl [linux-arm64-launcher]=aarch64-linux-musl
)
stale=()
for name in "${!triplets[@]}"; do
  out=prebuilds/$name
  [[ -e $out && -z $(find src/native/{,lazy-pages/,launcher/}*.[ch] scripts/{prebuild.sh,compilers.sh,build-addon.mjs} -newer "$out") ]] || stale+=("$name")
done
[ ${#stale[@]} -gt 0 ] || exit 0

need_compilers
mapfile -t flags < <(node scripts/build-addon.mjs --flags)
mapfile -t program_flags < <(node scripts/build-addon.mjs --program-flags)
rm -rf "$root"/addon/{*.[ch],lazy-pages,launcher}
cp -r src/native/{*.[ch],lazy-pages,launcher} "$root/addon"
for name in "${stale[@]}"; do build "$name" "${triplets[$name]}"; done
