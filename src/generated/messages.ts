// Written by scripts/generate.mjs from proto/. Do not edit.
import type { EnumType, MessageType } from '../protobuf/message-type.ts';
import type { criu_page_server_info__Output } from './types/criu_page_server_info.ts';
import type { inherit_fd__Output } from './types/inherit_fd.ts';
import type { unix_sk__Output } from './types/unix_sk.ts';
import type { criu_veth_pair__Output } from './types/criu_veth_pair.ts';
import type { ext_mount_map__Output } from './types/ext_mount_map.ts';
import type { join_namespace__Output } from './types/join_namespace.ts';
import type { cgroup_root__Output } from './types/cgroup_root.ts';
import type { criu_opts__Output } from './types/criu_opts.ts';
import type { criu_features__Output } from './types/criu_features.ts';
import type { criu_req__Output } from './types/criu_req.ts';
import type { criu_dump_resp__Output } from './types/criu_dump_resp.ts';
import type { criu_restore_resp__Output } from './types/criu_restore_resp.ts';
import type { criu_notify__Output } from './types/criu_notify.ts';
import type { criu_version__Output } from './types/criu_version.ts';
import type { criu_resp__Output } from './types/criu_resp.ts';
import type { img_streamer_request_entry__Output } from './types/img_streamer_request_entry.ts';
import type { img_streamer_reply_entry__Output } from './types/img_streamer_reply_entry.ts';

const criu_req_type: EnumType = {
  name: 'criu_req_type',
  numbers: {
    EMPTY: 0,
    DUMP: 1,
    RESTORE: 2,
    CHECK: 3,
    PRE_DUMP: 4,
    PAGE_SERVER: 5,
    NOTIFY: 6,
    CPUINFO_DUMP: 7,
    CPUINFO_CHECK: 8,
    FEATURE_CHECK: 9,
    VERSION: 10,
    WAIT_PID: 11,
    PAGE_SERVER_CHLD: 12,
    SINGLE_PRE_DUMP: 13,
  },
};

const criu_pre_dump_mode: EnumType = {
  name: 'criu_pre_dump_mode',
  numbers: {
    SPLICE: 1,
    VM_READ: 2,
  },
};

const criu_image_io_mode: EnumType = {
  name: 'criu_image_io_mode',
  numbers: {
    IMAGE_IO_WRITEBACK: 0,
    IMAGE_IO_DIRECT: 1,
  },
};

export const criu_page_server_info: MessageType<criu_page_server_info__Output> = {
  name: 'criu_page_server_info',
  required: [],
  fields: {
    1: { name: 'address', type: 'string' },
    2: { name: 'port', type: 'int32' },
    3: { name: 'pid', type: 'int32' },
    4: { name: 'fd', type: 'int32' },
  },
};

export const inherit_fd: MessageType<inherit_fd__Output> = {
  name: 'inherit_fd',
  required: ['key', 'fd'],
  fields: {
    1: { name: 'key', type: 'string' },
    2: { name: 'fd', type: 'int32' },
  },
};

export const unix_sk: MessageType<unix_sk__Output> = {
  name: 'unix_sk',
  required: ['inode'],
  fields: {
    1: { name: 'inode', type: 'uint32' },
  },
};

const criu_network_lock_method: EnumType = {
  name: 'criu_network_lock_method',
  numbers: {
    IPTABLES: 1,
    NFTABLES: 2,
    SKIP: 3,
  },
};

export const criu_veth_pair: MessageType<criu_veth_pair__Output> = {
  name: 'criu_veth_pair',
  required: ['if_in', 'if_out'],
  fields: {
    1: { name: 'if_in', type: 'string' },
    2: { name: 'if_out', type: 'string' },
  },
};

export const ext_mount_map: MessageType<ext_mount_map__Output> = {
  name: 'ext_mount_map',
  required: ['key', 'val'],
  fields: {
    1: { name: 'key', type: 'string' },
    2: { name: 'val', type: 'string' },
  },
};

export const join_namespace: MessageType<join_namespace__Output> = {
  name: 'join_namespace',
  required: ['ns', 'ns_file'],
  fields: {
    1: { name: 'ns', type: 'string' },
    2: { name: 'ns_file', type: 'string' },
    3: { name: 'extra_opt', type: 'string' },
  },
};

const criu_cg_mode: EnumType = {
  name: 'criu_cg_mode',
  numbers: {
    IGNORE: 0,
    CG_NONE: 1,
    PROPS: 2,
    SOFT: 3,
    FULL: 4,
    STRICT: 5,
    DEFAULT: 6,
  },
};

export const cgroup_root: MessageType<cgroup_root__Output> = {
  name: 'cgroup_root',
  required: ['path'],
  fields: {
    1: { name: 'ctrl', type: 'string' },
    2: { name: 'path', type: 'string' },
  },
};

export const criu_opts: MessageType<criu_opts__Output> = {
  name: 'criu_opts',
  required: ['images_dir_fd'],
  fields: {
    1: { name: 'images_dir_fd', type: 'int32' },
    2: { name: 'pid', type: 'int32' },
    3: { name: 'leave_running', type: 'bool' },
    4: { name: 'ext_unix_sk', type: 'bool' },
    5: { name: 'tcp_established', type: 'bool' },
    6: { name: 'evasive_devices', type: 'bool' },
    7: { name: 'shell_job', type: 'bool' },
    8: { name: 'file_locks', type: 'bool' },
    9: { name: 'log_level', type: 'int32' },
    10: { name: 'log_file', type: 'string' },
    11: { name: 'ps', type: criu_page_server_info },
    12: { name: 'notify_scripts', type: 'bool' },
    13: { name: 'root', type: 'string' },
    14: { name: 'parent_img', type: 'string' },
    15: { name: 'track_mem', type: 'bool' },
    16: { name: 'auto_dedup', type: 'bool' },
    17: { name: 'work_dir_fd', type: 'int32' },
    18: { name: 'link_remap', type: 'bool' },
    19: { name: 'veths', type: criu_veth_pair, repeated: true },
    20: { name: 'cpu_cap', type: 'uint32' },
    21: { name: 'force_irmap', type: 'bool' },
    22: { name: 'exec_cmd', type: 'string', repeated: true },
    23: { name: 'ext_mnt', type: ext_mount_map, repeated: true },
    24: { name: 'manage_cgroups', type: 'bool' },
    25: { name: 'cg_root', type: cgroup_root, repeated: true },
    26: { name: 'rst_sibling', type: 'bool' },
    27: { name: 'inherit_fd', type: inherit_fd, repeated: true },
    28: { name: 'auto_ext_mnt', type: 'bool' },
    29: { name: 'ext_sharing', type: 'bool' },
    30: { name: 'ext_masters', type: 'bool' },
    31: { name: 'skip_mnt', type: 'string', repeated: true },
    32: { name: 'enable_fs', type: 'string', repeated: true },
    33: { name: 'unix_sk_ino', type: unix_sk, repeated: true },
    34: { name: 'manage_cgroups_mode', type: criu_cg_mode },
    35: { name: 'ghost_limit', type: 'uint32' },
    36: { name: 'irmap_scan_paths', type: 'string', repeated: true },
    37: { name: 'external', type: 'string', repeated: true },
    38: { name: 'empty_ns', type: 'uint32' },
    39: { name: 'join_ns', type: join_namespace, repeated: true },
    41: { name: 'cgroup_props', type: 'string' },
    42: { name: 'cgroup_props_file', type: 'string' },
    43: { name: 'cgroup_dump_controller', type: 'string', repeated: true },
    44: { name: 'freeze_cgroup', type: 'string' },
    45: { name: 'timeout', type: 'uint32' },
    46: { name: 'tcp_skip_in_flight', type: 'bool' },
    47: { name: 'weak_sysctls', type: 'bool' },
    48: { name: 'lazy_pages', type: 'bool' },
    49: { name: 'status_fd', type: 'int32' },
    50: { name: 'orphan_pts_master', type: 'bool' },
    51: { name: 'config_file', type: 'string' },
    52: { name: 'tcp_close', type: 'bool' },
    53: { name: 'lsm_profile', type: 'string' },
    54: { name: 'tls_cacert', type: 'string' },
    55: { name: 'tls_cacrl', type: 'string' },
    56: { name: 'tls_cert', type: 'string' },
    57: { name: 'tls_key', type: 'string' },
    58: { name: 'tls', type: 'bool' },
    59: { name: 'tls_no_cn_verify', type: 'bool' },
    60: { name: 'cgroup_yard', type: 'string' },
    61: { name: 'pre_dump_mode', type: criu_pre_dump_mode },
    62: { name: 'pidfd_store_sk', type: 'int32' },
    63: { name: 'lsm_mount_context', type: 'string' },
    64: { name: 'network_lock', type: criu_network_lock_method },
    65: { name: 'mntns_compat_mode', type: 'bool' },
    66: { name: 'skip_file_rwx_check', type: 'bool' },
    67: { name: 'unprivileged', type: 'bool' },
    68: { name: 'images_dir', type: 'string' },
    69: { name: 'leave_stopped', type: 'bool' },
    70: { name: 'display_stats', type: 'bool' },
    71: { name: 'log_to_stderr', type: 'bool' },
    72: { name: 'image_io_mode', type: criu_image_io_mode },
    73: { name: 'compress', type: 'uint32' },
    74: { name: 'compress_acceleration', type: 'uint32' },
    75: { name: 'compress_block_size', type: 'uint32' },
    76: { name: 'decompress_threads', type: 'uint32' },
    77: { name: 'plugin_options', type: 'string', repeated: true },
    78: { name: 'stream', type: 'bool' },
  },
};

export const criu_features: MessageType<criu_features__Output> = {
  name: 'criu_features',
  required: [],
  fields: {
    1: { name: 'mem_track', type: 'bool' },
    2: { name: 'lazy_pages', type: 'bool' },
    3: { name: 'pidfd_store', type: 'bool' },
    4: { name: 'mem_compression', type: 'bool' },
  },
};

export const criu_req: MessageType<criu_req__Output> = {
  name: 'criu_req',
  required: ['type'],
  fields: {
    1: { name: 'type', type: criu_req_type },
    2: { name: 'opts', type: criu_opts },
    3: { name: 'notify_success', type: 'bool' },
    4: { name: 'keep_open', type: 'bool' },
    5: { name: 'features', type: criu_features },
    6: { name: 'pid', type: 'uint32' },
  },
};

export const criu_dump_resp: MessageType<criu_dump_resp__Output> = {
  name: 'criu_dump_resp',
  required: [],
  fields: {
    1: { name: 'restored', type: 'bool' },
  },
};

export const criu_restore_resp: MessageType<criu_restore_resp__Output> = {
  name: 'criu_restore_resp',
  required: ['pid'],
  fields: {
    1: { name: 'pid', type: 'int32' },
  },
};

export const criu_notify: MessageType<criu_notify__Output> = {
  name: 'criu_notify',
  required: [],
  fields: {
    1: { name: 'script', type: 'string' },
    2: { name: 'pid', type: 'int32' },
  },
};

export const criu_version: MessageType<criu_version__Output> = {
  name: 'criu_version',
  required: ['major_number', 'minor_number'],
  fields: {
    1: { name: 'major_number', type: 'int32' },
    2: { name: 'minor_number', type: 'int32' },
    3: { name: 'gitid', type: 'string' },
    4: { name: 'sublevel', type: 'int32' },
    5: { name: 'extra', type: 'int32' },
    6: { name: 'name', type: 'string' },
  },
};

export const criu_resp: MessageType<criu_resp__Output> = {
  name: 'criu_resp',
  required: ['type', 'success'],
  fields: {
    1: { name: 'type', type: criu_req_type },
    2: { name: 'success', type: 'bool' },
    3: { name: 'dump', type: criu_dump_resp },
    4: { name: 'restore', type: criu_restore_resp },
    5: { name: 'notify', type: criu_notify },
    6: { name: 'ps', type: criu_page_server_info },
    7: { name: 'cr_errno', type: 'int32' },
    8: { name: 'features', type: criu_features },
    9: { name: 'cr_errmsg', type: 'string' },
    10: { name: 'version', type: criu_version },
    11: { name: 'status', type: 'int32' },
  },
};

export const img_streamer_request_entry: MessageType<img_streamer_request_entry__Output> = {
  name: 'img_streamer_request_entry',
  required: ['filename'],
  fields: {
    1: { name: 'filename', type: 'string' },
  },
};

export const img_streamer_reply_entry: MessageType<img_streamer_reply_entry__Output> = {
  name: 'img_streamer_reply_entry',
  required: ['exists'],
  fields: {
    1: { name: 'exists', type: 'bool' },
  },
};
