// Written by scripts/generate.mjs from proto/. Do not edit.
import type { EnumType, MessageType } from '../../protobuf/message-type.ts';

/** The names of a host. */
export interface UtsnsEntry {
  nodename: string;
  domainname: string;
}

export const utsns_entry: MessageType<UtsnsEntry> = {
  name: 'utsns_entry',
  required: ['nodename', 'domainname'],
  fields: {
    1: { name: 'nodename', type: 'string' },
    2: { name: 'domainname', type: 'string' },
  },
};

/** A range of ids of a user namespace. */
export interface UidGidExtent {
  first: number;
  lower_first: number;
  count: number;
}

export const uid_gid_extent: MessageType<UidGidExtent> = {
  name: 'uid_gid_extent',
  required: ['first', 'lower_first', 'count'],
  fields: {
    1: { name: 'first', type: 'uint32' },
    2: { name: 'lower_first', type: 'uint32' },
    3: { name: 'count', type: 'uint32' },
  },
};

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

export const binfmt_misc_entry: MessageType<BinfmtMiscEntry> = {
  name: 'binfmt_misc_entry',
  required: ['name', 'enabled', 'interpreter'],
  fields: {
    1: { name: 'name', type: 'string' },
    2: { name: 'enabled', type: 'bool' },
    3: { name: 'interpreter', type: 'string' },
    4: { name: 'flags', type: 'string' },
    5: { name: 'extension', type: 'string' },
    6: { name: 'magic', type: 'string' },
    7: { name: 'mask', type: 'string' },
    8: { name: 'offset', type: 'int32' },
  },
};

/** A user namespace. */
export interface UsernsEntry {
  uid_map?: UidGidExtent[] | undefined;
  gid_map?: UidGidExtent[] | undefined;
  binfmt_misc?: BinfmtMiscEntry[] | undefined;
}

export const userns_entry: MessageType<UsernsEntry> = {
  name: 'userns_entry',
  required: [],
  fields: {
    1: { name: 'uid_map', type: uid_gid_extent, repeated: true },
    2: { name: 'gid_map', type: uid_gid_extent, repeated: true },
    3: { name: 'binfmt_misc', type: binfmt_misc_entry, repeated: true },
  },
};

/** A time in seconds and nanoseconds. */
export interface Timespec {
  tv_sec: bigint;
  tv_nsec: bigint;
}

export const timespec: MessageType<Timespec> = {
  name: 'timespec',
  required: ['tv_sec', 'tv_nsec'],
  fields: {
    1: { name: 'tv_sec', type: 'uint64' },
    2: { name: 'tv_nsec', type: 'uint64' },
  },
};

/** The offsets of a time namespace. */
export interface TimensEntry {
  monotonic: Timespec;
  boottime: Timespec;
}

export const timens_entry: MessageType<TimensEntry> = {
  name: 'timens_entry',
  required: ['monotonic', 'boottime'],
  fields: {
    1: { name: 'monotonic', type: timespec },
    2: { name: 'boottime', type: timespec },
  },
};

/** A pid namespace. */
export interface PidnsEntry {
  ext_key?: string | undefined;
}

export const pidns_entry: MessageType<PidnsEntry> = {
  name: 'pidns_entry',
  required: [],
  fields: {
    1: { name: 'ext_key', type: 'string' },
  },
};

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

export const ipc_var_entry: MessageType<IpcVarEntry> = {
  name: 'ipc_var_entry',
  required: ['msg_ctlmax', 'msg_ctlmnb', 'msg_ctlmni', 'auto_msgmni', 'shm_ctlmax', 'shm_ctlall', 'shm_ctlmni', 'shm_rmid_forced', 'mq_queues_max', 'mq_msg_max', 'mq_msgsize_max'],
  fields: {
    1: { name: 'sem_ctls', type: 'uint32', repeated: true },
    2: { name: 'msg_ctlmax', type: 'uint32' },
    3: { name: 'msg_ctlmnb', type: 'uint32' },
    4: { name: 'msg_ctlmni', type: 'uint32' },
    5: { name: 'auto_msgmni', type: 'uint32' },
    6: { name: 'shm_ctlmax', type: 'uint64' },
    7: { name: 'shm_ctlall', type: 'uint64' },
    8: { name: 'shm_ctlmni', type: 'uint32' },
    9: { name: 'shm_rmid_forced', type: 'uint32' },
    10: { name: 'mq_queues_max', type: 'uint32' },
    11: { name: 'mq_msg_max', type: 'uint32' },
    12: { name: 'mq_msgsize_max', type: 'uint32' },
    13: { name: 'mq_msg_default', type: 'uint32' },
    14: { name: 'mq_msgsize_default', type: 'uint32' },
    15: { name: 'msg_next_id', type: 'uint32' },
    16: { name: 'sem_next_id', type: 'uint32' },
    17: { name: 'shm_next_id', type: 'uint32' },
  },
};

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

export const ipc_desc_entry: MessageType<IpcDescEntry> = {
  name: 'ipc_desc_entry',
  required: ['key', 'uid', 'gid', 'cuid', 'cgid', 'mode', 'id'],
  fields: {
    1: { name: 'key', type: 'uint32' },
    2: { name: 'uid', type: 'uint32' },
    3: { name: 'gid', type: 'uint32' },
    4: { name: 'cuid', type: 'uint32' },
    5: { name: 'cgid', type: 'uint32' },
    6: { name: 'mode', type: 'uint32' },
    7: { name: 'id', type: 'uint32' },
  },
};

/** A segment of System V shared memory; its bytes follow, or are in a pagemap. */
export interface IpcShmEntry {
  desc: IpcDescEntry;
  size: bigint;
  in_pagemaps?: boolean | undefined;
  hugetlb_flag?: number | undefined;
}

export const ipc_shm_entry: MessageType<IpcShmEntry> = {
  name: 'ipc_shm_entry',
  required: ['desc', 'size'],
  fields: {
    1: { name: 'desc', type: ipc_desc_entry },
    2: { name: 'size', type: 'uint64' },
    3: { name: 'in_pagemaps', type: 'bool' },
    4: { name: 'hugetlb_flag', type: 'uint32' },
  },
};

/** A set of semaphores; their values follow. */
export interface IpcSemEntry {
  desc: IpcDescEntry;
  nsems: number;
}

export const ipc_sem_entry: MessageType<IpcSemEntry> = {
  name: 'ipc_sem_entry',
  required: ['desc', 'nsems'],
  fields: {
    1: { name: 'desc', type: ipc_desc_entry },
    2: { name: 'nsems', type: 'uint32' },
  },
};

/** A message in a queue; its bytes follow. */
export interface IpcMsg {
  mtype: bigint;
  msize: number;
}

export const ipc_msg: MessageType<IpcMsg> = {
  name: 'ipc_msg',
  required: ['mtype', 'msize'],
  fields: {
    1: { name: 'mtype', type: 'uint64' },
    2: { name: 'msize', type: 'uint32' },
  },
};

/** A message queue; its messages follow. */
export interface IpcMsgEntry {
  desc: IpcDescEntry;
  qbytes: number;
  qnum: number;
}

export const ipc_msg_entry: MessageType<IpcMsgEntry> = {
  name: 'ipc_msg_entry',
  required: ['desc', 'qbytes', 'qnum'],
  fields: {
    1: { name: 'desc', type: ipc_desc_entry },
    2: { name: 'qbytes', type: 'uint32' },
    3: { name: 'qnum', type: 'uint32' },
  },
};

/** The type of a kernel setting. */
export type SysctlType = 'CTL_STR' | 'CTL_32';
export const SysctlType: EnumType = {
  name: 'SysctlType',
  numbers: {
    CTL_STR: 5,
    CTL_32: 6,
  },
};

/** A kernel setting. */
export interface SysctlEntry {
  type: SysctlType | number;
  iarg?: number | undefined;
  sarg?: string | undefined;
}

export const sysctl_entry: MessageType<SysctlEntry> = {
  name: 'sysctl_entry',
  required: ['type'],
  fields: {
    1: { name: 'type', type: SysctlType },
    2: { name: 'iarg', type: 'int32' },
    3: { name: 'sarg', type: 'string' },
  },
};

/** The number of another network namespace. */
export interface NetnsId {
  target_ns_id: number;
  netnsid_value: number;
}

export const netns_id: MessageType<NetnsId> = {
  name: 'netns_id',
  required: ['target_ns_id', 'netnsid_value'],
  fields: {
    1: { name: 'target_ns_id', type: 'uint32' },
    2: { name: 'netnsid_value', type: 'int32' },
  },
};

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

export const netns_entry: MessageType<NetnsEntry> = {
  name: 'netns_entry',
  required: [],
  fields: {
    1: { name: 'def_conf', type: 'int32', repeated: true },
    2: { name: 'all_conf', type: 'int32', repeated: true },
    3: { name: 'def_conf4', type: sysctl_entry, repeated: true },
    4: { name: 'all_conf4', type: sysctl_entry, repeated: true },
    5: { name: 'def_conf6', type: sysctl_entry, repeated: true },
    6: { name: 'all_conf6', type: sysctl_entry, repeated: true },
    7: { name: 'nsids', type: netns_id, repeated: true },
    8: { name: 'ext_key', type: 'string' },
    9: { name: 'unix_conf', type: sysctl_entry, repeated: true },
    10: { name: 'ipv4_sysctl', type: sysctl_entry, repeated: true },
  },
};

/** Properties of a macvlan device. */
export interface MacvlanLinkEntry {
  mode: number;
  flags?: number | undefined;
}

export const macvlan_link_entry: MessageType<MacvlanLinkEntry> = {
  name: 'macvlan_link_entry',
  required: ['mode'],
  fields: {
    1: { name: 'mode', type: 'uint32' },
    2: { name: 'flags', type: 'uint32' },
  },
};

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

export const sit_entry: MessageType<SitEntry> = {
  name: 'sit_entry',
  required: [],
  fields: {
    1: { name: 'link', type: 'uint32' },
    2: { name: 'local', type: 'uint32', repeated: true, format: { ipadd: true } },
    3: { name: 'remote', type: 'uint32', repeated: true, format: { ipadd: true } },
    4: { name: 'ttl', type: 'uint32' },
    5: { name: 'tos', type: 'uint32' },
    6: { name: 'pmtudisc', type: 'bool' },
    7: { name: 'proto', type: 'uint32' },
    8: { name: 'flags', type: 'uint32' },
    9: { name: 'encap_type', type: 'uint32' },
    10: { name: 'encap_flags', type: 'uint32' },
    11: { name: 'encap_sport', type: 'uint32' },
    12: { name: 'encap_dport', type: 'uint32' },
    13: { name: 'rd_prefixlen', type: 'uint32' },
    14: { name: 'rd_prefix', type: 'uint32', repeated: true, format: { ipadd: true } },
    15: { name: 'relay_prefixlen', type: 'uint32' },
    16: { name: 'relay_prefix', type: 'uint32', repeated: true, format: { ipadd: true } },
  },
};

/** Properties of a TUN or TAP device. */
export interface TunLinkEntry {
  flags: number;
  owner: number;
  group: number;
  vnethdr: number;
  sndbuf: number;
}

export const tun_link_entry: MessageType<TunLinkEntry> = {
  name: 'tun_link_entry',
  required: ['flags', 'owner', 'group', 'vnethdr', 'sndbuf'],
  fields: {
    1: { name: 'flags', type: 'uint32', format: { hex: true } },
    2: { name: 'owner', type: 'int32' },
    3: { name: 'group', type: 'int32' },
    4: { name: 'vnethdr', type: 'uint32' },
    5: { name: 'sndbuf', type: 'uint32' },
  },
};

/** The kind of a network device. */
export type NdType = 'LOOPBACK' | 'VETH' | 'TUN' | 'EXTLINK' | 'VENET' | 'BRIDGE' | 'MACVLAN' | 'SIT';
export const nd_type: EnumType = {
  name: 'nd_type',
  numbers: {
    LOOPBACK: 1,
    VETH: 2,
    TUN: 3,
    EXTLINK: 4,
    VENET: 5,
    BRIDGE: 6,
    MACVLAN: 7,
    SIT: 8,
  },
};

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

export const net_device_entry: MessageType<NetDeviceEntry> = {
  name: 'net_device_entry',
  required: ['type', 'ifindex', 'mtu', 'flags', 'name'],
  fields: {
    1: { name: 'type', type: nd_type },
    2: { name: 'ifindex', type: 'uint32' },
    3: { name: 'mtu', type: 'uint32' },
    4: { name: 'flags', type: 'uint32', format: { hex: true } },
    5: { name: 'name', type: 'string' },
    6: { name: 'tun', type: tun_link_entry },
    7: { name: 'address', type: 'bytes' },
    8: { name: 'conf', type: 'int32', repeated: true },
    9: { name: 'conf4', type: sysctl_entry, repeated: true },
    10: { name: 'conf6', type: sysctl_entry, repeated: true },
    11: { name: 'macvlan', type: macvlan_link_entry },
    12: { name: 'peer_ifindex', type: 'uint32' },
    13: { name: 'peer_nsid', type: 'uint32' },
    14: { name: 'master', type: 'uint32' },
    15: { name: 'sit', type: sit_entry },
  },
};
