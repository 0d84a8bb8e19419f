#!/bin/bash
# Runs a command as root in a throw-away virtual machine whose kernel tracks changed memory, which
# many kernels do not. QEMU emulates the processor and runs Debian's kernel.
#
# usage: vm.sh [-m MIB] [-t SECONDS] COMMAND [ARGUMENT…]
#        vm.sh -p
#
#   -m  memory of the machine (4096 MiB)
#   -t  stop it after this many seconds (900)
#   -p  only fetch the machine's system
#
# The machine has the checkout at its own path, writable and as the working directory, and the Node that
# is first on PATH. /tmp, /run and /root are empty. The only network is a loopback device.
# The output of the command goes to stdout. The status is that of the command, 124 after the time limit,
# or 125 if the machine could not be built or died, with the end of its console on stderr.
# The first run fetches the system from the machine's own Debian mirror, into .cache/vm.
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C.UTF-8
checkout=$(cd "$(dirname "$0")/.." && pwd -P)
cache=$checkout/.cache/vm
root=$cache/root apt=$cache/apt

die() { echo "vm: $*" >&2; exit 125; }

memory=4096 limit=900 prepare=
while getopts m:t:p option; do
  case $option in
    m) memory=$OPTARG ;;
    t) limit=$OPTARG ;;
    p) prepare=1 ;;
    *) exit 125 ;;
  esac
done
shift $((OPTIND - 1))
[ -n "$prepare" ] || [ $# -gt 0 ] || die 'usage: vm.sh [-m MIB] [-t SECONDS] COMMAND [ARGUMENT…]'
type -P qemu-system-x86_64 > /dev/null || die 'there is no qemu-system-x86_64; run: npm run setup -- tests'
[ "$(uname -m)" = x86_64 ] || die 'only for x86_64'

. "$checkout/scripts/debian.sh"

# The programs that the tests use besides those in the checkout. apt adds their dependencies.
programs=(busybox-static bash coreutils findutils grep sed mawk procps util-linux mount kmod iproute2
  iptables nftables openssl libstdc++6 runc)

# Unpacks the files of Debian 12; no script of a package runs.
build() {
  local release image setup offset length
  echo 'vm: getting a Debian for the virtual machine' >&2
  rm -rf "$cache"
  mkdir -p "$root"/{dev,proc,sys,tmp,run,root,var/tmp}
  apt_begin bookworm
  apt get install --yes --download-only --no-install-recommends "${programs[@]}" >&2
  release=$(apt cache show linux-image-amd64 | sed -n 's/^Depends: linux-image-\([^ ,]*\).*/\1/p' | sed -n 1p)
  (cd "$apt/archives" && apt get download "linux-image-$release" >&2)
  apt_unpack "$root"
  depmod=$(type -P depmod || true)
  [ -n "$depmod" ] || depmod=/sbin/depmod
  if [ -x "$depmod" ]; then "$depmod" -b "$root" "$release"; else
    "$root/lib64/ld-linux-x86-64.so.2" --library-path "$root/usr/lib/x86_64-linux-gnu" \
      --argv0 depmod "$root/bin/kmod" -b "$root" "$release"
  fi
  echo 'root:x:0:0:root:/root:/bin/bash' > "$root/etc/passwd"
  echo 'root:x:0:' > "$root/etc/group"
  echo '127.0.0.1 localhost' > "$root/etc/hosts"
  ln -sf bash "$root/bin/sh"
  ln -sf mawk "$root/bin/awk"
  for name in iptables ip6tables; do   # links that the maintainer scripts create
    for suffix in '' -restore -save; do ln -sf xtables-nft-multi "$root/usr/sbin/$name$suffix"; done
  done

  # Unpacks the kernel here (x86 boot protocol), because its own decompressor takes seconds emulated.
  image=$(echo "$root"/boot/vmlinuz-*)
  setup=$(od -An -tu1 -j 0x1f1 -N 1 "$image")
  read -r offset length < <(od -An -tu4 -j 0x248 -N 8 "$image")
  dd if="$image" bs=64K iflag=skip_bytes,count_bytes skip=$(((setup + 1) * 512 + offset)) count=$((length - 4)) \
    status=none | xz -dc > "$cache/vmlinux"
  rm -rf "$apt"
  echo "$release" > "$cache/release.new"
  mv "$cache/release.new" "$cache/release"   # written last: marks a complete system
}

mkdir -p "${cache%/*}"
exec 9> "$cache.lock"
flock 9
if [ ! -e "$cache/release" ]; then   # not `build ||`, which would disable errexit in it
  trap "die 'it could not be built'" EXIT
  build
  trap - EXIT
fi
exec 9>&-
[ -z "$prepare" ] || exit 0
release=$(< "$cache/release")

run=$(mktemp -d)
trap 'kill $(jobs -p) 2> /dev/null || true; rm -rf "$run"' EXIT
trap 'exit 130' INT TERM HUP
mkdir -p "$run"/boot/{dev,proc,sys,root}

# Each directory is a 9p device. The machine reads the tags, modes and mount points from a list.
devices=()
share() { # ro|rw DIRECTORY PLACE
  local tag=share$((${#devices[@]} / 4)) readonly=
  [ "$1" = rw ] || readonly=,readonly=on
  devices+=(-fsdev "local,id=$tag,path=${2//,/,,},security_model=none,multidevs=remap$readonly"
    -device "virtio-9p-pci,fsdev=$tag,mount_tag=$tag")
  echo "$tag $1 $3" >> "$run/boot/shares"
  mkdir -p "$root$3"   # its mount point: the machine cannot create it in the read-only root
}
node=$(realpath "$(type -P node)")
share ro "$root" /
share rw "$checkout" "$checkout"
# Read-only, so that the machine caches what it has read.
[ ! -d "$checkout/node_modules" ] || share ro "$checkout/node_modules" "$checkout/node_modules"
share ro "${node%/*}" /usr/local/bin

# The initrd: busybox, the modules for the shares and those that criu would load one by one, and three
# scripts: init mounts the shares, start sets up the system, and command runs in it.
modules=(virtio_pci virtio_console 9pnet_virtio 9p crc32c_generic nf_tables nft_compat nf_conntrack
  xt_mark xt_conntrack tun veth bridge unix_diag tcp_diag udp_diag raw_diag af_packet_diag netlink_diag)
tree=lib/modules/$release
mkdir -p "$run/boot/$tree"
awk -v names="${modules[*]}" 'BEGIN { split(names, list); for (i in list) wanted[list[i]] }
  { name = $1; gsub(/.*\/|\.ko.*/, "", name) } name in wanted' "$root/$tree/modules.dep" > "$run/boot/$tree/modules.dep"
(cd "$root/$tree" && tr -s ': ' '\n' < "$run/boot/$tree/modules.dep" | sort -u | xargs cp --parents -t "$run/boot/$tree")
cp "$root/bin/busybox" "$run/boot/busybox"
{
  printf 'cd %q && exec' "$checkout"
  printf ' %q' "$@"
} > "$run/boot/command"
printf '#!/busybox sh\nmodules="%s"\n' "${modules[*]}" > "$run/boot/init"
cat >> "$run/boot/init" <<'EOF'
set -e
/busybox mount -t proc proc /proc   # busybox executes itself through it
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
modprobe -a $modules 2> /dev/null || true   # some are built in
while read -r tag mode place; do
  cache=loose; [ $mode = ro ] || cache=mmap
  [ -d "/root$place" ] || mkdir -p "/root$place"   # below one of the empty directories
  mount -t 9p -o $mode,trans=virtio,version=9p2000.L,msize=512000,cache=$cache $tag "/root$place"
  [ "$place" != / ] || for i in tmp run root var/tmp; do mount -t tmpfs -o mode=1777 tmpfs /root/$i; done
done < /shares
cp /command /start /root/run
for i in dev sys proc; do mount --move /$i /root/$i; done
exec /busybox switch_root /root /bin/busybox sh /run/start
EOF
cat > "$run/boot/start" <<'EOF'
mkdir /dev/shm /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t devpts -o ptmxmode=666 devpts /dev/pts
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ln -s /proc/self/fd /dev/fd
for i in 0:stdin 1:stdout 2:stderr; do ln -s /proc/self/fd/${i%:*} /dev/${i#*:}; done
hostname vm
ip link set lo up
ulimit -Hn 524288
export HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mkfifo /run/out   # a pipe, because the port can be opened only once
cat /run/out > /dev/vport0p1 & cat=$!
setsid /bin/bash /run/command > /run/out 2>&1 < /dev/null
echo $? > /dev/vport0p2
(sleep 2; kill $cat) &   # processes left behind may keep the pipe open
wait $cat
sync
poweroff -f
EOF
chmod +x "$run/boot/init"
(cd "$run/boot" && find . | "$root/bin/busybox" cpio -o -H newc) > "$run/initrd" 2> /dev/null

# no_timer_check: on a busy machine the timer may not tick for a while at boot, which the kernel takes for
# broken hardware.
# One processor: a second one costs a fifth more. QEMU emulates both by turns, and each waits for the other's
# locks (with a thread for each, QEMU races with the kernel when that patches its own code, and the kernel
# dies now and then).
mkfifo "$run/out"
cat "$run/out" & cat=$!
timeout --foreground "$limit" qemu-system-x86_64 -nodefaults -no-user-config -no-reboot -display none \
  -M q35 -accel tcg -cpu max,la57=off -m "$memory" \
  -kernel "$cache/vmlinux" -initrd "$run/initrd" \
  -append 'console=ttyS0 quiet mitigations=off panic=-1 no_timer_check' -serial "file:$run/console" \
  -device virtio-serial-pci \
  -chardev "file,id=out,path=$run/out" -device virtserialport,nr=1,chardev=out \
  -chardev "file,id=status,path=$run/status" -device virtserialport,nr=2,chardev=status \
  "${devices[@]}" < /dev/null 8> "$run/out" &
wait $! && ended=0 || ended=$?
wait "$cat"
[ ! -s "$run/status" ] || exit "$(< "$run/status")"
tail -n 40 "$run/console" >&2
[ "$ended" != 124 ] || { echo "vm: stopped after $limit seconds" >&2; exit 124; }
die "the machine ended without a status (QEMU: $ended)"
