import type { criu_opts__Output as CriuWireOpts } from '../generated/types/criu_opts.ts';
import {
  controllers,
  descriptor,
  directory,
  fileName,
  flag,
  integer,
  type Kind,
  mask,
  oneOf,
  ownDescriptor,
  path,
  text,
  texts,
} from './kinds.ts';
import {
  inheritedFds,
  inodes,
  namespaces,
  pageServer,
  pairs,
  vethPairs,
} from './structured-kinds.ts';
import { tlsFiles } from './tls.ts';
import type { CriuOpts } from './types.ts';

/** The operations that take options and are requests of CRIU's protocol. */
export type Requested =
  | 'check'
  | 'dump'
  | 'preDump'
  | 'restore'
  | 'cpuinfoDump'
  | 'cpuinfoCheck'
  | 'pageServer';

/** All operations that take options. CRIU has lazyPages only as a command. */
export type Operation = Requested | 'lazyPages';

/** One field of criu_opts. */
export interface Row {
  /** The name of the option; null if the library sets the field itself. */
  readonly option: keyof CriuOpts | null;
  readonly kind: Kind;
  readonly operations: readonly Operation[];
  /** The first CRIU that has the field, as in `version().number`. */
  readonly since: number;
}

/** The oldest CRIU that is supported: 3.0 introduced the VERSION request. */
export const OLDEST_CRIU = 30000;

const dump = ['dump', 'preDump'] as const;
const restore = ['restore'] as const;
const both = [...dump, ...restore] as const;
const images = [...both, 'cpuinfoDump', 'cpuinfoCheck', 'pageServer'] as const;
const all = [...images, 'check'] as const;
const pages = [...dump, 'pageServer'] as const;
const connection = [...pages, 'lazyPages'] as const;
const daemon = ['lazyPages'] as const;

const uint32 = integer(0, 0xffffffff);

function row<
  const Name extends keyof CriuOpts | null,
  const Operations extends readonly Operation[],
>(option: Name, kind: Kind, operations: Operations, since: number = OLDEST_CRIU) {
  return { option, kind, operations, since };
}

/**
 * Every field of criu_opts, in the order of the field numbers. The translation of options, their
 * validation, the option types of each operation, the flags of the command and the table in the
 * documentation are all made from it.
 */
export const table = {
  images_dir_fd: row('imagesDirectory', directory, [...images, ...daemon]),
  pid: row(null, integer(1, 0x7fffffff), dump),
  leave_running: row('leaveRunning', flag, dump),
  ext_unix_sk: row('externalUnixConnections', flag, both),
  tcp_established: row('tcpEstablished', flag, both),
  evasive_devices: row('evasiveDevices', flag, both),
  shell_job: row('shellJob', flag, both),
  file_locks: row('fileLocks', flag, both),
  log_level: row('logLevel', integer(0, 4), [...all, ...daemon]),
  log_file: row('logFile', fileName, [...all, ...daemon]),
  ps: row('pageServer', pageServer, connection),
  notify_scripts: row(null, flag, both),
  root: row('root', path, both),
  parent_img: row('parentImage', text, pages),
  track_mem: row('trackMem', flag, dump),
  auto_dedup: row('autoDedup', flag, [...both, 'pageServer']),
  work_dir_fd: row('workDirectory', directory, [...all, ...daemon]),
  link_remap: row('linkRemap', flag, both),
  veths: row('vethPairs', vethPairs, restore),
  cpu_cap: row('cpuCap', mask({ fpu: 1, cpu: 2, ins: 4, all: 0xffffffff, none: 0 }, 0xffffffff), [
    ...both,
    'cpuinfoDump',
    'cpuinfoCheck',
  ]),
  force_irmap: row('forceIrmap', flag, both),
  exec_cmd: row('execCmd', texts, restore),
  ext_mnt: row('extMnt', pairs('key', 'val'), both),
  manage_cgroups: row('manageCgroups', flag, both),
  cg_root: row('cgRoot', pairs('ctrl', 'path', { keyOptional: true }), both),
  rst_sibling: row('asChild', flag, restore),
  inherit_fd: row('inheritFd', inheritedFds, restore),
  auto_ext_mnt: row('autoExtMnt', flag, both),
  ext_sharing: row('extSharing', flag, both),
  ext_masters: row('extMasters', flag, both),
  skip_mnt: row('skipMnt', texts, both),
  enable_fs: row('enableFs', texts, both),
  unix_sk_ino: row('unixSkIno', inodes, dump),
  manage_cgroups_mode: row(
    'manageCgroupsMode',
    oneOf({
      soft: 'SOFT',
      full: 'FULL',
      strict: 'STRICT',
      ignore: 'IGNORE',
      props: 'PROPS',
      none: 'CG_NONE',
      '': 'DEFAULT',
    }),
    both,
  ),
  ghost_limit: row('ghostLimit', uint32, both),
  irmap_scan_paths: row('irmapScanPaths', texts, both),
  external: row('external', texts, both),
  empty_ns: row('emptyNs', mask({ network: 0x40000000 }, 0x40000000), both),
  join_ns: row('joinNs', namespaces, restore),
  cgroup_props: row('cgroupProps', text, both),
  cgroup_props_file: row('cgroupPropsFile', path, both),
  cgroup_dump_controller: row('cgroupDumpController', controllers, dump),
  freeze_cgroup: row('freezeCgroup', path, both),
  timeout: row('timeout', uint32, both),
  tcp_skip_in_flight: row('tcpSkipInFlight', flag, both),
  weak_sysctls: row('weakSysctls', flag, both),
  lazy_pages: row('lazyPages', flag, ['dump', 'restore'], 30500),
  // statusFd has runc's meaning, which needs the status-ready notification of CRIU 3.15.
  status_fd: row('statusFd', ownDescriptor, ['dump'], 31500),
  orphan_pts_master: row('orphanPtsMaster', flag, both),
  config_file: row('configFile', path, [...all, ...daemon], 31100),
  tcp_close: row('tcpClose', flag, both, 31200),
  // The field is older, but CRIU before 3.16 cannot change the profile.
  lsm_profile: row('lsmProfile', text, restore, 31600),
  // The option tls sets all six fields.
  tls_cacert: row(null, text, connection, 31300),
  tls_cacrl: row(null, text, connection, 31300),
  tls_cert: row(null, text, connection, 31300),
  tls_key: row(null, text, connection, 31300),
  tls: row('tls', tlsFiles, connection, 31300),
  tls_no_cn_verify: row(null, flag, connection, 31300),
  cgroup_yard: row('cgroupYard', path, both, 31400),
  pre_dump_mode: row('preDumpMode', oneOf({ splice: 'SPLICE', read: 'VM_READ' }), dump, 31400),
  pidfd_store_sk: row('pidfdStoreSk', descriptor, dump, 31600),
  lsm_mount_context: row('lsmMountContext', text, restore, 31600),
  network_lock: row(
    'networkLock',
    oneOf({ iptables: 'IPTABLES', nftables: 'NFTABLES', skip: 'SKIP' }),
    both,
    31600,
  ),
  mntns_compat_mode: row('mntnsCompatMode', flag, restore, 31700),
  skip_file_rwx_check: row('skipFileRwxCheck', flag, restore, 31800),
  unprivileged: row('unprivileged', flag, all, 31800),
  // The directory is always sent as images_dir_fd.
  images_dir: row(null, text, [], 31900),
  leave_stopped: row('leaveStopped', flag, both, 31900),
  display_stats: row('displayStats', flag, both, 31900),
  log_to_stderr: row('logToStderr', flag, all, 31900),
  image_io_mode: row(
    'imageIoMode',
    oneOf({ writeback: 'IMAGE_IO_WRITEBACK', direct: 'IMAGE_IO_DIRECT' }),
    [...both, 'pageServer'],
    40300,
  ),
  compress: row('compress', integer(0, 1), pages, 40300),
  compress_acceleration: row('compressAcceleration', uint32, pages, 40300),
  compress_block_size: row('compressBlockSize', uint32, pages, 40300),
  decompress_threads: row('decompressThreads', integer(0, 1024), restore, 40300),
  plugin_options: row('pluginOptions', texts, both, 40300),
  stream: row('stream', flag, both, 40300),
} as const satisfies Record<keyof CriuWireOpts, Row>;

/** The options that the library implements itself. CRIU has no such fields. */
const ownRows = [
  row('overwrite', flag, dump),
  row('durable', flag, [...dump, 'pageServer']),
  row('keepFailed', flag, ['dump']),
  row('manifest', flag, both),
  row('bindRoot', flag, restore),
] as const;

type Table = typeof table;
type AnyRow = Table[keyof Table] | (typeof ownRows)[number];

/** The options that an operation takes, according to the table. */
export type OptionOf<O extends Operation> = OptionTakenBy<O, AnyRow>;

type OptionTakenBy<O extends Operation, R extends Row> = R extends Row
  ? O extends R['operations'][number]
    ? NonNullable<R['option']>
    : never
  : never;

/** Fails to compile if an option has no row. preDump needs none: it selects the request. */
type Uncovered = Exclude<keyof CriuOpts, NonNullable<AnyRow['option']> | 'preDump'>;
true satisfies [Uncovered] extends [never] ? true : Uncovered;

/** The rows with their fields. */
export const rows = Object.entries(table) as readonly [keyof CriuWireOpts, Row][];

/** The rows by the name of the option; without a field if the library implements the option itself. */
export const rowOf: ReadonlyMap<
  string,
  readonly [field: keyof CriuWireOpts | undefined, row: Row]
> = new Map(
  [...rows, ...ownRows.map((row) => [undefined, row] as const)].flatMap(([field, row]) =>
    row.option === null ? [] : [[row.option, [field, row] as const]],
  ),
);
