import { deferred } from '../../concurrency/deferred.ts';
import type { Client } from '../../operations/client.ts';
import { type RestoreOptions, restore } from '../../operations/restore.ts';
import { overrideHooks } from '../../options/hooks.ts';
import {
  type LazyRestored,
  type LazyRestoreOptions,
  lazyRestore,
} from '../../postcopy/lazy-restore.ts';
import type { LeasedFd } from '../protocol/leased-fd.ts';

/** A connection from which a lazy-pages daemon gets pages. */
export interface PageConnection {
  /** The end for the daemon. */
  readonly criuFd: LeasedFd;
  /** Calls `user` with the other end, which the daemon keeps open if this process dies. */
  useLocalFd<T>(user: (fd: number) => Promise<T>): Promise<T>;
  /**
   * Fails when the daemon pauses from now on. It asks for one page after the other once the copy runs, but can lose
   * track of memory that the program unmaps, moves or discards while its pages are on the way, and then waits forever.
   */
  expectRequests(): void;
}

/** A restore that holds its processes before they run. */
export interface HeldRestore {
  readonly options: RestoreOptions & { readonly imagesDirectory: string };
  /** Where the lazy-pages daemon gets the pages from, if the restore is lazy: its images, or a connection. */
  readonly pagesFrom: 'images' | PageConnection | undefined;
  /** Called and awaited once the processes are restored. */
  readonly onRestored: (pid: number) => Promise<void> | void;
}

/** A copy that CRIU has restored, and holds until it is released or ended. */
export class HeldCopy {
  /** Resolves with the pid of the root once the copy is held; rejects if the restore fails before. */
  readonly held: Promise<number>;
  /**
   * Resolves once the released copy runs, with the rest of its memory to come if it is lazy; rejects if
   * the restore fails.
   */
  readonly running: Promise<LazyRestored | undefined>;
  readonly #released = deferred<boolean>();
  readonly #pagesFrom: HeldRestore['pagesFrom'];

  constructor(client: Client, { options, pagesFrom, onRestored }: HeldRestore) {
    const held = deferred<number>();
    this.#pagesFrom = pagesFrom;
    const postRestore = async (pid: number) => {
      await options.hooks?.postRestore?.(pid);
      await onRestored(pid);
      held.resolve(pid);
      if (!(await this.#released.promise)) throw new Error('the migration was aborted');
    };
    const hooks = overrideHooks(options.hooks, { postRestore });
    this.running = runRestore(client, { ...options, hooks }, pagesFrom);
    this.held = Promise.race([held.promise, this.running.then(() => held.promise)]);
    this.held.catch(() => {});
  }

  /** Lets the copy run, or ends it. Only the first call counts. */
  release(run: boolean): void {
    this.#released.resolve(run);
  }

  /** See {@link PageConnection.expectRequests}; call it once the copy runs. */
  expectRequests(): void {
    if (this.#pagesFrom !== 'images') this.#pagesFrom?.expectRequests();
  }
}

async function runRestore(
  client: Client,
  options: HeldRestore['options'],
  pagesFrom: HeldRestore['pagesFrom'],
): Promise<LazyRestored | undefined> {
  if (!pagesFrom) {
    await restore(client, options);
    return undefined;
  }
  const { lazyPages: _, ...others } = options;
  const forLazy = others as LazyRestoreOptions;
  if (pagesFrom === 'images') return await lazyRestore(client, forLazy);
  return await pagesFrom.criuFd.use((fd) =>
    pagesFrom.useLocalFd((keepAliveFd) =>
      lazyRestore(client, { ...forLazy, pageServer: { fd } }, keepAliveFd),
    ),
  );
}
