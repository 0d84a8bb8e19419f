// Written by scripts/generate.mjs from proto/. Do not edit.
import type { EnumType, MessageType } from '../../protobuf/message-type.ts';
import type * as types from './types.ts';

export const utsns_entry: MessageType<types.UtsnsEntry> = {
  name: 'utsns_entry',
  required: ['nodename', 'domainname'],
  fields: {
    1: { name: 'nodename', type: 'string' },
    2: { name: 'domainname', type: 'string' },
  },
};

export const uid_gid_extent: MessageType<types.UidGidExtent> = {
  name: 'uid_gid_extent',
  required: ['first', 'lower_first', 'count'],
  fields: {
    1: { name: 'first', type: 'uint32' },
    2: { name: 'lower_first', type: 'uint32' },
    3: { name: 'count', type: 'uint32' },
  },
};

export const binfmt_misc_entry: MessageType<types.BinfmtMiscEntry> = {
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

export const userns_entry: MessageType<types.UsernsEntry> = {
  name: 'userns_entry',
  required: [],
  fields: {
    1: { name: 'uid_map', type: uid_gid_extent, repeated: true },
    2: { name: 'gid_map', type: uid_gid_extent, repeated: true },
    3: { name: 'binfmt_misc', type: binfmt_misc_entry, repeated: true },
  },
};

export const timespec: MessageType<types.Timespec> = {
  name: 'timespec',
  required: ['tv_sec', 'tv_nsec'],
  fields: {
    1: { name: 'tv_sec', type: 'uint64' },
    2: { name: 'tv_nsec', type: 'uint64' },
  },
};

export const timens_entry: MessageType<types.TimensEntry> = {
  name: 'timens_entry',
  required: ['monotonic', 'boottime'],
  fields: {
    1: { name: 'monotonic', type: timespec },
    2: { name: 'boottime', type: timespec },
  },
};

export const pidns_entry: MessageType<types.PidnsEntry> = {
  name: 'pidns_entry',
  required: [],
  fields: {
    1: { name: 'ext_key', type: 'string' },
  },
};

export const ipc_var_entry: MessageType<types.IpcVarEntry> = {
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

export const ipc_desc_entry: MessageType<types.IpcDescEntry> = {
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

export const ipc_shm_entry: MessageType<types.IpcShmEntry> = {
  name: 'ipc_shm_entry',
  required: ['desc', 'size'],
  fields: {
    1: { name: 'desc', type: ipc_desc_entry },
    2: { name: 'size', type: 'uint64' },
    3: { name: 'in_pagemaps', type: 'bool' },
    4: { name: 'hugetlb_flag', type: 'uint32' },
  },
};

export const ipc_sem_entry: MessageType<types.IpcSemEntry> = {
  name: 'ipc_sem_entry',
  required: ['desc', 'nsems'],
  fields: {
    1: { name: 'desc', type: ipc_desc_entry },
    2: { name: 'nsems', type: 'uint32' },
  },
};

export const ipc_msg: MessageType<types.IpcMsg> = {
  name: 'ipc_msg',
  required: ['mtype', 'msize'],
  fields: {
    1: { name: 'mtype', type: 'uint64' },
    2: { name: 'msize', type: 'uint32' },
  },
};

export const ipc_msg_entry: MessageType<types.IpcMsgEntry> = {
  name: 'ipc_msg_entry',
  required: ['desc', 'qbytes', 'qnum'],
  fields: {
    1: { name: 'desc', type: ipc_desc_entry },
    2: { name: 'qbytes', type: 'uint32' },
    3: { name: 'qnum', type: 'uint32' },
  },
};

export const SysctlType: EnumType = {
  name: 'SysctlType',
  numbers: {
    CTL_STR: 5,
    CTL_32: 6,
  },
};

export const sysctl_entry: MessageType<types.SysctlEntry> = {
  name: 'sysctl_entry',
  required: ['type'],
  fields: {
    1: { name: 'type', type: SysctlType },
    2: { name: 'iarg', type: 'int32' },
    3: { name: 'sarg', type: 'string' },
  },
};

export const netns_id: MessageType<types.NetnsId> = {
  name: 'netns_id',
  required: ['target_ns_id', 'netnsid_value'],
  fields: {
    1: { name: 'target_ns_id', type: 'uint32' },
    2: { name: 'netnsid_value', type: 'int32' },
  },
};

export const netns_entry: MessageType<types.NetnsEntry> = {
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

export const macvlan_link_entry: MessageType<types.MacvlanLinkEntry> = {
  name: 'macvlan_link_entry',
  required: ['mode'],
  fields: {
    1: { name: 'mode', type: 'uint32' },
    2: { name: 'flags', type: 'uint32' },
  },
};

export const sit_entry: MessageType<types.SitEntry> = {
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

export const tun_link_entry: MessageType<types.TunLinkEntry> = {
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

export const net_device_entry: MessageType<types.NetDeviceEntry> = {
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
