/** What a restore needs of its host and of its options. */
export interface CheckpointNeeds {
  /** The oldest CRIU that knows all that the images have, such as `4.3`; undefined for any since 3.4. */
  readonly criu: string | undefined;
  /** The instruction set; undefined for a pre-dump. */
  readonly architecture: string | undefined;
  /** The processor of the dump, if `criu cpuinfo dump` wrote its image to the directory. */
  readonly processor: string | undefined;
  /** The security module: `apparmor` or `selinux`. */
  readonly lsm: string | undefined;
  /** CRIU's plugins that took part in the dump. */
  readonly plugins: readonly string[];
  /** Options that the restore must be given, each with the reason. */
  readonly options: readonly NeededOption[];
  /** Things outside the tree that the restore must be given. */
  readonly external: readonly NeededExternal[];
  /** Local addresses of sockets, which the host must have and whose ports must be free. */
  readonly addresses: readonly NeededAddress[];
  /** Ids of processes, threads, groups and sessions, which must be free; empty with a pid namespace of their own. */
  readonly pids: readonly number[];
  /** Files that must exist, unchanged; empty with a mount namespace of their own. */
  readonly files: readonly NeededFile[];
  /** Memory that the restore must fetch from the host of a lazy dump, in bytes. */
  readonly bytesLazy: number;
}

/** An option of the restore. */
export interface NeededOption {
  /** The name of the option, such as `tcpEstablished`. */
  readonly option:
    | 'tcpEstablished'
    | 'tcpClose'
    | 'shellJob'
    | 'fileLocks'
    | 'externalUnixConnections'
    | 'root'
    | 'autoExtMnt';
  /** Why, in a few words. */
  readonly reason: string;
  /** True if the manifest has the option, so that a restore need not be given it. */
  readonly isRemembered: boolean;
}

/** Something outside the tree. */
export interface NeededExternal {
  readonly kind: 'file' | 'mount' | 'namespace' | 'pipe' | 'unix' | 'terminal';
  /** The key for the options `inheritFd` or `external`, such as `pipe:[123]`. */
  readonly key: string;
}

/** A local address of a socket. */
export interface NeededAddress {
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
  readonly isListening: boolean;
}

/** A file that a restore opens by its name. */
export interface NeededFile {
  readonly path: string;
  /** In bytes; undefined if a restore accepts any. */
  readonly size: number | undefined;
  readonly mode: number | undefined;
  /** In hexadecimal. */
  readonly buildId: string | undefined;
}
