// Written by scripts/generate.mjs from proto/. Do not edit.
import type { EnumType, MessageType } from '../../protobuf/message-type.ts';
import { fown_entry } from './fown.ts';
import { inet_sk_entry } from './sockets.ts';
import { packet_sock_entry } from './sockets.ts';
import { netlink_sk_entry } from './sockets.ts';
import { unix_sk_entry } from './sockets.ts';
import { tty_file_entry } from './terminals.ts';
import type * as types from './types.ts';

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

export const fs_entry: MessageType<types.FsEntry> = {
  name: 'fs_entry',
  required: ['cwd_id', 'root_id'],
  fields: {
    1: { name: 'cwd_id', type: 'uint32' },
    2: { name: 'root_id', type: 'uint32' },
    3: { name: 'umask', type: 'uint32' },
  },
};

export const fdinfo_entry: MessageType<types.FdinfoEntry> = {
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

export const reg_file_entry: MessageType<types.RegFileEntry> = {
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

export const ns_file_entry: MessageType<types.NsFileEntry> = {
  name: 'ns_file_entry',
  required: ['id', 'ns_id', 'ns_cflag', 'flags'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'ns_id', type: 'uint32' },
    3: { name: 'ns_cflag', type: 'uint32' },
    4: { name: 'flags', type: 'uint32' },
  },
};

export const eventfd_file_entry: MessageType<types.EventfdFileEntry> = {
  name: 'eventfd_file_entry',
  required: ['id', 'flags', 'fown', 'counter'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'flags', type: 'uint32' },
    3: { name: 'fown', type: fown_entry },
    4: { name: 'counter', type: 'uint64' },
  },
};

export const eventpoll_tfd_entry: MessageType<types.EventpollTfdEntry> = {
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

export const eventpoll_file_entry: MessageType<types.EventpollFileEntry> = {
  name: 'eventpoll_file_entry',
  required: ['id', 'flags', 'fown'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'flags', type: 'uint32' },
    3: { name: 'fown', type: fown_entry },
    4: { name: 'tfd', type: eventpoll_tfd_entry, repeated: true },
  },
};

export const signalfd_entry: MessageType<types.SignalfdEntry> = {
  name: 'signalfd_entry',
  required: ['id', 'flags', 'fown', 'sigmask'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'flags', type: 'uint32', format: { hex: true } },
    3: { name: 'fown', type: fown_entry },
    4: { name: 'sigmask', type: 'uint64', format: { hex: true } },
  },
};

export const timerfd_entry: MessageType<types.TimerfdEntry> = {
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

export const fh_entry_sizes: EnumType = {
  name: 'fh_entry_sizes',
  numbers: {
    min_entries: 16,
  },
};

export const fh_entry: MessageType<types.FhEntry> = {
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

export const irmap_cache_entry: MessageType<types.IrmapCacheEntry> = {
  name: 'irmap_cache_entry',
  required: ['dev', 'inode', 'path'],
  fields: {
    1: { name: 'dev', type: 'uint32', format: { dev: true, odev: true } },
    2: { name: 'inode', type: 'uint64' },
    3: { name: 'path', type: 'string' },
  },
};

export const inotify_wd_entry: MessageType<types.InotifyWdEntry> = {
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

export const inotify_file_entry: MessageType<types.InotifyFileEntry> = {
  name: 'inotify_file_entry',
  required: ['id', 'flags', 'fown'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'flags', type: 'uint32', format: { hex: true } },
    4: { name: 'fown', type: fown_entry },
    5: { name: 'wd', type: inotify_wd_entry, repeated: true },
  },
};

export const mark_type: EnumType = {
  name: 'mark_type',
  numbers: {
    INODE: 1,
    MOUNT: 2,
  },
};

export const fanotify_inode_mark_entry: MessageType<types.FanotifyInodeMarkEntry> = {
  name: 'fanotify_inode_mark_entry',
  required: ['i_ino', 'f_handle'],
  fields: {
    1: { name: 'i_ino', type: 'uint64' },
    2: { name: 'f_handle', type: fh_entry },
  },
};

export const fanotify_mount_mark_entry: MessageType<types.FanotifyMountMarkEntry> = {
  name: 'fanotify_mount_mark_entry',
  required: ['mnt_id'],
  fields: {
    1: { name: 'mnt_id', type: 'uint32' },
    2: { name: 'path', type: 'string' },
  },
};

export const fanotify_mark_entry: MessageType<types.FanotifyMarkEntry> = {
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

export const fanotify_file_entry: MessageType<types.FanotifyFileEntry> = {
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

export const ext_file_entry: MessageType<types.ExtFileEntry> = {
  name: 'ext_file_entry',
  required: ['id', 'fown'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    5: { name: 'fown', type: fown_entry },
  },
};

export const pipe_entry: MessageType<types.PipeEntry> = {
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

export const fifo_entry: MessageType<types.FifoEntry> = {
  name: 'fifo_entry',
  required: ['id', 'pipe_id'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'pipe_id', type: 'uint32' },
    3: { name: 'regf_id', type: 'uint32' },
    4: { name: 'wait_writer', type: 'bool' },
  },
};

export const pipe_data_entry: MessageType<types.PipeDataEntry> = {
  name: 'pipe_data_entry',
  required: ['pipe_id', 'bytes'],
  fields: {
    1: { name: 'pipe_id', type: 'uint32' },
    2: { name: 'bytes', type: 'uint32' },
    3: { name: 'size', type: 'uint32' },
  },
};

export const tunfile_entry: MessageType<types.TunfileEntry> = {
  name: 'tunfile_entry',
  required: ['id'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'netdev', type: 'string' },
    3: { name: 'detached', type: 'bool' },
    4: { name: 'ns_id', type: 'uint32' },
  },
};

export const memfd_file_entry: MessageType<types.MemfdFileEntry> = {
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

export const bpfmap_file_entry: MessageType<types.BpfmapFileEntry> = {
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

export const bpfmap_data_entry: MessageType<types.BpfmapDataEntry> = {
  name: 'bpfmap_data_entry',
  required: ['map_id', 'keys_bytes', 'values_bytes', 'count'],
  fields: {
    1: { name: 'map_id', type: 'uint32' },
    2: { name: 'keys_bytes', type: 'uint32' },
    3: { name: 'values_bytes', type: 'uint32' },
    4: { name: 'count', type: 'uint32' },
  },
};

export const pidfd_entry: MessageType<types.PidfdEntry> = {
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

export const file_entry: MessageType<types.FileEntry> = {
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

export const remap_type: EnumType = {
  name: 'remap_type',
  numbers: {
    LINKED: 0,
    GHOST: 1,
    PROCFS: 2,
  },
};

export const remap_file_path_entry: MessageType<types.RemapFilePathEntry> = {
  name: 'remap_file_path_entry',
  required: ['orig_id', 'remap_id'],
  fields: {
    1: { name: 'orig_id', type: 'uint32' },
    2: { name: 'remap_id', type: 'uint32' },
    3: { name: 'remap_type', type: remap_type },
  },
};

export const timeval: MessageType<types.Timeval> = {
  name: 'timeval',
  required: ['tv_sec', 'tv_usec'],
  fields: {
    1: { name: 'tv_sec', type: 'uint64' },
    2: { name: 'tv_usec', type: 'uint64' },
  },
};

export const ghost_file_entry: MessageType<types.GhostFileEntry> = {
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

export const ghost_chunk_entry: MessageType<types.GhostChunkEntry> = {
  name: 'ghost_chunk_entry',
  required: ['len', 'off'],
  fields: {
    1: { name: 'len', type: 'uint64' },
    2: { name: 'off', type: 'uint64' },
  },
};

export const file_lock_entry: MessageType<types.FileLockEntry> = {
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
