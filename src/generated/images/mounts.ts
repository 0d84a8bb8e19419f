// Written by scripts/generate.mjs from proto/. Do not edit.
import type { EnumType, MessageType } from '../../protobuf/message-type.ts';
import type * as types from './types.ts';

export const fstype: EnumType = {
  name: 'fstype',
  numbers: {
    UNSUPPORTED: 0,
    PROC: 1,
    SYSFS: 2,
    DEVTMPFS: 3,
    BINFMT_MISC: 4,
    TMPFS: 5,
    DEVPTS: 6,
    SIMFS: 7,
    PSTORE: 8,
    SECURITYFS: 9,
    FUSECTL: 10,
    DEBUGFS: 11,
    CGROUP: 12,
    AUFS: 13,
    MQUEUE: 14,
    FUSE: 15,
    AUTO: 16,
    OVERLAYFS: 17,
    AUTOFS: 18,
    TRACEFS: 19,
    CGROUP2: 23,
  },
};

export const mnt_entry: MessageType<types.MntEntry> = {
  name: 'mnt_entry',
  required: ['fstype', 'mnt_id', 'root_dev', 'parent_mnt_id', 'flags', 'root', 'mountpoint', 'source', 'options'],
  fields: {
    1: { name: 'fstype', type: 'uint32' },
    2: { name: 'mnt_id', type: 'uint32' },
    3: { name: 'root_dev', type: 'uint32', format: { dev: true } },
    4: { name: 'parent_mnt_id', type: 'uint32' },
    5: { name: 'flags', type: 'uint32', format: { hex: true } },
    6: { name: 'root', type: 'string' },
    7: { name: 'mountpoint', type: 'string' },
    8: { name: 'source', type: 'string' },
    9: { name: 'options', type: 'string' },
    10: { name: 'shared_id', type: 'uint32' },
    11: { name: 'master_id', type: 'uint32' },
    12: { name: 'with_plugin', type: 'bool' },
    13: { name: 'ext_mount', type: 'bool' },
    14: { name: 'fsname', type: 'string' },
    15: { name: 'internal_sharing', type: 'bool' },
    16: { name: 'deleted', type: 'bool' },
    17: { name: 'sb_flags', type: 'uint32', format: { hex: true } },
    18: { name: 'ext_key', type: 'string' },
  },
};

export const autofs_entry: MessageType<types.AutofsEntry> = {
  name: 'autofs_entry',
  required: ['fd', 'pgrp', 'timeout', 'minproto', 'maxproto', 'mode'],
  fields: {
    1: { name: 'fd', type: 'int32' },
    2: { name: 'pgrp', type: 'int32' },
    3: { name: 'timeout', type: 'int32' },
    4: { name: 'minproto', type: 'int32' },
    5: { name: 'maxproto', type: 'int32' },
    6: { name: 'mode', type: 'int32' },
    7: { name: 'uid', type: 'int32' },
    8: { name: 'gid', type: 'int32' },
    9: { name: 'read_fd', type: 'int32' },
  },
};
