// Written by scripts/generate.mjs from proto/. Do not edit.
import type { EnumType, MessageType } from '../../protobuf/message-type.ts';

/** The type of a file system. */
export type Fstype = 'UNSUPPORTED' | 'PROC' | 'SYSFS' | 'DEVTMPFS' | 'BINFMT_MISC' | 'TMPFS' | 'DEVPTS' | 'SIMFS' | 'PSTORE' | 'SECURITYFS' | 'FUSECTL' | 'DEBUGFS' | 'CGROUP' | 'AUFS' | 'MQUEUE' | 'FUSE' | 'AUTO' | 'OVERLAYFS' | 'AUTOFS' | 'TRACEFS' | 'CGROUP2';
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

export const mnt_entry: MessageType<MntEntry> = {
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

export const autofs_entry: MessageType<AutofsEntry> = {
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
