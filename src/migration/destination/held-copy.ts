import { deferred } from '../../concurrency/deferred.ts';
import type { LazyMemory } from '../../images/lazy-memory.ts';
import type { Client } from '../../operations/client.ts';
import { type RestoreOptions, restore } from '../../operations/restore.ts';
import { overrideHooks } from '../../options/hooks.ts';
import {
  type LazyRestored,
  type LazyRestoreOptions,
  lazyRestore,
} from '../../postcopy/lazy-restore.ts';
import type { PageTunnel } from '../protocol/page-tunnel.ts';

/** A restore that holds its processes before they run. */
export interface HeldRestore {
  readonly options: RestoreOptions & { readonly imagesDirectory: string };
  /** The memory that comes after the copy runs, if the restore is lazy. */
  readonly memory: LazyMemory | undefined;
  /** The connection to the source, if that has some of it. */
  readonly source: PageTunnel | undefined;
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

  constructor(client: Client, { options, onRestored, ...from }: HeldRestore) {
    const held = deferred<number>();
    const postRestore = async (pid: number) => {
      await options.hooks?.postRestore?.(pid);
      await onRestored(pid);
      held.resolve(pid);
      if (!(await this.#released.promise)) throw new Error('the migration was aborted');
    };
    const hooks = overrideHooks(options.hooks, { postRestore });
    this.running = runRestore(client, { ...options, hooks }, from);
    this.held = Promise.race([held.promise, this.running.then(() => held.promise)]);
    this.held.catch(() => {});
  }

  /** Lets the copy run, or ends it. Only the first call counts. */
  release(run: boolean): void {
    this.#released.resolve(run);
  }
}

async function runRestore(
  client: Client,
  options: HeldRestore['options'],
  { memory, source }: Pick<HeldRestore, 'memory' | 'source'>,
): Promise<LazyRestored | undefined> {
  if (!memory) {
    await restore(client, options);
    return undefined;
  }
  const { lazyPages: _, ...others } = options;
  const forLazy = others as LazyRestoreOptions;
  if (!source) return await lazyRestore(client, forLazy, { memory });
  return await source.criuFd.use((fd) =>
    source.useLocalFd((keepAliveFd) =>
      lazyRestore(client, { ...forLazy, pageServer: { fd } }, { memory, keepAliveFd }),
    ),
  );
}
