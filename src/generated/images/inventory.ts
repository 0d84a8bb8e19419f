// Written by scripts/generate.mjs from proto/. Do not edit.
import type { EnumType, MessageType } from '../../protobuf/message-type.ts';
import type * as types from './types.ts';

export const lsmtype: EnumType = {
  name: 'lsmtype',
  numbers: {
    NO_LSM: 0,
    SELINUX: 1,
    APPARMOR: 2,
  },
};

export const plugins_entry: MessageType<types.PluginsEntry> = {
  name: 'plugins_entry',
  required: [],
  fields: {
    12: { name: 'plugins', type: 'string', repeated: true },
  },
};

export const task_kobj_ids_entry: MessageType<types.TaskKobjIdsEntry> = {
  name: 'task_kobj_ids_entry',
  required: ['vm_id', 'files_id', 'fs_id', 'sighand_id'],
  fields: {
    1: { name: 'vm_id', type: 'uint32' },
    2: { name: 'files_id', type: 'uint32' },
    3: { name: 'fs_id', type: 'uint32' },
    4: { name: 'sighand_id', type: 'uint32' },
    5: { name: 'pid_ns_id', type: 'uint32' },
    6: { name: 'net_ns_id', type: 'uint32' },
    7: { name: 'ipc_ns_id', type: 'uint32' },
    8: { name: 'uts_ns_id', type: 'uint32' },
    9: { name: 'mnt_ns_id', type: 'uint32' },
    10: { name: 'user_ns_id', type: 'uint32' },
    11: { name: 'cgroup_ns_id', type: 'uint32' },
    12: { name: 'time_ns_id', type: 'uint32' },
  },
};

export const inventory_entry: MessageType<types.InventoryEntry> = {
  name: 'inventory_entry',
  required: ['img_version'],
  fields: {
    1: { name: 'img_version', type: 'uint32' },
    2: { name: 'fdinfo_per_id', type: 'bool' },
    3: { name: 'root_ids', type: task_kobj_ids_entry },
    4: { name: 'ns_per_id', type: 'bool' },
    5: { name: 'root_cg_set', type: 'uint32' },
    6: { name: 'lsmtype', type: lsmtype },
    8: { name: 'dump_uptime', type: 'uint64' },
    9: { name: 'pre_dump_mode', type: 'uint32' },
    10: { name: 'tcp_close', type: 'bool' },
    11: { name: 'network_lock_method', type: 'uint32' },
    12: { name: 'plugins_entry', type: plugins_entry },
    13: { name: 'dump_criu_run_id', type: 'string' },
    14: { name: 'allow_uprobes', type: 'bool' },
    15: { name: 'compress', type: 'uint32' },
    16: { name: 'compress_block_size', type: 'uint32' },
  },
};
