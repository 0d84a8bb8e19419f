// Written by scripts/generate.mjs from proto/. Do not edit.
import type { EnumType, MessageType } from '../../protobuf/message-type.ts';
import { fown_entry } from './fown.ts';
import type * as types from './types.ts';

export const sk_opts_entry: MessageType<types.SkOptsEntry> = {
  name: 'sk_opts_entry',
  required: ['so_sndbuf', 'so_rcvbuf', 'so_snd_tmo_sec', 'so_snd_tmo_usec', 'so_rcv_tmo_sec', 'so_rcv_tmo_usec'],
  fields: {
    1: { name: 'so_sndbuf', type: 'uint32' },
    2: { name: 'so_rcvbuf', type: 'uint32' },
    3: { name: 'so_snd_tmo_sec', type: 'uint64' },
    4: { name: 'so_snd_tmo_usec', type: 'uint64' },
    5: { name: 'so_rcv_tmo_sec', type: 'uint64' },
    6: { name: 'so_rcv_tmo_usec', type: 'uint64' },
    7: { name: 'reuseaddr', type: 'bool' },
    8: { name: 'so_priority', type: 'uint32' },
    9: { name: 'so_rcvlowat', type: 'uint32' },
    10: { name: 'so_mark', type: 'uint32' },
    11: { name: 'so_passcred', type: 'bool' },
    12: { name: 'so_passsec', type: 'bool' },
    13: { name: 'so_dontroute', type: 'bool' },
    14: { name: 'so_no_check', type: 'bool' },
    15: { name: 'so_bound_dev', type: 'string' },
    16: { name: 'so_filter', type: 'fixed64', repeated: true },
    17: { name: 'so_reuseport', type: 'bool' },
    18: { name: 'so_broadcast', type: 'bool' },
    19: { name: 'so_keepalive', type: 'bool' },
    20: { name: 'tcp_keepcnt', type: 'uint32' },
    21: { name: 'tcp_keepidle', type: 'uint32' },
    22: { name: 'tcp_keepintvl', type: 'uint32' },
    23: { name: 'so_oobinline', type: 'uint32' },
    24: { name: 'so_linger', type: 'uint32' },
    25: { name: 'so_buf_lock', type: 'uint32' },
  },
};

export const ip_opts_raw_entry: MessageType<types.IpOptsRawEntry> = {
  name: 'ip_opts_raw_entry',
  required: [],
  fields: {
    1: { name: 'hdrincl', type: 'bool' },
    2: { name: 'nodefrag', type: 'bool' },
    3: { name: 'checksum', type: 'bool' },
    4: { name: 'icmpv_filter', type: 'uint32', repeated: true },
  },
};

export const ip_opts_entry: MessageType<types.IpOptsEntry> = {
  name: 'ip_opts_entry',
  required: [],
  fields: {
    1: { name: 'freebind', type: 'bool' },
    4: { name: 'raw', type: ip_opts_raw_entry },
    5: { name: 'pktinfo', type: 'bool' },
    6: { name: 'tos', type: 'uint32' },
    7: { name: 'ttl', type: 'uint32' },
  },
};

export const sk_shutdown: EnumType = {
  name: 'sk_shutdown',
  numbers: {
    NONE: 0,
    READ: 1,
    WRITE: 2,
    BOTH: 3,
  },
};

export const tcp_opts_entry: MessageType<types.TcpOptsEntry> = {
  name: 'tcp_opts_entry',
  required: [],
  fields: {
    1: { name: 'cork', type: 'bool' },
    2: { name: 'nodelay', type: 'bool' },
    3: { name: 'keepcnt', type: 'uint32' },
    4: { name: 'keepidle', type: 'uint32' },
    5: { name: 'keepintvl', type: 'uint32' },
  },
};

export const inet_sk_entry: MessageType<types.InetSkEntry> = {
  name: 'inet_sk_entry',
  required: ['id', 'ino', 'family', 'type', 'proto', 'state', 'src_port', 'dst_port', 'flags', 'backlog', 'fown', 'opts'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'ino', type: 'uint32' },
    3: { name: 'family', type: 'uint32', format: { dict: 'sk' } },
    4: { name: 'type', type: 'uint32', format: { dict: 'sk' } },
    5: { name: 'proto', type: 'uint32', format: { dict: 'sk' } },
    6: { name: 'state', type: 'uint32', format: { dict: 'sk' } },
    7: { name: 'src_port', type: 'uint32' },
    8: { name: 'dst_port', type: 'uint32' },
    9: { name: 'flags', type: 'uint32', format: { hex: true } },
    10: { name: 'backlog', type: 'uint32' },
    11: { name: 'src_addr', type: 'uint32', repeated: true, format: { ipadd: true } },
    12: { name: 'dst_addr', type: 'uint32', repeated: true, format: { ipadd: true } },
    13: { name: 'fown', type: fown_entry },
    14: { name: 'opts', type: sk_opts_entry },
    15: { name: 'v6only', type: 'bool' },
    16: { name: 'ip_opts', type: ip_opts_entry },
    17: { name: 'ifname', type: 'string' },
    18: { name: 'ns_id', type: 'uint32' },
    19: { name: 'shutdown', type: sk_shutdown },
    20: { name: 'tcp_opts', type: tcp_opts_entry },
    21: { name: 'uid', type: 'uint32' },
  },
};

export const packet_mclist: MessageType<types.PacketMclist> = {
  name: 'packet_mclist',
  required: ['index', 'type', 'addr'],
  fields: {
    1: { name: 'index', type: 'uint32' },
    2: { name: 'type', type: 'uint32' },
    3: { name: 'addr', type: 'bytes' },
  },
};

export const packet_ring: MessageType<types.PacketRing> = {
  name: 'packet_ring',
  required: ['block_size', 'block_nr', 'frame_size', 'frame_nr', 'retire_tmo', 'sizeof_priv', 'features'],
  fields: {
    1: { name: 'block_size', type: 'uint32' },
    2: { name: 'block_nr', type: 'uint32' },
    3: { name: 'frame_size', type: 'uint32' },
    4: { name: 'frame_nr', type: 'uint32' },
    5: { name: 'retire_tmo', type: 'uint32' },
    6: { name: 'sizeof_priv', type: 'uint32' },
    7: { name: 'features', type: 'uint32' },
  },
};

export const packet_sock_entry: MessageType<types.PacketSockEntry> = {
  name: 'packet_sock_entry',
  required: ['id', 'type', 'protocol', 'flags', 'ifindex', 'fown', 'opts', 'version', 'reserve', 'aux_data', 'orig_dev', 'vnet_hdr', 'loss', 'timestamp', 'copy_thresh'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'type', type: 'uint32' },
    3: { name: 'protocol', type: 'uint32' },
    4: { name: 'flags', type: 'uint32', format: { hex: true } },
    5: { name: 'ifindex', type: 'uint32' },
    6: { name: 'fown', type: fown_entry },
    7: { name: 'opts', type: sk_opts_entry },
    8: { name: 'version', type: 'uint32' },
    9: { name: 'reserve', type: 'uint32' },
    10: { name: 'aux_data', type: 'bool' },
    11: { name: 'orig_dev', type: 'bool' },
    12: { name: 'vnet_hdr', type: 'bool' },
    13: { name: 'loss', type: 'bool' },
    14: { name: 'timestamp', type: 'uint32' },
    15: { name: 'copy_thresh', type: 'uint32' },
    16: { name: 'mclist', type: packet_mclist, repeated: true },
    17: { name: 'fanout', type: 'uint32' },
    18: { name: 'rx_ring', type: packet_ring },
    19: { name: 'tx_ring', type: packet_ring },
    20: { name: 'ns_id', type: 'uint32' },
  },
};

export const netlink_sk_entry: MessageType<types.NetlinkSkEntry> = {
  name: 'netlink_sk_entry',
  required: ['id', 'ino', 'protocol', 'state', 'flags', 'portid', 'dst_portid', 'dst_group', 'fown', 'opts'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'ino', type: 'uint32' },
    3: { name: 'protocol', type: 'uint32' },
    4: { name: 'state', type: 'uint32' },
    6: { name: 'flags', type: 'uint32', format: { hex: true } },
    7: { name: 'portid', type: 'uint32' },
    8: { name: 'groups', type: 'uint32', repeated: true },
    9: { name: 'dst_portid', type: 'uint32' },
    10: { name: 'dst_group', type: 'uint32' },
    11: { name: 'fown', type: fown_entry },
    12: { name: 'opts', type: sk_opts_entry },
    13: { name: 'ns_id', type: 'uint32' },
  },
};

export const file_perms_entry: MessageType<types.FilePermsEntry> = {
  name: 'file_perms_entry',
  required: ['mode', 'uid', 'gid'],
  fields: {
    1: { name: 'mode', type: 'uint32' },
    2: { name: 'uid', type: 'uint32' },
    3: { name: 'gid', type: 'uint32' },
  },
};

export const unix_sk_entry: MessageType<types.UnixSkEntry> = {
  name: 'unix_sk_entry',
  required: ['id', 'ino', 'type', 'state', 'flags', 'uflags', 'backlog', 'peer', 'fown', 'opts', 'name'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'ino', type: 'uint32' },
    3: { name: 'type', type: 'uint32', format: { dict: 'sk' } },
    4: { name: 'state', type: 'uint32', format: { dict: 'sk' } },
    5: { name: 'flags', type: 'uint32', format: { hex: true } },
    6: { name: 'uflags', type: 'uint32', format: { hex: true } },
    7: { name: 'backlog', type: 'uint32' },
    8: { name: 'peer', type: 'uint32' },
    9: { name: 'fown', type: fown_entry },
    10: { name: 'opts', type: sk_opts_entry },
    11: { name: 'name', type: 'bytes', format: { conv: 'unix_name' } },
    12: { name: 'shutdown', type: sk_shutdown },
    13: { name: 'file_perms', type: file_perms_entry },
    14: { name: 'name_dir', type: 'string' },
    15: { name: 'deleted', type: 'bool' },
    16: { name: 'ns_id', type: 'uint32' },
    17: { name: 'mnt_id', type: 'sint32' },
  },
};

export const tcp_stream_entry: MessageType<types.TcpStreamEntry> = {
  name: 'tcp_stream_entry',
  required: ['inq_len', 'inq_seq', 'outq_len', 'outq_seq', 'opt_mask', 'snd_wscale', 'mss_clamp'],
  fields: {
    1: { name: 'inq_len', type: 'uint32' },
    2: { name: 'inq_seq', type: 'uint32' },
    3: { name: 'outq_len', type: 'uint32' },
    4: { name: 'outq_seq', type: 'uint32' },
    5: { name: 'opt_mask', type: 'uint32', format: { hex: true } },
    6: { name: 'snd_wscale', type: 'uint32' },
    7: { name: 'mss_clamp', type: 'uint32' },
    8: { name: 'rcv_wscale', type: 'uint32' },
    9: { name: 'timestamp', type: 'uint32' },
    10: { name: 'cork', type: 'bool' },
    11: { name: 'nodelay', type: 'bool' },
    12: { name: 'unsq_len', type: 'uint32' },
    13: { name: 'snd_wl1', type: 'uint32' },
    14: { name: 'snd_wnd', type: 'uint32' },
    15: { name: 'max_window', type: 'uint32' },
    16: { name: 'rcv_wnd', type: 'uint32' },
    17: { name: 'rcv_wup', type: 'uint32' },
  },
};

export const scm_entry: MessageType<types.ScmEntry> = {
  name: 'scm_entry',
  required: ['type'],
  fields: {
    1: { name: 'type', type: 'uint32' },
    2: { name: 'rights', type: 'uint32', repeated: true },
  },
};

export const sk_ucred_entry: MessageType<types.SkUcredEntry> = {
  name: 'sk_ucred_entry',
  required: ['uid', 'gid', 'pid'],
  fields: {
    1: { name: 'uid', type: 'uint32' },
    2: { name: 'gid', type: 'uint32' },
    3: { name: 'pid', type: 'uint32' },
  },
};

export const sk_packet_entry: MessageType<types.SkPacketEntry> = {
  name: 'sk_packet_entry',
  required: ['id_for', 'length'],
  fields: {
    1: { name: 'id_for', type: 'uint32' },
    2: { name: 'length', type: 'uint32' },
    4: { name: 'scm', type: scm_entry, repeated: true },
    128: { name: 'ucred', type: sk_ucred_entry },
  },
};
