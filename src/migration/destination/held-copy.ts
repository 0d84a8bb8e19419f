import { deferred } from '../../concurrency/deferred.ts';
import { type RestoreOptions, restore } from '../../operations/restore.ts';
import type { RestoredProcess } from '../../operations/restored-process.ts';
import { type LazyRestored, lazyRestore } from '../../postcopy/lazy-restore.ts';
import { askedOf, type Offered } from '../protocol/offered-options.ts';
import type { Arrival } from './arrival.ts';
import type { Hosting } from './incoming.ts';

/** A copy that is restored, and held by CRIU until it is decided what becomes of it. */
export class HeldCopy {
  /** Resolves with its root once it is held; rejects if that does not come to be. */
  readonly held: Promise<number>;
  /** What the restore comes to, once it is released. */
  readonly restored: Promise<RestoredProcess | LazyRestored>;
  readonly #released = deferred<boolean>();

  constructor(
    hosting: Hosting,
    offer: Offered,
    from: { readonly arrival: Arrival; readonly index: number; readonly lazy: boolean },
    signal: AbortSignal,
  ) {
    const held = deferred<number>();
    const postRestore = async (pid: number) => {
      await hosting.restore.hooks?.postRestore?.(pid);
      held.resolve(pid);
      if (!(await this.#released.promise)) throw new Error('the migration was aborted');
    };
    this.restored = restoring(hosting, offer, { ...from, postRestore }, signal);
    this.held = Promise.race([held.promise, this.restored.then(() => held.promise)]);
    this.held.catch(() => {});
  }

  /** Lets it run, or end. The first word counts. */
  release(run: boolean): void {
    this.#released.resolve(run);
  }
}

async function restoring(
  { client, restore: own }: Hosting,
  offer: Offered,
  from: {
    readonly arrival: Arrival;
    readonly index: number;
    readonly lazy: boolean;
    readonly postRestore: (pid: number) => Promise<void>;
  },
  signal: AbortSignal,
): Promise<RestoredProcess | LazyRestored> {
  const { arrival, index, lazy, postRestore } = from;
  const options = {
    ...askedOf(offer),
    ...own,
    imagesDirectory: arrival.directoryOf(index),
    hooks: { ...own.hooks, postRestore },
    signal,
  } as RestoreOptions & { imagesDirectory: string };
  if (!lazy) return await restore(client, options);
  const tunnel = arrival.lazy;
  if (!tunnel) throw new Error('there is no connection for lazy pages');
  const { lazyPages: _, ...forLazy } = options;
  return await tunnel.criuFd.use((fd) =>
    tunnel.useLocalFd((keeper) =>
      lazyRestore(client, { ...forLazy, pageServer: { fd } } as never, keeper),
    ),
  );
}
