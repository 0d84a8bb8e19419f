// Written by scripts/generate.mjs from proto/. Do not edit.
import type { EnumType, MessageType } from '../../protobuf/message-type.ts';
import { fown_entry, type FownEntry } from './fown.ts';
import { inet_sk_entry, type InetSkEntry } from './sockets.ts';
import { packet_sock_entry, type PacketSockEntry } from './sockets.ts';
import { netlink_sk_entry, type NetlinkSkEntry } from './sockets.ts';
import { unix_sk_entry, type UnixSkEntry } from './sockets.ts';
import { tty_file_entry, type TtyFileEntry } from './terminals.ts';

/** The type of an open file. */
export type FdTypes = 'UND' | 'REG' | 'PIPE' | 'FIFO' | 'INETSK' | 'UNIXSK' | 'EVENTFD' | 'EVENTPOLL' | 'INOTIFY' | 'SIGNALFD' | 'PACKETSK' | 'TTY' | 'FANOTIFY' | 'NETLINKSK' | 'NS' | 'TUNF' | 'EXT' | 'TIMERFD' | 'MEMFD' | 'BPFMAP' | 'PIDFD' | 'CTL_TTY' | 'AUTOFS_PIPE';
export const fd_types: EnumType = {
  name: 'fd_types',
  numbers: {
    UND: 0,
    REG: 1,
    PIPE: 2,
    FIFO: 3,
    INETSK: 4,
    UNIXSK: 5,
    EVENTFD: 6,
    EVENTPOLL: 7,
    INOTIFY: 8,
    SIGNALFD: 9,
    PACKETSK: 10,
    TTY: 11,
    FANOTIFY: 12,
    NETLINKSK: 13,
    NS: 14,
    TUNF: 15,
    EXT: 16,
    TIMERFD: 17,
    MEMFD: 18,
    BPFMAP: 19,
    PIDFD: 20,
    CTL_TTY: 65534,
    AUTOFS_PIPE: 65535,
  },
};

/** Directories of a process, by the ids of their files. */
export interface FsEntry {
  cwd_id: number;
  root_id: number;
  umask?: number | undefined;
}

export const fs_entry: MessageType<FsEntry> = {
  name: 'fs_entry',
  required: ['cwd_id', 'root_id'],
  fields: {
    1: { name: 'cwd_id', type: 'uint32' },
    2: { name: 'root_id', type: 'uint32' },
    3: { name: 'umask', type: 'uint32' },
  },
};

/** A descriptor, and the id of its file. */
export interface FdinfoEntry {
  id: number;
  flags: number;
  type: FdTypes | number;
  fd: number;
  xattr_security_selinux?: string | undefined;
}

export const fdinfo_entry: MessageType<FdinfoEntry> = {
  name: 'fdinfo_entry',
  required: ['id', 'flags', 'type', 'fd'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'flags', type: 'uint32' },
    3: { name: 'type', type: fd_types },
    4: { name: 'fd', type: 'uint32' },
    5: { name: 'xattr_security_selinux', type: 'string' },
  },
};

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

export const reg_file_entry: MessageType<RegFileEntry> = {
  name: 'reg_file_entry',
  required: ['id', 'flags', 'pos', 'fown', 'name'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'flags', type: 'uint32', format: { flags: 'rfile.flags' } },
    3: { name: 'pos', type: 'uint64' },
    5: { name: 'fown', type: fown_entry },
    6: { name: 'name', type: 'string' },
    7: { name: 'mnt_id', type: 'sint32' },
    8: { name: 'size', type: 'uint64' },
    9: { name: 'ext', type: 'bool' },
    10: { name: 'mode', type: 'uint32' },
    11: { name: 'build_id', type: 'uint32', repeated: true },
    12: { name: 'checksum', type: 'uint32' },
    13: { name: 'checksum_config', type: 'uint32' },
    14: { name: 'checksum_parameter', type: 'uint32' },
  },
};

/** A namespace that is held by a descriptor. */
export interface NsFileEntry {
  id: number;
  ns_id: number;
  ns_cflag: number;
  flags: number;
}

export const ns_file_entry: MessageType<NsFileEntry> = {
  name: 'ns_file_entry',
  required: ['id', 'ns_id', 'ns_cflag', 'flags'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'ns_id', type: 'uint32' },
    3: { name: 'ns_cflag', type: 'uint32' },
    4: { name: 'flags', type: 'uint32' },
  },
};

/** An eventfd. */
export interface EventfdFileEntry {
  id: number;
  flags: number;
  fown: FownEntry;
  counter: bigint;
}

export const eventfd_file_entry: MessageType<EventfdFileEntry> = {
  name: 'eventfd_file_entry',
  required: ['id', 'flags', 'fown', 'counter'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'flags', type: 'uint32' },
    3: { name: 'fown', type: fown_entry },
    4: { name: 'counter', type: 'uint64' },
  },
};

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

export const eventpoll_tfd_entry: MessageType<EventpollTfdEntry> = {
  name: 'eventpoll_tfd_entry',
  required: ['id', 'tfd', 'events', 'data'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'tfd', type: 'uint32' },
    3: { name: 'events', type: 'uint32' },
    4: { name: 'data', type: 'uint64' },
    5: { name: 'dev', type: 'uint32' },
    6: { name: 'inode', type: 'uint64' },
    7: { name: 'pos', type: 'uint64' },
  },
};

/** An epoll instance. */
export interface EventpollFileEntry {
  id: number;
  flags: number;
  fown: FownEntry;
  tfd?: EventpollTfdEntry[] | undefined;
}

export const eventpoll_file_entry: MessageType<EventpollFileEntry> = {
  name: 'eventpoll_file_entry',
  required: ['id', 'flags', 'fown'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'flags', type: 'uint32' },
    3: { name: 'fown', type: fown_entry },
    4: { name: 'tfd', type: eventpoll_tfd_entry, repeated: true },
  },
};

/** A signalfd. */
export interface SignalfdEntry {
  id: number;
  flags: number;
  fown: FownEntry;
  sigmask: bigint;
}

export const signalfd_entry: MessageType<SignalfdEntry> = {
  name: 'signalfd_entry',
  required: ['id', 'flags', 'fown', 'sigmask'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'flags', type: 'uint32', format: { hex: true } },
    3: { name: 'fown', type: fown_entry },
    4: { name: 'sigmask', type: 'uint64', format: { hex: true } },
  },
};

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

export const timerfd_entry: MessageType<TimerfdEntry> = {
  name: 'timerfd_entry',
  required: ['id', 'flags', 'fown', 'clockid', 'ticks', 'settime_flags', 'vsec', 'vnsec', 'isec', 'insec'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'flags', type: 'uint32', format: { hex: true } },
    3: { name: 'fown', type: fown_entry },
    4: { name: 'clockid', type: 'uint32' },
    5: { name: 'ticks', type: 'uint64' },
    6: { name: 'settime_flags', type: 'uint32', format: { hex: true } },
    7: { name: 'vsec', type: 'uint64' },
    8: { name: 'vnsec', type: 'uint64' },
    9: { name: 'isec', type: 'uint64' },
    10: { name: 'insec', type: 'uint64' },
  },
};

/** Limits of file handles. */
export type FhEntrySizes = 'min_entries';
export const fh_entry_sizes: EnumType = {
  name: 'fh_entry_sizes',
  numbers: {
    min_entries: 16,
  },
};

/** The file handle of a watched file. */
export interface FhEntry {
  bytes: number;
  type: number;
  handle?: bigint[] | undefined;
  path?: string | undefined;
  mnt_id?: number | undefined;
}

export const fh_entry: MessageType<FhEntry> = {
  name: 'fh_entry',
  required: ['bytes', 'type'],
  fields: {
    1: { name: 'bytes', type: 'uint32' },
    2: { name: 'type', type: 'uint32' },
    3: { name: 'handle', type: 'uint64', repeated: true },
    4: { name: 'path', type: 'string' },
    5: { name: 'mnt_id', type: 'uint32' },
  },
};

/** The path of an inode. */
export interface IrmapCacheEntry {
  dev: number;
  inode: bigint;
  path: string;
}

export const irmap_cache_entry: MessageType<IrmapCacheEntry> = {
  name: 'irmap_cache_entry',
  required: ['dev', 'inode', 'path'],
  fields: {
    1: { name: 'dev', type: 'uint32', format: { dev: true, odev: true } },
    2: { name: 'inode', type: 'uint64' },
    3: { name: 'path', type: 'string' },
  },
};

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

export const inotify_wd_entry: MessageType<InotifyWdEntry> = {
  name: 'inotify_wd_entry',
  required: ['id', 'i_ino', 'mask', 'ignored_mask', 's_dev', 'wd', 'f_handle'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'i_ino', type: 'uint64' },
    3: { name: 'mask', type: 'uint32', format: { hex: true } },
    4: { name: 'ignored_mask', type: 'uint32', format: { hex: true } },
    5: { name: 's_dev', type: 'uint32', format: { dev: true } },
    6: { name: 'wd', type: 'uint32' },
    7: { name: 'f_handle', type: fh_entry },
  },
};

/** An inotify instance. */
export interface InotifyFileEntry {
  id: number;
  flags: number;
  fown: FownEntry;
  wd?: InotifyWdEntry[] | undefined;
}

export const inotify_file_entry: MessageType<InotifyFileEntry> = {
  name: 'inotify_file_entry',
  required: ['id', 'flags', 'fown'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'flags', type: 'uint32', format: { hex: true } },
    4: { name: 'fown', type: fown_entry },
    5: { name: 'wd', type: inotify_wd_entry, repeated: true },
  },
};

/** What a mark of fanotify is on. */
export type MarkType = 'INODE' | 'MOUNT';
export const mark_type: EnumType = {
  name: 'mark_type',
  numbers: {
    INODE: 1,
    MOUNT: 2,
  },
};

/** A mark on a file. */
export interface FanotifyInodeMarkEntry {
  i_ino: bigint;
  f_handle: FhEntry;
}

export const fanotify_inode_mark_entry: MessageType<FanotifyInodeMarkEntry> = {
  name: 'fanotify_inode_mark_entry',
  required: ['i_ino', 'f_handle'],
  fields: {
    1: { name: 'i_ino', type: 'uint64' },
    2: { name: 'f_handle', type: fh_entry },
  },
};

/** A mark on a mount. */
export interface FanotifyMountMarkEntry {
  mnt_id: number;
  path?: string | undefined;
}

export const fanotify_mount_mark_entry: MessageType<FanotifyMountMarkEntry> = {
  name: 'fanotify_mount_mark_entry',
  required: ['mnt_id'],
  fields: {
    1: { name: 'mnt_id', type: 'uint32' },
    2: { name: 'path', type: 'string' },
  },
};

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

export const fanotify_mark_entry: MessageType<FanotifyMarkEntry> = {
  name: 'fanotify_mark_entry',
  required: ['id', 'type', 'mflags', 'mask', 'ignored_mask', 's_dev'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'type', type: mark_type },
    3: { name: 'mflags', type: 'uint32', format: { hex: true } },
    4: { name: 'mask', type: 'uint32', format: { hex: true } },
    5: { name: 'ignored_mask', type: 'uint32', format: { hex: true } },
    6: { name: 's_dev', type: 'uint32', format: { dev: true } },
    7: { name: 'ie', type: fanotify_inode_mark_entry },
    8: { name: 'me', type: fanotify_mount_mark_entry },
  },
};

/** A fanotify instance. */
export interface FanotifyFileEntry {
  id: number;
  flags: number;
  fown: FownEntry;
  faflags: number;
  evflags: number;
  mark?: FanotifyMarkEntry[] | undefined;
}

export const fanotify_file_entry: MessageType<FanotifyFileEntry> = {
  name: 'fanotify_file_entry',
  required: ['id', 'flags', 'fown', 'faflags', 'evflags'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'flags', type: 'uint32', format: { hex: true } },
    3: { name: 'fown', type: fown_entry },
    4: { name: 'faflags', type: 'uint32', format: { hex: true } },
    5: { name: 'evflags', type: 'uint32', format: { hex: true } },
    6: { name: 'mark', type: fanotify_mark_entry, repeated: true },
  },
};

/** A file that a plugin restores. */
export interface ExtFileEntry {
  id: number;
  fown: FownEntry;
}

export const ext_file_entry: MessageType<ExtFileEntry> = {
  name: 'ext_file_entry',
  required: ['id', 'fown'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    5: { name: 'fown', type: fown_entry },
  },
};

/** An end of a pipe. */
export interface PipeEntry {
  id: number;
  pipe_id: number;
  flags: number;
  fown: FownEntry;
  uid?: number | undefined;
  gid?: number | undefined;
}

export const pipe_entry: MessageType<PipeEntry> = {
  name: 'pipe_entry',
  required: ['id', 'pipe_id', 'flags', 'fown'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'pipe_id', type: 'uint32' },
    3: { name: 'flags', type: 'uint32', format: { hex: true } },
    4: { name: 'fown', type: fown_entry },
    5: { name: 'uid', type: 'uint32' },
    6: { name: 'gid', type: 'uint32' },
  },
};

/** A named pipe. */
export interface FifoEntry {
  id: number;
  pipe_id: number;
  regf_id?: number | undefined;
  wait_writer?: boolean | undefined;
}

export const fifo_entry: MessageType<FifoEntry> = {
  name: 'fifo_entry',
  required: ['id', 'pipe_id'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'pipe_id', type: 'uint32' },
    3: { name: 'regf_id', type: 'uint32' },
    4: { name: 'wait_writer', type: 'bool' },
  },
};

/** The bytes in a pipe, which follow. */
export interface PipeDataEntry {
  pipe_id: number;
  bytes: number;
  size?: number | undefined;
}

export const pipe_data_entry: MessageType<PipeDataEntry> = {
  name: 'pipe_data_entry',
  required: ['pipe_id', 'bytes'],
  fields: {
    1: { name: 'pipe_id', type: 'uint32' },
    2: { name: 'bytes', type: 'uint32' },
    3: { name: 'size', type: 'uint32' },
  },
};

/** A descriptor of a TUN or TAP device. */
export interface TunfileEntry {
  id: number;
  netdev?: string | undefined;
  detached?: boolean | undefined;
  ns_id?: number | undefined;
}

export const tunfile_entry: MessageType<TunfileEntry> = {
  name: 'tunfile_entry',
  required: ['id'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'netdev', type: 'string' },
    3: { name: 'detached', type: 'bool' },
    4: { name: 'ns_id', type: 'uint32' },
  },
};

/** A descriptor of a file in memory. */
export interface MemfdFileEntry {
  id: number;
  flags: number;
  pos: bigint;
  fown: FownEntry;
  inode_id: number;
}

export const memfd_file_entry: MessageType<MemfdFileEntry> = {
  name: 'memfd_file_entry',
  required: ['id', 'flags', 'pos', 'fown', 'inode_id'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'flags', type: 'uint32', format: { flags: 'rfile.flags' } },
    3: { name: 'pos', type: 'uint64' },
    4: { name: 'fown', type: fown_entry },
    5: { name: 'inode_id', type: 'uint32' },
  },
};

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

export const bpfmap_file_entry: MessageType<BpfmapFileEntry> = {
  name: 'bpfmap_file_entry',
  required: ['id', 'flags', 'pos', 'fown', 'map_type', 'key_size', 'value_size', 'map_id', 'max_entries', 'map_flags', 'memlock', 'frozen', 'map_name', 'ifindex'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'flags', type: 'uint32', format: { flags: 'rfile.flags' } },
    3: { name: 'pos', type: 'uint64' },
    4: { name: 'fown', type: fown_entry },
    5: { name: 'map_type', type: 'uint32' },
    6: { name: 'key_size', type: 'uint32' },
    7: { name: 'value_size', type: 'uint32' },
    8: { name: 'map_id', type: 'uint32' },
    9: { name: 'max_entries', type: 'uint32' },
    10: { name: 'map_flags', type: 'uint32' },
    11: { name: 'memlock', type: 'uint64' },
    12: { name: 'frozen', type: 'bool' },
    13: { name: 'map_name', type: 'string' },
    14: { name: 'ifindex', type: 'uint32' },
    15: { name: 'mnt_id', type: 'sint32' },
    16: { name: 'map_extra', type: 'uint64' },
  },
};

/** The keys and values of a BPF map, which follow. */
export interface BpfmapDataEntry {
  map_id: number;
  keys_bytes: number;
  values_bytes: number;
  count: number;
}

export const bpfmap_data_entry: MessageType<BpfmapDataEntry> = {
  name: 'bpfmap_data_entry',
  required: ['map_id', 'keys_bytes', 'values_bytes', 'count'],
  fields: {
    1: { name: 'map_id', type: 'uint32' },
    2: { name: 'keys_bytes', type: 'uint32' },
    3: { name: 'values_bytes', type: 'uint32' },
    4: { name: 'count', type: 'uint32' },
  },
};

/** A pidfd. */
export interface PidfdEntry {
  id: number;
  ino: number;
  flags: number;
  nspid: number;
  fown: FownEntry;
}

export const pidfd_entry: MessageType<PidfdEntry> = {
  name: 'pidfd_entry',
  required: ['id', 'ino', 'flags', 'nspid', 'fown'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'ino', type: 'uint32' },
    3: { name: 'flags', type: 'uint32' },
    4: { name: 'nspid', type: 'int32' },
    5: { name: 'fown', type: fown_entry },
  },
};

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

export const file_entry: MessageType<FileEntry> = {
  name: 'file_entry',
  required: ['type', 'id'],
  fields: {
    1: { name: 'type', type: fd_types },
    2: { name: 'id', type: 'uint32' },
    3: { name: 'reg', type: reg_file_entry },
    4: { name: 'isk', type: inet_sk_entry },
    5: { name: 'nsf', type: ns_file_entry },
    6: { name: 'psk', type: packet_sock_entry },
    7: { name: 'nlsk', type: netlink_sk_entry },
    8: { name: 'efd', type: eventfd_file_entry },
    9: { name: 'epfd', type: eventpoll_file_entry },
    10: { name: 'sgfd', type: signalfd_entry },
    11: { name: 'tunf', type: tunfile_entry },
    12: { name: 'tfd', type: timerfd_entry },
    13: { name: 'ify', type: inotify_file_entry },
    14: { name: 'ffy', type: fanotify_file_entry },
    15: { name: 'ext', type: ext_file_entry },
    16: { name: 'usk', type: unix_sk_entry },
    17: { name: 'fifo', type: fifo_entry },
    18: { name: 'pipe', type: pipe_entry },
    19: { name: 'tty', type: tty_file_entry },
    20: { name: 'memfd', type: memfd_file_entry },
    21: { name: 'bpf', type: bpfmap_file_entry },
    22: { name: 'pidfd', type: pidfd_entry },
  },
};

/** What takes the place of a file without a name. */
export type RemapType = 'LINKED' | 'GHOST' | 'PROCFS';
export const remap_type: EnumType = {
  name: 'remap_type',
  numbers: {
    LINKED: 0,
    GHOST: 1,
    PROCFS: 2,
  },
};

/** A file that had lost its name before the dump. */
export interface RemapFilePathEntry {
  orig_id: number;
  remap_id: number;
  remap_type?: RemapType | number | undefined;
}

export const remap_file_path_entry: MessageType<RemapFilePathEntry> = {
  name: 'remap_file_path_entry',
  required: ['orig_id', 'remap_id'],
  fields: {
    1: { name: 'orig_id', type: 'uint32' },
    2: { name: 'remap_id', type: 'uint32' },
    3: { name: 'remap_type', type: remap_type },
  },
};

/** A time in seconds and microseconds. */
export interface Timeval {
  tv_sec: bigint;
  tv_usec: bigint;
}

export const timeval: MessageType<Timeval> = {
  name: 'timeval',
  required: ['tv_sec', 'tv_usec'],
  fields: {
    1: { name: 'tv_sec', type: 'uint64' },
    2: { name: 'tv_usec', type: 'uint64' },
  },
};

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

export const ghost_file_entry: MessageType<GhostFileEntry> = {
  name: 'ghost_file_entry',
  required: ['uid', 'gid', 'mode'],
  fields: {
    1: { name: 'uid', type: 'uint32' },
    2: { name: 'gid', type: 'uint32' },
    3: { name: 'mode', type: 'uint32' },
    4: { name: 'dev', type: 'uint32', format: { dev: true } },
    5: { name: 'ino', type: 'uint64' },
    6: { name: 'rdev', type: 'uint32', format: { dev: true, odev: true } },
    7: { name: 'atim', type: timeval },
    8: { name: 'mtim', type: timeval },
    9: { name: 'chunks', type: 'bool' },
    10: { name: 'size', type: 'uint64' },
    11: { name: 'symlnk_target', type: 'string' },
  },
};

/** A part of a file with holes; its bytes follow. */
export interface GhostChunkEntry {
  len: bigint;
  off: bigint;
}

export const ghost_chunk_entry: MessageType<GhostChunkEntry> = {
  name: 'ghost_chunk_entry',
  required: ['len', 'off'],
  fields: {
    1: { name: 'len', type: 'uint64' },
    2: { name: 'off', type: 'uint64' },
  },
};

/** A lock of a file. */
export interface FileLockEntry {
  flag: number;
  type: number;
  pid: number;
  fd: number;
  start: bigint;
  len: bigint;
}

export const file_lock_entry: MessageType<FileLockEntry> = {
  name: 'file_lock_entry',
  required: ['flag', 'type', 'pid', 'fd', 'start', 'len'],
  fields: {
    1: { name: 'flag', type: 'uint32' },
    2: { name: 'type', type: 'uint32' },
    3: { name: 'pid', type: 'int32' },
    4: { name: 'fd', type: 'int32' },
    5: { name: 'start', type: 'int64' },
    6: { name: 'len', type: 'int64' },
  },
};
