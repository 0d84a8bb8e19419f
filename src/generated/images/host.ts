// Written by scripts/generate.mjs from proto/. Do not edit.
import type { EnumType, MessageType } from '../../protobuf/message-type.ts';

/** Owner and permissions of a control group. */
export interface CgroupPerms {
  mode: number;
  uid: number;
  gid: number;
}

export const cgroup_perms: MessageType<CgroupPerms> = {
  name: 'cgroup_perms',
  required: ['mode', 'uid', 'gid'],
  fields: {
    1: { name: 'mode', type: 'uint32' },
    2: { name: 'uid', type: 'uint32' },
    3: { name: 'gid', type: 'uint32' },
  },
};

/** A property of a control group. */
export interface CgroupPropEntry {
  name: string;
  value: string;
  perms?: CgroupPerms | undefined;
}

export const cgroup_prop_entry: MessageType<CgroupPropEntry> = {
  name: 'cgroup_prop_entry',
  required: ['name', 'value'],
  fields: {
    1: { name: 'name', type: 'string' },
    2: { name: 'value', type: 'string' },
    3: { name: 'perms', type: cgroup_perms },
  },
};

/** A control group, and those within it. */
export interface CgroupDirEntry {
  dir_name: string;
  children?: CgroupDirEntry[] | undefined;
  properties?: CgroupPropEntry[] | undefined;
  dir_perms?: CgroupPerms | undefined;
}

export const cgroup_dir_entry: MessageType<CgroupDirEntry> = {
  name: 'cgroup_dir_entry',
  required: ['dir_name'],
  fields: {
    1: { name: 'dir_name', type: 'string' },
    2: { name: 'children', get type() { return cgroup_dir_entry; }, repeated: true },
    3: { name: 'properties', type: cgroup_prop_entry, repeated: true },
    4: { name: 'dir_perms', type: cgroup_perms },
  },
};

/** A hierarchy of control groups. */
export interface CgControllerEntry {
  cnames?: string[] | undefined;
  dirs?: CgroupDirEntry[] | undefined;
  is_threaded?: boolean | undefined;
}

export const cg_controller_entry: MessageType<CgControllerEntry> = {
  name: 'cg_controller_entry',
  required: [],
  fields: {
    1: { name: 'cnames', type: 'string', repeated: true },
    2: { name: 'dirs', type: cgroup_dir_entry, repeated: true },
    3: { name: 'is_threaded', type: 'bool' },
  },
};

/** The control group in one hierarchy. */
export interface CgMemberEntry {
  name: string;
  path: string;
  cgns_prefix?: number | undefined;
}

export const cg_member_entry: MessageType<CgMemberEntry> = {
  name: 'cg_member_entry',
  required: ['name', 'path'],
  fields: {
    1: { name: 'name', type: 'string' },
    2: { name: 'path', type: 'string' },
    3: { name: 'cgns_prefix', type: 'uint32' },
  },
};

/** Control groups that a process was in, one per hierarchy. */
export interface CgSetEntry {
  id: number;
  ctls?: CgMemberEntry[] | undefined;
}

export const cg_set_entry: MessageType<CgSetEntry> = {
  name: 'cg_set_entry',
  required: ['id'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'ctls', type: cg_member_entry, repeated: true },
  },
};

/** All control groups of a dump. */
export interface CgroupEntry {
  sets?: CgSetEntry[] | undefined;
  controllers?: CgControllerEntry[] | undefined;
}

export const cgroup_entry: MessageType<CgroupEntry> = {
  name: 'cgroup_entry',
  required: [],
  fields: {
    1: { name: 'sets', type: cg_set_entry, repeated: true },
    2: { name: 'controllers', type: cg_controller_entry, repeated: true },
  },
};

export type Vendor = 'UNKNOWN' | 'INTEL' | 'AMD';
export const vendor: EnumType = {
  name: 'vendor',
  numbers: {
    UNKNOWN: 0,
    INTEL: 1,
    AMD: 2,
  },
};

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

export const cpuinfo_x86_entry: MessageType<CpuinfoX86Entry> = {
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

export type Endianness = 'BIGENDIAN' | 'LITTLEENDIAN';
export const endianness: EnumType = {
  name: 'endianness',
  numbers: {
    BIGENDIAN: 0,
    LITTLEENDIAN: 1,
  },
};

/** A ppc64 processor. */
export interface CpuinfoPpc64Entry {
  endian: Endianness | number;
  hwcap?: bigint[] | undefined;
}

export const cpuinfo_ppc64_entry: MessageType<CpuinfoPpc64Entry> = {
  name: 'cpuinfo_ppc64_entry',
  required: ['endian'],
  fields: {
    1: { name: 'endian', type: endianness },
    2: { name: 'hwcap', type: 'uint64', repeated: true },
  },
};

/** An s390 processor. */
export interface CpuinfoS390Entry {
  hwcap?: bigint[] | undefined;
}

export const cpuinfo_s390_entry: MessageType<CpuinfoS390Entry> = {
  name: 'cpuinfo_s390_entry',
  required: [],
  fields: {
    2: { name: 'hwcap', type: 'uint64', repeated: true },
  },
};

/** The processor of the host. */
export interface CpuinfoEntry {
  x86_entry?: CpuinfoX86Entry[] | undefined;
  ppc64_entry?: CpuinfoPpc64Entry[] | undefined;
  s390_entry?: CpuinfoS390Entry[] | undefined;
}

export const cpuinfo_entry: MessageType<CpuinfoEntry> = {
  name: 'cpuinfo_entry',
  required: [],
  fields: {
    1: { name: 'x86_entry', type: cpuinfo_x86_entry, repeated: true },
    2: { name: 'ppc64_entry', type: cpuinfo_ppc64_entry, repeated: true },
    3: { name: 's390_entry', type: cpuinfo_s390_entry, repeated: true },
  },
};

/** A filter of system calls. */
export interface SeccompFilter {
  filter: Uint8Array;
  prev?: number | undefined;
  flags?: number | undefined;
}

export const seccomp_filter: MessageType<SeccompFilter> = {
  name: 'seccomp_filter',
  required: ['filter'],
  fields: {
    1: { name: 'filter', type: 'bytes' },
    2: { name: 'prev', type: 'uint32' },
    3: { name: 'flags', type: 'uint32' },
  },
};

/** All filters of a dump. */
export interface SeccompEntry {
  seccomp_filters?: SeccompFilter[] | undefined;
}

export const seccomp_entry: MessageType<SeccompEntry> = {
  name: 'seccomp_entry',
  required: [],
  fields: {
    1: { name: 'seccomp_filters', type: seccomp_filter, repeated: true },
  },
};

/** A profile of AppArmor. */
export interface AaPolicy {
  name: string;
  blob: Uint8Array;
}

export const aa_policy: MessageType<AaPolicy> = {
  name: 'aa_policy',
  required: ['name', 'blob'],
  fields: {
    1: { name: 'name', type: 'string' },
    2: { name: 'blob', type: 'bytes' },
  },
};

/** A namespace of AppArmor. */
export interface AaNamespace {
  name: string;
  policies?: AaPolicy[] | undefined;
  namespaces?: AaNamespace[] | undefined;
}

export const aa_namespace: MessageType<AaNamespace> = {
  name: 'aa_namespace',
  required: ['name'],
  fields: {
    1: { name: 'name', type: 'string' },
    2: { name: 'policies', type: aa_policy, repeated: true },
    3: { name: 'namespaces', get type() { return aa_namespace; }, repeated: true },
  },
};

/** The AppArmor namespaces of a dump. */
export interface ApparmorEntry {
  namespaces?: AaNamespace[] | undefined;
}

export const apparmor_entry: MessageType<ApparmorEntry> = {
  name: 'apparmor_entry',
  required: [],
  fields: {
    1: { name: 'namespaces', type: aa_namespace, repeated: true },
  },
};
