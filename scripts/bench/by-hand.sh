#!/bin/bash
# A migration by hand, for comparison: stop and copy with only the criu program. The images are on a tmpfs
# that both hosts share; or, with a destination, the memory goes to criu's page server there, in plain, and
# the other images by ssh. Prints the duration of each step in ms.
#
# usage: by-hand.sh CRIU PID INIT-FROM INIT-TO ADDRESS [DESTINATION SSH-CONFIG]
#
# The hosts are those of test/lab/hosts.mjs, each named by the pid of its first process. The restore needs
# the address on the destination's device, so that is set first. It is announced to other hosts only when
# the connections exist, which would be reset otherwise; after the end of the restore it would be too late:
# peers would answer to the old host once more, and wait until TCP retransmits.
set -euo pipefail
criu=$1 pid=$2 from=$3 to=$4 address=$5 destination=${6-} ssh_config=${7-}
port=9999

inside() { nsenter --target "$1" --mount --net --pid -- "${@:2}"; }
images=$(mktemp -d /dev/shm/by-hand-XXXXXX)
dumped=$images
[ -z "$destination" ] || dumped=$(mktemp -d /dev/shm/by-hand-XXXXXX)
trap 'rm -rf "$images" "$dumped"' EXIT
criu_in() { # HOST ACTION OPTION…
  inside "$1" "$criu" "$2" --images-dir "$images" --log-file "$2.log" --tcp-established "${@:3}" ||
    { grep -h Error "$images/$2.log" >&2; exit 1; }
}

start=${EPOCHREALTIME/./}
step() {
  local now=${EPOCHREALTIME/./}
  echo "$1 $(((now - start) / 1000))"
  start=$now
}

umask 077
if [ -z "$destination" ]; then
  criu_in "$from" dump --tree "$pid"
  step dump
else
  server=(--address "$destination" --port "$port")
  inside "$to" "$criu" page-server --images-dir "$images" --log-file page-server.log --daemon "${server[@]}" > /dev/null
  criu_in "$from" dump --tree "$pid" --images-dir "$dumped" --page-server "${server[@]}"
  step dump
  inside "$from" tar --directory "$dumped" --create . |
    inside "$from" ssh -F "$ssh_config" "$destination" tar --directory "$images" --extract
  step images
fi
read -r _ _ own _ < <(inside "$to" ip -brief link show dev eth0)
cat > "$images/announce" <<EOF
#!/bin/sh
# A device with arp_notify announces its address whenever it is set, also to the same value.
[ "\$CRTOOLS_SCRIPT_ACTION" != pre-resume ] || exec ip link set dev eth0 address $own
EOF
chmod 700 "$images/announce"
inside "$from" ip addr del "$address/32" dev eth0
inside "$to" ip addr add "$address/32" dev eth0
step move
criu_in "$to" restore --restore-detached --action-script "$images/announce"
step restore
