import { deferred } from '../concurrency/deferred.ts';
import { invalid } from '../errors.ts';
import type { DumpOptions, DumpResult } from '../index.ts';
import { callback, checkValue } from '../options/check.ts';
import { overrideHooks } from '../options/hooks.ts';
import type { Container } from './container.ts';

/** Options of {@link dumpPod}: those of each dump. The hooks are called for each container. */
export interface DumpPodOptions extends Omit<DumpOptions, 'imagesDirectory'> {
  /** Returns the directory of the images of a container: each needs one of its own. */
  imagesDirectory: (container: Container) => string;
}

/**
 * Dumps several containers at one moment, all or none: none is dumped before all are frozen, and none ends before the
 * images of all are complete. If one dump fails, all containers run on. What is left to fail then is only that
 * complete images cannot be moved into their directory.
 * @returns the results, in the order of the containers
 * @throws CriuError that of the dump that has failed first
 */
export async function dumpPod(
  containers: readonly Container[],
  options: DumpPodOptions,
): Promise<DumpResult[]> {
  const operation = 'dumpPod';
  const { imagesDirectory, hooks, ...dump } = options;
  checkValue(operation, 'imagesDirectory', callback, imagesDirectory);
  const pids = new Set(containers.map(({ pid }) => pid));
  if (containers.length === 0 || pids.size < containers.length) {
    throw invalid(operation, 'containers', 'one or more containers, each once', containers.length);
  }
  const frozen = new Barrier(containers.length);
  const complete = new Barrier(containers.length);
  const own = {
    async networkLock() {
      await frozen.arrive();
      await hooks?.networkLock?.();
    },
    async postDump(directory: string) {
      await hooks?.postDump?.(directory);
      await complete.arrive();
    },
  };
  let first: unknown;
  const dumps = containers.map(async (container) => {
    try {
      return await container.dump({
        ...dump,
        imagesDirectory: imagesDirectory(container),
        hooks: overrideHooks(hooks, own),
      });
    } catch (error) {
      first ??= error;
      const reason = new Error(`container ${container.id} is not dumped`);
      frozen.giveUp(reason);
      complete.giveUp(reason);
      throw error;
    }
  });
  const settled = await Promise.allSettled(dumps);
  if (first !== undefined) throw first;
  return settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
}

/** Lets nobody pass before all have arrived. */
class Barrier {
  #missing: number;
  readonly #open = deferred<void>();

  constructor(count: number) {
    this.#missing = count;
    // Nobody may be waiting when it is given up.
    this.#open.promise.catch(() => {});
  }

  async arrive(): Promise<void> {
    if (--this.#missing === 0) this.#open.resolve();
    await this.#open.promise;
  }

  /** Turns back all who wait, and who come later. */
  giveUp(reason: Error): void {
    this.#open.reject(reason);
  }
}
