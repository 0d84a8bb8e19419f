// Written by scripts/generate.mjs from proto/. Do not edit.

/** The type of an open file. */
export type FdTypes = 'UND' | 'REG' | 'PIPE' | 'FIFO' | 'INETSK' | 'UNIXSK' | 'EVENTFD' | 'EVENTPOLL' | 'INOTIFY' | 'SIGNALFD' | 'PACKETSK' | 'TTY' | 'FANOTIFY' | 'NETLINKSK' | 'NS' | 'TUNF' | 'EXT' | 'TIMERFD' | 'MEMFD' | 'BPFMAP' | 'PIDFD' | 'CTL_TTY' | 'AUTOFS_PIPE';

/** Directories of a process, by the ids of their files. */
export interface FsEntry {
  cwd_id: number;
  root_id: number;
  umask?: number | undefined;
}

/** A descriptor, and the id of its file. */
export interface FdinfoEntry {
  id: number;
  flags: number;
  type: FdTypes | number;
  fd: number;
  xattr_security_selinux?: string | undefined;
}

/** Who gets signals about a file. */
export interface FownEntry {
  uid: number;
  euid: number;
  signum: number;
  pid_type: number;
  pid: number;
}

/** A regular file, directory or device. */
export interface RegFileEntry {
  id: number;
  flags: number;
  pos: bigint;
  fown: FownEntry;
  name: string;
  mnt_id?: number | undefined;
  size?: bigint | undefined;
  ext?: boolean | undefined;
  mode?: number | undefined;
  build_id?: number[] | undefined;
  checksum?: number | undefined;
  checksum_config?: number | undefined;
  checksum_parameter?: number | undefined;
}

/** A namespace that is held by a descriptor. */
export interface NsFileEntry {
  id: number;
  ns_id: number;
  ns_cflag: number;
  flags: number;
}

/** An eventfd. */
export interface EventfdFileEntry {
  id: number;
  flags: number;
  fown: FownEntry;
  counter: bigint;
}

/** A file that an epoll instance watches. */
export interface EventpollTfdEntry {
  id: number;
  tfd: number;
  events: number;
  data: bigint;
  dev?: number | undefined;
  inode?: bigint | undefined;
  pos?: bigint | undefined;
}

/** An epoll instance. */
export interface EventpollFileEntry {
  id: number;
  flags: number;
  fown: FownEntry;
  tfd?: EventpollTfdEntry[] | undefined;
}

/** A signalfd. */
export interface SignalfdEntry {
  id: number;
  flags: number;
  fown: FownEntry;
  sigmask: bigint;
}

/** A timerfd: its period, and the time that is left. */
export interface TimerfdEntry {
  id: number;
  flags: number;
  fown: FownEntry;
  clockid: number;
  ticks: bigint;
  settime_flags: number;
  vsec: bigint;
  vnsec: bigint;
  isec: bigint;
  insec: bigint;
}

/** Limits of file handles. */
export type FhEntrySizes = 'min_entries';

/** The file handle of a watched file. */
export interface FhEntry {
  bytes: number;
  type: number;
  handle?: bigint[] | undefined;
  path?: string | undefined;
  mnt_id?: number | undefined;
}

/** The path of an inode. */
export interface IrmapCacheEntry {
  dev: number;
  inode: bigint;
  path: string;
}

/** A watch of an inotify instance. */
export interface InotifyWdEntry {
  id: number;
  i_ino: bigint;
  mask: number;
  ignored_mask: number;
  s_dev: number;
  wd: number;
  f_handle: FhEntry;
}

/** An inotify instance. */
export interface InotifyFileEntry {
  id: number;
  flags: number;
  fown: FownEntry;
  wd?: InotifyWdEntry[] | undefined;
}

/** What a mark of fanotify is on. */
export type MarkType = 'INODE' | 'MOUNT';

/** A mark on a file. */
export interface FanotifyInodeMarkEntry {
  i_ino: bigint;
  f_handle: FhEntry;
}

/** A mark on a mount. */
export interface FanotifyMountMarkEntry {
  mnt_id: number;
  path?: string | undefined;
}

/** A mark of a fanotify instance. */
export interface FanotifyMarkEntry {
  id: number;
  type: MarkType | number;
  mflags: number;
  mask: number;
  ignored_mask: number;
  s_dev: number;
  ie?: FanotifyInodeMarkEntry | undefined;
  me?: FanotifyMountMarkEntry | undefined;
}

/** A fanotify instance. */
export interface FanotifyFileEntry {
  id: number;
  flags: number;
  fown: FownEntry;
  faflags: number;
  evflags: number;
  mark?: FanotifyMarkEntry[] | undefined;
}

/** A file that a plugin restores. */
export interface ExtFileEntry {
  id: number;
  fown: FownEntry;
}

/** An end of a pipe. */
export interface PipeEntry {
  id: number;
  pipe_id: number;
  flags: number;
  fown: FownEntry;
  uid?: number | undefined;
  gid?: number | undefined;
}

/** A named pipe. */
export interface FifoEntry {
  id: number;
  pipe_id: number;
  regf_id?: number | undefined;
  wait_writer?: boolean | undefined;
}

/** The bytes in a pipe, which follow. */
export interface PipeDataEntry {
  pipe_id: number;
  bytes: number;
  size?: number | undefined;
}

/** A descriptor of a TUN or TAP device. */
export interface TunfileEntry {
  id: number;
  netdev?: string | undefined;
  detached?: boolean | undefined;
  ns_id?: number | undefined;
}

/** A descriptor of a file in memory. */
export interface MemfdFileEntry {
  id: number;
  flags: number;
  pos: bigint;
  fown: FownEntry;
  inode_id: number;
}

/** A BPF map. */
export interface BpfmapFileEntry {
  id: number;
  flags: number;
  pos: bigint;
  fown: FownEntry;
  map_type: number;
  key_size: number;
  value_size: number;
  map_id: number;
  max_entries: number;
  map_flags: number;
  memlock: bigint;
  frozen: boolean;
  map_name: string;
  ifindex: number;
  mnt_id?: number | undefined;
  map_extra?: bigint | undefined;
}

/** The keys and values of a BPF map, which follow. */
export interface BpfmapDataEntry {
  map_id: number;
  keys_bytes: number;
  values_bytes: number;
  count: number;
}

/** A pidfd. */
export interface PidfdEntry {
  id: number;
  ino: number;
  flags: number;
  nspid: number;
  fown: FownEntry;
}

/** Options of all kinds of sockets. */
export interface SkOptsEntry {
  so_sndbuf: number;
  so_rcvbuf: number;
  so_snd_tmo_sec: bigint;
  so_snd_tmo_usec: bigint;
  so_rcv_tmo_sec: bigint;
  so_rcv_tmo_usec: bigint;
  reuseaddr?: boolean | undefined;
  so_priority?: number | undefined;
  so_rcvlowat?: number | undefined;
  so_mark?: number | undefined;
  so_passcred?: boolean | undefined;
  so_passsec?: boolean | undefined;
  so_dontroute?: boolean | undefined;
  so_no_check?: boolean | undefined;
  so_bound_dev?: string | undefined;
  so_filter?: bigint[] | undefined;
  so_reuseport?: boolean | undefined;
  so_broadcast?: boolean | undefined;
  so_keepalive?: boolean | undefined;
  tcp_keepcnt?: number | undefined;
  tcp_keepidle?: number | undefined;
  tcp_keepintvl?: number | undefined;
  so_oobinline?: number | undefined;
  so_linger?: number | undefined;
  so_buf_lock?: number | undefined;
}

/** Options of raw IP sockets. */
export interface IpOptsRawEntry {
  hdrincl?: boolean | undefined;
  nodefrag?: boolean | undefined;
  checksum?: boolean | undefined;
  icmpv_filter?: number[] | undefined;
}

/** Options of IP sockets. */
export interface IpOptsEntry {
  freebind?: boolean | undefined;
  raw?: IpOptsRawEntry | undefined;
  pktinfo?: boolean | undefined;
  tos?: number | undefined;
  ttl?: number | undefined;
}

/** The directions in which a socket is shut down. */
export type SkShutdown = 'NONE' | 'READ' | 'WRITE' | 'BOTH';

/** Options of TCP sockets. */
export interface TcpOptsEntry {
  cork?: boolean | undefined;
  nodelay?: boolean | undefined;
  keepcnt?: number | undefined;
  keepidle?: number | undefined;
  keepintvl?: number | undefined;
}

/** A TCP, UDP or raw socket. */
export interface InetSkEntry {
  id: number;
  ino: number;
  family: number;
  type: number;
  proto: number;
  state: number;
  src_port: number;
  dst_port: number;
  flags: number;
  backlog: number;
  src_addr?: number[] | undefined;
  dst_addr?: number[] | undefined;
  fown: FownEntry;
  opts: SkOptsEntry;
  v6only?: boolean | undefined;
  ip_opts?: IpOptsEntry | undefined;
  ifname?: string | undefined;
  ns_id?: number | undefined;
  shutdown?: SkShutdown | number | undefined;
  tcp_opts?: TcpOptsEntry | undefined;
  uid?: number | undefined;
}

/** A membership of a packet socket in a multicast group. */
export interface PacketMclist {
  index: number;
  type: number;
  addr: Uint8Array;
}

/** A ring of a packet socket. */
export interface PacketRing {
  block_size: number;
  block_nr: number;
  frame_size: number;
  frame_nr: number;
  retire_tmo: number;
  sizeof_priv: number;
  features: number;
}

/** A packet socket. */
export interface PacketSockEntry {
  id: number;
  type: number;
  protocol: number;
  flags: number;
  ifindex: number;
  fown: FownEntry;
  opts: SkOptsEntry;
  version: number;
  reserve: number;
  aux_data: boolean;
  orig_dev: boolean;
  vnet_hdr: boolean;
  loss: boolean;
  timestamp: number;
  copy_thresh: number;
  mclist?: PacketMclist[] | undefined;
  fanout?: number | undefined;
  rx_ring?: PacketRing | undefined;
  tx_ring?: PacketRing | undefined;
  ns_id?: number | undefined;
}

/** A netlink socket. */
export interface NetlinkSkEntry {
  id: number;
  ino: number;
  protocol: number;
  state: number;
  flags: number;
  portid: number;
  groups?: number[] | undefined;
  dst_portid: number;
  dst_group: number;
  fown: FownEntry;
  opts: SkOptsEntry;
  ns_id?: number | undefined;
}

/** Owner and permissions of the name of a socket. */
export interface FilePermsEntry {
  mode: number;
  uid: number;
  gid: number;
}

/** A UNIX socket. */
export interface UnixSkEntry {
  id: number;
  ino: number;
  type: number;
  state: number;
  flags: number;
  uflags: number;
  backlog: number;
  peer: number;
  fown: FownEntry;
  opts: SkOptsEntry;
  name: Uint8Array;
  shutdown?: SkShutdown | number | undefined;
  file_perms?: FilePermsEntry | undefined;
  name_dir?: string | undefined;
  deleted?: boolean | undefined;
  ns_id?: number | undefined;
  mnt_id?: number | undefined;
}

/** A descriptor of a terminal. */
export interface TtyFileEntry {
  id: number;
  tty_info_id: number;
  flags: number;
  fown: FownEntry;
  regf_id?: number | undefined;
}

/** An open file: one of the fields has its properties. */
export interface FileEntry {
  type: FdTypes | number;
  id: number;
  reg?: RegFileEntry | undefined;
  isk?: InetSkEntry | undefined;
  nsf?: NsFileEntry | undefined;
  psk?: PacketSockEntry | undefined;
  nlsk?: NetlinkSkEntry | undefined;
  efd?: EventfdFileEntry | undefined;
  epfd?: EventpollFileEntry | undefined;
  sgfd?: SignalfdEntry | undefined;
  tunf?: TunfileEntry | undefined;
  tfd?: TimerfdEntry | undefined;
  ify?: InotifyFileEntry | undefined;
  ffy?: FanotifyFileEntry | undefined;
  ext?: ExtFileEntry | undefined;
  usk?: UnixSkEntry | undefined;
  fifo?: FifoEntry | undefined;
  pipe?: PipeEntry | undefined;
  tty?: TtyFileEntry | undefined;
  memfd?: MemfdFileEntry | undefined;
  bpf?: BpfmapFileEntry | undefined;
  pidfd?: PidfdEntry | undefined;
}

/** What takes the place of a file without a name. */
export type RemapType = 'LINKED' | 'GHOST' | 'PROCFS';

/** A file that had lost its name before the dump. */
export interface RemapFilePathEntry {
  orig_id: number;
  remap_id: number;
  remap_type?: RemapType | number | undefined;
}

/** A time in seconds and microseconds. */
export interface Timeval {
  tv_sec: bigint;
  tv_usec: bigint;
}

/** A file that had lost its name; its content follows. */
export interface GhostFileEntry {
  uid: number;
  gid: number;
  mode: number;
  dev?: number | undefined;
  ino?: bigint | undefined;
  rdev?: number | undefined;
  atim?: Timeval | undefined;
  mtim?: Timeval | undefined;
  chunks?: boolean | undefined;
  size?: bigint | undefined;
  symlnk_target?: string | undefined;
}

/** A part of a file with holes; its bytes follow. */
export interface GhostChunkEntry {
  len: bigint;
  off: bigint;
}

/** A lock of a file. */
export interface FileLockEntry {
  flag: number;
  type: number;
  pid: number;
  fd: number;
  start: bigint;
  len: bigint;
}

export interface FieldFormat {
  /** In hexadecimal; in a message field, all numbers within. */
  hex?: boolean | undefined;
  /** The words of an IP address, in network byte order. */
  ipadd?: boolean | undefined;
  /** The names of bits, from the table with this name. */
  flags?: string | undefined;
  /** A device number as MAJOR:MINOR, as the kernel has it. */
  dev?: boolean | undefined;
  /** With dev: as user space has it. */
  odev?: boolean | undefined;
  /** A name from the tables with this name, of which there is one for each field. */
  dict?: string | undefined;
  /** Text in quoted-printable form. */
  conv?: string | undefined;
}

/** A TCP connection; the bytes of both queues follow. */
export interface TcpStreamEntry {
  inq_len: number;
  inq_seq: number;
  outq_len: number;
  outq_seq: number;
  opt_mask: number;
  snd_wscale: number;
  mss_clamp: number;
  rcv_wscale?: number | undefined;
  timestamp?: number | undefined;
  cork?: boolean | undefined;
  nodelay?: boolean | undefined;
  unsq_len?: number | undefined;
  snd_wl1?: number | undefined;
  snd_wnd?: number | undefined;
  max_window?: number | undefined;
  rcv_wnd?: number | undefined;
  rcv_wup?: number | undefined;
}

/** Descriptors that are sent with a message. */
export interface ScmEntry {
  type: number;
  rights?: number[] | undefined;
}

/** The sender of a message; since CRIU 4.3. */
export interface SkUcredEntry {
  uid: number;
  gid: number;
  pid: number;
}

/** A message in the queue of a socket; its bytes follow. */
export interface SkPacketEntry {
  id_for: number;
  length: number;
  scm?: ScmEntry[] | undefined;
  ucred?: SkUcredEntry | undefined;
}

/** The kind of a terminal. */
export type TtyType = 'UNKNOWN' | 'PTY' | 'CONSOLE' | 'VT' | 'CTTY' | 'EXT_TTY' | 'SERIAL';

/** The size of a terminal's window. */
export interface WinsizeEntry {
  ws_row: number;
  ws_col: number;
  ws_xpixel: number;
  ws_ypixel: number;
}

/** The settings of a terminal. */
export interface TermiosEntry {
  c_iflag: number;
  c_oflag: number;
  c_cflag: number;
  c_lflag: number;
  c_line: number;
  c_ispeed: number;
  c_ospeed: number;
  c_cc?: number[] | undefined;
}

/** The number of a pseudo-terminal. */
export interface TtyPtyEntry {
  index: number;
}

/** Bytes that wait to be read from a terminal. */
export interface TtyDataEntry {
  tty_id: number;
  data: Uint8Array;
}

/** A terminal. */
export interface TtyInfoEntry {
  id: number;
  type: TtyType | number;
  locked: boolean;
  exclusive: boolean;
  packet_mode: boolean;
  sid: number;
  pgrp: number;
  rdev: number;
  termios?: TermiosEntry | undefined;
  termios_locked?: TermiosEntry | undefined;
  winsize?: WinsizeEntry | undefined;
  pty?: TtyPtyEntry | undefined;
  dev?: number | undefined;
  uid?: number | undefined;
  gid?: number | undefined;
}

/** Owner and permissions of a control group. */
export interface CgroupPerms {
  mode: number;
  uid: number;
  gid: number;
}

/** A property of a control group. */
export interface CgroupPropEntry {
  name: string;
  value: string;
  perms?: CgroupPerms | undefined;
}

/** A control group, and those within it. */
export interface CgroupDirEntry {
  dir_name: string;
  children?: CgroupDirEntry[] | undefined;
  properties?: CgroupPropEntry[] | undefined;
  dir_perms?: CgroupPerms | undefined;
}

/** A hierarchy of control groups. */
export interface CgControllerEntry {
  cnames?: string[] | undefined;
  dirs?: CgroupDirEntry[] | undefined;
  is_threaded?: boolean | undefined;
}

/** The control group in one hierarchy. */
export interface CgMemberEntry {
  name: string;
  path: string;
  cgns_prefix?: number | undefined;
}

/** Control groups that a process was in, one per hierarchy. */
export interface CgSetEntry {
  id: number;
  ctls?: CgMemberEntry[] | undefined;
}

/** All control groups of a dump. */
export interface CgroupEntry {
  sets?: CgSetEntry[] | undefined;
  controllers?: CgControllerEntry[] | undefined;
}

export type Vendor = 'UNKNOWN' | 'INTEL' | 'AMD';

/** An x86 processor. */
export interface CpuinfoX86Entry {
  vendor_id: Vendor | number;
  cpu_family: number;
  model: number;
  stepping: number;
  capability_ver: number;
  capability?: number[] | undefined;
  model_id?: string | undefined;
  xfeatures_mask?: bigint | undefined;
  xsave_size?: number | undefined;
  xsave_size_max?: number | undefined;
}

export type Endianness = 'BIGENDIAN' | 'LITTLEENDIAN';

/** A ppc64 processor. */
export interface CpuinfoPpc64Entry {
  endian: Endianness | number;
  hwcap?: bigint[] | undefined;
}

/** An s390 processor. */
export interface CpuinfoS390Entry {
  hwcap?: bigint[] | undefined;
}

/** The processor of the host. */
export interface CpuinfoEntry {
  x86_entry?: CpuinfoX86Entry[] | undefined;
  ppc64_entry?: CpuinfoPpc64Entry[] | undefined;
  s390_entry?: CpuinfoS390Entry[] | undefined;
}

/** A filter of system calls. */
export interface SeccompFilter {
  filter: Uint8Array;
  prev?: number | undefined;
  flags?: number | undefined;
}

/** All filters of a dump. */
export interface SeccompEntry {
  seccomp_filters?: SeccompFilter[] | undefined;
}

/** A profile of AppArmor. */
export interface AaPolicy {
  name: string;
  blob: Uint8Array;
}

/** A namespace of AppArmor. */
export interface AaNamespace {
  name: string;
  policies?: AaPolicy[] | undefined;
  namespaces?: AaNamespace[] | undefined;
}

/** The AppArmor namespaces of a dump. */
export interface ApparmorEntry {
  namespaces?: AaNamespace[] | undefined;
}

/** The security module of the host. */
export type Lsmtype = 'NO_LSM' | 'SELINUX' | 'APPARMOR';

/** The plugins of CRIU that took part in the dump. */
export interface PluginsEntry {
  plugins?: string[] | undefined;
}

/** The kernel objects of a process, by ids: equal ids stand for the same object. */
export interface TaskKobjIdsEntry {
  vm_id: number;
  files_id: number;
  fs_id: number;
  sighand_id: number;
  pid_ns_id?: number | undefined;
  net_ns_id?: number | undefined;
  ipc_ns_id?: number | undefined;
  uts_ns_id?: number | undefined;
  mnt_ns_id?: number | undefined;
  user_ns_id?: number | undefined;
  cgroup_ns_id?: number | undefined;
  time_ns_id?: number | undefined;
}

/** The inventory of a dump, without which the other images are no checkpoint. */
export interface InventoryEntry {
  img_version: number;
  fdinfo_per_id?: boolean | undefined;
  root_ids?: TaskKobjIdsEntry | undefined;
  ns_per_id?: boolean | undefined;
  root_cg_set?: number | undefined;
  lsmtype?: Lsmtype | number | undefined;
  dump_uptime?: bigint | undefined;
  pre_dump_mode?: number | undefined;
  tcp_close?: boolean | undefined;
  network_lock_method?: number | undefined;
  plugins_entry?: PluginsEntry | undefined;
  dump_criu_run_id?: string | undefined;
  allow_uprobes?: boolean | undefined;
  compress?: number | undefined;
  compress_block_size?: number | undefined;
}

/** A mapping. */
export interface VmaEntry {
  start: bigint;
  end: bigint;
  pgoff: bigint;
  shmid: bigint;
  prot: number;
  flags: number;
  status: number;
  fd: bigint;
  madv?: bigint | undefined;
  fdflags?: number | undefined;
}

/** A ring of asynchronous input and output. */
export interface AioRingEntry {
  id: bigint;
  nr_req: number;
  ring_len: number;
}

/** The address space of a process. */
export interface MmEntry {
  mm_start_code: bigint;
  mm_end_code: bigint;
  mm_start_data: bigint;
  mm_end_data: bigint;
  mm_start_stack: bigint;
  mm_start_brk: bigint;
  mm_brk: bigint;
  mm_arg_start: bigint;
  mm_arg_end: bigint;
  mm_env_start: bigint;
  mm_env_end: bigint;
  exe_file_id: number;
  mm_saved_auxv?: bigint[] | undefined;
  vmas?: VmaEntry[] | undefined;
  dumpable?: number | undefined;
  aios?: AioRingEntry[] | undefined;
  thp_disabled?: boolean | undefined;
}

/** A file in memory. */
export interface MemfdInodeEntry {
  name: string;
  uid: number;
  gid: number;
  size: bigint;
  shmid: number;
  seals: number;
  inode_id: bigint;
  hugetlb_flag?: number | undefined;
  mode?: number | undefined;
}

/** The type of a file system. */
export type Fstype = 'UNSUPPORTED' | 'PROC' | 'SYSFS' | 'DEVTMPFS' | 'BINFMT_MISC' | 'TMPFS' | 'DEVPTS' | 'SIMFS' | 'PSTORE' | 'SECURITYFS' | 'FUSECTL' | 'DEBUGFS' | 'CGROUP' | 'AUFS' | 'MQUEUE' | 'FUSE' | 'AUTO' | 'OVERLAYFS' | 'AUTOFS' | 'TRACEFS' | 'CGROUP2';

/** A mount. */
export interface MntEntry {
  fstype: number;
  mnt_id: number;
  root_dev: number;
  parent_mnt_id: number;
  flags: number;
  root: string;
  mountpoint: string;
  source: string;
  options: string;
  shared_id?: number | undefined;
  master_id?: number | undefined;
  with_plugin?: boolean | undefined;
  ext_mount?: boolean | undefined;
  fsname?: string | undefined;
  internal_sharing?: boolean | undefined;
  deleted?: boolean | undefined;
  sb_flags?: number | undefined;
  ext_key?: string | undefined;
}

/** A mount of autofs. */
export interface AutofsEntry {
  fd: number;
  pgrp: number;
  timeout: number;
  minproto: number;
  maxproto: number;
  mode: number;
  uid?: number | undefined;
  gid?: number | undefined;
  read_fd?: number | undefined;
}

/** The names of a host. */
export interface UtsnsEntry {
  nodename: string;
  domainname: string;
}

/** A range of ids of a user namespace. */
export interface UidGidExtent {
  first: number;
  lower_first: number;
  count: number;
}

/** A binary format with its interpreter. */
export interface BinfmtMiscEntry {
  name: string;
  enabled: boolean;
  interpreter: string;
  flags?: string | undefined;
  extension?: string | undefined;
  magic?: string | undefined;
  mask?: string | undefined;
  offset?: number | undefined;
}

/** A user namespace. */
export interface UsernsEntry {
  uid_map?: UidGidExtent[] | undefined;
  gid_map?: UidGidExtent[] | undefined;
  binfmt_misc?: BinfmtMiscEntry[] | undefined;
}

/** A time in seconds and nanoseconds. */
export interface Timespec {
  tv_sec: bigint;
  tv_nsec: bigint;
}

/** The offsets of a time namespace. */
export interface TimensEntry {
  monotonic: Timespec;
  boottime: Timespec;
}

/** A pid namespace. */
export interface PidnsEntry {
  ext_key?: string | undefined;
}

/** Settings of an IPC namespace. */
export interface IpcVarEntry {
  sem_ctls?: number[] | undefined;
  msg_ctlmax: number;
  msg_ctlmnb: number;
  msg_ctlmni: number;
  auto_msgmni: number;
  shm_ctlmax: bigint;
  shm_ctlall: bigint;
  shm_ctlmni: number;
  shm_rmid_forced: number;
  mq_queues_max: number;
  mq_msg_max: number;
  mq_msgsize_max: number;
  mq_msg_default?: number | undefined;
  mq_msgsize_default?: number | undefined;
  msg_next_id?: number | undefined;
  sem_next_id?: number | undefined;
  shm_next_id?: number | undefined;
}

/** Key, owner and permissions of an IPC object. */
export interface IpcDescEntry {
  key: number;
  uid: number;
  gid: number;
  cuid: number;
  cgid: number;
  mode: number;
  id: number;
}

/** A segment of System V shared memory; its bytes follow, or are in a pagemap. */
export interface IpcShmEntry {
  desc: IpcDescEntry;
  size: bigint;
  in_pagemaps?: boolean | undefined;
  hugetlb_flag?: number | undefined;
}

/** A set of semaphores; their values follow. */
export interface IpcSemEntry {
  desc: IpcDescEntry;
  nsems: number;
}

/** A message in a queue; its bytes follow. */
export interface IpcMsg {
  mtype: bigint;
  msize: number;
}

/** A message queue; its messages follow. */
export interface IpcMsgEntry {
  desc: IpcDescEntry;
  qbytes: number;
  qnum: number;
}

/** The type of a kernel setting. */
export type SysctlType = 'CTL_STR' | 'CTL_32';

/** A kernel setting. */
export interface SysctlEntry {
  type: SysctlType | number;
  iarg?: number | undefined;
  sarg?: string | undefined;
}

/** The number of another network namespace. */
export interface NetnsId {
  target_ns_id: number;
  netnsid_value: number;
}

/** A network namespace. */
export interface NetnsEntry {
  def_conf?: number[] | undefined;
  all_conf?: number[] | undefined;
  def_conf4?: SysctlEntry[] | undefined;
  all_conf4?: SysctlEntry[] | undefined;
  def_conf6?: SysctlEntry[] | undefined;
  all_conf6?: SysctlEntry[] | undefined;
  nsids?: NetnsId[] | undefined;
  ext_key?: string | undefined;
  unix_conf?: SysctlEntry[] | undefined;
  ipv4_sysctl?: SysctlEntry[] | undefined;
}

/** Properties of a macvlan device. */
export interface MacvlanLinkEntry {
  mode: number;
  flags?: number | undefined;
}

/** Properties of a tunnel for IPv6 in IPv4. */
export interface SitEntry {
  link?: number | undefined;
  local?: number[] | undefined;
  remote?: number[] | undefined;
  ttl?: number | undefined;
  tos?: number | undefined;
  pmtudisc?: boolean | undefined;
  proto?: number | undefined;
  flags?: number | undefined;
  encap_type?: number | undefined;
  encap_flags?: number | undefined;
  encap_sport?: number | undefined;
  encap_dport?: number | undefined;
  rd_prefixlen?: number | undefined;
  rd_prefix?: number[] | undefined;
  relay_prefixlen?: number | undefined;
  relay_prefix?: number[] | undefined;
}

/** Properties of a TUN or TAP device. */
export interface TunLinkEntry {
  flags: number;
  owner: number;
  group: number;
  vnethdr: number;
  sndbuf: number;
}

/** The kind of a network device. */
export type NdType = 'LOOPBACK' | 'VETH' | 'TUN' | 'EXTLINK' | 'VENET' | 'BRIDGE' | 'MACVLAN' | 'SIT';

/** A network device. */
export interface NetDeviceEntry {
  type: NdType | number;
  ifindex: number;
  mtu: number;
  flags: number;
  name: string;
  tun?: TunLinkEntry | undefined;
  address?: Uint8Array | undefined;
  conf?: number[] | undefined;
  conf4?: SysctlEntry[] | undefined;
  conf6?: SysctlEntry[] | undefined;
  macvlan?: MacvlanLinkEntry | undefined;
  peer_ifindex?: number | undefined;
  peer_nsid?: number | undefined;
  master?: number | undefined;
  sit?: SitEntry | undefined;
}

/** The first entry of a pagemap: the number of the pages file. */
export interface PagemapHead {
  pages_id: number;
}

/** The sizes of compressed blocks; since CRIU 4.3. A size of 0 stands for zeros, the full size for bytes that are not compressed. */
export interface PagemapBlocks {
  block_sizes?: number[] | undefined;
  total_payload_size: bigint;
  pages_per_block: number;
}

/** Consecutive pages, in the order of addresses. */
export interface PagemapEntry {
  vaddr: bigint;
  compat_nr_pages: number;
  in_parent?: boolean | undefined;
  flags?: number | undefined;
  nr_pages?: bigint | undefined;
  blocks?: PagemapBlocks | undefined;
}

/** A process, and the ids of its threads. */
export interface PstreeEntry {
  pid: number;
  ppid: number;
  pgid: number;
  sid: number;
  threads?: number[] | undefined;
}

/** The instruction set that a thread was in. */
export type UserX86RegsMode = 'NATIVE' | 'COMPAT';

/** General registers of x86. */
export interface UserX86RegsEntry {
  r15: bigint;
  r14: bigint;
  r13: bigint;
  r12: bigint;
  bp: bigint;
  bx: bigint;
  r11: bigint;
  r10: bigint;
  r9: bigint;
  r8: bigint;
  ax: bigint;
  cx: bigint;
  dx: bigint;
  si: bigint;
  di: bigint;
  orig_ax: bigint;
  ip: bigint;
  cs: bigint;
  flags: bigint;
  sp: bigint;
  ss: bigint;
  fs_base: bigint;
  gs_base: bigint;
  ds: bigint;
  es: bigint;
  fs: bigint;
  gs: bigint;
  mode?: UserX86RegsMode | number | undefined;
}

/** Control-flow enforcement of x86. */
export interface UserX86CetEntry {
  cet: bigint;
  ssp: bigint;
}

/** Extended state of x86. */
export interface UserX86XsaveEntry {
  xstate_bv: bigint;
  ymmh_space?: number[] | undefined;
  bndreg_state?: bigint[] | undefined;
  bndcsr_state?: bigint[] | undefined;
  opmask_reg?: bigint[] | undefined;
  zmm_upper?: bigint[] | undefined;
  hi16_zmm?: bigint[] | undefined;
  pkru?: number[] | undefined;
  cet?: UserX86CetEntry | undefined;
}

/** Floating-point and vector registers of x86. */
export interface UserX86FpregsEntry {
  cwd: number;
  swd: number;
  twd: number;
  fop: number;
  rip: bigint;
  rdp: bigint;
  mxcsr: number;
  mxcsr_mask: number;
  st_space?: number[] | undefined;
  xmm_space?: number[] | undefined;
  padding?: number[] | undefined;
  xsave?: UserX86XsaveEntry | undefined;
}

/** A segment of thread-local storage of x86. */
export interface UserDescT {
  entry_number: number;
  base_addr: number;
  limit: number;
  seg_32bit: boolean;
  contents_h: boolean;
  contents_l: boolean;
  read_exec_only: boolean;
  limit_in_pages: boolean;
  seg_not_present: boolean;
  usable: boolean;
}

/** A thread on x86. */
export interface ThreadInfoX86 {
  clear_tid_addr: bigint;
  gpregs: UserX86RegsEntry;
  fpregs: UserX86FpregsEntry;
  tls?: UserDescT[] | undefined;
}

/** General registers of 32-bit ARM. */
export interface UserArmRegsEntry {
  r0: number;
  r1: number;
  r2: number;
  r3: number;
  r4: number;
  r5: number;
  r6: number;
  r7: number;
  r8: number;
  r9: number;
  r10: number;
  fp: number;
  ip: number;
  sp: number;
  lr: number;
  pc: number;
  cpsr: number;
  orig_r0: number;
}

/** Floating-point registers of 32-bit ARM. */
export interface UserArmVfpstateEntry {
  vfp_regs?: bigint[] | undefined;
  fpscr: number;
  fpexc: number;
  fpinst: number;
  fpinst2: number;
}

/** A thread on 32-bit ARM. */
export interface ThreadInfoArm {
  clear_tid_addr: bigint;
  tls: number;
  gpregs: UserArmRegsEntry;
  fpstate: UserArmVfpstateEntry;
}

/** General registers of arm64. */
export interface UserAarch64RegsEntry {
  regs?: bigint[] | undefined;
  sp: bigint;
  pc: bigint;
  pstate: bigint;
}

/** Floating-point and vector registers of arm64. */
export interface UserAarch64FpsimdContextEntry {
  vregs?: bigint[] | undefined;
  fpsr: number;
  fpcr: number;
}

/** The guarded control stack of arm64; since CRIU 4.3. */
export interface UserAarch64GcsEntry {
  gcspr_el0: bigint;
  features_enabled: bigint;
}

/** Keys of arm64 that sign addresses. */
export interface PacAddressKeys {
  apiakey_lo: bigint;
  apiakey_hi: bigint;
  apibkey_lo: bigint;
  apibkey_hi: bigint;
  apdakey_lo: bigint;
  apdakey_hi: bigint;
  apdbkey_lo: bigint;
  apdbkey_hi: bigint;
  pac_enabled_key: bigint;
}

/** Keys of arm64 that sign data. */
export interface PacGenericKeys {
  apgakey_lo: bigint;
  apgakey_hi: bigint;
}

/** Keys of arm64 for pointer authentication. */
export interface PacKeys {
  pac_address_keys?: PacAddressKeys | undefined;
  pac_generic_keys?: PacGenericKeys | undefined;
}

/** A thread on arm64. */
export interface ThreadInfoAarch64 {
  clear_tid_addr: bigint;
  tls: bigint;
  gpregs: UserAarch64RegsEntry;
  fpsimd: UserAarch64FpsimdContextEntry;
  pac_keys?: PacKeys | undefined;
  gcs?: UserAarch64GcsEntry | undefined;
}

/** General registers of ppc64. */
export interface UserPpc64RegsEntry {
  gpr?: bigint[] | undefined;
  nip: bigint;
  msr: bigint;
  orig_gpr3: bigint;
  ctr: bigint;
  link: bigint;
  xer: bigint;
  ccr: bigint;
  trap: bigint;
  texasr?: bigint | undefined;
  tfhar?: bigint | undefined;
  tfiar?: bigint | undefined;
}

/** Floating-point registers of ppc64. */
export interface UserPpc64FpstateEntry {
  fpregs?: bigint[] | undefined;
}

/** Vector registers of ppc64. */
export interface UserPpc64VrstateEntry {
  vrregs?: bigint[] | undefined;
  vrsave: number;
}

/** Vector-scalar registers of ppc64. */
export interface UserPpc64VsxstateEntry {
  vsxregs?: bigint[] | undefined;
}

/** Registers of ppc64 within a memory transaction. */
export interface UserPpc64TmRegsEntry {
  gpregs: UserPpc64RegsEntry;
  fpstate?: UserPpc64FpstateEntry | undefined;
  vrstate?: UserPpc64VrstateEntry | undefined;
  vsxstate?: UserPpc64VsxstateEntry | undefined;
}

/** A thread on ppc64. */
export interface ThreadInfoPpc64 {
  clear_tid_addr: bigint;
  gpregs: UserPpc64RegsEntry;
  fpstate?: UserPpc64FpstateEntry | undefined;
  vrstate?: UserPpc64VrstateEntry | undefined;
  vsxstate?: UserPpc64VsxstateEntry | undefined;
  tmstate?: UserPpc64TmRegsEntry | undefined;
}

/** General registers of s390. */
export interface UserS390RegsEntry {
  psw_mask: bigint;
  psw_addr: bigint;
  gprs?: bigint[] | undefined;
  acrs?: number[] | undefined;
  orig_gpr2: bigint;
  system_call: number;
}

/** Lower halves of the first vector registers of s390. */
export interface UserS390VxrsLowEntry {
  regs?: bigint[] | undefined;
}

/** The other vector registers of s390. */
export interface UserS390VxrsHighEntry {
  regs?: bigint[] | undefined;
}

/** Floating-point registers of s390. */
export interface UserS390FpregsEntry {
  fpc: number;
  fprs?: bigint[] | undefined;
}

/** A control block for guarded storage of s390. */
export interface UserS390GsCbEntry {
  regs?: bigint[] | undefined;
}

/** Runtime instrumentation of s390. */
export interface UserS390RiEntry {
  ri_on: number;
  regs?: bigint[] | undefined;
}

/** A thread on s390. */
export interface ThreadInfoS390 {
  clear_tid_addr: bigint;
  gpregs: UserS390RegsEntry;
  fpregs: UserS390FpregsEntry;
  vxrs_low?: UserS390VxrsLowEntry | undefined;
  vxrs_high?: UserS390VxrsHighEntry | undefined;
  gs_cb?: UserS390GsCbEntry | undefined;
  gs_bc?: UserS390GsCbEntry | undefined;
  ri_cb?: UserS390RiEntry | undefined;
}

/** General registers of MIPS. */
export interface UserMipsRegsEntry {
  r0: bigint;
  r1: bigint;
  r2: bigint;
  r3: bigint;
  r4: bigint;
  r5: bigint;
  r6: bigint;
  r7: bigint;
  r8: bigint;
  r9: bigint;
  r10: bigint;
  r11: bigint;
  r12: bigint;
  r13: bigint;
  r14: bigint;
  r15: bigint;
  r16: bigint;
  r17: bigint;
  r18: bigint;
  r19: bigint;
  r20: bigint;
  r21: bigint;
  r22: bigint;
  r23: bigint;
  r24: bigint;
  r25: bigint;
  r26: bigint;
  r27: bigint;
  r28: bigint;
  r29: bigint;
  r30: bigint;
  r31: bigint;
  lo: bigint;
  hi: bigint;
  cp0_epc: bigint;
  cp0_badvaddr: bigint;
  cp0_status: bigint;
  cp0_cause: bigint;
}

/** Floating-point registers of MIPS. */
export interface UserMipsFpregsEntry {
  r0: bigint;
  r1: bigint;
  r2: bigint;
  r3: bigint;
  r4: bigint;
  r5: bigint;
  r6: bigint;
  r7: bigint;
  r8: bigint;
  r9: bigint;
  r10: bigint;
  r11: bigint;
  r12: bigint;
  r13: bigint;
  r14: bigint;
  r15: bigint;
  r16: bigint;
  r17: bigint;
  r18: bigint;
  r19: bigint;
  r20: bigint;
  r21: bigint;
  r22: bigint;
  r23: bigint;
  r24: bigint;
  r25: bigint;
  r26: bigint;
  r27: bigint;
  r28: bigint;
  r29: bigint;
  r30: bigint;
  r31: bigint;
  lo: bigint;
  hi: bigint;
  fpu_fcr31: number;
  fpu_id: number;
}

/** A thread on MIPS. */
export interface ThreadInfoMips {
  clear_tid_addr: bigint;
  tls: bigint;
  gpregs: UserMipsRegsEntry;
  fpregs: UserMipsFpregsEntry;
}

/** General registers of LoongArch. */
export interface UserLoongarch64GpregsEntry {
  regs?: bigint[] | undefined;
  pc: bigint;
}

/** Floating-point registers of LoongArch. */
export interface UserLoongarch64FpregsEntry {
  regs?: bigint[] | undefined;
  fcc: bigint;
  fcsr: number;
}

/** A thread on LoongArch. */
export interface ThreadInfoLoongarch64 {
  clear_tid_addr: bigint;
  tls: bigint;
  gpregs: UserLoongarch64GpregsEntry;
  fpregs: UserLoongarch64FpregsEntry;
}

/** General registers of RISC-V. */
export interface UserRiscv64RegsEntry {
  pc: bigint;
  ra: bigint;
  sp: bigint;
  gp: bigint;
  tp: bigint;
  t0: bigint;
  t1: bigint;
  t2: bigint;
  s0: bigint;
  s1: bigint;
  a0: bigint;
  a1: bigint;
  a2: bigint;
  a3: bigint;
  a4: bigint;
  a5: bigint;
  a6: bigint;
  a7: bigint;
  s2: bigint;
  s3: bigint;
  s4: bigint;
  s5: bigint;
  s6: bigint;
  s7: bigint;
  s8: bigint;
  s9: bigint;
  s10: bigint;
  s11: bigint;
  t3: bigint;
  t4: bigint;
  t5: bigint;
  t6: bigint;
}

/** Floating-point registers of RISC-V. */
export interface UserRiscv64DExtEntry {
  f?: bigint[] | undefined;
  fcsr: number;
}

/** A thread on RISC-V. */
export interface ThreadInfoRiscv64 {
  clear_tid_addr: bigint;
  tls: bigint;
  gpregs: UserRiscv64RegsEntry;
  fpsimd: UserRiscv64DExtEntry;
}

/** Times of a dump, in microseconds, and its pages. */
export interface DumpStatsEntry {
  freezing_time: number;
  frozen_time: number;
  memdump_time: number;
  memwrite_time: number;
  pages_scanned: bigint;
  pages_skipped_parent: bigint;
  pages_written: bigint;
  irmap_resolve?: number | undefined;
  pages_lazy: bigint;
  page_pipes?: bigint | undefined;
  page_pipe_bufs?: bigint | undefined;
  shpages_scanned?: bigint | undefined;
  shpages_skipped_parent?: bigint | undefined;
  shpages_written?: bigint | undefined;
}

/** Times of a restore, in microseconds, and its pages. */
export interface RestoreStatsEntry {
  pages_compared: bigint;
  pages_skipped_cow: bigint;
  forking_time: number;
  restore_time: number;
  pages_restored?: bigint | undefined;
}

/** The statistics of one operation. */
export interface StatsEntry {
  dump?: DumpStatsEntry | undefined;
  restore?: RestoreStatsEntry | undefined;
}

/** How a thread's system calls are filtered. */
export type SeccompMode = 'disabled' | 'strict' | 'filter';

/** An interval timer: its period, and the time that is left. */
export interface ItimerEntry {
  isec: bigint;
  iusec: bigint;
  vsec: bigint;
  vusec: bigint;
}

/** A POSIX timer: its period, and the time that is left. */
export interface PosixTimerEntry {
  it_id: number;
  clock_id: number;
  si_signo: number;
  it_sigev_notify: number;
  sival_ptr: bigint;
  overrun: number;
  isec: bigint;
  insec: bigint;
  vsec: bigint;
  vnsec: bigint;
  notify_thread_id?: number | undefined;
}

/** The timers of a process. */
export interface TaskTimersEntry {
  real: ItimerEntry;
  virt: ItimerEntry;
  prof: ItimerEntry;
  posix?: PosixTimerEntry[] | undefined;
}

/** A resource limit. */
export interface RlimitEntry {
  cur: bigint;
  max: bigint;
}

/** The resource limits of a process, in the order of their numbers. */
export interface TaskRlimitsEntry {
  rlimits?: RlimitEntry[] | undefined;
}

/** The action of a signal. */
export interface SaEntry {
  sigaction: bigint;
  flags: bigint;
  restorer: bigint;
  mask: bigint;
  compat_sigaction?: boolean | undefined;
  mask_extended?: bigint | undefined;
}

/** A pending signal, as the kernel describes it. */
export interface SiginfoEntry {
  siginfo: Uint8Array;
}

/** Pending signals. */
export interface SignalQueueEntry {
  signals?: SiginfoEntry[] | undefined;
}

/** Restartable sequences of a thread. */
export interface RseqEntry {
  rseq_abi_pointer: bigint;
  rseq_abi_size: number;
  signature: number;
  rseq_cs_pointer?: bigint | undefined;
}

/** Users, groups and capabilities of a thread. */
export interface CredsEntry {
  uid: number;
  gid: number;
  euid: number;
  egid: number;
  suid: number;
  sgid: number;
  fsuid: number;
  fsgid: number;
  cap_inh?: number[] | undefined;
  cap_prm?: number[] | undefined;
  cap_eff?: number[] | undefined;
  cap_bnd?: number[] | undefined;
  secbits: number;
  groups?: number[] | undefined;
  lsm_profile?: string | undefined;
  lsm_sockcreate?: string | undefined;
  apparmor_data?: Uint8Array | undefined;
  no_new_privs?: number | undefined;
  cap_amb?: number[] | undefined;
}

/** What the threads of a process have in common. */
export interface TaskCoreEntry {
  task_state: number;
  exit_code: number;
  personality: number;
  flags: number;
  blk_sigset: bigint;
  comm: string;
  timers?: TaskTimersEntry | undefined;
  rlimits?: TaskRlimitsEntry | undefined;
  cg_set?: number | undefined;
  signals_s?: SignalQueueEntry | undefined;
  old_seccomp_mode?: SeccompMode | number | undefined;
  old_seccomp_filter?: number | undefined;
  loginuid?: number | undefined;
  oom_score_adj?: number | undefined;
  sigactions?: SaEntry[] | undefined;
  child_subreaper?: boolean | undefined;
  blk_sigset_extended?: bigint | undefined;
  stop_signo?: number | undefined;
  membarrier_registration_mask?: number | undefined;
}

/** The alternative stack for signals. */
export interface ThreadSasEntry {
  ss_sp: bigint;
  ss_size: bigint;
  ss_flags: number;
}

/** What a thread has of its own. */
export interface ThreadCoreEntry {
  futex_rla: bigint;
  futex_rla_len: number;
  sched_nice?: number | undefined;
  sched_policy?: number | undefined;
  sched_prio?: number | undefined;
  blk_sigset?: bigint | undefined;
  sas?: ThreadSasEntry | undefined;
  pdeath_sig?: number | undefined;
  signals_p?: SignalQueueEntry | undefined;
  creds?: CredsEntry | undefined;
  seccomp_mode?: SeccompMode | number | undefined;
  seccomp_filter?: number | undefined;
  comm?: string | undefined;
  blk_sigset_extended?: bigint | undefined;
  rseq_entry?: RseqEntry | undefined;
  cg_set?: number | undefined;
  timerslack_ns?: bigint | undefined;
}

export type March = 'UNKNOWN' | 'X86_64' | 'ARM' | 'AARCH64' | 'PPC64' | 'S390' | 'MIPS' | 'LOONGARCH64' | 'RISCV64';

/** A thread; tc is there for the first thread of a process only. */
export interface CoreEntry {
  mtype: March | number;
  thread_info?: ThreadInfoX86 | undefined;
  tc?: TaskCoreEntry | undefined;
  ids?: TaskKobjIdsEntry | undefined;
  thread_core?: ThreadCoreEntry | undefined;
  ti_arm?: ThreadInfoArm | undefined;
  ti_aarch64?: ThreadInfoAarch64 | undefined;
  ti_ppc64?: ThreadInfoPpc64 | undefined;
  ti_s390?: ThreadInfoS390 | undefined;
  ti_mips?: ThreadInfoMips | undefined;
  ti_loongarch64?: ThreadInfoLoongarch64 | undefined;
  ti_riscv64?: ThreadInfoRiscv64 | undefined;
}
