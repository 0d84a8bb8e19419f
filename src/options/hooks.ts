/**
 * Functions that are called at the steps of CRIU, which waits for them. If a hook throws or rejects,
 * CRIU rolls back and the operation fails; the error of the hook is the `cause`. `preResume` and
 * `postResume` are too late for a rollback: CRIU continues, and the error says that the processes run.
 * Source: criu(8) --action-script.
 */
export interface Hooks {
  /** Before a dump begins. @param directory where CRIU writes the images: see `postDump` */
  preDump?(directory: string): void | Promise<void>;
  /**
   * The images are complete and the processes are still frozen: the last moment to refuse a dump.
   * @param directory where the images are. A dump that is written beside its images directory moves
   * them into place after this hook: see {@link Criu.dump}
   */
  postDump?(directory: string): void | Promise<void>;
  /** CRIU is about to lock the network of the processes. */
  networkLock?(): void | Promise<void>;
  /** CRIU is about to unlock the network of the processes. */
  networkUnlock?(): void | Promise<void>;
  /** Before a restore begins. */
  preRestore?(): void | Promise<void>;
  /** The root process exists with its namespaces, and nothing else is restored yet. */
  setupNamespaces?(pid: number): void | Promise<void>;
  /** The namespaces are set up. */
  postSetupNamespaces?(): void | Promise<void>;
  /** Everything is restored and nothing runs yet: the last moment to refuse a restore. */
  postRestore?(pid: number): void | Promise<void>;
  /** The processes are about to run. */
  preResume?(): void | Promise<void>;
  /** The processes run. */
  postResume?(): void | Promise<void>;
  /** The lazy page server accepts connections. Since CRIU 3.15. */
  statusReady?(): void | Promise<void>;
  /** Receives the new master of a terminal whose owner is outside the tree, and must close it. */
  orphanPtsMaster?(fd: number): void | Promise<void>;
  /** The tree is frozen. Returns further external files, each as `file[mnt_id:inode]` in hexadecimal. */
  queryExtFiles?(): readonly string[] | Promise<readonly string[]>;
  /** Called at every notification, before the hook for it, if there is one. */
  onNotify?(notification: Notification): void | Promise<void>;
}

/** A notification of CRIU, as {@link Hooks.onNotify} receives it. */
export interface Notification {
  /** CRIU's name of the step, such as `post-dump`. */
  readonly script: string;
  /** The pid of the root process; set for `setup-namespaces` and `post-restore`. */
  readonly pid?: number;
}

const names: { readonly [Name in keyof Required<Hooks>]: true } = {
  preDump: true,
  postDump: true,
  networkLock: true,
  networkUnlock: true,
  preRestore: true,
  setupNamespaces: true,
  postSetupNamespaces: true,
  postRestore: true,
  preResume: true,
  postResume: true,
  statusReady: true,
  orphanPtsMaster: true,
  queryExtFiles: true,
  onNotify: true,
};

/** The names of all hooks. */
export const hookNames = Object.keys(names) as readonly (keyof Hooks)[];

/**
 * Returns hooks of which some override others. Spreading would lose the methods that an object
 * inherits from its class, and `this`: each hook stays a method of the object that it comes from.
 */
export function overrideHooks(hooks: Hooks = {}, overriding: Hooks = {}): Hooks {
  const own = hookNames.flatMap((name) => {
    const owner = overriding[name] === undefined ? hooks : overriding;
    const hook: unknown = owner[name];
    return typeof hook === 'function' ? [[name, hook.bind(owner)]] : [];
  });
  return Object.fromEntries(own);
}
