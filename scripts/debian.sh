# Sourced: apt with a private state in the directory $apt. It uses the system's mirror, proxy and keys,
# but its own sources and an empty dpkg status, so that downloads include all libraries and the system
# does not change. Packages are for the architecture $debian, by default this machine's. The package lists are in
# .cache/apt, where the scripts share them for an hour, because apt takes seconds to download and to parse them.
# shellcheck shell=bash

architecture() { echo "${debian:-$(dpkg --print-architecture)}"; }

# shellcheck disable=SC2154   # the caller sets $apt
apt() { # COMMAND ARGUMENT…
  "apt-$1" -qq -o Dir::Etc::SourceList="$apt_lists.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::Etc::PreferencesParts=/dev/null -o Dir::State="$apt" -o Dir::State::Lists="$apt_lists" \
    -o Dir::State::Status="$apt/status" -o Dir::Cache="$apt" -o Dir::Cache::pkgcache= \
    -o Dir::Cache::srcpkgcache="$apt_lists/cache" -o APT::Sandbox::User= -o APT::Default-Release= \
    -o APT::Architecture="$(architecture)" -o APT::Architectures="$(architecture)" \
    -o APT::Update::Error-Mode=any -o Acquire::Retries=3 "${@:2}"
}

# The mirror that this machine's own sources name.
mirror() {
  local list=(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian') site
  site=$("${list[@]}" | sed -n 1p)
  if [ -z "$site" ]; then   # without package lists; apt does not wait for another one that downloads them
    flock "${BASH_SOURCE[0]}" apt-get -qq update >&2
    site=$("${list[@]}" | sed -n 1p)
  fi
  echo "$site"
}

# Begins a private state with the packages of these suites; with apt_type=deb-src, with their sources.
apt_begin() { # SUITE…
  local lists lock
  lists=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd -P)/.cache/apt
  apt_lists=$lists/$(IFS=-; echo "${apt_type:-deb}-$(architecture)-$*")
  rm -rf "$apt"
  mkdir -p "$apt"/archives/partial "$apt_lists/partial"
  : > "$apt/status"
  exec {lock}> "$apt_lists.lock"
  flock "$lock"
  [ -n "$(find "$apt_lists/complete" -mmin -60 2> /dev/null)" ] || apt_update "$@" || return
  exec {lock}>&-
}

apt_update() { # SUITE…
  local options site suite
  options="lang=none arch=$(architecture) target=Packages"
  [ "${apt_type:-deb}" = deb ] || options=target=Sources
  site=$(mirror)
  [ -n "$site" ] || { echo 'apt knows no Debian mirror' >&2; return 1; }
  for suite; do
    echo "${apt_type:-deb} [$options signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $suite main"
  done > "$apt_lists.list"
  apt get update >&2 && touch "$apt_lists/complete"
}

# Unpacks all downloaded packages, without running their scripts.
apt_unpack() { # ROOT
  local name deb
  for name in bin sbin lib lib64; do   # Debian's merged /usr
    mkdir -p "$1/usr/$name"
    ln -sfn "usr/$name" "$1/$name"
  done
  for deb in "$apt"/archives/*.deb; do
    dpkg --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$1"
  done
}
