// Written by scripts/generate.mjs from proto/. Do not edit.
import type { EnumType, MessageType } from '../../protobuf/message-type.ts';

/** The security module of the host. */
export type Lsmtype = 'NO_LSM' | 'SELINUX' | 'APPARMOR';
export const lsmtype: EnumType = {
  name: 'lsmtype',
  numbers: {
    NO_LSM: 0,
    SELINUX: 1,
    APPARMOR: 2,
  },
};

/** The plugins of CRIU that took part in the dump. */
export interface PluginsEntry {
  plugins?: string[] | undefined;
}

export const plugins_entry: MessageType<PluginsEntry> = {
  name: 'plugins_entry',
  required: [],
  fields: {
    12: { name: 'plugins', type: 'string', repeated: true },
  },
};

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

export const task_kobj_ids_entry: MessageType<TaskKobjIdsEntry> = {
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

export const inventory_entry: MessageType<InventoryEntry> = {
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
