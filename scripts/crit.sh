#!/bin/bash
# Prints the path of a Python that runs CRIU's crit, the tool for images: `PYTHON -m crit`. It is Debian's from sid,
# with the crit of experimental if there is one, and goes into .cache/crit with its libraries. Skips what is done.
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C.UTF-8
cache=$(cd "$(dirname "$0")/.." && pwd -P)/.cache/crit
new=$cache.new   # incomplete: the next run removes it after an interruption

say() { echo "crit: $*" >&2; }

# shellcheck source=scripts/debian.sh
. "${0%/*}/debian.sh"

download_python() {
  apt_begin sid
  apt get install --yes --download-only --no-install-recommends python3 python3-protobuf python3-lz4 >&2
  apt_unpack "$new/root"
}

download_crit() { # SUITE
  apt_begin "$1" && (cd "$apt/archives" && apt get download python3-pycriu >&2) && apt_unpack "$new/root"
}

mkdir -p "${cache%/*}"
exec 8> "$cache.lock"
flock 8
if [ ! -x "$cache/python" ]; then
  say 'downloading crit from Debian'
  rm -rf "$new"
  apt=$new/apt
  download_python
  download_crit experimental || download_crit sid
  rm -rf "$apt" "$new"/root/usr/share/{doc,man,locale}
  cat > "$new/python" << 'end'
#!/bin/sh
root=${0%/*}/root
PYTHONHOME=$root/usr PYTHONDONTWRITEBYTECODE=1 exec "$root"/lib64/ld-linux-*.so.* \
  --library-path "$(echo "$root"/usr/lib/*-linux-gnu)" --argv0 python3 "$root/usr/bin/python3" "$@"
end
  chmod +x "$new/python"
  "$new/python" -c 'import crit.__main__, pycriu'
  rm -rf "$cache"
  mv "$new" "$cache"
fi
echo "$cache/python"
