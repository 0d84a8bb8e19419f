// Written by scripts/generate.mjs from proto/. Do not edit.
import type { EnumType, MessageType } from '../../protobuf/message-type.ts';
import type * as types from './types.ts';

export const cgroup_perms: MessageType<types.CgroupPerms> = {
  name: 'cgroup_perms',
  required: ['mode', 'uid', 'gid'],
  fields: {
    1: { name: 'mode', type: 'uint32' },
    2: { name: 'uid', type: 'uint32' },
    3: { name: 'gid', type: 'uint32' },
  },
};

export const cgroup_prop_entry: MessageType<types.CgroupPropEntry> = {
  name: 'cgroup_prop_entry',
  required: ['name', 'value'],
  fields: {
    1: { name: 'name', type: 'string' },
    2: { name: 'value', type: 'string' },
    3: { name: 'perms', type: cgroup_perms },
  },
};

export const cgroup_dir_entry: MessageType<types.CgroupDirEntry> = {
  name: 'cgroup_dir_entry',
  required: ['dir_name'],
  fields: {
    1: { name: 'dir_name', type: 'string' },
    2: { name: 'children', get type() { return cgroup_dir_entry; }, repeated: true },
    3: { name: 'properties', type: cgroup_prop_entry, repeated: true },
    4: { name: 'dir_perms', type: cgroup_perms },
  },
};

export const cg_controller_entry: MessageType<types.CgControllerEntry> = {
  name: 'cg_controller_entry',
  required: [],
  fields: {
    1: { name: 'cnames', type: 'string', repeated: true },
    2: { name: 'dirs', type: cgroup_dir_entry, repeated: true },
    3: { name: 'is_threaded', type: 'bool' },
  },
};

export const cg_member_entry: MessageType<types.CgMemberEntry> = {
  name: 'cg_member_entry',
  required: ['name', 'path'],
  fields: {
    1: { name: 'name', type: 'string' },
    2: { name: 'path', type: 'string' },
    3: { name: 'cgns_prefix', type: 'uint32' },
  },
};

export const cg_set_entry: MessageType<types.CgSetEntry> = {
  name: 'cg_set_entry',
  required: ['id'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'ctls', type: cg_member_entry, repeated: true },
  },
};

export const cgroup_entry: MessageType<types.CgroupEntry> = {
  name: 'cgroup_entry',
  required: [],
  fields: {
    1: { name: 'sets', type: cg_set_entry, repeated: true },
    2: { name: 'controllers', type: cg_controller_entry, repeated: true },
  },
};

export const vendor: EnumType = {
  name: 'vendor',
  numbers: {
    UNKNOWN: 0,
    INTEL: 1,
    AMD: 2,
  },
};

export const cpuinfo_x86_entry: MessageType<types.CpuinfoX86Entry> = {
  name: 'cpuinfo_x86_entry',
  required: ['vendor_id', 'cpu_family', 'model', 'stepping', 'capability_ver'],
  fields: {
    1: { name: 'vendor_id', type: vendor },
    2: { name: 'cpu_family', type: 'uint32' },
    3: { name: 'model', type: 'uint32' },
    4: { name: 'stepping', type: 'uint32' },
    5: { name: 'capability_ver', type: 'uint32' },
    6: { name: 'capability', type: 'uint32', repeated: true },
    7: { name: 'model_id', type: 'string' },
    8: { name: 'xfeatures_mask', type: 'uint64' },
    9: { name: 'xsave_size', type: 'uint32' },
    10: { name: 'xsave_size_max', type: 'uint32' },
  },
};

export const endianness: EnumType = {
  name: 'endianness',
  numbers: {
    BIGENDIAN: 0,
    LITTLEENDIAN: 1,
  },
};

export const cpuinfo_ppc64_entry: MessageType<types.CpuinfoPpc64Entry> = {
  name: 'cpuinfo_ppc64_entry',
  required: ['endian'],
  fields: {
    1: { name: 'endian', type: endianness },
    2: { name: 'hwcap', type: 'uint64', repeated: true },
  },
};

export const cpuinfo_s390_entry: MessageType<types.CpuinfoS390Entry> = {
  name: 'cpuinfo_s390_entry',
  required: [],
  fields: {
    2: { name: 'hwcap', type: 'uint64', repeated: true },
  },
};

export const cpuinfo_entry: MessageType<types.CpuinfoEntry> = {
  name: 'cpuinfo_entry',
  required: [],
  fields: {
    1: { name: 'x86_entry', type: cpuinfo_x86_entry, repeated: true },
    2: { name: 'ppc64_entry', type: cpuinfo_ppc64_entry, repeated: true },
    3: { name: 's390_entry', type: cpuinfo_s390_entry, repeated: true },
  },
};

export const seccomp_filter: MessageType<types.SeccompFilter> = {
  name: 'seccomp_filter',
  required: ['filter'],
  fields: {
    1: { name: 'filter', type: 'bytes' },
    2: { name: 'prev', type: 'uint32' },
    3: { name: 'flags', type: 'uint32' },
  },
};

export const seccomp_entry: MessageType<types.SeccompEntry> = {
  name: 'seccomp_entry',
  required: [],
  fields: {
    1: { name: 'seccomp_filters', type: seccomp_filter, repeated: true },
  },
};

export const aa_policy: MessageType<types.AaPolicy> = {
  name: 'aa_policy',
  required: ['name', 'blob'],
  fields: {
    1: { name: 'name', type: 'string' },
    2: { name: 'blob', type: 'bytes' },
  },
};

export const aa_namespace: MessageType<types.AaNamespace> = {
  name: 'aa_namespace',
  required: ['name'],
  fields: {
    1: { name: 'name', type: 'string' },
    2: { name: 'policies', type: aa_policy, repeated: true },
    3: { name: 'namespaces', get type() { return aa_namespace; }, repeated: true },
  },
};

export const apparmor_entry: MessageType<types.ApparmorEntry> = {
  name: 'apparmor_entry',
  required: [],
  fields: {
    1: { name: 'namespaces', type: aa_namespace, repeated: true },
  },
};
