import type { Socket } from 'node:net';

/** A file descriptor, or a Node.js object that has one: a `FileHandle` or a `net.Socket`. */
export type DescriptorLike = number | { readonly fd: number } | Socket;

/** A directory: its path, or a descriptor that is open on it. */
export type DirectoryLike = string | DescriptorLike;

/**
 * Where a dump sends memory pages, or where a page server listens. Source:
 * `criu_page_server_info`; runc `PageServer`.
 */
export interface PageServerOptions {
  /**
   * IP address or host name. A page server listens on it, by default on `127.0.0.1`; a dump
   * connects to it.
   */
  address?: string;
  /** TCP port, 0 to 65535. With 0, the default of a page server, the kernel chooses a free port. */
  port?: number;
  /**
   * A connected stream socket, instead of address and port. CRIU takes over the socket: it is set to
   * blocking mode, and Node.js must not read from it (`pauseOnConnect`). A dump does not use TLS on
   * such a socket.
   */
  fd?: DescriptorLike;
}

/** Certificates for mutual TLS, each as the path of a PEM file or as its content. */
export interface TlsOptions {
  /** The certificate authority that must have signed the certificate of the peer. */
  readonly ca: string | Uint8Array;
  /** The certificate to present. */
  readonly cert: string | Uint8Array;
  /** The private key of `cert`. */
  readonly key: string | Uint8Array;
  /** The revocation list of the authority. Default: no certificate is revoked. */
  readonly crl?: string | Uint8Array;
  /**
   * If true, the certificate of a server must be for the address that the client connects to. If
   * false, every certificate of the authority is accepted. Default true.
   */
  readonly verifyName?: boolean;
}

/** The two ends of a veth pair: see {@link CriuOpts.vethPairs}. */
export interface VethPair {
  /** The interface in the restored network namespace. */
  containerInterfaceName: string;
  /** The other end, on the host. */
  hostInterfaceName: string;
}

/** A namespace to restore into: see {@link CriuOpts.joinNs}. */
export interface JoinNamespace {
  /** The kind of namespace. */
  ns: 'ipc' | 'net' | 'time' | 'user' | 'uts';
  /** A namespace file such as `/proc/1234/ns/net`, or the pid of a process in the namespace. */
  nsFile: string | number;
  /** For `user`: `UID,GID`. */
  extraOpt?: string;
}

/** How control groups are dumped and restored. The empty string selects CRIU's default, `soft`. */
export type ManageCgroupsMode = 'soft' | 'full' | 'strict' | 'ignore' | 'props' | 'none' | '';

/** A processor capability that images require: see {@link CriuOpts.cpuCap}. */
export type CpuCapability = 'fpu' | 'cpu' | 'ins' | 'all' | 'none';

/**
 * Every option of CRIU in one object. An option has runc's name if runc has it, otherwise the
 * camelCase of CRIU's field in `criu_opts`. Each operation takes some of the options and refuses the
 * others: see {@link DumpOptions}, {@link RestoreOptions} and the like. An option that is absent has
 * CRIU's default, which CRIU's configuration files can change. Flags default to false unless stated.
 */
export interface CriuOpts {
  /**
   * Directory of the image files. A dump creates it with mode 0700; for a restore it must exist.
   * Source: `images_dir_fd`, criu(8) --images-dir; runc `ImagesDirectory`.
   */
  imagesDirectory?: DirectoryLike;
  /**
   * Replace the checkpoint in the images directory, which must not be a mount point. The old checkpoint
   * stays whole until the new one is complete, and is then removed with all files named `*.img` in its
   * directory; other files stay. Without this option a directory that holds a checkpoint is refused.
   * See {@link Criu.dump} for the dumps that write over the old images instead.
   */
  overwrite?: boolean;
  /**
   * Write the images to the disk (fsync): before the processes end, or, after a pre-dump and with
   * `leaveRunning` or `leaveStopped`, once they are no longer frozen. With `false` a crash of the host can
   * lose a dump that has succeeded. A page server does so when its dump has closed the connection. Images
   * are not written to the disk with `lazyPages` or `stream`, and if a process dumps itself without
   * `leaveRunning`. Default true.
   */
  durable?: boolean;
  /**
   * Keep the images of a dump that fails, to examine them. They stay where CRIU wrote them, which the
   * error's `leftovers` names; the next dump with `overwrite` may remove them.
   */
  keepFailed?: boolean;
  /**
   * Describe a dump in the file `node-criu.json` beside its images, and take from it what is not given to a
   * restore: options such as `tcpEstablished`. The file also has checksums, with which `verifyImages` finds
   * damage; see `readManifest` of `node-criu/images`. Default true.
   */
  manifest?: boolean;
  /**
   * Directory of the log file and of the statistics. Created with mode 0700 if it does not exist.
   * Default: the images directory. Source: `work_dir_fd`, criu(8) --work-dir; runc `WorkDirectory`.
   */
  workDirectory?: DirectoryLike;
  /**
   * Images of an earlier dump or pre-dump, as a path relative to the images directory. Pages that have not
   * changed since are not written again. Turns `trackMem` on, as in runc. If the kernel has no soft-dirty
   * tracking, {@link Criu.dump} compares the memory with these images, unless `trackMem` is false or the client
   * has a `socket`. Source: `parent_img`, criu(8) --prev-images-dir; runc `ParentImage`.
   */
  parentImage?: string;
  /**
   * Let the processes continue after the dump, instead of killing them. Source: `leave_running`,
   * criu(8) --leave-running; runc `LeaveRunning`.
   */
  leaveRunning?: boolean;
  /**
   * Leave the processes stopped (SIGSTOP) after the dump or the restore. Since CRIU 3.19. Source:
   * `leave_stopped`, criu(8) --leave-stopped.
   */
  leaveStopped?: boolean;
  /**
   * Dump and restore established TCP connections. The network of the processes stays locked between
   * the dump and the restore. Source: `tcp_established`, criu(8) --tcp-established; runc
   * `TcpEstablished`.
   */
  tcpEstablished?: boolean;
  /**
   * Leave out TCP connections that are not established yet, instead of failing. Source:
   * `tcp_skip_in_flight`, criu(8) --skip-in-flight; runc `TcpSkipInFlight`.
   */
  tcpSkipInFlight?: boolean;
  /**
   * Restore established TCP connections as closed connections. A restore needs this option after a dump with
   * it. Since CRIU 3.12. Source: `tcp_close`, criu(8) --tcp-close.
   */
  tcpClose?: boolean;
  /**
   * Allow unix datagram sockets whose peer is outside the tree and has a name. For a stream socket,
   * give the end in the tree as `unix[inode]` in `external`, and at the restore another socket as
   * `socket:[inode]` in `inheritFd`. Source: `ext_unix_sk`, criu(8) --ext-unix-sk; runc
   * `ExternalUnixConnections`.
   */
  externalUnixConnections?: boolean;
  /**
   * Allow a tree whose session leader or terminal is outside. The restored processes join the session
   * and the terminal of criu, which are those of this process. Source: `shell_job`, criu(8)
   * --shell-job; runc `ShellJob`.
   */
  shellJob?: boolean;
  /**
   * Dump and restore file locks. A dump of processes with locks needs it; a restore without it
   * silently drops the locks. Source: `file_locks`, criu(8) --file-locks; runc `FileLocks`.
   */
  fileLocks?: boolean;
  /**
   * Link deleted files into their directory for the duration of the checkpoint. Source: `link_remap`,
   * criu(8) --link-remap; runc `LinkRemap`.
   */
  linkRemap?: boolean;
  /**
   * Largest deleted file to store in the images, in bytes. Default 1 MiB. Source: `ghost_limit`,
   * criu(8) --ghost-limit.
   */
  ghostLimit?: number;
  /**
   * Use any path to a device file if the original path is not accessible. Source: `evasive_devices`,
   * criu(8) --evasive-devices.
   */
  evasiveDevices?: boolean;
  /**
   * Make a pre-dump instead of a dump; only for {@link Criu.checkpoint} and {@link Criu.preflight}.
   * Source: runc `PreDump`; CRIU has no such field.
   */
  preDump?: boolean;
  /**
   * Track changed memory for a later pre-dump or dump. It has no effect if the kernel has no
   * soft-dirty tracking; over a criu service that is an error. Source: `track_mem`, criu(8)
   * --track-mem.
   */
  trackMem?: boolean;
  /**
   * How a pre-dump reads memory: `splice` through the parasite (default), or `read` by
   * process_vm_readv(2). Since CRIU 3.14. Source: `pre_dump_mode`, criu(8) --pre-dump-mode.
   */
  preDumpMode?: 'splice' | 'read';
  /**
   * Remove pages from the parent images once a newer image has them. Source: `auto_dedup`, criu(8)
   * --auto-dedup; runc `AutoDedup`.
   */
  autoDedup?: boolean;
  /**
   * The page server that receives the memory pages, or the address on which a page server listens.
   * With `lazyPages` the dump itself listens there, by default on 127.0.0.1; other addresses need
   * `tls` or `insecure`. Source: `ps`, criu(8) --page-server, --address, --port; runc `PageServer`.
   */
  pageServer?: PageServerOptions;
  /**
   * Transfer memory on demand. A dump keeps memory in the frozen processes and serves it at
   * `pageServer` to the first client, until that client disconnects; {@link Criu.lazyDump} does the
   * same more safely. A restore fetches memory through a lazy-pages daemon with the same work
   * directory. Since CRIU 3.5. Source: `lazy_pages`, criu(8) --lazy-pages; runc `LazyPages`.
   */
  lazyPages?: boolean;
  /**
   * A writable descriptor that receives one zero byte when the lazy page server is ready. It is then
   * closed, and it is also closed if the dump fails earlier, unless the options themselves are
   * refused. Needs `lazyPages`. Since CRIU 3.15, whose `status-ready` notification it uses. Source:
   * runc `StatusFd`; CRIU's own `status_fd` is obsolete.
   */
  statusFd?: number;
  /**
   * How pages are written and read: through the page cache (`writeback`, default) or around it
   * (`direct`). Since CRIU 4.3. Source: `image_io_mode`.
   */
  imageIoMode?: 'writeback' | 'direct';
  /** Compression of memory pages: 0 none (default), 1 in blocks. Since CRIU 4.3. Source: `compress`. */
  compress?: number;
  /**
   * LZ4 acceleration: 1 (default) makes the smallest images, larger numbers are faster. Since CRIU
   * 4.3. Source: `compress_acceleration`.
   */
  compressAcceleration?: number;
  /** Size of a compressed block, in bytes. Since CRIU 4.3. Source: `compress_block_size`. */
  compressBlockSize?: number;
  /**
   * Number of threads that decompress, 0 to 1024; with 0 CRIU chooses. Default 1. Since CRIU 4.3.
   * Source: `decompress_threads`.
   */
  decompressThreads?: number;
  /**
   * Write and read the images through criu-image-streamer. Since CRIU 4.3. Source: `stream`, criu(8)
   * --stream.
   */
  stream?: boolean;
  /**
   * The veth pairs to create at the restore. CRIU recommends `external` with `veth[in]:out` instead.
   * Source: `veths`; runc `VethPairs`.
   */
  vethPairs?: readonly VethPair[];
  /**
   * How control groups are handled. Default `soft`. Source: `manage_cgroups_mode`, criu(8)
   * --manage-cgroups; runc `ManageCgroupsMode`.
   */
  manageCgroupsMode?: ManageCgroupsMode;
  /**
   * The older form of `manageCgroupsMode`: true is `soft`, false is `ignore`. Source:
   * `manage_cgroups`.
   */
  manageCgroups?: boolean;
  /**
   * The cgroup under which each controller is restored, such as `{ memory: '/path' }`. The name `''`
   * stands for all other controllers. Source: `cg_root`, criu(8) --cgroup-root.
   */
  cgRoot?: Readonly<Record<string, string>>;
  /**
   * Controllers and properties to save, in CRIU's YAML format. Source: `cgroup_props`, criu(8)
   * --cgroup-props.
   */
  cgroupProps?: string;
  /** Path of a file with `cgroupProps`. Source: `cgroup_props_file`, criu(8) --cgroup-props-file. */
  cgroupPropsFile?: string;
  /**
   * Dump only these controllers; `''` is the hierarchy of cgroup v2. Source:
   * `cgroup_dump_controller`, criu(8) --cgroup-dump-controller.
   */
  cgroupDumpController?: readonly string[];
  /**
   * Directory in which the control groups are already mounted. Since CRIU 3.14. Source:
   * `cgroup_yard`, criu(8) --cgroup-yard.
   */
  cgroupYard?: string;
  /**
   * Freeze the processes through this cgroup instead of through ptrace alone: the path of its
   * directory. Source: `freeze_cgroup`, criu(8) --freeze-cgroup.
   */
  freezeCgroup?: string;
  /**
   * Namespaces to create without restoring their contents: `['network']`, or the clone flag. CRIU
   * supports only the network namespace. Source: `empty_ns`, criu(8) --empty-ns; runc `EmptyNs`.
   */
  emptyNs?: number | readonly 'network'[];
  /** Existing namespaces to restore into. Source: `join_ns`, criu(8) --join-ns. */
  joinNs?: readonly JoinNamespace[];
  /**
   * External resources: `mnt[…]:…`, `file[…]`, `tty[…]`, `unix[…]`, `net[…]:…`, `pid[…]:…`,
   * `dev[…]:…`, `veth[…]:…`, `macvlan[…]:…`. The numbers in `file[mnt_id:inode]` and
   * `tty[rdev:dev]` are hexadecimal, the others decimal. Source: `external`, criu(8) --external.
   */
  external?: readonly string[];
  /**
   * Descriptors that replace resources named in the images: `{ 'pipe:[123]': fd }`. A name can also
   * be `socket:[…]`, `tty[…]`, `file[…]`, a path without its leading slash, or a label given in
   * `external`. A pipe can be replaced by a pipe or a file, but not by a socket. criu inherits the
   * descriptors under numbers that the library chooses; they remain open in this process. Source:
   * `inherit_fd`, criu(8) --inherit-fd.
   */
  inheritFd?: Readonly<Record<string, DescriptorLike>>;
  /**
   * External mounts: the name in the images and the path outside. CRIU recommends `external`.
   * Source: `ext_mnt`, criu(8) --ext-mount-map.
   */
  extMnt?: Readonly<Record<string, string>>;
  /** Detect external mounts automatically. Source: `auto_ext_mnt`, criu(8) --ext-mount-map auto. */
  autoExtMnt?: boolean;
  /**
   * With `autoExtMnt`, allow mounts that are shared with the outside. Source: `ext_sharing`, criu(8)
   * --enable-external-sharing.
   */
  extSharing?: boolean;
  /**
   * With `autoExtMnt`, allow slave mounts whose master is outside. Source: `ext_masters`, criu(8)
   * --enable-external-masters.
   */
  extMasters?: boolean;
  /** Mount points to leave out. Source: `skip_mnt`, criu(8) --skip-mnt. */
  skipMnt?: readonly string[];
  /**
   * File systems to detect automatically: names, or `all`. Source: `enable_fs`, criu(8) --enable-fs.
   */
  enableFs?: readonly string[];
  /**
   * Restore mounts as CRIU did before 3.17. Since CRIU 3.17. Source: `mntns_compat_mode`,
   * criu(8) --mntns-compat-mode; runc `MntnsCompatMode`.
   */
  mntnsCompatMode?: boolean;
  /**
   * Root of the restored mount namespace, which must be a mount point, unless `bindRoot` makes it one. Source:
   * `root`, criu(8) --root.
   */
  root?: string;
  /**
   * Take any directory as `root`: criu gets mounts of its own, in which the directory is mounted, with what is
   * mounted below it. Nothing of that is seen by others, or stays. It needs a criu that this process starts.
   * `external` may name `tmpfs` in the place of a path, `mnt[NAME]:tmpfs`: an empty one. Default false.
   */
  bindRoot?: boolean;
  /**
   * Inodes of unix sockets whose peer is outside the tree. CRIU recommends `external`. Source:
   * `unix_sk_ino`.
   */
  unixSkIno?: readonly number[];
  /**
   * Find watched files by path instead of by file handle. Source: `force_irmap`, criu(8)
   * --force-irmap.
   */
  forceIrmap?: boolean;
  /**
   * Directories in which to search for watched files. Source: `irmap_scan_paths`, criu(8)
   * --irmap-scan-path.
   */
  irmapScanPaths?: readonly string[];
  /**
   * Processor capabilities that the images require: names, or CRIU's mask (1 fpu, 2 cpu, 4 ins).
   * Default of a dump: fpu and ins. Source: `cpu_cap`, criu(8) --cpu-cap.
   */
  cpuCap?: number | readonly CpuCapability[];
  /**
   * Security profile of the restored processes, `apparmor:NAME` or `selinux:LABEL`. Since CRIU 3.16:
   * an older CRIU cannot change the profile. Source: `lsm_profile`, criu(8) --lsm-profile; runc
   * `LsmProfile`.
   */
  lsmProfile?: string;
  /**
   * SELinux context to mount with. Since CRIU 3.16. Source: `lsm_mount_context`, criu(8)
   * --lsm-mount-context; runc `LsmMountContext`.
   */
  lsmMountContext?: string;
  /** Leave out sysctls that this kernel does not have. Source: `weak_sysctls`. */
  weakSysctls?: boolean;
  /**
   * How packets are blocked between dump and restore. Default `iptables`. A restore uses the method of
   * the dump. Since CRIU 3.16. Source: `network_lock`, criu(8) --network-lock.
   */
  networkLock?: 'iptables' | 'nftables' | 'skip';
  /**
   * Do not compare the permissions of files at the restore. Since CRIU 3.18. Source:
   * `skip_file_rwx_check`, criu(8) --skip-file-rwx-check.
   */
  skipFileRwxCheck?: boolean;
  /**
   * Allow one terminal whose master is outside the tree. A restore passes a new master to the hook
   * `orphanPtsMaster`, and fails without that hook. The number of the terminal must be free, and at
   * most 31 above the lowest free number. Default: true if there is such a hook. Source:
   * `orphan_pts_master`.
   */
  orphanPtsMaster?: boolean;
  /**
   * Restore the root process as a child of this process. Source: `rst_sibling`, criu(8)
   * --restore-sibling.
   */
  asChild?: boolean;
  /** A program that criu executes when the restore is done. Source: `exec_cmd`, criu(8) --exec-cmd. */
  execCmd?: readonly string[];
  /**
   * A socket of this process that stores pidfds between pre-dumps. Since CRIU 3.16. Source:
   * `pidfd_store_sk`.
   */
  pidfdStoreSk?: DescriptorLike;
  /**
   * Encrypt page server connections with mutual TLS. Where CRIU makes the connection, `ca`, `cert`,
   * `key` and `crl` must be paths. `false` turns off a default of the client. Since CRIU 3.13, built
   * with GnuTLS. Source: `tls`, `tls_cacert`, `tls_cert`, `tls_key`, `tls_cacrl`,
   * `tls_no_cn_verify`, criu(8) --tls.
   */
  tls?: TlsOptions | false;
  /**
   * CRIU's own limit for freezing the process tree, in **seconds**. Default 10. It does not limit
   * anything else: {@link OperationOptions.deadlineMs} limits the whole operation. Source: `timeout`,
   * criu(8) --timeout.
   */
  timeout?: number;
  /**
   * A configuration file of CRIU, which overrides the options given here. Since CRIU 3.11. Source:
   * `config_file`, criu(8) --config.
   */
  configFile?: string;
  /**
   * Work without CAP_SYS_ADMIN, with CAP_CHECKPOINT_RESTORE. Since CRIU 3.18. Source:
   * `unprivileged`, criu(8) --unprivileged.
   */
  unprivileged?: boolean;
  /** Options of CRIU's plugins, `PLUGIN.NAME=VALUE`. Since CRIU 4.3. Source: `plugin_options`. */
  pluginOptions?: readonly string[];
  /**
   * Detail of the log: 0 nothing, 1 errors, 2 warnings (default), 3 progress, 4 everything. Source:
   * `log_level`, criu(8) -v.
   */
  logLevel?: 0 | 1 | 2 | 3 | 4;
  /**
   * Name of the log file in the work directory. Default: the name of the operation, such as
   * `dump.log`. Source: `log_file`, criu(8) --log-file.
   */
  logFile?: string;
  /**
   * Write the log to standard error, which errors then quote, instead of to a file. Since CRIU 3.19.
   * Source: `log_to_stderr`.
   */
  logToStderr?: boolean;
  /** Write statistics into the log. Since CRIU 3.19. Source: `display_stats`, criu(8) --display-stats. */
  displayStats?: boolean;
}

/** The limits that every operation takes besides CRIU's own options. */
export interface OperationOptions {
  /**
   * Cancels the operation. The library refuses CRIU's next notification, so that CRIU rolls back and
   * the processes continue to run; criu is killed only after `gracePeriodMs`. The error is
   * ERR_CRIU_ABORTED, and its `workload` is the state of the processes.
   */
  signal?: AbortSignal | undefined;
  /**
   * Time limit of the whole operation, in **milliseconds**; when it expires, the operation is
   * cancelled as by `signal`, with ERR_CRIU_TIMEOUT. Default: no limit. Do not
   * confuse it with {@link CriuOpts.timeout}, CRIU's limit for freezing the processes, in seconds.
   */
  deadlineMs?: number | undefined;
  /**
   * How long a cancelled operation may take to roll back before criu is killed, in milliseconds.
   * Default 5000.
   */
  gracePeriodMs?: number | undefined;
}
