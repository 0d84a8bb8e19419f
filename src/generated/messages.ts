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
import type { dump_stats_entry__Output } from './types/dump_stats_entry.ts';
import type { restore_stats_entry__Output } from './types/restore_stats_entry.ts';
import type { stats_entry__Output } from './types/stats_entry.ts';
import type { pagemap_head__Output } from './types/pagemap_head.ts';
import type { pagemap_entry__Output } from './types/pagemap_entry.ts';
import type { task_kobj_ids_entry__Output } from './types/task_kobj_ids_entry.ts';
import type { inventory_entry__Output } from './types/inventory_entry.ts';
import type { pstree_entry__Output } from './types/pstree_entry.ts';
import type { user_x86_regs_entry__Output } from './types/user_x86_regs_entry.ts';
import type { thread_info_x86__Output } from './types/thread_info_x86.ts';
import type { task_core_entry__Output } from './types/task_core_entry.ts';
import type { user_aarch64_regs_entry__Output } from './types/user_aarch64_regs_entry.ts';
import type { thread_info_aarch64__Output } from './types/thread_info_aarch64.ts';
import type { core_entry__Output } from './types/core_entry.ts';
import type { fs_entry__Output } from './types/fs_entry.ts';
import type { vma_entry__Output } from './types/vma_entry.ts';
import type { mm_entry__Output } from './types/mm_entry.ts';
import type { fdinfo_entry__Output } from './types/fdinfo_entry.ts';
import type { reg_file_entry__Output } from './types/reg_file_entry.ts';
import type { sk_opts_entry__Output } from './types/sk_opts_entry.ts';
import type { inet_sk_entry__Output } from './types/inet_sk_entry.ts';
import type { unix_sk_entry__Output } from './types/unix_sk_entry.ts';
import type { pipe_entry__Output } from './types/pipe_entry.ts';
import type { tty_file_entry__Output } from './types/tty_file_entry.ts';
import type { file_entry__Output } from './types/file_entry.ts';
import type { termios_entry__Output } from './types/termios_entry.ts';
import type { tty_pty_entry__Output } from './types/tty_pty_entry.ts';
import type { tty_info_entry__Output } from './types/tty_info_entry.ts';
import type { remap_file_path_entry__Output } from './types/remap_file_path_entry.ts';
import type { file_lock_entry__Output } from './types/file_lock_entry.ts';
import type { mnt_entry__Output } from './types/mnt_entry.ts';
import type { cg_member_entry__Output } from './types/cg_member_entry.ts';
import type { cg_set_entry__Output } from './types/cg_set_entry.ts';
import type { cgroup_prop_entry__Output } from './types/cgroup_prop_entry.ts';
import type { cgroup_dir_entry__Output } from './types/cgroup_dir_entry.ts';
import type { cg_controller_entry__Output } from './types/cg_controller_entry.ts';
import type { cgroup_entry__Output } from './types/cgroup_entry.ts';

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

export const dump_stats_entry: MessageType<dump_stats_entry__Output> = {
  name: 'dump_stats_entry',
  required: ['freezing_time', 'frozen_time', 'memdump_time', 'memwrite_time', 'pages_scanned', 'pages_skipped_parent', 'pages_written', 'pages_lazy'],
  fields: {
    1: { name: 'freezing_time', type: 'uint32' },
    2: { name: 'frozen_time', type: 'uint32' },
    3: { name: 'memdump_time', type: 'uint32' },
    4: { name: 'memwrite_time', type: 'uint32' },
    5: { name: 'pages_scanned', type: 'uint64' },
    6: { name: 'pages_skipped_parent', type: 'uint64' },
    7: { name: 'pages_written', type: 'uint64' },
    8: { name: 'irmap_resolve', type: 'uint32' },
    9: { name: 'pages_lazy', type: 'uint64' },
    10: { name: 'page_pipes', type: 'uint64' },
    11: { name: 'page_pipe_bufs', type: 'uint64' },
    12: { name: 'shpages_scanned', type: 'uint64' },
    13: { name: 'shpages_skipped_parent', type: 'uint64' },
    14: { name: 'shpages_written', type: 'uint64' },
  },
};

export const restore_stats_entry: MessageType<restore_stats_entry__Output> = {
  name: 'restore_stats_entry',
  required: ['forking_time', 'restore_time', 'pages_compared', 'pages_skipped_cow'],
  fields: {
    1: { name: 'pages_compared', type: 'uint64' },
    2: { name: 'pages_skipped_cow', type: 'uint64' },
    3: { name: 'forking_time', type: 'uint32' },
    4: { name: 'restore_time', type: 'uint32' },
    5: { name: 'pages_restored', type: 'uint64' },
  },
};

export const stats_entry: MessageType<stats_entry__Output> = {
  name: 'stats_entry',
  required: [],
  fields: {
    1: { name: 'dump', type: dump_stats_entry },
    2: { name: 'restore', type: restore_stats_entry },
  },
};

export const pagemap_head: MessageType<pagemap_head__Output> = {
  name: 'pagemap_head',
  required: ['pages_id'],
  fields: {
    1: { name: 'pages_id', type: 'uint32' },
  },
};

export const pagemap_entry: MessageType<pagemap_entry__Output> = {
  name: 'pagemap_entry',
  required: ['vaddr', 'compat_nr_pages'],
  fields: {
    1: { name: 'vaddr', type: 'uint64' },
    2: { name: 'compat_nr_pages', type: 'uint32' },
    3: { name: 'in_parent', type: 'bool' },
    4: { name: 'flags', type: 'uint32' },
    5: { name: 'nr_pages', type: 'uint64' },
  },
};

export const task_kobj_ids_entry: MessageType<task_kobj_ids_entry__Output> = {
  name: 'task_kobj_ids_entry',
  required: ['files_id'],
  fields: {
    2: { name: 'files_id', type: 'uint32' },
    5: { name: 'pid_ns_id', type: 'uint32' },
    6: { name: 'net_ns_id', type: 'uint32' },
    9: { name: 'mnt_ns_id', type: 'uint32' },
  },
};

export const inventory_entry: MessageType<inventory_entry__Output> = {
  name: 'inventory_entry',
  required: [],
  fields: {
    1: { name: 'img_version', type: 'uint32' },
    3: { name: 'root_ids', type: task_kobj_ids_entry },
    10: { name: 'tcp_close', type: 'bool' },
  },
};

export const pstree_entry: MessageType<pstree_entry__Output> = {
  name: 'pstree_entry',
  required: ['pid', 'pgid', 'sid'],
  fields: {
    1: { name: 'pid', type: 'uint32' },
    3: { name: 'pgid', type: 'uint32' },
    4: { name: 'sid', type: 'uint32' },
    5: { name: 'threads', type: 'uint32', repeated: true },
  },
};

export const user_x86_regs_entry: MessageType<user_x86_regs_entry__Output> = {
  name: 'user_x86_regs_entry',
  required: ['sp'],
  fields: {
    20: { name: 'sp', type: 'uint64' },
  },
};

export const thread_info_x86: MessageType<thread_info_x86__Output> = {
  name: 'thread_info_x86',
  required: ['gpregs'],
  fields: {
    2: { name: 'gpregs', type: user_x86_regs_entry },
  },
};

export const task_core_entry: MessageType<task_core_entry__Output> = {
  name: 'task_core_entry',
  required: ['comm'],
  fields: {
    6: { name: 'comm', type: 'string' },
  },
};

export const user_aarch64_regs_entry: MessageType<user_aarch64_regs_entry__Output> = {
  name: 'user_aarch64_regs_entry',
  required: ['sp'],
  fields: {
    2: { name: 'sp', type: 'uint64' },
  },
};

export const thread_info_aarch64: MessageType<thread_info_aarch64__Output> = {
  name: 'thread_info_aarch64',
  required: ['gpregs'],
  fields: {
    3: { name: 'gpregs', type: user_aarch64_regs_entry },
  },
};

export const core_entry: MessageType<core_entry__Output> = {
  name: 'core_entry',
  required: [],
  fields: {
    2: { name: 'thread_info', type: thread_info_x86 },
    3: { name: 'tc', type: task_core_entry },
    8: { name: 'ti_aarch64', type: thread_info_aarch64 },
  },
};

export const fs_entry: MessageType<fs_entry__Output> = {
  name: 'fs_entry',
  required: ['cwd_id', 'root_id'],
  fields: {
    1: { name: 'cwd_id', type: 'uint32' },
    2: { name: 'root_id', type: 'uint32' },
  },
};

export const vma_entry: MessageType<vma_entry__Output> = {
  name: 'vma_entry',
  required: ['start', 'end', 'shmid', 'flags', 'status'],
  fields: {
    1: { name: 'start', type: 'uint64' },
    2: { name: 'end', type: 'uint64' },
    4: { name: 'shmid', type: 'uint64' },
    6: { name: 'flags', type: 'uint32' },
    7: { name: 'status', type: 'uint32' },
  },
};

export const mm_entry: MessageType<mm_entry__Output> = {
  name: 'mm_entry',
  required: ['exe_file_id'],
  fields: {
    12: { name: 'exe_file_id', type: 'uint32' },
    14: { name: 'vmas', type: vma_entry, repeated: true },
  },
};

export const fdinfo_entry: MessageType<fdinfo_entry__Output> = {
  name: 'fdinfo_entry',
  required: ['id', 'type', 'fd'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    3: { name: 'type', type: 'uint32' },
    4: { name: 'fd', type: 'uint32' },
  },
};

export const reg_file_entry: MessageType<reg_file_entry__Output> = {
  name: 'reg_file_entry',
  required: ['name'],
  fields: {
    6: { name: 'name', type: 'string' },
    8: { name: 'size', type: 'uint64' },
    9: { name: 'ext', type: 'bool' },
    10: { name: 'mode', type: 'uint32' },
    11: { name: 'build_id', type: 'uint32', repeated: true },
  },
};

export const sk_opts_entry: MessageType<sk_opts_entry__Output> = {
  name: 'sk_opts_entry',
  required: [],
  fields: {
    7: { name: 'reuseaddr', type: 'bool' },
    15: { name: 'so_bound_dev', type: 'string' },
    17: { name: 'so_reuseport', type: 'bool' },
  },
};

export const inet_sk_entry: MessageType<inet_sk_entry__Output> = {
  name: 'inet_sk_entry',
  required: ['family', 'proto', 'state', 'src_port', 'dst_port', 'opts'],
  fields: {
    3: { name: 'family', type: 'uint32' },
    5: { name: 'proto', type: 'uint32' },
    6: { name: 'state', type: 'uint32' },
    7: { name: 'src_port', type: 'uint32' },
    8: { name: 'dst_port', type: 'uint32' },
    11: { name: 'src_addr', type: 'uint32', repeated: true },
    12: { name: 'dst_addr', type: 'uint32', repeated: true },
    14: { name: 'opts', type: sk_opts_entry },
    15: { name: 'v6only', type: 'bool' },
    17: { name: 'ifname', type: 'string' },
    18: { name: 'ns_id', type: 'uint32' },
  },
};

export const unix_sk_entry: MessageType<unix_sk_entry__Output> = {
  name: 'unix_sk_entry',
  required: ['ino', 'type', 'uflags', 'peer', 'name'],
  fields: {
    2: { name: 'ino', type: 'uint32' },
    3: { name: 'type', type: 'uint32' },
    6: { name: 'uflags', type: 'uint32' },
    8: { name: 'peer', type: 'uint32' },
    11: { name: 'name', type: 'bytes' },
    15: { name: 'deleted', type: 'bool' },
    16: { name: 'ns_id', type: 'uint32' },
  },
};

export const pipe_entry: MessageType<pipe_entry__Output> = {
  name: 'pipe_entry',
  required: ['pipe_id', 'flags'],
  fields: {
    2: { name: 'pipe_id', type: 'uint32' },
    3: { name: 'flags', type: 'uint32' },
  },
};

export const tty_file_entry: MessageType<tty_file_entry__Output> = {
  name: 'tty_file_entry',
  required: ['tty_info_id'],
  fields: {
    2: { name: 'tty_info_id', type: 'uint32' },
  },
};

export const file_entry: MessageType<file_entry__Output> = {
  name: 'file_entry',
  required: ['type', 'id'],
  fields: {
    1: { name: 'type', type: 'uint32' },
    2: { name: 'id', type: 'uint32' },
    3: { name: 'reg', type: reg_file_entry },
    4: { name: 'isk', type: inet_sk_entry },
    16: { name: 'usk', type: unix_sk_entry },
    18: { name: 'pipe', type: pipe_entry },
    19: { name: 'tty', type: tty_file_entry },
  },
};

export const termios_entry: MessageType<termios_entry__Output> = {
  name: 'termios_entry',
  required: [],
  fields: {
  },
};

export const tty_pty_entry: MessageType<tty_pty_entry__Output> = {
  name: 'tty_pty_entry',
  required: ['index'],
  fields: {
    1: { name: 'index', type: 'uint32' },
  },
};

export const tty_info_entry: MessageType<tty_info_entry__Output> = {
  name: 'tty_info_entry',
  required: ['id', 'type', 'sid', 'rdev'],
  fields: {
    1: { name: 'id', type: 'uint32' },
    2: { name: 'type', type: 'uint32' },
    6: { name: 'sid', type: 'uint32' },
    8: { name: 'rdev', type: 'uint32' },
    9: { name: 'termios', type: termios_entry },
    12: { name: 'pty', type: tty_pty_entry },
  },
};

export const remap_file_path_entry: MessageType<remap_file_path_entry__Output> = {
  name: 'remap_file_path_entry',
  required: ['orig_id', 'remap_id'],
  fields: {
    1: { name: 'orig_id', type: 'uint32' },
    2: { name: 'remap_id', type: 'uint32' },
    3: { name: 'remap_type', type: 'uint32' },
  },
};

export const file_lock_entry: MessageType<file_lock_entry__Output> = {
  name: 'file_lock_entry',
  required: ['pid', 'fd'],
  fields: {
    3: { name: 'pid', type: 'int32' },
    4: { name: 'fd', type: 'int32' },
  },
};

export const mnt_entry: MessageType<mnt_entry__Output> = {
  name: 'mnt_entry',
  required: ['root', 'mountpoint'],
  fields: {
    6: { name: 'root', type: 'string' },
    7: { name: 'mountpoint', type: 'string' },
    13: { name: 'ext_mount', type: 'bool' },
    18: { name: 'ext_key', type: 'string' },
  },
};

export const cg_member_entry: MessageType<cg_member_entry__Output> = {
  name: 'cg_member_entry',
  required: ['name', 'path'],
  fields: {
    1: { name: 'name', type: 'string' },
    2: { name: 'path', type: 'string' },
    3: { name: 'cgns_prefix', type: 'uint32' },
  },
};

export const cg_set_entry: MessageType<cg_set_entry__Output> = {
  name: 'cg_set_entry',
  required: [],
  fields: {
    2: { name: 'ctls', type: cg_member_entry, repeated: true },
  },
};

export const cgroup_prop_entry: MessageType<cgroup_prop_entry__Output> = {
  name: 'cgroup_prop_entry',
  required: ['name', 'value'],
  fields: {
    1: { name: 'name', type: 'string' },
    2: { name: 'value', type: 'string' },
  },
};

export const cgroup_dir_entry: MessageType<cgroup_dir_entry__Output> = {
  name: 'cgroup_dir_entry',
  required: ['dir_name'],
  fields: {
    1: { name: 'dir_name', type: 'string' },
    2: { name: 'children', get type() { return cgroup_dir_entry; }, repeated: true },
    3: { name: 'properties', type: cgroup_prop_entry, repeated: true },
  },
};

export const cg_controller_entry: MessageType<cg_controller_entry__Output> = {
  name: 'cg_controller_entry',
  required: [],
  fields: {
    1: { name: 'cnames', type: 'string', repeated: true },
    2: { name: 'dirs', type: cgroup_dir_entry, repeated: true },
  },
};

export const cgroup_entry: MessageType<cgroup_entry__Output> = {
  name: 'cgroup_entry',
  required: [],
  fields: {
    1: { name: 'sets', type: cg_set_entry, repeated: true },
    2: { name: 'controllers', type: cg_controller_entry, repeated: true },
  },
};
