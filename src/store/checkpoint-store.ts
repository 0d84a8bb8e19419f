import { join } from 'node:path';
import { Criu } from '../criu.ts';
import { CriuError, invalid } from '../errors.ts';
import type { CheckpointManifest } from '../images/manifest.ts';
import { verifyImages } from '../images/verify.ts';
import type { DumpResult } from '../operations/dump.ts';
import type { RestoredProcess } from '../operations/restored-process.ts';
import { callback, checkOptions, checkValue, readOptions } from '../options/check.ts';
import { text } from '../options/kinds.ts';
import { requirePrivate } from '../process/private-directory.ts';
import { startTimeOf } from '../procfs/stat.ts';
import { statusOf } from '../procfs/status.ts';
import { readBootIdSync } from '../procfs/system.ts';
import { DirectoryLock } from './directory-lock.ts';
import { removable } from './retention.ts';
import { type FoundCheckpoint, parentOf, parseId, StoreDirectory } from './store-directory.ts';
import {
  type CheckpointStoreOptions,
  type CheckpointTarget,
  checkpointTarget,
  dumpShape,
  type ListCheckpointsOptions,
  listShape,
  type PruneOptions,
  pruneShape,
  reserved,
  type StoredDumpOptions,
  type StoredRestoreOptions,
} from './store-options.ts';

/** A checkpoint in a {@link CheckpointStore}. */
export interface StoredCheckpoint {
  /** Names it in the store: its name, when it was made, and random digits. */
  readonly id: string;
  /** What it is of. */
  readonly name: string;
  /** When it was begun. */
  readonly createdAt: Date;
  /** Its images directory. */
  readonly directory: string;
  /** The pid of the root process. */
  readonly pid: number;
  /** Bytes of its own files, without those of its parents. */
  readonly bytes: number;
  /** The id of the checkpoint that has the rest of its memory; undefined if it has all. */
  readonly parent: string | undefined;
  /** What the dump says of itself. */
  readonly manifest: CheckpointManifest;
}

/** The result of {@link CheckpointStore.checkpoint}. */
export interface StoredDump extends StoredCheckpoint {
  /** The result of the dump. */
  readonly dump: DumpResult;
}

/**
 * A directory of checkpoints, each with a name. Several processes can use it at once, also by different
 * versions of this class; what a process that was killed has left is not listed, and removed by the next one that
 * makes a checkpoint or prunes. The directory is made with mode 0700, and must belong to this user or root.
 *
 * @example
 * ```ts
 * await using store = new CheckpointStore('/var/lib/checkpoints');
 * const { id } = await store.checkpoint(pid, { name: 'web', leaveRunning: true });
 * await store.prune({ keepLast: 3 });
 * const { pid: again } = await store.restore(id);
 * ```
 */
export class CheckpointStore implements AsyncDisposable {
  /** The path of the directory. */
  readonly directory: string;
  readonly #files: StoreDirectory;
  readonly #criu: Criu;
  readonly #ownsCriu: boolean;

  /** @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
  constructor(directory: string, options: CheckpointStoreOptions = {}) {
    const operation = 'new CheckpointStore';
    checkValue(operation, 'directory', text, directory);
    const { criu, ...others } = readOptions(operation, options);
    checkOptions(operation, others, {});
    if (criu !== undefined && !(criu instanceof Criu)) {
      throw invalid(operation, 'criu', 'a Criu', criu);
    }
    this.directory = directory;
    this.#files = new StoreDirectory(directory);
    this.#criu = criu ?? new Criu();
    this.#ownsCriu = criu === undefined;
  }

  /**
   * Dumps a process tree into the store, as {@link Criu.dump} does: it ends the processes unless `leaveRunning` is
   * true. If it fails, its log stays for a day.
   * @param target the pid of the root of the tree, or an open container
   * @throws CriuError as {@link Criu.dump} does
   */
  async checkpoint(
    target: number | CheckpointTarget,
    options: StoredDumpOptions,
  ): Promise<StoredDump> {
    const operation = 'checkpoint';
    checkValue(operation, 'target', checkpointTarget, target);
    const { name, incremental, ...dump } = readOptions(operation, options);
    checkOptions(operation, { name, incremental }, dumpShape);
    for (const [option, value] of Object.entries(dump)) {
      if (value === undefined || !reserved.includes(option)) continue;
      throw invalid(operation, option, 'nothing: the store sets it', value);
    }
    await this.#requirePrivate(operation);
    await this.#files.removeAbandoned();
    const { id, lock } = await this.#files.begin(name);
    await using _ = lock;
    const dumped = typeof target === 'number' ? this.#processTree(target) : target;
    await using parent = incremental
      ? await this.#parentFor(operation, name, dumped.pid)
      : undefined;
    const result = await dumped.dump({
      ...dump,
      imagesDirectory: this.#files.pathOf(id),
      ...(parent && { parentImage: join('..', parent.id) }),
      ...(incremental && { trackMem: true }),
    });
    return { ...(await this.#get(operation, id)), dump: result };
  }

  /** Lists the complete checkpoints, the newest first. @throws CriuError ERR_CRIU_BAD_IMAGE */
  async list(options: ListCheckpointsOptions = {}): Promise<StoredCheckpoint[]> {
    const { name } = checkOptions('list', options, listShape);
    return (await this.#list('list', name)).map(described);
  }

  /** The newest checkpoint with a name; undefined if there is none. */
  async latest(name: string): Promise<StoredCheckpoint | undefined> {
    const [newest] = await this.list({ name });
    return newest;
  }

  /** A checkpoint by its id. @throws CriuError ERR_CRIU_INVALID_ARGUMENT if there is none */
  async get(id: string): Promise<StoredCheckpoint> {
    return await this.#get('get', id);
  }

  /**
   * Restores a checkpoint, once its images are verified as {@link verifyImages} does without `deep`. Nobody can
   * remove it meanwhile.
   * @throws CriuError as {@link Criu.restore} does, and ERR_CRIU_BAD_IMAGE if the images are damaged
   */
  async restore(id: string, options: StoredRestoreOptions = {}): Promise<RestoredProcess> {
    const operation = 'restore';
    const given = readOptions(operation, options);
    return await this.#withVerified(operation, id, async ({ directory: imagesDirectory }) => {
      return await this.#criu.restore({ ...given, imagesDirectory });
    });
  }

  /**
   * Calls a function with a checkpoint, once its images are verified as {@link CheckpointStore.restore} does, so that
   * something else can restore it: `restoreContainer` of `node-criu/containers`, for example. Nobody can remove the
   * checkpoint before the function has ended.
   * @returns what the function returns
   * @throws CriuError ERR_CRIU_BAD_IMAGE if the images are damaged; ERR_CRIU_BUSY while the checkpoint is being removed
   */
  async use<T>(id: string, use: (checkpoint: StoredCheckpoint) => Promise<T> | T): Promise<T> {
    const operation = 'use';
    checkValue(operation, 'use', callback, use);
    return await this.#withVerified(operation, id, use);
  }

  /**
   * Removes a checkpoint.
   * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if there is none, or another one needs it; ERR_CRIU_BUSY while it
   * is being restored
   */
  async remove(id: string): Promise<void> {
    const operation = 'remove';
    await this.#find(operation, id);
    const child = (await this.#list(operation)).find((each) => parentOf(each) === id);
    if (child) {
      const message = `${operation}: ${id} has memory that the incremental checkpoint ${child.id} needs: remove that first`;
      throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation, option: 'id' });
    }
    if (await this.#files.remove(id)) return;
    throw new CriuError('ERR_CRIU_BUSY', `${operation}: ${id} is in use`, { operation });
  }

  /**
   * Removes checkpoints that no rule keeps. Those that a kept incremental checkpoint needs stay, and so do those in
   * use, and the newest of each name.
   * @returns what was removed, or would be with `dryRun`
   */
  async prune(options: PruneOptions): Promise<StoredCheckpoint[]> {
    const operation = 'prune';
    const { name, dryRun, ...rules } = checkOptions(operation, options, pruneShape);
    if (Object.values(rules).every((rule) => rule === undefined)) {
      throw invalid(operation, 'keepLast', 'a number, or keepWithin or maxBytes one', undefined);
    }
    await this.#requirePrivate(operation);
    const checkpoints = (await this.#list(operation, name)).map(described);
    const victims = removable(checkpoints, rules, Date.now());
    if (dryRun) return victims;
    await this.#files.removeAbandoned();
    const removed: StoredCheckpoint[] = [];
    const left = new Set<string>();
    for (const each of victims) {
      // Its child is in use.
      const isNeeded = left.has(each.id);
      if (!isNeeded && (await this.#files.remove(each.id))) removed.push(each);
      else if (each.parent !== undefined) left.add(each.parent);
    }
    return removed;
  }

  /** Bytes of the files of all checkpoints. */
  async size(options: ListCheckpointsOptions = {}): Promise<number> {
    const checkpoints = await this.list(options);
    return checkpoints.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Closes the client, if it is the store's own. The checkpoints stay. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ownsCriu) await this.#criu.close();
  }

  #processTree(pid: number): CheckpointTarget {
    return { pid, dump: (options) => this.#criu.dump(pid, options) };
  }

  async #withVerified<T>(
    operation: string,
    id: string,
    use: (checkpoint: StoredCheckpoint) => Promise<T> | T,
  ): Promise<T> {
    await this.#requirePrivate(operation);
    const found = await this.#find(operation, id);
    await using _ = await this.#use(operation, found);
    const [finding] = await verifyImages(found.directory);
    if (finding) {
      const { message, path } = finding;
      throw new CriuError('ERR_CRIU_BAD_IMAGE', `${operation}: ${message}`, { operation, path });
    }
    return await use(described(found));
  }

  async #requirePrivate(operation: string): Promise<void> {
    await requirePrivate(operation, this.directory);
  }

  async #list(operation: string, name?: string): Promise<FoundCheckpoint[]> {
    const all = await this.#files.list(operation);
    return name === undefined ? all : all.filter((each) => each.name === name);
  }

  async #get(operation: string, id: string): Promise<StoredCheckpoint> {
    return described(await this.#find(operation, id));
  }

  async #find(operation: string, id: string): Promise<FoundCheckpoint> {
    const found =
      typeof id === 'string' && parseId(id) ? await this.#files.find(operation, id) : undefined;
    if (found) return found;
    throw invalid(operation, 'id', `a checkpoint in ${this.directory}`, id);
  }

  /** Keeps a checkpoint and its parents from being removed. @throws CriuError ERR_CRIU_BUSY */
  async #use(operation: string, first: FoundCheckpoint): Promise<AsyncDisposable> {
    const locks: DirectoryLock[] = [];
    const release = async () => {
      for (const lock of locks) await lock[Symbol.asyncDispose]();
    };
    for (const { id } of await this.#files.chainOf(operation, first)) {
      const lock = await DirectoryLock.take(this.#files.pathOf(id), 'shared');
      if (lock) locks.push(lock);
      else {
        await release();
        throw new CriuError('ERR_CRIU_BUSY', `${operation}: ${id} is being removed`, { operation });
      }
    }
    return { [Symbol.asyncDispose]: release };
  }

  /** The checkpoint whose memory an incremental one can refer to, kept from being removed. */
  async #parentFor(
    operation: string,
    name: string,
    pid: number,
  ): Promise<(AsyncDisposable & { readonly id: string }) | undefined> {
    const [newest] = await this.#list(operation, name);
    if (!newest || !isOf(newest.manifest, pid)) return undefined;
    const use = await this.#use(operation, newest);
    return { id: newest.id, [Symbol.asyncDispose]: () => use[Symbol.asyncDispose]() };
  }
}

function described(found: FoundCheckpoint): StoredCheckpoint {
  const { id, name, createdAt, directory, manifest } = found;
  const { pid, bytes } = manifest;
  return { id, name, createdAt, directory, pid, bytes, parent: parentOf(found), manifest };
}

/** True for a checkpoint of a process that has run on since. */
function isOf({ host, pid: own, processes }: CheckpointManifest, pid: number): boolean {
  const root = processes.find((each) => each.pid === own);
  const isSame =
    statusOf(pid)?.pids.at(-1) === own && String(root?.startTicks) === startTimeOf(pid);
  return isSame && host.bootId === readBootIdSync();
}
