#!/bin/bash
# Prints the path of checkpointctl, the tool for checkpoint archives of containers. It is Debian's from sid, and goes into
# .cache/checkpointctl with its libraries. Skips what is done.
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C.UTF-8
cache=$(cd "$(dirname "$0")/.." && pwd -P)/.cache/checkpointctl
new=$cache.new   # incomplete: the next run removes it after an interruption

# shellcheck source=scripts/debian.sh
. "${0%/*}/debian.sh"

mkdir -p "${cache%/*}"
exec 8> "$cache.lock"
flock 8
if [ ! -x "$cache/checkpointctl" ]; then
  echo 'checkpointctl: downloading it from Debian' >&2
  rm -rf "$new"
  mkdir "$new"
  apt=$new/apt
  apt_begin sid
  (cd "$apt/archives" && apt get download checkpointctl libc6 >&2)
  apt_unpack "$new/root"
  rm -rf "$apt" "$new"/root/usr/share
  cat > "$new/checkpointctl" << 'end'
#!/bin/sh
root=${0%/*}/root
exec "$root"/lib64/ld-linux-*.so.* --library-path "$(echo "$root"/usr/lib/*-linux-gnu)" "$root/usr/bin/checkpointctl" "$@"
end
  chmod +x "$new/checkpointctl"
  "$new/checkpointctl" --help > /dev/null
  rm -rf "$cache"
  mv "$new" "$cache"
fi
echo "$cache/checkpointctl"
