import type { Socket } from 'node:net';

/** A file descriptor, or an object of Node's that holds one: a `FileHandle` or a `net.Socket`. */
export type DescriptorLike = number | { readonly fd: number } | Socket;

/** A directory: its path, or a descriptor open on it. */
export type DirectoryLike = string | DescriptorLike;

/** Where memory pages go, or where a page server listens. CRIU's `criu_page_server_info`. */
export interface PageServerOptions {
  /**
   * IP address or host name. A page server listens on it (default `127.0.0.1`); a dump connects
   * to it.
   */
  address?: string;
  /** TCP port, 0 to 65535. For a page server 0 (the default) lets the kernel choose. */
  port?: number;
  /**
   * A connected stream socket to use in place of address and port. It is CRIU's from then on: it is
   * made to block, and Node must not read from it (`pauseOnConnect`). CRIU does not speak TLS on it
   * on the dumping side.
   */
  fd?: DescriptorLike;
}

/** Certificates of mutual TLS: each the path of a PEM file, or its content. */
export interface TlsOptions {
  /** The certificate authority that must have signed the certificate of the peer. */
  readonly ca: string | Uint8Array;
  /** The certificate to present. */
  readonly cert: string | Uint8Array;
  /** The private key of `cert`. */
  readonly key: string | Uint8Array;
  /** Certificates that the authority has revoked. */
  readonly crl?: string | Uint8Array;
  /**
   * Whether the certificate of a server must be for the address that was connected to. With `false`
   * any certificate of the authority is accepted. Default true.
   */
  readonly verifyName?: boolean;
}

/** The two ends of a veth pair: see {@link CriuOpts.vethPairs}. */
export interface VethPair {
  /** The name inside the restored network namespace. */
  containerInterfaceName: string;
  /** The name of its peer on the host. */
  hostInterfaceName: string;
}

/** A namespace to restore into: see {@link CriuOpts.joinNs}. */
export interface JoinNamespace {
  /** Which kind of namespace. */
  ns: 'ipc' | 'net' | 'time' | 'user' | 'uts';
  /** A namespace file such as `/proc/1234/ns/net`, or the pid of a process that lives in it. */
  nsFile: string | number;
  /** For `user`: `UID,GID`. */
  extraOpt?: string;
}

/** How control groups are dumped and restored; the empty string leaves it to CRIU (`soft`). */
export type ManageCgroupsMode = 'soft' | 'full' | 'strict' | 'ignore' | 'props' | 'none' | '';

/** A processor capability that images ask for: see {@link CriuOpts.cpuCap}. */
export type CpuCapability = 'fpu' | 'cpu' | 'ins' | 'all' | 'none';

/**
 * Every option of CRIU, in one object. The names are runc's where runc has the option, else the
 * camelCase of CRIU's own field in `criu_opts`. Each operation takes some of them and refuses the
 * others: see {@link DumpOptions}, {@link RestoreOptions} and their like. What is absent is left
 * to CRIU's own default, which its configuration files may change.
 */
export interface CriuOpts {
  /**
   * Directory of the image files. Created with mode 0700 for a dump; must exist for a restore.
   * Source: `images_dir_fd`.
   */
  imagesDirectory?: DirectoryLike;
  /**
   * Directory of the log file and of the statistics. Created with mode 0700 if it does not exist.
   * Default: the images directory. Source: `work_dir_fd`.
   */
  workDirectory?: DirectoryLike;
  /**
   * Images of an earlier pre-dump, as a path relative to the images directory: pages that have not
   * changed since are not written again. Turns `trackMem` on, as in runc. Source: `parent_img`.
   */
  parentImage?: string;
  /** Let the processes run on after the dump, instead of killing them. Source: `leave_running`. */
  leaveRunning?: boolean;
  /** Leave the processes stopped after the dump or the restore (SIGSTOP). Source: `leave_stopped`. */
  leaveStopped?: boolean;
  /**
   * Dump and restore established TCP connections. The network stays locked between the two.
   * Source: `tcp_established`.
   */
  tcpEstablished?: boolean;
  /** Leave out TCP connections that are not established yet, instead of failing. Source: `tcp_skip_in_flight`. */
  tcpSkipInFlight?: boolean;
  /**
   * Restore established TCP connections as closed ones. What was dumped with it needs it at restore.
   * Source: `tcp_close`.
   */
  tcpClose?: boolean;
  /**
   * Allow unix datagram sockets whose peer is outside the tree and has a name. For a stream give
   * its end in the tree as `external` `unix[inode]`, and at restore another by `inheritFd` as
   * `socket:[inode]`. Source: `ext_unix_sk`.
   */
  externalUnixConnections?: boolean;
  /**
   * Allow a tree whose session leader or terminal is outside. At restore it joins the session and
   * the terminal of criu, which are then those of this process. Source: `shell_job`.
   */
  shellJob?: boolean;
  /**
   * Dump and restore file locks. A dump with locks needs it; a restore without it loses them in
   * silence. Source: `file_locks`.
   */
  fileLocks?: boolean;
  /** Link unlinked files back into their directory for the time of the checkpoint. Source: `link_remap`. */
  linkRemap?: boolean;
  /** Largest deleted file, in bytes, to carry inside the images. Default 1 MiB. Source: `ghost_limit`. */
  ghostLimit?: number;
  /**
   * Accept that a path to an open device leads to another node of the same device by now. Source:
   * `evasive_devices`.
   */
  evasiveDevices?: boolean;
  /** Only for `checkpoint`: make a pre-dump instead of a dump. runc's `PreDump`; no field of CRIU. */
  preDump?: boolean;
  /** Track changed memory, for a later pre-dump or dump. Needs a kernel with soft-dirty. Source: `track_mem`. */
  trackMem?: boolean;
  /** How a pre-dump reads memory: through the parasite (default) or process_vm_readv. Source: `pre_dump_mode`. */
  preDumpMode?: 'splice' | 'read';
  /** Punch pages that a newer image has out of the parent images. Source: `auto_dedup`. */
  autoDedup?: boolean;
  /**
   * A page server that takes the memory pages, or the place where one is to listen. With `lazyPages`
   * the dump listens there, by default on 127.0.0.1 and by TLS or `insecure` elsewhere. Source: `ps`.
   */
  pageServer?: PageServerOptions;
  /**
   * Dump: keep memory in the frozen processes and serve it at `pageServer`, to the first that
   * connects, until it hangs up; {@link Criu.lazyDump} is more careful. Restore: fetch memory on
   * demand through a lazy-pages daemon in the same work directory. Source: `lazy_pages`.
   */
  lazyPages?: boolean;
  /**
   * As in runc: a writable descriptor that gets one zero byte when the lazy page server is ready
   * to serve, and is then closed; it is also closed if the dump fails before, but for one that is
   * refused for the options themselves. CRIU's own `status_fd` is obsolete; this uses its
   * `status-ready` notification.
   */
  statusFd?: number;
  /** How pages are written and read: through the page cache (default) or around it. Source: `image_io_mode`. */
  imageIoMode?: 'writeback' | 'direct';
  /** Compress memory pages: 0 no (default), 1 in blocks. Source: `compress`. */
  compress?: number;
  /** LZ4 acceleration, 1 (default, smallest images) and up. Source: `compress_acceleration`. */
  compressAcceleration?: number;
  /** Size in bytes of a compressed block. Source: `compress_block_size`. */
  compressBlockSize?: number;
  /** Threads that decompress, 0 (CRIU chooses) to 1024. Default 1. Source: `decompress_threads`. */
  decompressThreads?: number;
  /** Read and write images through criu-image-streamer. Source: `stream`. */
  stream?: boolean;
  /** veth pairs to create at restore. CRIU prefers `external` with `veth[in]:out`. Source: `veths`. */
  vethPairs?: readonly VethPair[];
  /** How control groups are handled. Source: `manage_cgroups_mode`. */
  manageCgroupsMode?: ManageCgroupsMode;
  /** Old form of `manageCgroupsMode`: true is `soft`, false is `ignore`. Source: `manage_cgroups`. */
  manageCgroups?: boolean;
  /** Roots to restore controllers under: `{ memory: '/path' }`; `''` stands for all others. Source: `cg_root`. */
  cgRoot?: Readonly<Record<string, string>>;
  /** Controllers and properties to save, in CRIU's YAML. Source: `cgroup_props`. */
  cgroupProps?: string;
  /** Path of a file with `cgroupProps`. Source: `cgroup_props_file`. */
  cgroupPropsFile?: string;
  /** Dump these controllers only; `''` is the hierarchy of cgroup v2. Source: `cgroup_dump_controller`. */
  cgroupDumpController?: readonly string[];
  /** Directory with the control groups mounted already. Source: `cgroup_yard`. */
  cgroupYard?: string;
  /** Freeze with this cgroup instead of with ptrace alone: the path of its directory. Source: `freeze_cgroup`. */
  freezeCgroup?: string;
  /**
   * Namespaces to create empty, their contents left alone: `['network']`, or the clone flag.
   * CRIU knows only the network. Source: `empty_ns`.
   */
  emptyNs?: number | readonly 'network'[];
  /** Existing namespaces to restore into. Source: `join_ns`. */
  joinNs?: readonly JoinNamespace[];
  /**
   * External resources: `mnt[…]:…`, `file[…]`, `tty[…]`, `unix[…]`, `net[…]:…`, `pid[…]:…`,
   * `dev[…]:…`, `veth[…]:…`, `macvlan[…]:…`. The numbers in `file[mnt_id:inode]` and
   * `tty[rdev:dev]` are hexadecimal, the others decimal. Source: `external`, criu(8) --external.
   */
  external?: readonly string[];
  /**
   * Descriptors for what the images name: `{ 'pipe:[123]': fd }`, also `socket:[…]`, `tty[…]`,
   * `file[…]`, a path without its leading slash, or a label given with `external`. A pipe can be
   * replaced by a pipe or a file, but not by a socket. The library hands them to criu and numbers
   * them; they stay open here. Source: `inherit_fd`, criu(8) --inherit-fd.
   */
  inheritFd?: Readonly<Record<string, DescriptorLike>>;
  /** External mounts, image name to path outside. CRIU prefers `external`. Source: `ext_mnt`. */
  extMnt?: Readonly<Record<string, string>>;
  /** Find external mounts by themselves. Source: `auto_ext_mnt`. */
  autoExtMnt?: boolean;
  /** Allow shared mounts from outside, with `autoExtMnt`. Source: `ext_sharing`. */
  extSharing?: boolean;
  /** Allow master mounts from outside, with `autoExtMnt`. Source: `ext_masters`. */
  extMasters?: boolean;
  /** Mount points to leave out. Source: `skip_mnt`. */
  skipMnt?: readonly string[];
  /** File systems whose mounts need no special support: names, or `all`. Source: `enable_fs`. */
  enableFs?: readonly string[];
  /** Restore mounts as CRIU before 3.17 did. Source: `mntns_compat_mode`. */
  mntnsCompatMode?: boolean;
  /** Root of the restored mount namespace; must be a mount point. Source: `root`. */
  root?: string;
  /** Inodes of unix sockets with a peer outside. CRIU prefers `external`. Source: `unix_sk_ino`. */
  unixSkIno?: readonly number[];
  /** Look up watched files by path instead of by handle. Source: `force_irmap`. */
  forceIrmap?: boolean;
  /** Directories to search for watched files. Source: `irmap_scan_paths`. */
  irmapScanPaths?: readonly string[];
  /**
   * Processor capabilities that the images ask for: names, or CRIU's mask (1 fpu, 2 cpu, 4 ins).
   * Default: fpu and ins at dump. Source: `cpu_cap`.
   */
  cpuCap?: number | readonly CpuCapability[];
  /** Security profile of the restored processes, `apparmor:NAME` or `selinux:LABEL`. Source: `lsm_profile`. */
  lsmProfile?: string;
  /** SELinux context to mount with. Source: `lsm_mount_context`. */
  lsmMountContext?: string;
  /** Leave out sysctls that this kernel does not have. Source: `weak_sysctls`. */
  weakSysctls?: boolean;
  /**
   * How packets are held off between dump and restore. Default `iptables`. A restore goes by what
   * the dump was given. Source: `network_lock`.
   */
  networkLock?: 'iptables' | 'nftables' | 'skip';
  /** Do not compare the permissions of files at restore. Source: `skip_file_rwx_check`. */
  skipFileRwxCheck?: boolean;
  /**
   * Dump: allow one terminal whose master is outside; restore: hand a new master to the hook of
   * that name. Without the hook the restore fails. The terminal's number must be free then, and at
   * most 31 above the lowest free one. Default: true if there is such a hook. Source:
   * `orphan_pts_master`.
   */
  orphanPtsMaster?: boolean;
  /** Restore the root process as a child of this process. Source: `rst_sibling`. */
  asChild?: boolean;
  /** A program that criu becomes once the restore is done. Source: `exec_cmd`. */
  execCmd?: readonly string[];
  /** A socket, descriptor of this process, that keeps pidfds between pre-dumps. Source: `pidfd_store_sk`. */
  pidfdStoreSk?: DescriptorLike;
  /**
   * Encrypts page server connections with mutual TLS. Where CRIU makes the connection, `ca`, `cert`,
   * `key` and `crl` must be paths. `false` turns off a default of the client. Since CRIU 3.13, built
   * with GnuTLS. Source: `tls`, `tls_cacert`, `tls_cert`, `tls_key`, `tls_cacrl`, `tls_no_cn_verify`,
   * criu(8) --tls.
   */
  tls?: TlsOptions | false;
  /**
   * CRIU's own limit, in **seconds**, for freezing the tree; default 10. For a limit on the whole
   * operation see {@link OperationOptions.deadlineMs}. Source: `timeout`.
   */
  timeout?: number;
  /** A configuration file of CRIU that overrides what is given here. Source: `config_file`, criu(8). */
  configFile?: string;
  /** Work without CAP_SYS_ADMIN, with CAP_CHECKPOINT_RESTORE. Source: `unprivileged`. */
  unprivileged?: boolean;
  /** Options of CRIU's plugins, `PLUGIN.NAME=VALUE`. Source: `plugin_options`. */
  pluginOptions?: readonly string[];
  /** 0 nothing, 1 errors, 2 warnings (default), 3 progress, 4 everything. Source: `log_level`. */
  logLevel?: 0 | 1 | 2 | 3 | 4;
  /** Name of the log file in the work directory. Default: the operation's, as `dump.log`. Source: `log_file`. */
  logFile?: string;
  /** Log to standard error, which errors then quote, instead of to a file. Source: `log_to_stderr`. */
  logToStderr?: boolean;
  /** Print statistics into the log. Source: `display_stats`. */
  displayStats?: boolean;
}

/** What every operation takes besides CRIU's own options. */
export interface OperationOptions {
  /**
   * Cancels the operation. CRIU is told to roll back at its next notification, so that the
   * processes run on; only after `gracePeriodMs` criu is killed. The error is ERR_CRIU_ABORTED,
   * and its `workload` says what became of them.
   */
  signal?: AbortSignal | undefined;
  /** Cancels the operation likewise after this many milliseconds: ERR_CRIU_TIMEOUT. Default: no limit. */
  deadlineMs?: number | undefined;
  /** How long a cancelled operation may go on before criu is killed, in milliseconds. Default 5000. */
  gracePeriodMs?: number | undefined;
}

/**
 * Functions that CRIU waits for at its own steps. One that throws, or rejects, makes the operation
 * fail and CRIU roll back; its error is the `cause` of ours. `preResume` and `postResume` come too
 * late for that: CRIU goes on, and the error says that the processes run.
 * Source: criu(8) --action-script.
 */
export interface Hooks {
  /** Before a dump begins. */
  preDump?(): void | Promise<void>;
  /** The images are complete and the processes still frozen: the last moment to refuse the dump. */
  postDump?(): void | Promise<void>;
  /** The network of the processes is to be locked. */
  networkLock?(): void | Promise<void>;
  /** The network of the processes is to be unlocked. */
  networkUnlock?(): void | Promise<void>;
  /** Before a restore begins. */
  preRestore?(): void | Promise<void>;
  /** The root process exists with its namespaces, and nothing else yet. */
  setupNamespaces?(pid: number): void | Promise<void>;
  /** The namespaces are set up. */
  postSetupNamespaces?(): void | Promise<void>;
  /** Everything is restored, and nothing runs yet: the last moment to refuse the restore. */
  postRestore?(pid: number): void | Promise<void>;
  /** The processes are about to run. */
  preResume?(): void | Promise<void>;
  /** The processes run. */
  postResume?(): void | Promise<void>;
  /** The lazy page server accepts connections. Since CRIU 3.15. */
  statusReady?(): void | Promise<void>;
  /** The master of a terminal whose owner is outside the tree. The descriptor is yours to close. */
  orphanPtsMaster?(fd: number): void | Promise<void>;
  /** The tree is frozen: ids of further external files, as `file[mnt_id:inode]` in hex. */
  queryExtFiles?(): readonly string[] | Promise<readonly string[]>;
  /** Every notification, before the hook of its own; also those that have none. */
  onNotify?(notification: Notification): void | Promise<void>;
}

/** A notification of CRIU's, as {@link Hooks.onNotify} sees it. */
export interface Notification {
  /** CRIU's name of the step, as `post-dump`. */
  readonly script: string;
  /** The root process, with `setup-namespaces` and `post-restore`. */
  readonly pid?: number;
}
