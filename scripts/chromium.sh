#!/bin/bash
# Prints the path of a Chromium without windows, for the tests of pages: `chrome`, which needs --no-sandbox as root.
# It is Debian's, and goes into .cache/chromium with its libraries and a font. Skips what is done.
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C.UTF-8
cache=$(cd "$(dirname "$0")/.." && pwd -P)/.cache/chromium
new=$cache.new   # incomplete: the next run removes it after an interruption
program=chromium-headless-shell

say() { echo "chromium: $*" >&2; }

# shellcheck source=scripts/debian.sh
. "${0%/*}/debian.sh"

download() {
  apt_begin bookworm
  apt get install --yes --download-only --no-install-recommends "$program" fonts-dejavu-core >&2
  # What programs with windows need: half of the time that the unpacking takes.
  rm -f "$apt"/archives/{libllvm,libz3-4,libgl1-mesa-dri,libicu,xkb-data,x11-}*
}

# Keeps only the browser, the libraries that it loads and the font.
keep() {
  local root=$new/root chrome libraries loader
  chrome=$root/usr/lib/chromium
  libraries=$(echo "$root"/usr/lib/*-linux-gnu)
  loader=$(realpath "$libraries"/ld-linux-*.so.*)
  mkdir -p "$new/keep"/{lib,fonts,locales}
  "$loader" --library-path "$libraries:$libraries/pulseaudio" --list "$chrome/$program" |
    sed -n 's/.* => \(.*\) (0x.*/\1/p' | grep -v /ld-linux | xargs -d '\n' cp -Lt "$new/keep/lib"
  # Loaded by name; and a path of its own would come before that of the browser.
  cp "$libraries"/lib{softokn3,freebl3,freeblpriv3,nssckbi}.so "$new/keep/lib"
  patchelf --remove-rpath "$new/keep/lib/libpulse.so.0"
  cp "$loader" "$new/keep/lib/ld.so"
  mv "$chrome"/{"$program",icudtl.dat,*.bin,*.pak} "$new/keep"
  mv "$chrome/locales/en-US.pak" "$new/keep/locales"
  cp "$root"/usr/share/fonts/truetype/dejavu/DejaVuSans{,-Bold,Mono}.ttf "$new/keep/fonts"
  echo '<fontconfig><dir prefix="relative">.</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>' \
    > "$new/keep/fonts/fonts.conf"
  cat > "$new/keep/chrome" << 'end'
#!/bin/sh
here=$(dirname "$(realpath "$0")")
XDG_CACHE_HOME=$here/fonts FONTCONFIG_FILE=$here/fonts/fonts.conf exec "$here/chromium-headless-shell" "$@"
end
  chmod +x "$new/keep/chrome"
}

# Makes the browser use the loader and the libraries of its directory at the checkout's current path: it starts
# itself again and again, so that a loader on its command line would not do. A file says for which path that was
# done: patchelf takes seconds to read the browser.
settle() { # DIRECTORY
  local loader=$cache/lib/ld.so
  [ "$(cat "$1/loader" 2> /dev/null)" != "$loader" ] || return 0
  patchelf --set-interpreter "$loader" --force-rpath --set-rpath "$cache/lib" --output "$1/$program.new" "$1/$program"
  chmod +x "$1/$program.new"
  mv "$1/$program.new" "$1/$program"
  echo "$loader" > "$1/loader"
}

mkdir -p "${cache%/*}"
exec 8> "$cache.lock"
flock 8
if [ ! -x "$cache/chrome" ]; then
  say 'downloading Chromium from Debian'
  rm -rf "$new"
  apt=$new/apt
  download
  apt_unpack "$new/root"
  keep
  settle "$new/keep"
  rm -rf "$cache"
  mv "$new/keep" "$cache"
  rm -rf "$new"
fi
settle "$cache"
echo "$cache/chrome"
